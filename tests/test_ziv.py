"""Ziv's test lets nothing through that its bound does not decide: the next stage has it."""

import math
from fractions import Fraction

import numpy as np
import pytest

from adafactor_numba import (
    accumulator,
    doubledouble,
    exact,
    loops,
    pairsums,
    passes,
    scale,
    strict,
    strict_matrix,
    strict_step,
    strict_vector,
    survey,
    vectorpairs,
    whole,
    ziv,
)
from adafactor_numba.bounds import Bounds
from adafactor_numba.doubledouble import PAIR, U
from adafactor_numba.hyperparameters import Hyperparameters
from adafactor_numba.vectorbounds import VectorBounds
from tests.arrays import DTYPES, bits, normal
from tests.test_strict import stepped

MIDDLE = 1 + 3 * 2.0**-24  # between the float32 1 + 2^-23 and 1 + 2^-22, of which this is even


def moved(loop, x, *arguments):
    """What a loop makes of one entry, and whether it is undecided; what it was is kept."""
    x, old = x.copy(), np.full_like(x, 7)
    before = bits(x)
    undecided = loop(x, *arguments, old)
    assert bits(old) == before
    return float(x[0]), undecided


X, G, ONE = np.zeros(1, np.float32), np.full(1, -1, np.float32), np.ones(1)


def test_a_false_bound_of_doubles_lets_a_misrounding_through():
    """The move is MIDDLE - 2^-60, so X_new is nearest to 1 + 2^-23; MIDDLE itself rounds up."""
    assert moved(ziv.in_doubles, X, G, MIDDLE, ONE, 0.0) == (1 + 2.0**-22, False)
    assert moved(ziv.in_doubles, X, G, MIDDLE, ONE, 4 * U)[1]
    pair = (MIDDLE, -(2.0**-60))
    right = X, G, pair, ONE, np.zeros(1), 16 * PAIR, ziv.TINY
    assert moved(ziv.in_pairs, *right) == (1 + 2.0**-23, False)


def test_a_false_bound_of_pairs_lets_a_misrounding_through():
    """(a - a e) (1 + e) is a - a e^2, which pairs do not see: e^2 = 2^-108."""
    e = 2.0**-54
    pair, c = (MIDDLE, -MIDDLE * e), np.full(1, e)
    true = (Fraction(MIDDLE) - Fraction(MIDDLE) * Fraction(e)) * (1 + Fraction(e))
    assert true < Fraction(MIDDLE)
    arguments = X, G, pair, ONE, c
    assert moved(ziv.in_pairs, *arguments, 0.0, 0.0) == (1 + 2.0**-22, False)
    assert moved(ziv.in_pairs, *arguments, 16 * PAIR, ziv.TINY)[1]


@pytest.mark.parametrize("bound", [math.inf, math.nan])
def test_without_a_bound_nothing_is_decided(bound):
    for x in (0.0, 1.0):
        weights = np.full(1, x, np.float32)
        for g in (G, np.zeros(1, np.float32)):
            assert moved(ziv.in_doubles, weights, g, 1.0, ONE, bound)[1]
            pair = (1.0, 0.0)
            assert moved(ziv.in_pairs, weights, g, pair, ONE, np.zeros(1), bound, 0.0)[1]


def test_a_statistic_is_left_undecided_where_its_bound_does_not_tell():
    pairs = np.array([[1.0, 1.0, 1.0], [U, U * (1 - 2.0**-40), 0.0]])
    rounded = np.empty(3)
    assert ziv.settled(pairs, 2.0**-98, rounded).tolist() == [0]
    assert rounded[1:].tolist() == [1.0, 1.0]
    assert ziv.settled(pairs, -4 * U * U, rounded).tolist() == []  # a false bound
    assert ziv.settled(pairs, math.inf, rounded).tolist() == [0, 1, 2]


@pytest.mark.parametrize("y", [1e-30, -1e-30, 0.0, 2.0**-54, -(2.0**-54)])
def test_rounding_to_odd_keeps_what_a_second_rounding_needs(y):
    for x in (1.0, MIDDLE, -MIDDLE, 1 + 2.0**-24, 2.0**-149 * 1.5):
        exactly = Fraction(x) + Fraction(x * y)
        stored = np.float32(ziv.to_odd(x, x * y))
        assert stored == strict.nearest.nearest(exactly, np.dtype(np.float32))
        assert ziv.to_odd(x, x * y) == ziv._to_odd(x, x * y)
    assert np.float32(MIDDLE + -1e-30) != np.float32(ziv.to_odd(MIDDLE, -1e-30))


# One stage after the other


def problem(dtype, shape=(5, 7)):
    constants = Hyperparameters(d=0.5)
    state = {"R": np.full(shape[0], 0.1), "C": np.full(shape[-1], 0.2)}
    if len(shape) == 1:
        state = {"V": np.full(shape, 0.1)}
    return (
        normal(shape, dtype),
        normal(shape, dtype, 1),
        state,
        strict.rates(constants, 3),
        constants,
    )


