"""The roundings counted are those of a count by hand, suffice, and are not more than needed."""

import math
from fractions import Fraction

import flint
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from sympy import IndexedBase, Max, Min, Rational, Sum, sqrt, symbols

from adafactor_numba import loops, schedule
from adafactor_numba.audit.check import loop_roundings
from derivations.adafactor import MATRIX, NONNEGATIVE, SCHEDULE, VECTOR, n, t
from derivations.bounds import (
    POW,
    Counted,
    Weight,
    counted_max,
    counted_min,
    counted_pow,
    counted_sqrt,
    gamma,
    roundings,
)
from derivations.cases import scheduled
from derivations.rule import Input, Step, UpdateRule
from tests.counts import half, of_a_vector, of_matrices, tree

UNIT = Fraction(1, 2**53)
i, k = symbols("i k", integer=True, nonnegative=True)
a, b, s = symbols("a b s", positive=True)
A = IndexedBase("A", nonnegative=True)


def count(value, **known):
    """K of one step whose value is given, in the scalars a, b and the array A (n,)."""
    inputs = (
        Input(a, NONNEGATIVE, "scalar"),
        Input(b, NONNEGATIVE, "scalar"),
        Input(A[i], NONNEGATIVE, "array"),
    )
    rule = UpdateRule("small", "", {i: n, k: n}, inputs, (Step(s, sp.S(1) * value, "line"),))
    return roundings(rule, known)["s"]


@pytest.mark.parametrize(
    ("value", "known", "K"),
    [
        (a, {}, 0),
        (a, {"a": 3}, 3),
        (a + b, {}, 1),
        (a + b + 1, {"a": 5, "b": 2}, 7),  # the larger of both, and two additions
        (2 * a * b, {"a": 5, "b": 2}, 9),
        (a / 100, {}, 1),
        (a + Rational(1, 100), {}, 2),  # 1/100 is no double
        (a / b, {"b": 2}, 3),
        (a**2, {"a": 3}, 7),
        (sqrt(a), {"a": 3}, 3),  # ceil(3 / 2) + 1
        (1 / sqrt(a), {"a": 3}, 4),
        (Max(a, b), {"a": 5, "b": 2}, 5),
        (Min(a, 1), {}, 0),
        (Sum(A[k], (k, 0, n - 1)), {"A": 2}, n + 1),
        (Sum(A[k] ** 2, (k, 0, n - 1)) / n, {}, n + 1),
        (1 - a, {}, 1),
    ],
)
def test_an_expression_counts_what_is_counted_by_hand(value, known, K):
    assert sp.expand(count(value, **known) - K) == 0


def test_a_power_counts_pow_and_the_rounding_of_its_exponent():
    assert count(a ** Rational(-4, 5)) == POW + sp.ceiling(Rational(4, 5) * sp.log(a))


def test_a_difference_of_rounded_numbers_counts_how_much_it_cancels():
    K = count(1 - a, a=4)
    assert K.subs(a, Rational(1, 2)) == 1 + 4
    assert K.subs(a, Rational(15, 16)) == 1 + 4 * 15
    assert K.subs(a, 1) == 1  # of a difference that is 0, which no K makes any larger


def test_a_form_that_is_not_known_is_named():
    with pytest.raises(NotImplementedError, match="no rounding count for sin: sin"):
        count(sp.sin(a))


def test_the_step_and_not_the_weight_is_counted_last():
    assert roundings(MATRIX)["X_new"] == roundings(MATRIX)["alpha"] + roundings(MATRIX)["U_hat"] + 1


def test_gamma_is_the_bound_of_higham():
    assert gamma(0, UNIT) == 0
    assert gamma(3, Fraction(1, 9)) == Fraction(1, 2)
    assert gamma(5, UNIT) > (1 + UNIT) ** 5 - 1
    with pytest.raises(ArithmeticError, match=r"9 roundings of unit 0[.]111"):
        gamma(9, Fraction(1, 9))


def dot(x, y):
    total = 0.0
    for u, v in zip(x, y, strict=True):
        total += u * v
    return total


SOURCES = {
    "a product": (lambda x, y: x * y, 1),
    "a quotient": (lambda x, y: 1.0 / (x / y), 2),
    "a literal": (lambda x, y: 0.1 * x, 2),
    "an integer": (lambda x, y: 3.0 * x, 1),
    "a sum": (lambda x, y: x + (y + x), 2),
    "a zero": (lambda x, y: 0.0 + x, 0),
    "a root": (lambda x, y: counted_sqrt(x * y), 2),
    "a choice": (lambda x, y: counted_max(x * y * y, y), 2),
    "the least": (lambda x, y: counted_min(0.1, x), 1),
    "a difference": (lambda x, y: 2.0 - x * y * y, 3),
    "a dot product": (lambda x, y: dot([x] * 5, [y] * 5), 5),
    "a weight less a step": (lambda x, y: Weight(7.0) - x * y, 1),
}


