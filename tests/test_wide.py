"""Wide numbers are rounded once, and loops in them right on every magnitude there is."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from adafactor_numba import wide, wide_matrix, wide_vector
from adafactor_numba.audit import check, magnitudes
from adafactor_numba.audit.beyond import observed, wide_deviations
from adafactor_numba.audit.magnitudes import ENDS, LEAST, MOST, PATTERNS, inputs
from adafactor_numba.audit.source import interpreted
from adafactor_numba.beyond import doubles, pair
from derivations.adafactor import MATRIX, TENSOR, VECTOR
from tests.arrays import bits

FINITE = st.floats(allow_nan=False, allow_infinity=False)
EXPONENTS = st.integers(-20, 20).map(lambda k: k * wide.UNIT)
WIDES = st.builds(wide.normal, FINITE, EXPONENTS)
RULES = {1: VECTOR, 2: MATRIX, 3: TENSOR}
SHAPES = [shape for shapes in magnitudes.SHAPES.values() for shape in shapes]
LONG = [(wide.PART + 1,), (2, 130), (130, 3)]


def value(a):
    """A wide number as a Fraction."""
    return Fraction(a[0]) * Fraction(2) ** a[1] if a[0] else Fraction(0)


# The numbers


@given(x=FINITE)
def test_every_double_is_a_wide_number(x):
    mantissa, exponent = wide.wide(x)
    assert value((mantissa, exponent)) == Fraction(x)
    assert wide.scaled(mantissa, exponent) == x
    assert exponent % wide.UNIT == 0
    assert x == 0 or wide.SMALL <= abs(mantissa) < wide.LARGE


@given(a=WIDES, b=WIDES)
def test_every_operation_is_rounded_once(a, b):
    u = check.UNIT["float64"]
    a, b = ((abs(m), e) for m, e in (a, b))
    outcomes = {
        wide.times(a, b): value(a) * value(b),
        wide.plus(a, b): value(a) + value(b),
        wide.larger(a, b): max(value(a), value(b)),
    }
    if b[0]:
        outcomes[wide.over(a, b)] = value(a) / value(b)
    for got, exact in outcomes.items():
        assert abs(value(got) - exact) <= u / (1 + u) * exact
    low, high = ((value(wide.root(a)) * (1 + k * u)) ** 2 for k in (-1, 1))
    assert low <= value(a) <= high


def rounded(x):
    """The double nearest to x, beyond all of them an infinity."""
    try:
        return float(x)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


LEASTS = st.integers(-40, 40).map(lambda k: k * LEAST)
PARTS_OF_LEASTS = st.integers(-99, 99).map(lambda k: wide.normal(k * 2.0**-1020, -wide.UNIT))


@given(
    x=FINITE | LEASTS | FINITE.map(lambda x: x * 2.0**-1022),
    a=WIDES | FINITE.map(wide.wide) | PARTS_OF_LEASTS | PARTS_OF_LEASTS,
)
def test_a_difference_is_a_nearest_double(x, a):
    exact = Fraction(x) - value(a)
    got = wide.difference(x, a)
    event(f"overflows: {math.isinf(got)}")
    event(f"subnormal: {0 < abs(got) < wide.LEAST_NORMAL}")
    if abs(got) < wide.LEAST_NORMAL:  # where a tie may go either way
        assert abs(Fraction(got) - exact) <= Fraction(LEAST) / 2
    else:
        assert got == rounded(exact)


def test_a_subnormal_difference_would_be_rounded_twice():
    x, a = (2**50 + 1) * LEAST, wide.normal(7 * 2.0**-822, -wide.UNIT)  # 7/16 of the least
    exact = Fraction(x) - value(a)
    twice = interpreted(wide, LEAST_NORMAL=-1.0).difference(x, a)
    assert wide.difference(x, a) == rounded(exact) != twice


@given(st.lists(WIDES, min_size=1, max_size=200))
def test_a_sum_is_within_its_counted_rounding(terms):
    terms = [(abs(m), e) for m, e in terms]
    a = tuple(map(np.array, zip(*terms, strict=True)))
    exact = sum(map(value, terms))
    assert abs(value(wide.sum_of(a)) - exact) <= check.gamma(len(terms), Fraction(1, 2**53)) * exact


@given(x=FINITE, exponent=st.integers(-5000, 5000))
def test_a_pair_of_arrays_has_the_one_form_of_its_numbers(x, exponent):
    mantissas, exponents = pair(np.array([x]), np.array([exponent]))
    a = float(mantissas[0]), int(exponents[0])
    assert value(a) == Fraction(x) * Fraction(2) ** exponent
    assert x == 0 or wide.normal(*a) == a
    assert doubles((mantissas, exponents))[0] == wide.scaled(*a)


# The loops in them


@pytest.mark.parametrize("rank", RULES)
def test_every_step_on_every_magnitude_is_within_its_counted_rounding(rank):
    cases = [*magnitudes.extremes(rank)]
    assert len(cases) > 500
    assert not [d for x in cases for d in wide_deviations(RULES[rank], x)]


@given(
    shape=st.sampled_from(SHAPES),
    seed=st.integers(0, 2**32),
    X=st.sampled_from(PATTERNS),
    G=st.sampled_from(PATTERNS),
    kind=st.sampled_from(magnitudes.KINDS),
    scalars=st.fixed_dictionaries(
        {
            "rho": st.sampled_from(ENDS["rho"]) | st.floats(0, MOST),
            "beta_2": st.sampled_from(ENDS["beta_2"]) | st.floats(0, 1, exclude_max=True),
            "epsilon_1": st.sampled_from(ENDS["epsilon_1"]) | st.floats(LEAST, MOST),
            "epsilon_2": st.sampled_from(ENDS["epsilon_2"]) | st.floats(0, MOST),
            "d": st.sampled_from(ENDS["d"]) | st.floats(LEAST, MOST),
        }
    ),
)
def test_every_step_at_every_hyperparameter_is_within_its_counted_rounding(
    shape, seed, X, G, kind, scalars
):
    assert not wide_deviations(RULES[len(shape)], inputs(shape, X, G, kind, seed, **scalars))


@pytest.mark.parametrize("shape", LONG)
def test_long_sums_are_within_their_counted_rounding(shape):
    for X, G in (("bits", "bits"), ("ordinary", "1e300 above 1e-300"), ("zero", "ordinary")):
        for d in (1e-3, math.inf):
            assert not wide_deviations(RULES[len(shape)], inputs(shape, X, G, "wide", d=d))


WRONG = {
    "nothing is scaled": {"scaled": lambda x, exponent: x},
    "nothing is normal": {"normal": lambda x, exponent: (x, exponent)},
    "a sum is not aligned": {"plus": lambda a, b: (a[0] + b[0], max(a[1], b[1]))},
    "an odd exponent is halved": {"root": lambda a: (np.sqrt(a[0]), a[1] // 512 * 256)},
    "X_new is a difference of doubles": {"difference": lambda x, a: x - wide._scaled(*a)},
    "the mean square is of doubles": {"sum_of": lambda a: (float(np.ldexp(*a).sum()), 0)},
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 2)])
def test_loops_without_their_scaling_are_seen(shape, wrong):
    loops = [interpreted(module, **WRONG[wrong]) for module in (wide_matrix, wide_vector)]
    right = [interpreted(module) for module in (wide_matrix, wide_vector)]
    assert deviating(shape, loops)
    assert not deviating(shape, right)


def deviating(shape, loops):
    """Where loops leave their bound, or break, in cases that need every scaling."""
    found = []
    for X, G, kind, scalars in (
        ("largest", "bits", "wide", {}),
        ("bits", "least", "zero", {"d": 0.1}),
        ("zero", "1e300 beside 1e-300", "zero", {}),
        ("largest", "ordinary", "zero", {"rho": 1.2, "d": math.inf}),
    ):
        x = inputs(shape, X, G, kind, **scalars)
        with np.errstate(all="ignore"):
            try:
                found += wide_deviations(RULES[len(shape)], x, loops)
            except (ArithmeticError, ValueError) as error:
                found.append(error)
    return found


@pytest.mark.parametrize("shape", SHAPES + LONG[1:])
def test_compiled_and_interpreted_wide_loops_give_the_same_bits(shape):
    plain = [interpreted(module) for module in (wide_matrix, wide_vector)]
    assert not hasattr(plain[0].step, "py_func")
    for G in PATTERNS:
        x = inputs(shape, "bits", G, "wide")
        with np.errstate(all="ignore"):
            for got, same in zip(observed(x).values(), observed(x, plain).values(), strict=True):
                assert bits(*map(np.asarray, got)) == bits(*map(np.asarray, same))


@given(shape=st.sampled_from(SHAPES), seed=st.integers(0, 2**32), k=st.integers(-450, 450))
def test_the_unit_of_the_gradient_does_not_matter_anywhere(shape, seed, k):
    x = inputs(shape, "bits", "ordinary", "wide", seed, epsilon_1=2.0**-60)
    other = x | {"G": np.ldexp(x["G"], k), "epsilon_1": 2.0 ** (2 * k - 60)}
    carried = [name for name in x if name.endswith("_old")]
    other |= {name: pair(x[name][0], x[name][1] + 2 * k) for name in carried}
    got, same = observed(x), observed(other)
    assert bits(same["X_new"]) == bits(got["X_new"])
    for name in ("R", "C", "V"):
        if name in got:
            assert bits(*same[name]) == bits(*pair(got[name][0], got[name][1] + 2 * k))
