"""Float32 moved by pairs of float32: as far off as is counted, and never to a wrong number."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adafactor_numba import singles
from adafactor_numba.nearest import nearest
from tests.arrays import bits
from tests.test_ziv import MIDDLE

FLOAT32 = np.dtype(np.float32)
BOUND = np.float32(singles.MOVE * 1.01)


@st.composite
def sized(draw, least, largest):
    """A double of any sign and any of these exponents."""
    mantissa = draw(st.floats(1, 2, exclude_max=True))
    return math.ldexp(mantissa * draw(st.sampled_from([1, -1])), draw(st.integers(least, largest)))


def halves(a):
    """The pair of float32 that a double becomes."""
    return [np.float32(x) for x in singles.halves(np.full((1, 1), a))[:, 0, 0]]


def row(x):
    return np.full(1, x, np.float32)


def moved(x, g, f, c, bound):
    """What becomes of an entry, and whether it is undecided, in both of the rows moved at once."""
    rows, old = [row(x), row(x)], np.full((2, 3), np.nan, np.float32)
    pair = tuple(halves(f))
    c_0, c_1 = map(row, halves(c))
    undecided = singles.in_singles(*rows, row(g), row(g), pair, pair, c_0, c_1, bound, old)
    assert bits(rows[0]) == bits(rows[1])
    assert not undecided or bits(rows[0]) == bits(row(x))
    return rows[0][0], undecided


def test_a_double_becomes_two_float32_that_are_near_it():
    for a in (1.0, math.pi, 1 + 2.0**-52, 2.0**45 / 3, 2.0**-45 / 3):
        high, low = halves(a)
        assert abs(Fraction(float(high)) + Fraction(float(low)) - Fraction(a)) <= a * 2.0**-48
        assert high == np.float32(a)


@given(sized(-60, 60), sized(-60, 34), sized(-45, 44).map(abs), sized(-45, 44).map(abs))
def test_a_move_is_within_its_bound_whatever_is_cancelled(x, g, f, c):
    x, g = np.float32(x), np.float32(g)
    for weight in (x, np.float32(float(g) * f * c), np.float32(0)):
        s, rest, size = singles._moved(weight, g, *halves(f), *halves(c))
        due = Fraction(float(weight)) - Fraction(f) * Fraction(c) * Fraction(float(g))
        found = Fraction(float(s)) + Fraction(float(rest))
        allowed = Fraction(singles.MOVE) * Fraction(float(size)) + Fraction(singles.TINY)
        assert abs(found - due) <= allowed


def test_the_bound_of_a_move_is_no_more_than_some_times_what_is_lost():
    rng, farthest = np.random.default_rng(0), 0
    for x, f, c, g in rng.uniform(1, 2, (3000, 4)).tolist():
        x, g = np.float32(x), np.float32(g)
        s, rest, size = singles._moved(x, g, *halves(f), *halves(c))
        due = Fraction(float(x)) - Fraction(f) * Fraction(c) * Fraction(float(g))
        off = abs(Fraction(float(s)) + Fraction(float(rest)) - due)
        farthest = max(farthest, off / Fraction(float(size)))
    assert singles.MOVE / 20 < farthest < singles.MOVE


@given(sized(-149, 126), sized(-149, 126), sized(-45, 44).map(abs), sized(-45, 44).map(abs))
def test_what_is_decided_is_rounded_correctly(x, g, f, c):
    x, g = np.float32(x), np.float32(g)
    for weight in (x, np.float32(0), np.float32(1)):
        found, undecided = moved(weight, g, f, c, BOUND)
        due = Fraction(float(weight)) - Fraction(f) * Fraction(c) * Fraction(float(g))
        assert undecided or float(found) == nearest(due, FLOAT32)


def test_weights_of_usual_size_are_decided():
    """So that the test before this one is of something."""
    rng = np.random.default_rng(1)
    x, g = rng.standard_normal((2, 500)).astype(np.float32)
    decided = [not moved(a, b, math.pi * 1e-3, 1.5, BOUND)[1] for a, b in zip(x, g, strict=True)]
    assert all(decided)


def test_a_false_bound_lets_a_misrounding_through():
    """The move is MIDDLE - 2^-50, of which pairs of float32 know only MIDDLE."""
    given = 0.0, -1.0, MIDDLE - 2.0**-50, 1.0
    assert MIDDLE - 2.0**-50 < MIDDLE
    assert moved(*given, np.float32(0)) == (np.float32(1 + 2.0**-22), False)
    assert moved(*given, BOUND)[1]


@pytest.mark.parametrize("bound", [math.inf, math.nan])
def test_without_a_bound_nothing_is_decided(bound):
    assert moved(1.0, 1.0, 1.0, 1.0, np.float32(bound))[1]


@pytest.mark.parametrize("x", [0.0, -0.0, 1.0, -2.5, 2.0**-100])
def test_without_a_gradient_a_weight_stays_and_a_zero_is_positive(x):
    """As long as it is not so small that nothing can be said."""
    found, undecided = moved(x, 0.0, 1.0, 1.0, BOUND)
    if abs(x) >= 2.0**-90:
        assert not undecided
    assert found == x
    assert undecided or not np.signbit(found) or x < 0


def test_what_leaves_the_range_of_float32_is_undecided():
    for x, g in ((1.0, 3e38), (3e38, -3e38), (np.nan, 1.0), (1.0, np.inf)):
        assert moved(x, g, 2.0**40, 2.0**40, BOUND)[1]
    for x, g in ((2.0**-149, 2.0**-149), (2.0**-110, 2.0**-100), (0.0, 2.0**-149)):
        assert moved(x, g, 2.0**-40, 2.0**-40, BOUND)[1]


def test_only_factors_of_the_range_fit():
    inside, one = np.array([[1.0, 2.0**45, 2.0**-45]]), np.ones((1, 1))
    assert singles.fit(inside, one)
    assert singles.fit(one, inside)
    for x in (2.0**46, 2.0**-46, 0.0, math.inf, math.nan):
        for k in range(3):
            outside = inside.copy()
            outside[0, k] = x
            assert not singles.fit(outside, one)
            assert not singles.fit(one, outside)


def test_two_rows_are_moved_or_neither():
    x, y, old = row(1.0), row(2.0), np.zeros((2, 1), np.float32)
    f, c = (np.float32(0.5), np.float32(0)), (row(1), row(0))
    assert not singles.in_singles(x, y, row(1), row(1), f, f, *c, BOUND, old)
    assert (x[0], y[0]) == (0.5, 1.5)
    x[0], y[0] = 1.0, 0.0
    pair = tuple(halves(MIDDLE - 2.0**-50))
    assert singles.in_singles(x, y, row(1), row(-1), f, pair, *c, BOUND, old)
    assert (x[0], y[0]) == (1.0, 0.0)


def test_the_plain_source_gives_the_same_bits():
    rng = np.random.default_rng(2)
    x, y, g, h, c_0 = rng.standard_normal((5, 7)).astype(np.float32)
    c_1, old = (c_0 * 2.0**-25).astype(np.float32), np.empty((2, 9), np.float32)
    f, e = tuple(halves(0.1)), tuple(halves(1e-3))
    compiled, plain = (x.copy(), y.copy()), (x.copy(), y.copy())
    assert not singles.in_singles(*compiled, g, h, f, e, c_0, c_1, BOUND, old)
    assert not singles._in_singles(*plain, g, h, f, e, c_0, c_1, BOUND, old)
    assert bits(*compiled) == bits(*plain) != bits(x, y)
