"""Sums of squares of float32 as whole numbers are exact, and what cannot be so is seen."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adafactor_numba import accumulator, bounds, loops, pairsums, survey, whole
from tests.arrays import bits, normal


@st.composite
def held(draw):
    """A number of float32, and a reach that holds it."""
    bits = draw(st.integers(0, 0x7F7FFFFF))
    x = float(np.uint32(bits).view(np.float32)) * draw(st.sampled_from([1, -1]))
    least = math.frexp(x)[1]
    return np.float32(x), math.ldexp(1.0, least + draw(st.integers(0, 27)))


def stands_for(high, low, reach):
    """What two whole numbers mean."""
    return Fraction(int(high)) * Fraction(reach) ** 2 / 2**52 + Fraction(int(low)) * (
        Fraction(reach) ** 2 / 2**103
    )


def square(x, reach):
    """The whole numbers of x^2, by the loops over arrays."""
    sums = np.empty((2, 4), np.int64)
    row = np.full(1, x, np.float32)
    whole.squares_of_each(row, row, row, row, reach, sums)
    assert (sums == sums[:, :1]).all()
    return sums[:, 0]


@given(held())
def test_a_square_is_two_whole_numbers_of_few_bits(given):
    x, reach = given
    assert whole.holds(reach, *whole.extremes(np.array([x])))
    high, low = square(x, reach)
    assert stands_for(high, low, reach) == Fraction(float(x)) ** 2
    assert 0 <= high <= 2**52
    assert abs(low) <= 2**50


@pytest.mark.parametrize("reach", [1.0, 2.0**-90, 2.0**128])
def test_what_is_beyond_a_reach_is_not_held_and_would_be_wrong(reach):
    odd = 1 + 2.0**-23  # a square of 47 bits
    for x in (odd * reach / 2**29, odd * reach):
        if abs(x) < 2.0**128:
            assert not whole.holds(reach, *whole.extremes(np.array([x], np.float32)))
            assert stands_for(*square(x, reach), reach) != Fraction(x) ** 2
    x = odd * reach / 2**28
    assert whole.holds(reach, *whole.extremes(np.array([x], np.float32)))
    assert stands_for(*square(x, reach), reach) == Fraction(x) ** 2


def test_from_some_reach_down_all_numbers_are_held():
    least = np.float32(2.0**-149)
    for x in (least, 3 * least, np.float32(2.0**-99)):
        assert whole.holds(whole.FINE, *whole.extremes(np.array([x])))
        high, low = square(x, whole.FINE)
        assert stands_for(high, low, whole.FINE) == Fraction(float(x)) ** 2
    assert not whole.holds(2 * whole.FINE, *whole.extremes(np.array([least])))
    assert stands_for(*square(least, 2 * whole.FINE), 2 * whole.FINE) != Fraction(2) ** -298


@pytest.mark.parametrize("x", [np.nan, -np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 5, 9])
def test_what_is_no_number_is_held_by_no_reach(x, place):
    a = normal((10,), np.float32)
    expected = np.abs(a[a != 0])
    assert whole.extremes(a) == (expected.max(), expected.min())
    a[place] = x
    largest, least = whole.extremes(a)
    assert not largest < math.inf
    assert whole.fitting(largest, least) == 0.0
    assert not whole.holds(2.0**128, largest, least)
    parts = [np.ones(10, np.float32) for _ in range(4)]
    for k in range(4):
        assert whole.extremes_of_four(*parts[:k], a, *parts[k + 1 :])[0] != 1


@given(st.lists(st.sampled_from([0.0, -0.0, 1.0, -3.0, 2.0**-149, 1e-30, 3e38]), min_size=1))
def test_extremes_are_those_of_the_magnitudes_but_zero(entries):
    a = np.array(entries, np.float32)
    sizes = np.abs(a[a != 0]).astype(float)
    expected = (sizes.max(initial=0.0), sizes.min(initial=math.inf))
    assert whole.extremes(a) == expected
    assert whole._extremes(a) == expected
    zero = np.zeros(3, np.float32)
    assert whole.extremes_of_four(zero, a, zero, zero) == expected


@pytest.mark.parametrize(("high", "low"), [(0, 0), (0, -5), (2**62 + 1, -(2**62) + 3), (1, 2**40)])
def test_whole_numbers_become_pairs(high, low):
    x, y = whole.real(high, low, 8.0)
    due = stands_for(high, low, 8.0)
    assert abs(Fraction(x) + Fraction(y) - due) <= abs(due) * Fraction(2) ** -102
    for a in (high, low, -1, -(2**63), 2**63 - 1):
        x, y = whole.scaled(a, 2.0**-30)
        assert Fraction(x) + Fraction(y) == Fraction(a) / 2**30


def spread(shape, kind):
    """Entries of like size, of sizes that change from block to block, or too far apart."""
    G = normal(shape, np.float32)
    block = np.arange(shape[1])[:, None] // loops.height(shape[2])
    if kind == "changing":
        G *= np.ldexp(np.float32(1), 15 * (block % 3))
    if kind == "apart":
        G *= np.where(block % 2, np.float32(1e-25), np.float32(1))
        G[:, ::2, ::3] *= np.float32(1e8)
    if kind == "some zero":
        G[:, ::3], G[:, :, ::2] = 0, 0
    return G


SHAPES = [(1, 2, 3), (2, 5, 64), (1, 67, 65), (1, 257, 300), (1, 9, 8193), (1, 5000, 3)]
KINDS = ["alike", "changing", "apart", "some zero"]


def surveyed(G, R_old, observe=survey.observe):
    """The sums of squares, and those over R, by rows and columns."""
    p, n, m = G.shape
    count = p * -(-n // loops.strip(n, m))
    rows, columns, ratios = np.empty((2, p, n)), np.empty((2, p, m)), np.empty((2, p, m))
    parts, others = np.full((2, 2, count, m), np.nan)
    observe(G, R_old, RATES, rows, parts, others, 0, count)
    pairsums.gather(parts, columns)
    pairsums.gather(others, ratios)
    return rows, columns, ratios


RATES = np.array([0.25, 0.75, 1e-30])


def exactly(pairs):
    return np.array([Fraction(x) + Fraction(y) for x, y in pairs.reshape(2, -1).T.tolist()])


def squares(G):
    """Each exactly."""
    return np.array([Fraction(x) ** 2 for x in G.reshape(-1).tolist()]).reshape(G.shape)


def off(found, due):
    """How far the farthest is off, relatively; what is due to be zero must be."""
    assert all(x == 0 for x, y in zip(found, due, strict=True) if y == 0)
    return max(abs(x / y - 1) for x, y in zip(found, due, strict=True) if y)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_sums_are_within_their_bounds_and_nearer_where_entries_are_alike(shape, kind):
    G, bound = spread(shape, kind), bounds.Bounds(*shape)
    R_old = np.random.default_rng(1).uniform(0.5, 2, shape[:2])
    rows, columns, ratios = surveyed(G, R_old)
    due = squares(G)
    far = off(exactly(rows), due.sum(2).reshape(-1)), off(exactly(columns), due.sum(1).reshape(-1))
    assert far[0] <= bound.R
    assert far[1] <= bound.C
    if kind != "apart":
        assert max(far) <= Fraction(2) ** -100
    fresh = due.sum(2) + shape[2] * Fraction(RATES[2])
    R = Fraction(RATES[1]) * np.vectorize(Fraction, [object])(R_old) + Fraction(RATES[0]) * fresh
    far = off(exactly(ratios), (due / R[:, :, None]).sum(1).reshape(-1))
    assert bound.mean_square_U(False) / 2**9 < far or shape[1] < 5
    assert far <= bound.mean_square_U(False)


@pytest.mark.parametrize("kind", KINDS)
def test_entries_alike_are_summed_otherwise_than_those_too_far_apart(kind, monkeypatch):
    """That is, the tests above see both ways."""
    seen, plain = [], survey._sum_in_pairs
    monkeypatch.setattr(survey, "sum_in_pairs", lambda *a: seen.append(1) or plain(*a))
    surveyed(spread((1, 67, 65), kind), np.ones((1, 67)), survey._observe)
    assert bool(seen) == (kind == "apart")


@pytest.mark.parametrize("kind", KINDS)
def test_the_plain_source_gives_the_same_bits(kind, monkeypatch):
    G, R_old = spread((2, 19, 5), kind), np.ones((2, 19))
    found = surveyed(G, R_old)
    for module in (survey, whole, pairsums):
        for name, f in list(vars(module).items()):
            if hasattr(f, "py_func"):
                monkeypatch.setattr(module, name, f.py_func)
    with np.errstate(over="ignore"):  # whole numbers are modulo 2^64
        assert bits(*surveyed(G, R_old, survey.observe)) == bits(*found)


@pytest.mark.parametrize("size", [1, 3, 4, 4099, 40_000])
@pytest.mark.parametrize("kind", KINDS)
def test_a_long_sum_of_squares_is_exact_whichever_way(size, kind):
    x = spread((1, -(-size // 50) + 1, 50), kind).reshape(-1)[:size].copy()
    total = np.zeros(accumulator.LIMBS, np.int64)
    assert accumulator.add_squares_of_block(total, x)
    assert accumulator.value(total) == squares(x).sum()
    if size >= 4:
        x[size // 2] = np.nan
        assert not accumulator.add_squares_of_block(np.zeros_like(total), x)


def test_nothing_is_added_of_squares_that_are_no_whole_numbers_of_one_size():
    total, sums = np.zeros(accumulator.LIMBS, np.int64), np.empty((2, 4), np.int64)
    parts = [np.ones(100, np.float32) for _ in range(4)]
    assert accumulator.add_whole_squares(total, *parts, 0.0, sums) == 2.0**3
    assert accumulator.value(total) == 400
    parts[2][50], parts[3][7] = 2.0**20, 2.0**-20
    assert accumulator.add_whole_squares(total, *parts, 8.0, sums) == 0.0
    assert accumulator.value(total) == 400