@pytest.mark.parametrize(("source", "K"), SOURCES.values(), ids=SOURCES)
def test_a_source_counts_what_is_counted_by_hand(source, K):
    assert source(Counted(1.0), Counted(1.0)).K == K


def test_a_counted_difference_counts_how_much_it_cancels():
    assert (1.0 - Counted(15 / 16, 4)).K == 1 + 4 * 15
    assert (Counted(15 / 16, 4) - 1.0).K == 1 + 4 * 15
    assert (Counted(1.0, 4) - Counted(1.0, 3)).K == 4


def test_numbers_that_are_not_counted_are_chosen_as_ever():
    assert (counted_max(1, 2), counted_min(1, 2)) == (2, 1)


@pytest.mark.parametrize("shape", [(1, 1), (3, 4), (4, 3), (1, 129), (129, 2), (2, 257), (9, 33)])
def test_the_loops_count_what_is_counted_by_hand(shape):
    assert loop_roundings(shape, True) == of_matrices(loops, 1, *shape)


@pytest.mark.parametrize("length", [1, 2, 7, 8, 9, 129, 257, 16_385])
def test_the_loops_over_vectors_count_what_is_counted_by_hand(length):
    assert loop_roundings((length,), False) == of_a_vector(loops, length)


def test_sums_count_far_fewer_than_any_order_would():
    length = 2**14
    any_order = int(roundings(VECTOR)["mean_square_X"].subs(n, length))
    assert any_order == length + 1
    assert loop_roundings((length,), False)["alpha"] == half(1 + 3 + 127 + 4 + 1) + 2


def test_the_count_grows_with_the_logarithm_of_t():
    def expected(time):
        return 2 + math.ceil(0.8 * math.log(time))

    assert all(schedule_count(time) == expected(time) for time in (1, 2, 100, 10**6))
    late, exact = loop_roundings((3, 4), True, 10**6), loop_roundings((3, 4), True)
    assert late["R"] == exact["R"] - 1 + expected(10**6)
    assert late["alpha"] == exact["alpha"] + 2


def schedule_count(t):
    return counted_pow(Counted(t), -0.8).K


TIMES = [*range(1, 1000), *range(1000, 10**6, 997), 10**6]


def error_of_pow(t):
    """|pow(t, -0.8) - t^(-4/5)| in units u of t^(-4/5)."""
    with flint.ctx.workprec(192):
        exact = 1 / (flint.arb(t) ** 4).root(5)
        return abs(flint.arb(math.pow(t, -0.8)) - exact) / exact * 2**53


def test_pow_lies_within_its_count():
    assert all(error_of_pow(t) <= 2**53 * gamma_ball(schedule_count(t)) for t in TIMES)


def test_pow_does_not_lie_within_a_count_without_the_rounded_exponent():
    assert any(error_of_pow(t) > 2**53 * gamma_ball(POW) for t in TIMES)


def gamma_ball(K):
    bound = gamma(K, UNIT)
    return flint.arb(flint.fmpq(bound.numerator, bound.denominator))


def test_the_rule_counts_no_less_than_its_schedule_shows():
    for name, K in roundings(SCHEDULE).items():
        compiled = sp.lambdify(t, K, "math")
        for time in (1, 2, 3, 100, 10**6):
            exact = scheduled(SCHEDULE, time)[name]
            error = abs(flint.arb(getattr(schedule, name)(time)) - exact)
            assert error <= gamma_ball(int(sp.ceiling(K.subs(t, time)))) * exact
            assert math.ceil(compiled(time)) == sp.ceiling(K.subs(t, time))


def off(got, squares):
    """The error of a sum, in units u of the exact sum."""
    exact = sum(map(Fraction, squares))
    return abs(Fraction(float(got)) - exact) / exact / UNIT


def sum_in(dtype, squares):
    total = dtype(0)
    for x in squares:
        total = dtype(total + dtype(x))
    return total


@given(seed=st.integers(0, 2**32), N=st.integers(1, 300))
def test_a_sum_in_blocks_lies_within_its_count(seed, N):
    X = np.random.default_rng(seed).standard_normal(N).astype(np.float32)
    K = tree(loops, N)  # squares of float32 are exact
    squares = X.astype(float) ** 2
    assert off(loops.sum_of_squares(X), squares) <= gamma(K, UNIT) / UNIT


def test_a_sum_in_float32_does_not():
    squares = np.random.default_rng(0).standard_normal(300) ** 2
    assert off(sum_in(np.float32, squares), squares) > gamma(299, UNIT) / UNIT


def test_one_rounding_too_few_is_refuted():
    """1 + u + u, added from the left, rounds twice to 1: a count of 1 is one too few."""
    terms = [1.0, 2.0**-53, 2.0**-53]
    error = off(sum_in(np.float64, terms), terms)
    assert gamma(1, UNIT) / UNIT < error <= gamma(2, UNIT) / UNIT
    assert (Counted(1.0) + Counted(terms[1]) + Counted(terms[2])).K == 2
