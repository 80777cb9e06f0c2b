"""Every finite input gives what the rule gives, whichever loops that takes."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adafactor_numba import Adafactor, beyond, ordinary
from adafactor_numba.audit import check, magnitudes
from adafactor_numba.audit.beyond import wide_compared, wide_deviations, wide_roundings
from adafactor_numba.audit.magnitudes import LEAST, MOST, inputs
from adafactor_numba.beyond import pair
from adafactor_numba.hyperparameters import Hyperparameters
from derivations.adafactor import MATRIX, SCHEDULE, TENSOR, VECTOR
from derivations.cases import TIMES, scheduled
from derivations.evaluate import BALL, evaluate
from derivations.method import ADAFACTOR
from tests.arrays import DTYPES, bits, normal, snapshot

RULES = {1: VECTOR, 2: MATRIX, 3: TENSOR}
SHAPES = [shape for shapes in magnitudes.SHAPES.values() for shape in shapes]

# Which loops are taken


CORNERS = [
    *itertools.product(
        ([2.0**198, 2.0**-500], [2.0**-530, 2.0**-537], [2.0**198, 0.0]),  # entries of G
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
                ends = ordinary.STATISTICS[0], ordinary.LARGEST_STATISTIC
                x[name] = rng.choice(ends, np.shape(x[name]))
        assert ordinary.constants_are_ordinary(Hyperparameters(**scalars))
        assert ordinary.rate_is_ordinary(x["rho"])
        assert (x["G"] ** 2).sum() <= 4 * ordinary.LARGEST_SUM_G
        assert ordinary.weights_are_ordinary((x["X"] ** 2).sum() / 2, x["epsilon_2"])
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


# The unit of the gradient


def scaled_run(k, shape, factor=2.0, forgotten=False):
    """X, statistics and exponents after three steps with G factor^k, epsilon_1 factor^(2 k).

    Where it is `forgotten`, what is kept of the first step is kept in another unit.
    """
    X, squared = normal(shape), factor * factor
    optimizer = Adafactor([X], epsilon_1=2.0**-100 * squared**k)
    for t in (1, 2, 3):
        optimizer.step([normal(shape, seed=t) * factor**k])
        if forgotten and t == 1:
            state = optimizer.state_dict()[0]
            other = pair(state["C"], state.get("C_exponent"))
            optimizer.load_state_dict({0: state | {"C": other[0] / 4, "C_exponent": other[1]}})
    kept = carried(shape, optimizer.state_dict()[0])
    return X, {name: pair(A, exponents - 2 * k) for name, (A, exponents) in kept.items()}


@pytest.mark.parametrize("shape", [(301,), (37, 85), (2, 9, 13)])
def test_scaling_the_gradient_by_a_power_of_two_changes_no_bit_of_X(shape, monkeypatch):
    X, kept = scaled_run(0, shape)
    for k in (-400, -60, -51, 1, 185, 400):
        other, scaled = scaled_run(k, shape)
        assert bits(other) == bits(X)
        assert all(bits(*scaled[name]) == bits(*kept[name]) for name in kept)
    assert bits(scaled_run(1, shape, 3.0)[0]) != bits(X)
    if len(shape) > 1:
        assert bits(scaled_run(185, shape, forgotten=True)[0]) != bits(X)
        monkeypatch.setattr(beyond, "_moved_in_another_unit", lambda *a: False)
        assert bits(scaled_run(185, shape)[0]) != bits(X)  # wide loops add in another order


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
@pytest.mark.parametrize("shape", [(301,), (37, 85), (2, 9, 13)])
def test_scaling_changes_no_bit_of_what_is_rounded_to_fewer_digits(name, shape):
    dtype = np.float32
    if name == "bfloat16":
        dtype = pytest.importorskip("ml_dtypes", reason="NumPy has no bfloat16").bfloat16
    found = []
    for k in (0, -60):
        X = normal(shape).astype(dtype)
        optimizer = Adafactor([X], epsilon_1=2.0**-130 * 4.0**k, stochastic_rounding=7)
        for t in (1, 2, 3):
            G = normal(shape, seed=t).astype(dtype)
            optimizer.step([(G.astype(float) * 2.0**k).astype(dtype)])
        found.append(X)
    assert (found[0] == found[1]).all()


RANGES = {  # the largest and the least entries of G, epsilon_1, and whether a unit fits
    "sums at their bound": (2.0**199, 2.0**90, 2.0**-200, True),
    "sums above it": (2.0**200, 2.0**200, 2.0**-200, False),
    "all at their bounds": (1.0, 2.0**-100, 2.0**200, True),
    "epsilon_1 no power of two": (1.0, 2.0**-100, 1.5 * 2.0**-100, True),
    "entries that another unit loses": (1.0, 2.0**-1060, 2.0**-200, True),
    "entries that every unit loses": (2.0**600, 2.0**-1060, 2.0**900, False),
    "nothing but epsilon_1": (0.0, 0.0, 2.0**-200, True),
}


@pytest.fixture
def wide_steps(monkeypatch):
    """A list with one entry for each step in wide numbers."""
    taken, real = [], beyond._moved_in_wide_numbers
    monkeypatch.setattr(beyond, "_moved_in_wide_numbers", lambda *a: taken.append(1) or real(*a))
    return taken


def stepped(k, X, G, epsilon_1, **options):
    """X after two steps with G 2^k and epsilon_1 4^k."""
    X = X.copy()
    optimizer = Adafactor([X], epsilon_1=epsilon_1 * 4.0**k, **options)
    for sign in (1, -1):
        optimizer.step([np.ldexp(sign * G, k)])
    return X


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 2)])
@pytest.mark.parametrize("case", RANGES)
def test_which_loops_are_taken_does_not_depend_on_the_unit(case, shape, wide_steps):
    *sizes, epsilon_1, fits = RANGES[case]
    G = np.full(shape, sizes[1])
    G.flat[0] = sizes[0]
    units = (0, 1, 50) if epsilon_1 > 1e250 else (0, 1, 50, 300, 400)
    found = [bits(stepped(k, np.zeros(shape), G, epsilon_1)) for k in units]
    assert found == found[:1] * len(units)
    assert len(wide_steps) == (0 if fits else 2 * len(units))


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 2)])
@pytest.mark.parametrize(
    ("X", "options"),
    [
        (1e200, {}),
        (1e-200, {"epsilon_2": 0.0}),
        (1.0, {"epsilon_2": 1e200}),
        (1.0, {"rho": 1e-200}),
        (1.0, {"d": 1e-200}),
    ],
)
def test_what_has_no_unit_is_as_wide_in_another_unit_of_the_gradient(X, options, shape, wide_steps):
    X, G = np.full(shape, X), normal(shape)
    found = [stepped(k, X, G, 1.0, **options) for k in (0, 400)]
    assert np.isfinite(found).all()
    assert bits(found[0]) == bits(found[1])
    assert len(wide_steps) == 4


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


def either_deviations(x, got, dtype, t=None):
    """Where a step of the optimizer, by whichever loops, leaves what the rule gives."""
    shape, factored = x["X"].shape, "R_old" in x
    counted = wide_roundings(shape, factored, t), check.loop_roundings(shape, factored, t)
    K = {step: max(k[step] for k in counted) for step in counted[0]}
    return wide_compared(RULES[len(shape)], x, got, K, dtype)


@pytest.mark.parametrize("t", TIMES)
@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 2)])
def test_a_wide_step_at_any_t_is_within_rounding_of_the_schedules_of_the_paper(shape, t):
    for d in (0.1, 1.0, math.inf):
        x = inputs(shape, "bits", "bits", "wide" if t > 1 else "zero", t, d=d)
        X = x["X"].copy()
        optimizer = Adafactor([X], d=d)
        state = optimizer.state_dict()[0] | {"t": t - 1}
        old = {name: x[name] for name in x if name.endswith("_old")}
        for name, a in old.items():
            own = name.removesuffix("_old")
            state |= {own: a[0], f"{own}_exponent": a[1]} if t > 1 else {own: a}
        optimizer.load_state_dict({0: state})
        optimizer.step([x["G"]])
        got = carried(shape, optimizer.state_dict()[0]) | {"X_new": X}
        assert not either_deviations(x | scheduled(SCHEDULE, t), got, "float64", t)


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
    skipped = np.zeros((2, 7, 2, 3), dtype)[:, ::3]  # no strides give its leading axes as one
    skipped[...] = normal((2, 3, 2, 3), dtype)
    copied = np.ascontiguousarray(skipped)
    for X in (skipped, copied):
        Adafactor([X], d=1e-10, rho=1e9).step([normal(X.shape, dtype, 1)])
    assert bits(np.ascontiguousarray(skipped)) == bits(copied) != bits(normal(copied.shape, dtype))
