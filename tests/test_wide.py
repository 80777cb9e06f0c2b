"""Every finite input gives what the rule gives: wide numbers, and the loops in them."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from adafactor_numba import Adafactor, ordinary, wide, wide_matrix, wide_vector
from adafactor_numba.audit import check, magnitudes
from adafactor_numba.audit.beyond import (
    observed,
    wide_compared,
    wide_deviations,
    wide_roundings,
)
from adafactor_numba.audit.magnitudes import ENDS, LEAST, MOST, PATTERNS, inputs
from adafactor_numba.audit.source import interpreted
from adafactor_numba.beyond import doubles, pair
from adafactor_numba.hyperparameters import Hyperparameters
from derivations.adafactor import MATRIX, TENSOR, VECTOR
from derivations.evaluate import BALL, evaluate
from derivations.method import ADAFACTOR
from tests.arrays import DTYPES, bits, normal, snapshot

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


# Which loops are taken


CORNERS = [
    *itertools.product(
        ([2.0**197, 2.0**-500], [2.0**-530, 2.0**-537], [2.0**197, 0.0]),  # entries of G
        (0.0, 2.0**398, 2.0**-230),  # of X, where epsilon_2 is large enough
        (*ordinary.CONSTANTS["epsilon_1"], 1e-30),
        (ordinary.CONSTANTS["d"][0], 1.0, math.inf),
        (0.0, 0.5, math.nextafter(1, 0)),
        ((ordinary.LEAST_EPSILON_2, ordinary.RATES[0]), (2.0**400, ordinary.RATES[1])),
    )
]


@pytest.mark.parametrize("shape", [(5,), (3, 4)])
def test_the_loops_over_doubles_are_within_rounding_up_to_the_ends_of_the_ordinary(shape):
    rng = np.random.default_rng(3)
    for G, X, epsilon_1, d, beta_2, (epsilon_2, rho) in CORNERS:
        scalars = {"epsilon_1": epsilon_1, "d": d, "beta_2": beta_2, "epsilon_2": epsilon_2}
        scalars["rho"] = rho
        x = inputs(shape, "zero", "zero", "zero", **scalars)
        x["G"] = rng.choice(G, shape) * rng.uniform(0.7, 1, shape)
        x["X"] = X * rng.choice([-1.0, 1.0], shape)
        for name in x:
            if name.endswith("_old"):
                x[name] = rng.choice(ordinary.STATISTICS, np.shape(x[name]))
        assert ordinary.constants_are_ordinary(Hyperparameters(**scalars))
        assert ordinary.rate_is_ordinary(x["rho"])
        assert ordinary.sums_are_ordinary(*((x[k] ** 2).sum() for k in "GX"), x["epsilon_2"])
        assert not fast_deviations(x)


def fast_deviations(x):
    """Where the loops over doubles leave the reference by more than their rounding."""
    rule, x = RULES[x["X"].ndim], x | {"w": 1 - x["beta_2"]}
    with np.errstate(all="ignore"):
        got = check.observed(check.COMPILED, x)
    K = check.loop_roundings(x["X"].shape, "R_old" in x)
    del got["U_hat"]  # as a step it may underflow
    return check.compared(rule, got, evaluate(rule, x, BALL), K, "float64")


BEYOND = {
    "G^2 overflows": (1e170, 1.0, 0.0, {}),
    "epsilon_1 is subnormal": (1e-161, 3e-162, 0.0, {"epsilon_1": LEAST}),
    "R and C are far apart": (1.0, 1e-160, 0.0, {"epsilon_1": 1e-300, "d": 1.0}),
    "X^2 underflows": (1.0, 1.0, 1e-170, {"epsilon_2": 0.0}),
    "alpha is subnormal": (1.0, 1.0, 0.0, {"rho": 1e-310, "epsilon_2": 1e-13}),
}


@pytest.mark.parametrize("where", BEYOND)
def test_the_loops_over_doubles_are_wrong_beyond(where):
    first, rest, X, scalars = BEYOND[where]
    x = inputs((3, 4), "zero", "zero", "zero", **{"d": math.inf} | scalars)
    x["G"] = rest * np.arange(1, 13).reshape(3, 4)
    x["G"][0, 0] = first
    x["X"] = np.full((3, 4), X)
    assert fast_deviations(x)
    assert not wide_deviations(MATRIX, x)


@given(shape=st.sampled_from(SHAPES), seed=st.integers(0, 2**32))
def test_both_kinds_of_loops_agree_where_all_is_ordinary(shape, seed):
    x = inputs(shape, "ordinary", "ordinary", "zero", seed)
    assert not wide_deviations(RULES[len(shape)], x)
    assert not fast_deviations(x)


def test_wide_loops_are_taken_beyond_the_ordinary_only(monkeypatch):
    taken, real = [], Adafactor._move
    monkeypatch.setattr(Adafactor, "_move", lambda *a: taken.append(a[1]) or real(*a))
    ones = {"w": np.ones((2, 2)), "v": np.ones(2), "f": np.ones((2, 2), np.float32)}
    optimizer = Adafactor({name: X.copy() for name, X in ones.items()})
    optimizer.step(ones)
    assert taken == []
    optimizer.step(ones | {"v": ones["v"] * 1e200})
    assert taken == ["v"]
    optimizer.step(ones | {"w": None})  # what v keeps is not ordinary
    assert taken == ["v", "v"]
    optimizer.step({name: X * np.float32(3e38) for name, X in ones.items()} | {"v": None})
    assert taken == ["v", "v"]


# The optimizer around them

MAGNITUDES = [1.0, 1e200, MOST / 8, 1e-300, LEAST, 0.0, 1e-200, 1.0, 1e160, 1.0, 1.0]
FORGETS = (8, 10)  # the steps at which what was kept is forgotten


def beta_2(t):
    return 0.0 if t in FORGETS else 0.75


def carried(shape, state):
    """The statistics of a state as wide numbers, in the shapes of the rule."""
    sizes = ADAFACTOR.layout(shape).sizes
    shapes = {"V": sizes, "R": sizes[:-1], "C": sizes[:-2] + sizes[-1:]}
    wides = {k: pair(state[k], state.get(f"{k}_exponent")) for k in shapes if k in state}
    return {k: tuple(A.reshape(shapes[k]) for A in a) for k, a in wides.items()}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (2, 3, 2), (2, 2, 3, 2)])
@pytest.mark.parametrize("epsilon_1", [LEAST, 1e-30, 1e300])
def test_a_run_through_all_magnitudes_and_back_is_within_rounding(shape, dtype, epsilon_1):
    options = {"rho": 0.5, "beta_2": beta_2, "epsilon_1": epsilon_1, "d": 2.0, "epsilon_2": 1e-3}
    X, layout, forms = normal(shape, dtype), ADAFACTOR.layout(shape), []
    optimizer = Adafactor([X], **options)
    for t, size in enumerate(MAGNITUDES, 1):
        G = normal(shape, seed=t) * min(size, float(np.finfo(dtype).max) / 8)
        x = {"X": layout.arranged(X.copy()), "G": layout.arranged(G.astype(dtype))}
        old = carried(shape, optimizer.state_dict()[0])
        optimizer.step([np.asarray(G, dtype)])
        state = optimizer.state_dict()[0]
        got = carried(shape, state) | {"X_new": layout.arranged(X)}
        x |= options | {f"{k}_old": a for k, a in old.items()} | {"beta_2": beta_2(t)}
        assert not either_deviations(x, got, np.dtype(dtype).name)
        forms.append(any(name.endswith("_exponent") for name in state))
        other = Adafactor([X.copy()], **options)
        other.load_state_dict({0: state})
        assert snapshot(other, []) == snapshot(optimizer, [])
    assert forms[-1] == (epsilon_1 == 1e300)
    assert (True in forms) == (dtype == np.float64 or epsilon_1 == 1e300)


def either_deviations(x, got, dtype):
    """Where a step of the optimizer, by whichever loops, leaves what the rule gives."""
    shape, factored = x["X"].shape, "R_old" in x
    counted = wide_roundings(shape, factored), check.loop_roundings(shape, factored)
    K = {step: max(k[step] for k in counted) for step in counted[0]}
    return wide_compared(RULES[len(shape)], x, got, K, dtype)


@pytest.mark.parametrize("shape", [(2,), (2, 2)])
def test_a_step_ends_in_an_infinity_where_the_exact_one_does_and_only_there(shape):
    for X, G, rho, overflows in (
        (1.7e308, -1.0, 1.0, True),
        (1.7e308, 1.0, 1.0, False),  # the step is as large as X
        (-1.7e308, 1.0, 0.5, True),
        (-1.7e308, -1.0, 1.9, False),  # the step is more than any double
        (1.7e308, -1.0, 2.0**-60, False),
        (MOST, -1.0, 2.0**-53, True),
        (MOST, -1.0, 2.0**-54, False),  # a little less than half an ulp
    ):
        A = np.full(shape, X)
        Adafactor([A], rho=rho, beta_2=0.0, d=math.inf).step([np.full(shape, G)])
        assert (A == math.copysign(math.inf, X)).all() if overflows else np.isfinite(A).all()


def test_an_infinity_that_came_of_a_step_is_named_at_the_next():
    X = np.full((2,), MOST)
    optimizer = Adafactor([X], rho=1.0)
    optimizer.step([-np.ones(2)])
    with pytest.raises(ValueError, match=r"params\[0\]: X \(weights\) is inf at \[0\]"):
        optimizer.step([np.ones(2)])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_entry_of_one_parameter_leaves_those_beyond_the_ordinary_as_they_were(bad):
    params = {"wide": normal((3, 2)), "bad": normal((4,)), "plain": normal((2, 2))}
    optimizer = Adafactor(params)
    grads = {"wide": np.full((3, 2), 1e300), "bad": np.ones(4), "plain": np.ones((2, 2))}
    optimizer.step(grads)
    before = snapshot(optimizer, params.values())
    spoiled = grads["bad"].copy()
    spoiled[2] = bad
    with pytest.raises(ValueError, match=rf"grads\['bad'\]: G \(gradient\) is {bad} at \[2\]"):
        optimizer.step(grads | {"bad": spoiled})
    assert snapshot(optimizer, params.values()) == before
    optimizer.step(grads)
    assert all(A != B for A, B in zip(snapshot(optimizer, params.values())[0], before[0], strict=1))


@pytest.mark.parametrize("dtype", DTYPES)
def test_strides_and_grouping_change_no_bit_of_a_wide_step(dtype):
    def made(shape, order):
        return np.array(normal(shape, dtype), order=order)

    grads = [normal(s, dtype, 1) * dtype(1e30) for s in ((3, 4), (5,), (2, 2, 3))]
    alone = []
    for G in grads:
        X = made(G.shape, "C")
        Adafactor([X], d=1e-10, rho=1e9).step([G])
        alone.append(X)
    together = [made(G.shape, "F") for G in grads]
    Adafactor(together, d=1e-10, rho=1e9).step([np.asfortranarray(G) for G in grads])
    assert bits(*map(np.ascontiguousarray, together)) == bits(*alone)
    skipped = np.zeros((2, 6, 2, 3), dtype)[:, ::3]
    skipped[...] = normal((2, 2, 2, 3), dtype)
    copied = np.ascontiguousarray(skipped)
    for X in (skipped, copied):
        Adafactor([X], d=1e-10, rho=1e9).step([normal(X.shape, dtype, 1)])
    assert bits(np.ascontiguousarray(skipped)) == bits(copied) != bits(normal(copied.shape, dtype))
