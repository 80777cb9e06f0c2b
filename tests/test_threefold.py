"""Sums of squares of float64 as whole numbers are exact, and what cannot be so is seen."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adafactor_numba import accumulator, threefold
from adafactor_numba.whole import SUMMANDS

ODD = 2 - 2.0**-52  # of 53 bits


def stands_for(sums, reach):
    """What three whole numbers mean."""
    a, b, c = map(int, sums)
    return (a * 2**102 + b * 2**50 + c) * (Fraction(reach) ** 2 / 2**154)


def summed(x, reach, sum_up=threefold.sum_up):
    sums = np.full(3, -1)
    sum_up(np.array(x, float), reach, sums)
    return sums


@st.composite
def held(draw):
    """A double, and a reach that holds it."""
    mantissa = draw(st.integers(2**52, 2**53 - 1)) * draw(st.sampled_from([1, -1]))
    exponent = draw(st.integers(-430, 485))
    return math.ldexp(mantissa, exponent - 53), math.ldexp(1.0, exponent + draw(st.integers(0, 24)))


@given(held())
def test_a_square_is_three_whole_numbers_of_few_bits(given):
    x, reach = given
    assert threefold.holds(reach, *threefold.extremes(np.array([x])))
    sums = summed([x], reach)
    assert stands_for(sums, reach) == Fraction(x) ** 2
    assert 0 <= sums[0] <= 2**52
    assert all(abs(b) <= 2**52 for b in sums[1:].tolist())


@pytest.mark.parametrize("reach", [1.0, 2.0**-459, 2.0**480])
def test_what_is_beyond_a_reach_is_not_held_and_would_be_wrong(reach):
    for x in (ODD * reach / 2**27, ODD * reach):
        assert not threefold.holds(reach, *threefold.extremes(np.array([x])))
        assert stands_for(summed([x], reach), reach) != Fraction(x) ** 2
    x = reach / 2**25
    assert threefold.holds(reach, *threefold.extremes(np.array([x])))
    assert not threefold.holds(reach, *threefold.extremes(np.array([math.nextafter(x, 0)])))
    assert stands_for(summed([ODD * x], reach), reach) == Fraction(ODD * x) ** 2


def test_below_the_least_reach_squares_leave_the_doubles():
    reach = threefold.SMALLEST
    x = ODD * reach / 2**25
    assert threefold.holds(reach, x, x)
    assert stands_for(summed([x], reach), reach) == Fraction(x) ** 2
    assert not threefold.holds(reach / 2, x / 2, x / 2)
    assert threefold.fitting(x / 8, x / 8) == 0.0


def test_extremes_are_those_of_the_magnitudes_but_zero():
    for entries in ([0.0], [-0.0, 1.0], [-3.0, 5e-324, 2.0], [1e308, 0.0, -2.0, 1.5], []):
        a = np.array(entries)
        sizes = np.abs(a[a != 0])
        due = sizes.max(initial=0.0), sizes.min(initial=math.inf)
        assert threefold.extremes(a) == threefold._extremes(a) == due


@pytest.mark.parametrize("x", [np.nan, -np.nan, np.inf, -np.inf, 2.0**491])
def test_what_is_no_weight_is_held_by_no_reach(x):
    largest, least = threefold.extremes(np.array([1.0, x, 2.0]))
    assert threefold.fitting(largest, least) == 0.0
    assert not threefold.holds(2.0**500, largest, least)
    total = np.zeros(accumulator.LIMBS, np.int64)
    assert not accumulator.add_squares_of_doubles(total, np.array([1.0] * 3000 + [x]))


@pytest.mark.parametrize("size", [1, 5, SUMMANDS, SUMMANDS + 1, 3 * SUMMANDS + 7])
@pytest.mark.parametrize("kind", ["alike", "ragged", "tiny", "largest", "zero", "changing"])
def test_a_long_sum_of_squares_is_exact_whichever_way(size, kind):
    rng = np.random.default_rng([size])
    x = rng.standard_normal(size)
    if kind == "ragged":
        x = np.ldexp(x, rng.integers(-300, 300, size))
    if kind in ("tiny", "largest"):
        x = x * 1e-307 if kind == "tiny" else np.full(size, math.nextafter(2.0**491, 0))
    if kind == "zero":
        x[rng.integers(0, 3, size) > 0] = 0.0
    if kind == "changing":
        x = np.ldexp(x, 100 * (np.arange(size) // SUMMANDS))
    total = np.zeros(accumulator.LIMBS, np.int64)
    assert accumulator.add_squares(total, x)
    assert accumulator.value(total) == sum((Fraction(a) ** 2 for a in x.tolist()), Fraction(0))


def test_as_many_as_are_added_at_once_fit_into_the_whole_numbers():
    x = np.full(SUMMANDS, math.nextafter(1.0, 0))
    assert threefold.holds(1.0, x[0], x[0])
    assert stands_for(summed(x, 1.0), 1.0) == SUMMANDS * Fraction(x[0]) ** 2
    with np.errstate(over="ignore"):  # whole numbers are modulo 2^64
        assert (summed(x, 1.0) == summed(x, 1.0, threefold._sum_up)).all()
