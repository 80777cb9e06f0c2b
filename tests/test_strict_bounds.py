"""The bounds that strict steps count hold for all numbers they are of, and smaller ones do not."""

import math
from functools import cache

import flint
import numpy as np
import pytest

from adafactor_numba import strict, vectorpairs
from adafactor_numba.doubledouble import multiply, times
from adafactor_numba.hyperparameters import Hyperparameters
from tests.arrays import DTYPES, normal
from tests.reference import exact
from tests.test_strict import NAMES, form

SHAPES = [(1, 63), (5, 64), (67, 3), (66, 71), (3, 1025), (2, 3, 130), (1025,)]
THRESHOLDS = [0.5, math.inf]
BITS = 400  # of the balls that errors are measured in


def drawn(shape, dtype, d):
    """Weights, a gradient, statistics that are no longer zero, the rates and the constants."""
    rng = np.random.default_rng([2, *shape])
    extents = {"V": shape, "R": shape[:-1], "C": (*shape[:-2], shape[-1])}
    statistics = {name: rng.uniform(0.5, 2, extents[name]) for name in NAMES[len(shape)]}
    constants = Hyperparameters(d=d, epsilon_2=0.0)
    X, G = normal(shape, dtype), normal(shape, dtype, 1)
    return X, G, statistics, strict.rates(constants, 3), constants


def real(pairs):
    """Balls around the sums of pairs (2, ...)."""
    return np.array([flint.arb(x) + y for x, y in pairs.reshape(2, -1).T.tolist()])


def off(found, exact):
    """How far each number is from the exact one, relatively."""
    return [abs(x / y - 1) for x, y in zip(np.ravel(found), np.ravel(exact), strict=True)]


@cache
def errors(shape, dtype, d):
    """Of each kind of number that a step has a bound for, all errors, and the bound."""
    X, G, statistics, rates, constants = drawn(shape, dtype, d)
    with flint.ctx.workprec(BITS):
        due = exact(X, G, statistics, rates, constants)
        step = strict.step(X.reshape(form(X)), G.reshape(form(X)), statistics, rates, constants)
        step._statistics()
        found = of_matrices(step, due) if X.ndim > 1 else of_a_vector(step, due)
        return found | moves(step, due["alpha"] * due["U_hat"])


def of_matrices(step, due):
    """Those of R, C and what is made of them."""
    bounds, C, S_R = step.bounds, due["C"], np.reshape(due["S_R"], (step.p, 1))
    found = {"R": (off(real(step.R), due["R"]), bounds.R), "C": (off(real(step.C), C), bounds.C)}
    step._invert()
    ratios = S_R / np.reshape(due["R"], (step.p, step.n))
    found["S_R / R"] = off(real(step.R), ratios), bounds.inverse_R
    found["1 / C"] = off(real(step.C), 1 / C), bounds.inverse_C
    return found


def of_a_vector(step, due):
    """That of V; for what follows there are c of all entries."""
    V = np.empty((2, step.m))
    vectorpairs.renew(step.G[0, 0], step.of, 0, step.m, *V)
    step._invert()
    step.of_each = np.empty((2, 1, step.m))
    vectorpairs.inverse_roots(step.G[0, 0], step.of, 0, step.m, step.of_each[:, 0])
    return {"V": (off(real(V), due["V"]), step.bounds.C)}


def moves(step, due):
    """The same of f c G: in doubles, in pairs, and in pairs with the scale that doubles gave."""
    of_doubles, (_, bound, other, _) = step._factors(pairs=False)
    of_pairs, (_, _, own, _) = step._factors(pairs=True)
    in_doubles = [own * c * g for own, c, g in doubles(step, of_doubles)]
    return {
        "doubles": (off(real(np.array([in_doubles, np.zeros_like(in_doubles)])), due), bound),
        "pairs": (off(in_pairs(step, of_pairs), due), own),
        "pairs, scale in doubles": (off(in_pairs(step, of_doubles), due), other),
    }


def entries(step, f):
    """The pairs f and c and the gradient of each entry."""
    for b, i, j in np.ndindex(step.G.shape):
        c = step.of_each if step.R_old is None else step.c
        yield f[:, b, i].tolist(), c[:, b, j].tolist(), float(step.G[b, i, j])


def doubles(step, f):
    """Their doubles; of a vector, what follows from V as it is stored."""
    for k, (own, c, g) in enumerate(entries(step, f)):
        yield own[0], (1.0 / math.sqrt(step.V[k]) if step.R_old is None else c[0]), g


def in_pairs(step, f):
    """Balls around f c G as `ziv.entry` computes it."""
    return real(np.array([times(*multiply(*a, *c), g) for a, c, g in entries(step, f)]).T)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", THRESHOLDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_no_number_of_a_step_is_farther_off_than_its_bound(shape, d, dtype):
    found = errors(shape, dtype, d)
    assert found.keys() >= {"doubles", "pairs"}
    for name, (each, bound) in found.items():
        assert each
        assert all(error <= bound for error in each), name


EXCEEDED = {
    ("R", math.inf): 2**8,
    ("V", math.inf): 2**6,
    ("C", math.inf): 2**7,
    ("S_R / R", math.inf): 2**11,
    ("1 / C", math.inf): 2**6,
    ("doubles", math.inf): 2,
    ("doubles", 0.5): 4,
    ("pairs", math.inf): 2**6,
    ("pairs", 0.5): 2**11,
}
"""A bound so many times smaller is too small for some number of these shapes."""


@pytest.mark.parametrize(("name", "d"), EXCEEDED)
def test_a_bound_that_is_understated_is_exceeded(name, d):
    found = [errors(shape, dtype, d) for shape in SHAPES for dtype in DTYPES]
    kept = [of_a_step[name] for of_a_step in found if name in of_a_step]
    assert any(error > bound / EXCEEDED[name, d] for each, bound in kept for error in each)
