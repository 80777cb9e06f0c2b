"""Small parameters take their strict steps in one call, with the bits of steps of their own."""

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adafactor_numba import Adafactor, strict, strict_list
from adafactor_numba.bounds import Bounds
from adafactor_numba.certificate import Certificate
from adafactor_numba.hyperparameters import Hyperparameters
from adafactor_numba.vectorbounds import VectorBounds
from tests.arrays import DTYPES, normal, snapshot

SHAPES = [(), (1,), (7,), (70,), (5000,), (1, 3), (3, 1), (5, 7), (67, 65), (3, 1025), (2, 3, 9)]
SHAPES += [(16000, 4), (2, 30_000), (0, 3)]  # of two strips, of rows longer than a block; of none


def arrays(dtype, seed=0, size=1.0):
    """One of each shape, of sizes that differ."""
    scales = np.ldexp(size, range(len(SHAPES)))
    found = [normal(shape, dtype, seed) * dtype(s) for shape, s in zip(SHAPES, scales, strict=True)]
    return [np.asarray(A, dtype) for A in found]


def strided(A):
    """The same numbers, not one after the other."""
    return np.repeat(A, 2, axis=-1)[..., ::2] if A.ndim else A


def unaligned(A):
    """The same numbers, where a processor would not look for them."""
    room = np.zeros(A.nbytes + 1, np.uint8)
    moved = room[1:].view(A.dtype).reshape(A.shape)
    moved[...] = A
    return moved


def run(arrays, gradients, threads=2, **options):
    """Every bit after a step for each of the gradients, and the certificates."""
    X = [A.copy(order="K") if A.flags.aligned else unaligned(A) for A in arrays]
    optimizer, certificates = Adafactor(X, strict=True, threads=threads, **options), []
    for G in gradients:
        optimizer.step(G)
        certificates.append(optimizer.certificate)
    return snapshot(optimizer, X), certificates


def by_itself(monkeypatch, *given, **options):
    """The same of steps of their own."""
    with monkeypatch.context() as patched:
        patched.setattr(strict_list, "SERIAL", -1)
        patched.setattr(strict_list, "MOST", -1)
        return run(*given, **options)


