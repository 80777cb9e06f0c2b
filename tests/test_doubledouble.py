"""Pairs of doubles against fractions: exact where they say so, within PAIR elsewhere."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adafactor_numba import accumulator, bounds, doubledouble, loops, pairsums, survey, ziv
from adafactor_numba import whole as whole_numbers
from adafactor_numba.doubledouble import PAIR, U
from tests.arrays import DTYPES, normal

doubles = st.builds(math.ldexp, st.floats(0.5, 1) | st.floats(-1, -0.5), st.integers(-200, 200))


@st.composite
def pairs(draw):
    x = draw(doubles)
    return doubledouble.two_sum(x, x * draw(st.floats(-U, U)))


def exactly(pair):
    return Fraction(pair[0]) + Fraction(pair[1])


@given(doubles, doubles)
def test_sums_and_products_of_doubles_are_exact(a, b):
    assert exactly(doubledouble.two_sum(a, b)) == Fraction(a) + Fraction(b)
    assert exactly(doubledouble.two_product(a, b)) == Fraction(a) * Fraction(b)
    large, small = sorted((a, b), key=abs, reverse=True)
    assert exactly(doubledouble.fast_two_sum(large, small)) == Fraction(a) + Fraction(b)


def close(found, value, u_squared):
    """Within so many u^2, and a little, of the value; as a normalised pair."""
    assert found[0] == found[0] + found[1]
    assert (
        abs(exactly(found) - value)
        <= abs(value) * (u_squared + Fraction(1, 2**40)) * Fraction(U) ** 2
    )


@given(pairs(), pairs(), doubles)
def test_operations_on_pairs_are_within_their_bounds(a, b, x):
    assert PAIR == 16 * U * U
    sign = math.copysign(1, a[0] * b[0])
    close(doubledouble.add(*a, sign * b[0], sign * b[1]), exactly(a) + int(sign) * exactly(b), 3)
    close(doubledouble.times(*a, x), exactly(a) * Fraction(x), 3)
    close(doubledouble.multiply(*a, *b), exactly(a) * exactly(b), 7)
    close(doubledouble.divide(*a, *b), exactly(a) / exactly(b), 16)


@given(pairs())
def test_a_root_is_within_its_bound(a):
    assume(a[0] > 0)
    x, y = doubledouble.root(*a)
    # (r (1 + e))^2 = a (1 + 2 e + e^2)
    close_to = (exactly((x, y)) ** 2 / exactly(a) - 1) / 2
    assert abs(close_to) <= 4 * Fraction(U) ** 2
    assert doubledouble.root(0.0, 0.0) == (0.0, 0.0)


def test_a_pair_is_no_more_exact_than_it_is():
    """The bounds can be exceeded: a third of them is."""
    found = doubledouble.multiply(1.0 + 2.0**-26, U * 0.9, 1.0 + 2.0**-27, U * 0.7)
    value = (Fraction(1.0 + 2.0**-26) + Fraction(U * 0.9)) * (
        Fraction(1.0 + 2.0**-27) + Fraction(U * 0.7)
    )
    assert exactly(found) != value


@given(pairs(), pairs(), doubles)
def test_compiled_and_plain_operations_give_the_same_bits(a, b, x):
    for name, arguments in {
        "two_sum": (a[0], x),
        "fast_two_sum": (a[0], a[1]),
        "two_product": (a[0], x),
        "add": (*a, *b),
        "times": (*a, x),
        "multiply": (*a, *b),
        "divide": (*a, *b),
        "root": (abs(a[0]), abs(a[1])),
    }.items():
        compiled, plain = getattr(doubledouble, name), getattr(doubledouble, f"_{name}")
        assert compiled(*arguments) == plain(*arguments), name


# Sums


def ragged(shape, dtype, seed=0):
    """Entries of very different sizes."""
    rng = np.random.default_rng([seed, *shape])
    return np.ldexp(rng.standard_normal(shape), rng.integers(-40, 40, shape)).astype(dtype)


def squares(A):
    return sum((Fraction(float(x)) ** 2 for x in np.asarray(A).flat), Fraction(0))


SHAPES = [(1, 3, 5), (2, 5, 64), (1, 9, 130), (1, 67, 65), (3, 1, 1), (1, 257, 300), (2, 9, 8193)]
"""The last two of two strips for each matrix."""


def strips(shape):
    """How many there are of p matrices."""
    p, n, m = shape
    return p * -(-n // loops.strip(n, m))


def whole(A):
    """The entries of a ragged A, as whole numbers of 2^-150."""
    scaled = np.ldexp(A.astype(float), 150).flat
    return np.array([int(x) for x in scaled], object).reshape(A.shape)


def of_the_first_strips(parts, columns):
    """The sums over the first strip of each matrix alone."""
    columns[...] = parts[:, :: parts.shape[1] // columns.shape[1]]


def beyond(pairs, values, bound):
    """How many pairs are not within a relative bound of the values, in units of 2^-300."""
    each = zip(pairs.reshape(2, -1).T, values.flat, strict=True)
    return sum(abs(exactly(a) * 2**300 - x) > Fraction(bound) * x for a, x in each)


def outside(G, gather):
    """How many rows and columns have sums of squares that are not within their bounds."""
    p, n, m = G.shape
    bound, count = bounds.Bounds(p, n, m), strips(G.shape)
    rows, columns, parts = np.empty((2, p, n)), np.empty((2, p, m)), np.empty((2, count, m))
    pairsums.observe(G, rows, parts, 0, count)
    gather(parts, columns)
    squares = whole(G) ** 2
    return beyond(rows, squares.sum(2), bound.R), beyond(columns, squares.sum(1), bound.C)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_sums_of_squares_in_pairs_are_within_their_counted_bounds(shape, dtype):
    assert outside(ragged(shape, dtype), pairsums.gather) == (0, 0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES[-2:])
def test_a_strip_that_is_left_out_is_outside_the_bounds(shape, dtype):
    p, _, m = shape
    assert strips(shape) == 2 * p
    rows, columns = outside(ragged(shape, dtype), of_the_first_strips)
    assert rows == 0
    assert columns > p * m / 2


def factors(size, seed):
    """Pairs (2, size), and their sums as whole numbers of 2^-110."""
    pairs = np.random.default_rng([seed, size]).uniform(0.5, 2, (2, size))
    pairs[1] *= U / 4
    return pairs, np.array([int(exactly(pair) * 2**110) for pair in pairs.T])


def weighted(G, gather):
    """How far sum f c G^2 in pairs is from the exact sum, relatively, and the bound of that."""
    p, n, m = G.shape
    (f, exact_f), (c, exact_c) = factors(p * n, 0), factors(p * m, 1)
    parts, columns = np.empty((2, strips(G.shape), m)), np.empty((2, p, m))
    pairsums.measure(G, f.reshape(2, p, n), parts, 0, strips(G.shape))
    gather(parts, columns)
    S = np.stack([np.full(p, 0.5), np.zeros(p)])
    found = 2 * exactly(pairsums.sum_of_products(columns, c.reshape(2, p, m), S))
    terms = whole(G) ** 2 * exact_f.reshape(p, n, 1) * exact_c.reshape(p, 1, m)
    bound = bounds.Bounds(p, n, m).mean_square_U(True)
    return abs(found * 2**520 / Fraction(terms.sum()) - 1), Fraction(bound)


@pytest.mark.parametrize("shape", SHAPES)
def test_weighted_sums_are_within_their_counted_bounds(shape):
    G = ragged(shape, np.float32)
    found, bound = weighted(G, pairsums.gather)
    assert 0 < found <= bound
    if strips(shape) > shape[0]:
        assert weighted(G, of_the_first_strips)[0] > bound


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 5), (2, 33, 40), (1, 3, 5000)])
def test_the_sum_of_squares_in_a_long_number_is_exact(shape, dtype):
    for A in (normal(shape, dtype), ragged(shape, dtype), np.zeros(shape, dtype)):
        total = np.zeros(accumulator.LIMBS, np.int64)
        assert accumulator.add_strips(total, A, 0, shape[0])
        assert accumulator.value(total) == squares(A)


@pytest.mark.parametrize("least", [5e-324, 1e-310, 2.0**-537, 2.0**489])
def test_the_ends_of_the_doubles_have_exact_squares(least):
    A = np.array([least, -least, 3 * least, 0.0])
    total = np.zeros(accumulator.LIMBS, np.int64)
    assert accumulator.add_each_square(total, A)
    assert accumulator.value(total) == squares(A)


@pytest.mark.parametrize("x", [np.nan, np.inf, -np.inf, 2.0**492])
def test_what_is_no_weight_is_noticed(x):
    for dtype in DTYPES:
        with np.errstate(over="ignore"):
            A = np.array([[[1.0, x, 2.0]]]).astype(dtype)
        assert not accumulator.add_strips(np.zeros(accumulator.LIMBS, np.int64), A, 0, 1)


def test_every_compiled_loop_has_its_plain_source_beside_it():
    for module in (doubledouble, accumulator, pairsums, survey, whole_numbers, ziv):
        for name, f in vars(module).items():
            if hasattr(f, "py_func") and f.py_func.__module__ == module.__name__:
                assert f.py_func is getattr(module, f"_{name}")
