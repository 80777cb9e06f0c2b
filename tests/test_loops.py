"""The loops are their plain source, compiled, and keep every law that rounding leaves exact."""

import math

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from adafactor_numba import loops, matrix, vector
from tests.arrays import DTYPES, LOOPS, bits

STRADDLING = [(1, 1, 1), (1, 4, 15), (1, 3, 16), (1, 17, 2), (2, 9, 17), (3, 1, 257), (1, 8, 33)]
LENGTHS = [1, 7, 8, 9, 127, 128, 129, 257]
LARGE = [(1, 17, 4097), (1, 33_001, 3), (2, 9, 2049), (65_537,)]
SHAPES = [*STRADDLING, (129,), (1,), (2, 9, 2049), (65_537,)]
CONSTANTS = {"w": 0.25, "beta_2": 0.75, "rho": 0.01, "epsilon_1": 1e-30, "epsilon_2": 1e-3}


def drawn(shape, dtype, seed=0, magnitude=1.0):
    """Weights, a gradient and statistics: V for a shape (n,), R and C for (p, n, m)."""
    rng = np.random.default_rng([seed, *shape])
    X, G = rng.standard_normal((2, *shape)).astype(dtype)
    statistics = (shape,) if len(shape) == 1 else (shape[:2], (shape[0], shape[2]))
    return X, G * dtype(magnitude), *(rng.uniform(0.5, 2.0, s) * magnitude**2 for s in statistics)


def stepped(arrays, step=None, **changed):
    """What one step makes of copies of the arrays: X_new and the statistics."""
    X, G, *statistics = (A.copy() for A in arrays)
    step = step or (vector.step if X.ndim == 1 else matrix.step)
    constants = CONSTANTS | {"d": 1.0} | changed
    step(X, G, *statistics, *(constants[k] for k in (*CONSTANTS, "d")))
    return [X, *statistics]


def scaled(arrays, factor):
    """The arrays with another unit of the gradient."""
    X, G, *statistics = arrays
    return X, G * G.dtype.type(factor), *(A * factor**2 for A in statistics)


def test_bits_tell_zeros_neighbours_and_types_apart():
    one = np.ones(1)
    assert bits(np.array([0.0])) != bits(np.array([-0.0]))
    assert bits(one) != bits(np.nextafter(one, 2))
    assert bits(one) != bits(one.astype(np.float32)) != bits(one.astype(np.float32)[None])


def test_every_compiled_loop_has_its_plain_source_beside_it():
    for module in LOOPS:
        for name, f in vars(module).items():
            if hasattr(f, "py_func") and f.py_func.__module__ == module.__name__:
                assert f.py_func is getattr(module, f"_{name}")


@pytest.mark.parametrize("d", [0.5, 3.0, math.inf])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [*STRADDLING, *LARGE, *((n,) for n in LENGTHS)])
def test_compiled_and_interpreted_steps_give_the_same_bits(shape, dtype, d, request):
    arrays = drawn(shape, dtype)
    compiled = stepped(arrays, d=d)
    assert request.getfixturevalue("interpreted") > 10
    plain = matrix.step if len(shape) == 3 else vector.step
    assert not hasattr(plain, "py_func")
    assert bits(*stepped(arrays, plain, d=d)) == bits(*compiled)
    assert bits(compiled[0]) != bits(arrays[0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_compiled_and_interpreted_scans_find_the_same_entry(dtype):
    for value in (np.nan, np.inf, -np.inf, 5.0, -5.0, 4.0):
        X = np.zeros((2, 3, 4), dtype)
        X[1, 0, 2] = X[1, 2, 0] = value
        found = loops.first_beyond(X, 4.0)
        assert found == loops._first_beyond(X, 4.0) == (-1 if value == 4.0 else 14)


@given(
    shape=st.sampled_from(SHAPES),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 2**32),
    exponent=st.integers(-30, 30),
    epsilon_1=st.sampled_from([1e-30, 0.1]),
    d=st.sampled_from([0.5, 1.0, math.inf]),
)
def test_the_unit_of_the_gradient_does_not_matter(shape, dtype, seed, exponent, epsilon_1, d):
    unit = 2.0**exponent
    arrays = drawn(shape, dtype, seed)
    X_new, *statistics = stepped(arrays, epsilon_1=epsilon_1, d=d)
    other, *scaled_statistics = stepped(scaled(arrays, unit), epsilon_1=epsilon_1 * unit**2, d=d)
    assert bits(other) == bits(X_new)
    assert bits(*scaled_statistics) == bits(*(A * unit**2 for A in statistics))


@pytest.mark.parametrize("shape", [(129,), (1, 3, 129)])
def test_the_unit_of_the_gradient_matters_where_epsilon_1_does_not_follow(shape):
    arrays = drawn(shape, np.float64)
    X_new, *_ = stepped(arrays, epsilon_1=0.1)
    other, *_ = stepped(scaled(arrays, 2.0), epsilon_1=0.1)
    assert bits(other) != bits(X_new)


@given(
    shape=st.sampled_from(SHAPES),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 2**32),
    exponent=st.integers(-30, 30),
    epsilon_2=st.sampled_from([0.0, 1e-3, 8.0]),
)
def test_the_unit_of_the_weights_does_not_matter(shape, dtype, seed, exponent, epsilon_2):
    unit = 2.0**exponent
    X, *rest = drawn(shape, dtype, seed)
    X_new, *_ = stepped((X, *rest), epsilon_2=epsilon_2)
    other, *_ = stepped((X * dtype(unit), *rest), epsilon_2=epsilon_2 * unit)
    event(f"RMS(X) decides alpha: {math.sqrt(np.mean(X.astype(float) ** 2)) > epsilon_2}")
    assert bits(other) == bits(X_new * dtype(unit))


