"""Rows, columns and entries in another order: the same step, within its counted rounding."""

import math
from fractions import Fraction

import numpy as np
import pytest

from adafactor_numba import loops, matrix
from adafactor_numba.audit.source import interpreted
from derivations.bounds import gamma
from tests.arrays import DTYPES
from tests.counts import of_a_vector, of_matrices
from tests.test_loops import stepped

THRESHOLDS = [0.5, math.inf]
MATRICES = [(1, 37, 85), (1, 300, 701), (3, 37, 85), (2, 130, 601)]


def drawn(shape, dtype):
    """Weights, a gradient and statistics of another one, so that sum R = sum C, exactly."""
    rng = np.random.default_rng([7, *shape])
    X, G = rng.standard_normal((2, *shape)).astype(dtype)
    squares = rng.integers(1, 2**10, shape) / 2**9
    return X, G, *([squares] if len(shape) == 1 else [squares.sum(2), squares.sum(1)])


def outputs(arrays, step=None, d=math.inf):
    """What a step of the size of the weights makes, by name."""
    X_new, *statistics = stepped(arrays, step, rho=1.0, epsilon_2=0.0, d=d)
    names = ["V"] if X_new.ndim == 1 else ["R", "C"]
    return {"X_new": X_new} | dict(zip(names, statistics, strict=True))


def counted(shape):
    """K of each output."""
    return of_a_vector(loops, *shape) if len(shape) == 1 else of_matrices(loops, *shape)


def unlike(one, other, X, K):
    """The outputs of two steps on X that differ by more than K roundings of each explain."""
    found = set()
    for name, a in one.items():
        b, u = other[name], Fraction(1, 2**53)
        size, stored = np.abs(a), 0.0
        if name == "X_new":  # is rounded to a double, then to its type, by half an ulp of each
            stored = np.spacing(np.maximum(np.abs(a), np.abs(b))).astype(float) * (1 + 2**-28)
            size = np.abs(a.astype(float) - X) + stored
        apart = float(gamma(2 * K[name], u)) * size + stored
        if not (np.abs(a.astype(float) - b) <= apart).all():
            found.add(name)
    return found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", THRESHOLDS)
@pytest.mark.parametrize("shape", MATRICES)
def test_permuting_matrices_rows_and_columns_changes_no_more_than_rounding(shape, d, dtype):
    rng = np.random.default_rng(1)
    which, rows, columns = (rng.permutation(size) for size in shape)
    X, G, R, C = drawn(shape, dtype)
    one, K = outputs((X, G, R, C), d=d), counted(shape)
    X, G = (A[which][:, rows][:, :, columns] for A in (X, G))
    R, C = R[which][:, rows], C[which][:, columns]
    expected = {
        "X_new": one["X_new"][which][:, rows][:, :, columns],
        "R": one["R"][which][:, rows],
        "C": one["C"][which][:, columns],
    }
    assert not unlike(expected, outputs((X, G, R, C), d=d), X, K)
    R[0, :2] = R[0, 1::-1]
    assert unlike(expected, outputs((X, G, R, C), d=d), X, K) == {"X_new", "R"}
    assert unlike(expected, one, X, K) == {"X_new", "R", "C"}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", THRESHOLDS)
@pytest.mark.parametrize("shape", [(9,), (70_001,)])
def test_permuting_the_entries_of_a_vector_changes_no_more_than_rounding(shape, d, dtype):
    entries = np.random.default_rng(1).permutation(*shape)
    arrays, K = drawn(shape, dtype), counted(shape)
    expected = {name: A[entries] for name, A in outputs(arrays, d=d).items()}
    X, G, V = (A[entries] for A in arrays)
    assert not unlike(expected, outputs((X, G, V), d=d), X, K)
    V[:2] = V[1::-1]
    assert unlike(expected, outputs((X, G, V), d=d), X, K) == {"X_new", "V"}


def transposed(arrays):
    X, G, R, C = arrays
    return X.swapaxes(1, 2), G.swapaxes(1, 2), C, R


def turned(arrays, step=None, d=math.inf):
    """What the step makes of the transposed arrays, transposed."""
    found = outputs(transposed(arrays), step, d)
    return {"X_new": found["X_new"].swapaxes(1, 2), "R": found["C"], "C": found["R"]}


def larger(shape):
    """K of each output of a matrix, or of the transposed one where that is larger."""
    p, n, m = shape
    one, other = counted(shape), counted((p, m, n))
    names = {"X_new": "X_new", "R": "C", "C": "R"}
    return {name: max(one[name], other[same]) for name, same in names.items()}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", THRESHOLDS)
@pytest.mark.parametrize("shape", MATRICES)
def test_transposing_changes_no_more_than_rounding(shape, d, dtype):
    arrays, K = drawn(shape, dtype), larger(shape)
    X, G, R, C = arrays
    assert np.array_equal(R.sum(1), C.sum(1))
    one = outputs(arrays, d=d)
    assert not unlike(one, turned(arrays, d=d), X, K)
    C[0, :2] = C[0, 1::-1]
    assert unlike(one, turned((X, G, R, C), d=d), X, K) == {"X_new", "C"}


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_transposed_matrix_takes_another_step_where_sum_R_is_not_sum_C(dtype):
    """Where U is clipped S_R cancels, and there the step is the same."""
    shape = (1, 37, 85)
    X, G, R, C = drawn(shape, dtype)
    arrays = X, G, R * (1 + 2**-10), C
    one, K = outputs(arrays), larger(shape)
    assert unlike(one, turned(arrays), X, K) == {"X_new"}
    clipped = outputs(arrays, d=0.5)
    assert not unlike(clipped, turned(arrays, d=0.5), X, K)


@pytest.mark.parametrize(("dtype", "off"), [(np.float32, 1e-6), (np.float64, 1e-12)])
@pytest.mark.parametrize("d", THRESHOLDS)
def test_a_false_sum_of_R_is_seen_when_the_matrix_is_transposed(d, dtype, off):
    shape = (1, 37, 85)
    arrays = drawn(shape, dtype)
    one, K = outputs(arrays, d=d), larger(shape)

    def scales(r, c, R, C):
        matrix.scales(r, c, R, C)
        r *= math.sqrt(1 + off)

    false = interpreted(matrix, scales=scales).step
    assert not unlike(one, turned(arrays, interpreted(matrix).step, d), arrays[0], K)
    assert unlike(one, turned(arrays, false, d), arrays[0], K) == {"X_new"}
