"""What a strict step multiplies by is within its bound of the rule's own number."""

import math
from fractions import Fraction

import flint
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adafactor_numba import accumulator, scale
from adafactor_numba.doubledouble import PAIR

BITS = 400  # of the balls that errors are measured in

limbs = st.lists(st.integers(0, 2**33), min_size=accumulator.LIMBS, max_size=accumulator.LIMBS)
exponents = st.integers(-440, 440)
sizes = st.builds(math.ldexp, st.floats(0.5, 1), exponents)
losses = st.floats(-1, 1).map(lambda x: x * 2.0**-54)


def real(pair):
    """A ball around the sum of a pair."""
    return flint.arb(pair[0]) + pair[1]


def holds(found, bound, due):
    """Whether the pair is within the bound."""
    return bool(abs(real(found) / due - 1) <= bound)


def long(numbers):
    """A long number of these integers and no others."""
    total = np.zeros((1, accumulator.LIMBS), np.int64)
    for k, x in numbers.items():
        total[0, k] = x
    return total


@given(limbs, st.integers(0, 98), st.integers(36, 98))
@example([0] * accumulator.LIMBS, 0, 98)
def test_a_long_number_is_a_pair_within_its_bound(numbers, first, last):
    total = np.zeros((2, accumulator.LIMBS), np.int64)
    total[:, first : last + 1] = numbers[first : last + 1]
    with flint.ctx.workprec(BITS):
        due = 2 * accumulator.value(total[0].copy())
        found = accumulator.pair(total)
        assert found[0] == found[0] + found[1]
        if due < Fraction(2) ** -900:
            assert (found[0] > 0) == (due > 0)
        else:
            assert holds(found, PAIR, flint.arb(flint.fmpq(due.numerator, due.denominator)))


@pytest.mark.parametrize("k", [0, 1, 2, 30, 34, 35, 100])
def test_a_long_number_above_0_is_a_double_above_0(k):
    assert accumulator.pair(long({k: 1}))[0] > 0
    assert accumulator.pair(long({})) == (0.0, 0.0)
    assert math.isnan(accumulator.pair(long({111: 1, k: 1}))[0])


@given(sizes, losses, st.integers(1, 2**40), sizes, sizes)
def test_the_relative_step_size_is_within_its_bound(x, loss, size, rho, epsilon_2):
    square = x, x * loss
    found, bound = scale.relative_step_size(square, size, rho, epsilon_2)
    with flint.ctx.workprec(BITS):
        due = (real(square) / size).sqrt().max(flint.arb(epsilon_2)) * rho
        assert bound in (4 * PAIR, math.inf)
        if bound < math.inf:
            assert holds(found, bound - PAIR, due)  # what follows adds what the sum may be off by
        else:
            assert due < 2.0**-449 * max(rho, 1) or rho < 2.0**-449


def test_a_relative_step_size_is_0_only_if_rho_is_or_all_else():
    of = scale.relative_step_size
    assert of((1.0, 0.0), 4, 0.0, 1.0) == of((0.0, 0.0), 4, 1.0, 0.0) == ((0.0, 0.0), 0.0)
    assert of((4.0, 0.0), 4, 0.5, 0.0)[0] == (0.5, 0.0)
    assert of((0.0, 0.0), 4, 0.5, 0.25)[0] == (0.125, 0.0)
    assert of((4.0, -(2.0**-60)), 4, 1.0, 1.0)[0] == (1.0, 0.0)
    for square, rho in [(2.0**-1074, 1.0), (2.0**-890, 1.0), (1.0, 2.0**-451)]:
        assert of((square, 0.0), 4096, rho, 0.0)[1] == math.inf


@given(sizes, losses, sizes, st.floats(0, 2.0**-40))
def test_the_divisor_is_within_its_bound(mean, loss, d, bound):
    square = mean, mean * loss
    found, own = scale.clipping(square, bound, mean * bound, d)
    with flint.ctx.workprec(BITS):
        ends = [real(square) * (1 + k * bound) + k * bound * mean for k in (-1, 0, 1)]
        due = [(end.sqrt() / d).max(flint.arb(1)) for end in ends]
        if own == 0.0:
            assert found == (1.0, 0.0)
            assert due[2] == 1
        else:
            assert own < math.inf
            assert all(holds(found, own, x) for x in due)


def test_there_is_no_divisor_where_rms_is_not_known():
    assert scale.clipping((2.0**-901, 0.0), 0.0, 0.0, 2.0**-500)[1] == math.inf
    assert scale.clipping((4.0, 0.0), 0.5, 0.0, 1.0)[1] == math.inf
    assert scale.clipping((4.0, 0.0), 0.25, 1.0, 1.0)[1] == math.inf
    assert scale.clipping((math.nan, 0.0), 0.0, 0.0, 1.0)[1] == math.inf
    assert scale.clipping((4.0, 0.0), 0.25, 0.5, 1.0)[1] < math.inf


@pytest.mark.parametrize("outside", [2.0**-451, 2.0**451, math.nan])
def test_a_factor_outside_the_range_of_pairs_leaves_no_bound(outside):
    inside = np.array([[[1.0, 2.0**-450, 2.0**450]], [[0.0, 0.0, 0.0]]])
    wrong = inside.copy()
    wrong[0, 0, 1] = outside
    ones = np.array([[[1.0, 1.0]], [[0.0, 0.0]]])
    assert scale.scaled(ones, inside, (1.0, 0.0), PAIR)[1] == PAIR
    assert scale.scaled(ones, wrong, (1.0, 0.0), PAIR)[1] == math.inf
    assert scale.scaled(ones, inside, (2.0**-901, 0.0), PAIR)[1] == math.inf
    assert scale.scaled(ones * 2.0**-902, inside, (1.0, 0.0), PAIR)[1] == math.inf
    assert not scale.within(wrong)