def some(G, t):
    """These gradients, of which some are missing, so that parameters are at different t."""
    return [A if (k + t) % 3 or k % 2 else None for k, A in enumerate(G)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("options", [{}, {"d": math.inf}, {"d": 1e-2, "rho": 0.0}, {"beta_2": 0.5}])
def test_a_list_takes_the_steps_of_each(dtype, options, monkeypatch):
    gradients = [some(arrays(dtype, t, 1e-4), t) for t in range(1, 5)]
    due = by_itself(monkeypatch, arrays(dtype), gradients, **options)
    for threads in (1, 3):
        assert run(arrays(dtype), gradients, threads, **options) == due


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_threads_share_a_long_list(threads, monkeypatch):
    X = [normal((5, 7) if k % 3 else (9,), np.float32, k) for k in range(400)]
    gradients = [[normal(A.shape, np.float32, t) for A in X] for t in (1, 2)]
    due = by_itself(monkeypatch, X, gradients)
    assert run(X, gradients, threads) == due


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_share_parameters_of_many_entries(dtype, threads, monkeypatch):
    shapes = [(300, 257), (70_000,), (9, 8191), (256, 256), (90_000, 1)]
    assert all(math.prod(shape) >= strict_list.SERIAL for shape in shapes)
    X, G = ([normal(shape, dtype, k) for shape in shapes] for k in (0, 1))
    assert sum(A.size for A in X) >= strict_list.ENOUGH * max(A.size for A in X)
    assert run(X, [G, G], threads) == by_itself(monkeypatch, X, [G, G], threads)


@pytest.mark.parametrize("lie", [strided, unaligned, np.asfortranarray])
def test_however_arrays_lie(lie, monkeypatch):
    X, G = arrays(np.float32), arrays(np.float32, 1)
    due = by_itself(monkeypatch, X, [G, G])
    laid = [lie(A) if k % 2 and A.ndim else A for k, A in enumerate(X)]
    others = [A if k % 3 or not A.ndim else lie(A) for k, A in enumerate(G)]
    assert run(laid, [others, G]) == due


def test_both_types_in_one_list(monkeypatch):
    X = arrays(np.float32) + arrays(np.float64)
    G = arrays(np.float32, 1) + arrays(np.float64, 1)
    assert run(X, [G, some(G, 0)]) == by_itself(monkeypatch, X, [G, some(G, 0)])


@settings(deadline=None)
@given(
    st.sampled_from(DTYPES),
    st.sampled_from([(6,), (2, 3), (5, 1)]),
    st.integers(-300, 300),
    st.integers(0, 2**32),
    st.sampled_from([0.0, 1e-3, 1.0]),
    st.sampled_from([1e-30, 1e-3]),
)
def test_numbers_of_any_size(dtype, shape, size, seed, epsilon_2, epsilon_1):
    rng = np.random.default_rng(seed)
    least = 0.4 if dtype is np.float32 else 1.0
    exponents = np.clip(size * least + rng.integers(-20, 20, (3, *shape)), -140, 120)
    X, *G = np.ldexp(rng.standard_normal((3, *shape)), exponents.astype(int)).astype(dtype)
    X[rng.random(shape) < 0.2] = 0
    options = {"epsilon_1": epsilon_1, "epsilon_2": epsilon_2}
    with pytest.MonkeyPatch.context() as patched:
        due = by_itself(patched, [X], [[g] for g in G], **options)
    assert run([X], [[g] for g in G], **options) == due


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_undecided_is_left_to_a_step_of_its_own(dtype, monkeypatch):
    X, G = arrays(dtype), arrays(dtype, 1)
    due, (certificate,) = run(X, [G])
    for kind, of in ((Bounds, 2), (VectorBounds, 1)):
        shapes = [shape for shape in SHAPES if min(2, len(shape)) == of]
        for name, replaced in {"C": math.inf, "move": lambda *_: (math.inf,) * 3}.items():
            with monkeypatch.context() as patched:
                patched.setattr(kind, name, replaced)
                found, (other,) = run(X, [G])
            assert found == due
            assert other.entries == certificate.entries
            exactly = other.statistics_exact if name == "C" else other.balls + other.algebra
            assert exactly >= sum(math.prod(s) if of == 1 else s[-1] for s in shapes if s != ())


def test_ties_among_others_are_decided_and_counted():
    X, G = np.full((4, 4), 1.0, np.float32), np.full((4, 4), 1.0, np.float32)
    options = {"rho": 2.0**-25, "beta_2": 0.5, "epsilon_1": 2.0**-40, "epsilon_2": 1.0, "d": 1.0}
    others = [normal((5, 7), np.float32), normal((9,), np.float32)]
    optimizer = Adafactor([others[0], X, others[1]], strict=True, **options)
    optimizer.step([normal((5, 7), np.float32, 1), G, normal((9,), np.float32, 1)])
    assert optimizer.certificate.entries == 35 + 16 + 9
    assert optimizer.certificate.ties == 16


@pytest.mark.parametrize("k", [0, 2, 7, 12])
@pytest.mark.parametrize("wrong", [math.nan, -math.inf])
@pytest.mark.parametrize("where", ["X", "G"])
def test_what_is_out_of_range_is_named_and_nothing_changes(k, wrong, where):
    X, G = arrays(np.float32), arrays(np.float32, 1)
    optimizer = Adafactor(X, strict=True)
    optimizer.step(G)
    (X if where == "X" else G)[k].reshape(-1)[-1] = wrong
    before = snapshot(optimizer, X)
    named = rf"params\[{k}\].*X" if where == "X" else rf"grads\[{k}\].*G"
    with pytest.raises(ValueError, match=named):
        optimizer.step(G)
    assert snapshot(optimizer, X) == before


def test_a_gradient_in_the_memory_of_another_parameter_is_read_before_that_moves(monkeypatch):
    for shape in ((5, 7), (90, 70)):
        X, Y = normal(shape, np.float32), normal(shape, np.float32, 1)
        due = run([X, Y], [[Y, X]])[0]
        for left in (False, True):
            with monkeypatch.context() as patched:
                if left:
                    patched.setattr(Bounds, "C", math.inf)
                X_new, Y_new = X.copy(), Y.copy()
                optimizer = Adafactor([X_new, Y_new], strict=True)
                optimizer.step([Y_new, X_new])
            assert snapshot(optimizer, [X_new, Y_new]) == due


def test_a_list_without_any_gradient_is_left_alone():
    X = arrays(np.float32)
    optimizer = Adafactor(X, strict=True)
    before = snapshot(optimizer, X)
    optimizer.step([None] * len(X))
    assert snapshot(optimizer, X) == before
    assert optimizer.certificate == Certificate()


@pytest.mark.parametrize("n", [2, 3, 5, 9])
@pytest.mark.parametrize("axis", [(1,), (0,), (0, 1)])
def test_ties_of_a_single_column_or_row_under_clipping(n, axis, monkeypatch):
    """All U are alike, up to their signs, so that a move is d rho times epsilon_2: to a tie."""
    options = {"rho": 1.0, "epsilon_2": 2.0, "d": 3 * 2.0**-26, "epsilon_1": 1e-3}
    ties = 0
    for size in range(1, 20):
        x, signs = np.full(n, 0.75, np.float32), np.float32(size) * (-1) ** np.arange(n)
        X, G = (np.expand_dims(A.astype(np.float32), axis) for A in (x, signs))
        due = by_itself(monkeypatch, [X], [[G]], **options)
        assert run([X], [[G]], **options) == due
        ties += due[1][0].ties
    assert ties > 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", [(1, 5, 1), (1, 1, 5), (2, 3, 4), (1, 1, 1), (1, 5000, 3)])
def test_the_bound_of_the_mean_is_that_of_a_step_of_its_own(dtype, form):
    R, C = np.ones(form[:2]), np.ones((form[0], form[2]))
    constants = Hyperparameters()
    given = np.ones(form, dtype), np.ones(form, dtype), {"R": R, "C": C}
    step = strict.step(*given, strict.rates(constants, 2), constants)
    step._statistics()
    step._invert()
    _, bound, _ = step._mean_square_U(pairs=not step.doubles)
    ((_, own),) = Adafactor([np.ones(form, dtype)], strict=True)._strict_lists()
    assert own._every["mean_square_U"].tolist() == [bound]


def test_no_gradient_is_held_after_a_step():
    X = [normal((90, 800), np.float32), normal((3, 4), np.float32)]
    optimizer = Adafactor(X, strict=True)
    for small in (normal((3, 4), np.float32, 1), None):
        G = normal((90, 800), np.float32, 1)
        before = sys.getrefcount(G)
        optimizer.step([G, small])
        assert sys.getrefcount(G) == before
