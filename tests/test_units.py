"""Laws that rounding leaves exact: other units scale a step, other signs turn entries around.

In every type that weights are stored in, rounded to nearest, by chance or strictly.
"""

import math

import numpy as np
import pytest

from adafactor_numba import Adafactor
from tests.arrays import HALVES, STORED, bits, normal, stored

KINDS = [
    *((name, {}) for name in STORED),
    *((name, {"stochastic_rounding": 5}) for name in HALVES),
    *((name, {"strict": True}) for name in ("float32", "float64")),
]
SHAPES = [(37, 85), (2, 5, 64), (70_001,), (145, 8193)]


@pytest.fixture(params=KINDS, ids=lambda kind: " ".join([kind[0], *kind[1]]))
def kind(request):
    """A type, and how it is rounded to."""
    name, options = request.param
    return stored(name), options


def drawn(shape, dtype):
    """Weights that do not come near to zero, where digits would end, and two gradients."""
    X, *gradients = (normal(shape, dtype, t) for t in range(3))
    return X + np.copysign(X.dtype.type(1), X), gradients


def after(X, gradients, **options):
    """X and its statistics after steps on a copy."""
    X = X.copy()
    optimizer = Adafactor([X], **options)
    for G in gradients:
        optimizer.step([G])
    return [X, *(A for name, A in optimizer.state_dict()[0].items() if name != "t")]


def units(dtype):
    """Powers of 2 by which gradients are scaled without losing a digit."""
    return [2.0**4] if dtype == np.float16 else [2.0**10, 2.0**-21]


@pytest.mark.parametrize("d", [0.5, math.inf])
@pytest.mark.parametrize("shape", SHAPES)
def test_units_of_gradient_and_weights_do_not_matter(shape, d, kind):
    dtype, options = kind
    X, gradients = drawn(shape, dtype)
    X_new, *statistics = after(X, gradients, epsilon_1=1e-8, epsilon_2=1.0, d=d, **options)
    assert bits(X_new) != bits(X)
    for unit in units(dtype):
        own, constants = dtype.type(unit), {"epsilon_1": 1e-8 * unit**2, "epsilon_2": unit, "d": d}
        other, *scaled = after(X * own, [G * own for G in gradients], **constants, **options)
        assert bits(other, *scaled) == bits(X_new * own, *(A * unit**2 for A in statistics))


@pytest.mark.parametrize("alone", ["epsilon_1", "epsilon_2"])
def test_a_constant_that_keeps_its_unit_is_seen(alone, kind):
    dtype, options = kind
    X, gradients = drawn((37, 85), dtype)
    given = {"epsilon_1": 0.1, "epsilon_2": 8.0}
    X_new, *_ = after(X, gradients, **given, **options)
    followed = {"epsilon_1": 0.4, "epsilon_2": 16.0} | {alone: given[alone]}
    twice = dtype.type(2)
    other, *_ = after(X * twice, [G * twice for G in gradients], **followed, **options)
    assert bits(other) != bits(X_new * twice)


@pytest.mark.parametrize("shape", SHAPES)
def test_entries_that_are_turned_around_take_their_steps_turned_around(shape, kind):
    dtype, options = kind
    X, gradients = drawn(shape, dtype)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], shape).astype(dtype)
    X_new, *statistics = after(X, gradients, **options)
    other, *same = after(X * signs, [G * signs for G in gradients], **options)
    assert bits(other, *same) == bits(X_new * signs, *statistics)
    turned, *same = after(X, [G * signs for G in gradients], **options)
    assert bits(turned) != bits(X_new * signs)
    assert bits(*same) == bits(*statistics)