def widened(ball, bits):
    """Ends that a ball lies between, as far apart as neighbours of float32 or float64."""
    del bits
    low, high = (float(exact._rational(x)) for x in (ball.lower(), ball.upper()))
    kind = widened.kind
    low, high = kind(low), kind(high)
    down, up = np.nextafter(low, kind(-math.inf)), np.nextafter(high, kind(math.inf))
    middle = exact._rational(ball.mid())
    if Fraction(float(low)) > middle:
        high = low
        low = down
    else:
        high = up
    return Fraction(float(low)), Fraction(float(high))


def with_bounds(monkeypatch, replaced):
    """Have the bound of a move be what this makes of it, of that of the scale, and of `pairs`."""
    for kind in (Bounds, VectorBounds):

        def move(self, scale, own=kind.move):
            *others, in_pairs = own(self, scale)
            others = [replaced(bound, scale, False) for bound in others]
            return *others, replaced(in_pairs, scale, True)

        monkeypatch.setattr(kind, "move", move)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5, 7), (35,)])
def test_a_stage_that_fails_hands_on_to_the_next_with_the_same_bits(shape, dtype, monkeypatch):
    given = problem(dtype, shape)
    size = given[0].size
    found, certificate = stepped(*given)
    first = "doubles" if dtype == np.float32 else "pairs"
    assert getattr(certificate, first) == size
    stages = {}
    with_bounds(monkeypatch, lambda bound, scale, pairs: bound if pairs else math.inf)
    stages["pairs"] = stepped(*given)
    with_bounds(monkeypatch, lambda bound, scale, pairs: math.inf)
    stages["balls"] = stepped(*given)
    widened.kind = dtype
    monkeypatch.setattr(exact, "_ends", widened)
    stages["algebra"] = stepped(*given)
    for stage, (again, counts) in stages.items():
        assert bits(*again.values()) == bits(*found.values()), stage
        assert getattr(counts, stage) == counts.entries == size, stage
        assert counts.ties == 0


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_undecided_is_found_in_every_piece_of_a_vector(dtype, threads, monkeypatch):
    given = problem(dtype, (2 * vectorpairs.PIECE + 4,))
    found, _ = stepped(*given)
    monkeypatch.setattr(strict_vector, "SHARED", 1)
    shared, _ = stepped(*given, threads)
    assert bits(*shared.values()) == bits(*found.values())
    for stage, replaced in {
        "pairs": lambda bound, scale, pairs: bound if pairs else math.inf,
        "balls": lambda bound, scale, pairs: math.inf,
    }.items():
        with_bounds(monkeypatch, replaced)
        again, certificate = stepped(*given, threads)
        assert getattr(certificate, stage) == certificate.entries
        assert bits(*again.values()) == bits(*found.values())
    monkeypatch.setattr(VectorBounds, "C", math.inf)
    again, certificate = stepped(*given, threads)
    assert certificate.statistics_exact == len(given[0])
    assert bits(*again.values()) == bits(*found.values())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 3), (5, 70), (2100,)])
def test_the_plain_source_of_the_loops_gives_the_same_bits(shape, dtype, monkeypatch):
    given = problem(dtype, shape)
    found, certificate = stepped(*given)
    replaced = 0
    modules = accumulator, doubledouble, loops, pairsums, passes, scale, survey, whole, ziv
    modules += strict_matrix, strict_step, strict_vector, vectorpairs
    for module in modules:
        for name, f in list(vars(module).items()):
            if hasattr(f, "py_func"):
                monkeypatch.setattr(module, name, f.py_func)
                replaced += 1
    assert replaced > 40
    with np.errstate(over="ignore"):  # whole numbers are modulo 2^64
        again, same = stepped(*given)
    assert bits(*again.values()) == bits(*found.values())
    assert same == certificate


@pytest.mark.parametrize(
    ("shape", "kind", "entries"), [((5, 7), Bounds, 12), ((4100,), VectorBounds, 4100)]
)
def test_statistics_that_pairs_leave_are_rounded_exactly_to_the_same_bits(
    shape, kind, entries, monkeypatch
):
    given = problem(np.float64, shape)
    found, certificate = stepped(*given)
    assert (certificate.statistics_pairs, certificate.statistics_exact) == (entries, 0)
    for name in {"R", "C"} & {*vars(kind)}:
        monkeypatch.setattr(kind, name, math.inf)
    again, certificate = stepped(*given)
    assert (certificate.statistics_pairs, certificate.statistics_exact) == (0, entries)
    assert bits(*again.values()) == bits(*found.values())


@pytest.mark.parametrize("shape", [(5, 7), (35,)])
def test_float32_asks_for_the_scale_in_pairs_only_if_it_must(shape, monkeypatch):
    asked = []
    plain = strict.Step._factors
    monkeypatch.setattr(
        strict.Step, "_factors", lambda self, pairs: asked.append(pairs) or plain(self, pairs)
    )
    stepped(*problem(np.float32, shape))
    assert asked == [False]
    with_bounds(monkeypatch, lambda bound, scale, pairs: bound if scale < U else math.inf)
    _, certificate = stepped(*problem(np.float32, shape))
    assert asked == [False, False, True]
    assert certificate.pairs == certificate.entries