@given(
    shape=st.sampled_from(SHAPES),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 2**32),
    part=st.sampled_from([0.01, 0.5, 1.0]),
)
def test_turning_entries_of_weights_and_gradient_around_turns_their_steps_around(
    shape, dtype, seed, part
):
    X, G, *statistics = drawn(shape, dtype, seed)
    signs = np.where(np.random.default_rng(seed).random(shape) < part, dtype(-1), dtype(1))
    for start in (X, np.zeros_like(X)):
        X_new, *after = stepped((start, G, *statistics))
        other, *other_after = stepped((start * signs, G * signs, *statistics))
        assert bits(other + dtype(0)) == bits(X_new * signs + dtype(0))  # 0 - u turns no sign of 0
        assert bits(*other_after) == bits(*after)
        assert (X_new != start).any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(2, 3, 129), (1, 3, 1), (129,)])
def test_rows_columns_and_entries_without_a_gradient_do_not_move(shape, dtype):
    X, G, *statistics = drawn(shape, dtype)
    still = np.zeros(shape, bool)
    still[..., 0] = True
    if len(shape) == 3:
        still[:, 1] = True
    G[still] = 0
    X_new, *_ = stepped((X, G, *statistics))
    assert bits(X_new[still]) == bits(X[still])
    assert (X_new[~still] != X[~still]).all()


@pytest.mark.parametrize("shape", [(2, 3, 5), (4,)])
def test_a_first_gradient_of_zeros_leaves_the_weights_and_epsilon_1_in_the_statistics(shape):
    X, G, *statistics = drawn(shape, np.float64)
    empty = [np.zeros_like(A) for A in statistics]
    epsilon_1 = 2.0**-100
    X_new, *after = stepped((X, np.zeros_like(G), *empty), w=1.0, beta_2=0.0, epsilon_1=epsilon_1)
    sizes = (1,) if len(shape) == 1 else (shape[2], shape[1])
    assert bits(X_new) == bits(X)
    assert bits(*after) == bits(
        *(np.full_like(A, size * epsilon_1) for A, size in zip(empty, sizes, strict=True))
    )


def test_a_batch_is_clipped_as_a_whole_and_factored_apart():
    X, G, R, C = drawn((2, 3, 4), np.float64)
    X[:], G[0] = 0, 0
    together = stepped((X, G, R, C))
    alone = stepped(tuple(A[1:].copy() for A in (X, G, R, C)))
    assert bits(*(A[1:] for A in together[1:])) == bits(*alone[1:])
    assert bits(together[0][1:]) != bits(alone[0])  # RMS(U) is halved by the matrix of zeros
    unclipped = [
        stepped((X, G, R, C), d=math.inf),
        stepped((X[1:], G[1:], R[1:], C[1:]), d=math.inf),
    ]
    assert bits(unclipped[0][0][1:]) == bits(unclipped[1][0])
