"""What must not matter to a strict step changes no bit: order, layout, threads."""

import math

import numpy as np
import pytest

from adafactor_numba import Adafactor, loops, strict_matrix
from tests.arrays import DTYPES, bits, normal
from tests.test_doubledouble import of_the_first_strips

STRIPS = {(66, 71): 1, (300, 257): 2, (150, 8200): 10, (1, 70_001): 1, (2, 130, 601): 4}
"""Of several strips; those of (150, 8200) have two blocks each."""
LARGE = [shape for shape, strips in STRIPS.items() if strips > 1]


def after(X, gradients, **options):
    """X, which is updated in place, and its statistics after strict steps."""
    optimizer = Adafactor([X], strict=True, **options)
    for G in gradients:
        optimizer.step([G])
    state = optimizer.state_dict()[0]
    return [X.copy(order="C"), *(state[name] for name in state if name != "t")]


def drawn(shape, dtype, steps=2):
    """Weights and the gradients of some steps."""
    X, *gradients = (normal(shape, dtype, t) for t in range(steps + 1))
    return X, gradients


def test_the_shapes_have_as_many_strips_as_is_said():
    for (*leading, n, m), strips in STRIPS.items():
        assert math.prod(leading) * -(-n // loops.strip(n, m)) == strips
    assert loops.strip(150, 8200) == 2 * loops.height(8200)


# Order


def unlike(shape, dtype):
    """The orders of rows and columns in which the same steps give other bits."""
    rng = np.random.default_rng(0)
    rows, columns = (rng.permutation(size) for size in shape[-2:])
    X, gradients = drawn(shape, dtype)
    views = {
        "rows": lambda A: A[..., rows, :],
        "columns": lambda A: A[..., columns],
        "transposed": lambda A: A.swapaxes(-1, -2),
    }
    X_new, R, C = after(X.copy(), gradients)
    expected = {
        "rows": (X_new[..., rows, :], R[..., rows], C),
        "columns": (X_new[..., columns], R, C[..., columns]),
        "transposed": (X_new.swapaxes(-1, -2), C, R),
    }
    return [
        name
        for name, view in views.items()
        if bits(*after(view(X).copy(), [view(G).copy() for G in gradients]))
        != bits(*map(np.ascontiguousarray, expected[name]))
    ]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", STRIPS)
def test_permuted_and_transposed_matrices_take_the_same_steps(shape, dtype):
    assert not unlike(shape, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", LARGE)
def test_a_strip_that_is_left_out_is_seen(shape, dtype, monkeypatch):
    monkeypatch.setattr(strict_matrix, "gather", of_the_first_strips)
    assert {"rows", "transposed"} <= {*unlike(shape, dtype)}


def test_the_default_loops_do_not_permute_bit_for_bit():
    shape = (66, 71)
    X, Y = normal(shape), normal(shape)[::-1].copy()
    Adafactor([X]).step([normal(shape, seed=1)])
    Adafactor([Y]).step([normal(shape, seed=1)[::-1].copy()])
    assert bits(Y[::-1].copy()) != bits(X)


# Layout and threads


def every_other(A):
    """The entries of A, in an array of twice its extents."""
    wide = np.zeros([2 * extent for extent in A.shape], A.dtype)
    view = wide[(..., *(slice(None, None, 2),) * A.ndim)]
    view[...] = A
    return view


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", LARGE)
def test_layout_and_threads_do_not_matter(shape, dtype):
    assert math.prod(shape) > strict_matrix.SHARED
    X, (G,) = drawn(shape, dtype, steps=1)
    expected = bits(*after(X.copy(), [G], threads=1))
    kept = G.copy()
    kept.flags.writeable = False
    forms = [(np.copy, kept, 2), (np.copy, G, 3), (np.asfortranarray, G.copy(order="F"), 7)]
    for form, gradient, threads in [*forms, (every_other, G, 2), (every_other, every_other(G), 1)]:
        assert bits(*after(form(X), [gradient], threads=threads)) == expected
    assert bits(*after(X.copy(), [-G], threads=1)) != expected


def test_a_step_writes_nothing_beside_an_array_that_is_not_contiguous():
    X, gradients = drawn((300, 257), np.float32)
    view = every_other(X)
    after(view, gradients, threads=2)
    assert not view.base[1::2].any()
    assert not view.base[:, 1::2].any()


# Scale and sign


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(66, 71), (300, 257), (3001,)])
@pytest.mark.parametrize("k", [-30, 7])
def test_powers_of_two_and_signs_change_no_bit(shape, dtype, k):
    """G, sqrt epsilon_1 and the statistics by 2^k; the sign of all of X and G."""
    X, gradients = drawn(shape, dtype)
    X_new, *statistics = after(X.copy(), gradients)
    scaled, scale = [np.ldexp(G, k) for G in gradients], 4.0**k
    X_scaled, *others = after(X.copy(), scaled, epsilon_1=1e-30 * scale)
    assert bits(X_scaled) == bits(X_new)
    assert bits(*others) == bits(*(A * scale for A in statistics))
    X_turned, *others = after(-X, [-G for G in gradients])
    assert bits(X_turned) == bits(-X_new)
    assert bits(*others) == bits(*statistics)
    _, *tripled = after(X.copy(), [3 * G for G in gradients], epsilon_1=9e-30)
    assert bits(*tripled) != bits(*(9 * A for A in statistics))
