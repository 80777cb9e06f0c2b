"""The loops lie within counted rounding of the derivation, at every step; what does not is seen."""

import math
from dataclasses import replace

import flint
import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from adafactor_numba import Adafactor
from adafactor_numba.audit import check
from adafactor_numba.audit.check import COMPILED, compared, deviation, deviations, observed
from derivations.adafactor import MATRIX, SCHEDULE, TENSOR, VECTOR
from derivations.cases import Case, Fill, cases, inputs, scheduled
from derivations.evaluate import BALL, UndecidedError, evaluate, trajectory
from derivations.method import ADAFACTOR
from tests.strategies import cases_of, gradients

RULES = {"vector": VECTOR, "matrix": MATRIX, "tensor": TENSOR}
STEPS = {
    "vector": {"alpha", "V", "U_hat", "X_new"},
    "matrix": {"alpha", "R", "C", "U_hat", "X_new"},
    "tensor": {"alpha", "R", "C", "U_hat", "X_new"},
}
STRADDLING = [
    ("vector", (7,)), ("vector", (8,)), ("vector", (9,)), ("vector", (129,)), ("vector", (257,)),
    ("matrix", (2, 129)), ("matrix", (129, 3)), ("tensor", (2, 5, 17)), ("matrix", (1, 257)),
    ("matrix", (4, 15)), ("matrix", (9, 16)), ("matrix", (17, 33)), ("vector", (16_385,)),
]  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_every_step_of_every_case_is_within_rounding_of_the_derivation(name):
    found = [
        (case, d) for case in cases(RULES[name]) for d in deviations(COMPILED, RULES[name], case)
    ]
    assert not found, "\n".join(f"{case}: {d}" for case, d in found[:5])


@pytest.mark.parametrize("name", RULES)
@given(data=st.data())
def test_every_step_is_within_rounding_of_the_derivation(name, data):
    rule = RULES[name]
    case = data.draw(cases_of(rule))
    y = evaluate(rule, inputs(case, rule) | scheduled(SCHEDULE, case.t), BALL)
    event(f"clipped: {bool(y['mean_square_U'] > flint.arb(case.d) ** 2)}")
    event(f"RMS(X) decides alpha: {bool(y['mean_square_X'] > flint.arb(case.epsilon_2) ** 2)}")
    assert not deviations(COMPILED, rule, case)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "sizes"), STRADDLING)
def test_sizes_around_a_block_are_within_rounding(name, sizes, dtype):
    for d, statistics in ((1.0, "small"), (3.0, "small"), (math.inf, "fresh")):
        case = Case(sizes, dtype=dtype, d=d, statistics=statistics)
        assert not deviations(COMPILED, RULES[name], case)


def test_all_observable_steps_are_observed():
    for name, rule in RULES.items():
        case = cases(rule)[0]
        x = inputs(case, rule) | check.scheduled_doubles(COMPILED, case.t)
        assert observed(COMPILED, x).keys() == STEPS[name]
        assert check.loop_roundings(case.sizes, "R_old" in x).keys() == STEPS[name]


def test_the_schedules_are_within_rounding():
    assert not check.schedule_deviations(COMPILED)


def of_a_case(rule, case):
    """Inputs, what the loops make of them, the exact values and K."""
    x = inputs(case, rule)
    exact = evaluate(rule, x | scheduled(SCHEDULE, case.t), BALL)
    got = observed(COMPILED, x | check.scheduled_doubles(COMPILED, case.t))
    return x, got, exact, check.loop_roundings(case.sizes, "R_old" in x, case.t)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", RULES)
def test_a_value_pushed_out_of_its_bound_is_named(name, dtype):
    rule = RULES[name]
    case = Case({"vector": (5,), "matrix": (3, 4), "tensor": (2, 3, 4)}[name], dtype=dtype, t=100)
    _, got, exact, K = of_a_case(rule, case)
    for step in STEPS[name]:
        value = got[step].copy()
        index = tuple(size - 1 for size in value.shape)
        unit = value.dtype.type(np.finfo(value.dtype).eps)
        value[index] *= 1 + (2 * K[step] if value.dtype == float else 4) * unit
        wrong = compared(rule, got | {step: value}, exact, K, dtype)
        assert [(d.step, d.index, d.source) for d in wrong] == [(step, index, rule[step].source)]
        assert wrong[0].off > wrong[0].explained > 0
        assert f"{step}{list(index)} is" in str(wrong[0])


def test_a_value_that_is_no_number_is_a_deviation():
    one, none = flint.arb(1), flint.arb(0)
    for got in (math.nan, math.inf, -math.inf):
        assert deviation(got, one, none, "float32") == (math.inf, 0.0)


def test_an_infinity_is_right_beyond_the_largest_number_only():
    most = flint.arb(float(np.finfo(np.float32).max))
    ulp = flint.arb(2) ** 104
    assert deviation(math.inf, most, ulp, "float32") is None
    assert deviation(-math.inf, -most, ulp, "float32") is None
    assert deviation(-math.inf, most, ulp, "float32") is not None
    assert deviation(math.inf, most, ulp / 2, "float32") is not None
    assert deviation(math.inf, most, ulp, "float64") is not None


def test_a_ball_too_wide_to_say_is_an_error():
    with pytest.raises(UndecidedError, match="is undecided"):
        deviation(1.0, flint.arb(1, 0.5), flint.arb(2) ** -53, "float64")


def test_half_an_ulp_is_that_of_the_format():
    for dtype in (np.float16, np.float32, np.float64):
        info = np.finfo(dtype)
        for x in (1.0, 1.5, info.tiny, info.max / 3, info.smallest_subnormal, 0.0):
            half = check.half_ulp(flint.arb(float(dtype(x))), np.dtype(dtype).name)
            assert half * 2 == flint.arb(float(np.nextafter(dtype(x), dtype(np.inf)))) - float(
                dtype(x)
            )


def no_statistics(layout):
    """What a rule carries, all zero: before the first step."""
    sizes = dict(zip(layout.rule.shape(layout.rule.input("X")), layout.sizes, strict=True))
    carried = [x for x in layout.rule.inputs if x.name.endswith("_old")]
    return {x.name: np.zeros([sizes[s] for s in layout.rule.shape(x)]) for x in carried}


def ran(grads, **hyperparameters):
    """What the optimizer held before each step, and what it held after it."""
    X = np.random.default_rng(1).standard_normal(grads[0].shape).astype(grads[0].dtype)
    optimizer = Adafactor([X], **hyperparameters)
    for G in grads:
        before = X.copy()
        optimizer.step([G])
        state = optimizer.state_dict()[0]
        yield before, {"X_new": X.copy()} | {name: state[name] for name in state if name != "t"}


def run_deviations(grads, rates=None, carried=None, **scalars):
    """Where a run leaves the reference, which takes X as stored and carries its own statistics.

    `rates` are rho and beta_2 of each step, by default the schedules; `carried` replaces what the
    reference carries.
    """
    layout, times = ADAFACTOR.layout(grads[0].shape), range(1, len(grads) + 1)
    functions = {}
    if rates is not None:
        names = ("rho", "beta_2")
        functions = {name: lambda t, k=k: rates[t - 1][k] for k, name in enumerate(names)}
    steps = list(ran(grads, **functions, **scalars))
    each = []
    for t, G, (before, _) in zip(times, grads, steps, strict=True):
        own = {name: f(t) for name, f in functions.items()} or scheduled(SCHEDULE, t)
        each.append(
            {"X": layout.arranged(before), "G": layout.arranged(G), **own, **(carried or {})}
        )
    references = trajectory(layout.rule, no_statistics(layout) | scalars, each, BALL)
    counted = [t if rates is None else None for t in times]
    K = check.run_roundings(layout.sizes, "R" in steps[0][1], counted)
    return [
        found
        for (_, got), exact, k in zip(steps, references, K, strict=True)
        for found in compared(layout.rule, fitted(got, exact), exact, k, grads[0].dtype.name)
    ]


def fitted(got, exact):
    """The arrays of the optimizer in the shapes of the rule."""
    return {name: np.reshape(value, np.shape(exact[name])) for name, value in got.items()}


SHAPES = st.sampled_from([(), (1,), (5,), (3, 4), (1, 4), (4, 1), (2, 3, 2), (2, 1, 2, 3)])
DTYPES = st.sampled_from(["float64", "float32"])


@given(data=st.data(), shape=SHAPES, dtype=DTYPES, d=st.sampled_from([0.5, 1.0, math.inf]))
def test_many_steps_are_within_rounding_of_the_exact_state(data, shape, dtype, d):
    grads = data.draw(gradients(shape, dtype, 20))
    event(f"steps: {len(grads) // 5 * 5} or more")
    assert not run_deviations(grads, d=d, epsilon_1=1e-30, epsilon_2=1e-3)


@given(data=st.data(), shape=SHAPES, dtype=DTYPES)
def test_doubles_given_for_rho_and_beta_2_are_taken_as_exact(data, shape, dtype):
    grads = data.draw(gradients(shape, dtype, 6))
    rate = st.tuples(st.floats(0, 1), st.floats(0, 1, exclude_max=True))
    rates = data.draw(st.lists(rate, min_size=len(grads), max_size=len(grads)))
    assert not run_deviations(grads, rates, d=1.0, epsilon_1=1e-30, epsilon_2=0.0)


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 2)])
def test_a_run_that_forgets_its_statistics_is_seen(shape):
    rng = np.random.default_rng(5)
    grads = [rng.standard_normal(shape) for _ in range(4)]
    scalars = {"d": 1.0, "epsilon_1": 1e-30, "epsilon_2": 1e-3}
    assert not run_deviations(grads, **scalars)
    forgotten = no_statistics(ADAFACTOR.layout(shape))
    found = run_deviations(grads, carried=forgotten, **scalars)
    assert {d.step for d in found} >= {"V" if len(shape) == 1 else "R", "X_new"}


def agreeing(case):
    """Inputs of MATRIX whose R_old and C_old are exactly the row and column sums of one array."""
    x = inputs(case, MATRIX)
    sums = np.random.default_rng(case.seed).integers(1, 2**20, case.sizes).astype(float)
    unit = 2.0 ** round(math.log2(x["R_old"].max() + 2.0**-1000) - 20)
    return x | {"R_old": unit * sums.sum(axis=1), "C_old": unit * sums.sum(axis=0)}


def transposed(case, drawn=agreeing):
    """The loops on X^T, G^T, with R and C for each other, turned back: the totals must agree."""
    x = drawn(case)
    turned = x | {"X": x["X"].T, "G": x["G"].T, "R_old": x["C_old"], "C_old": x["R_old"]}
    got, K = loops_on(turned, case)
    names = {"R": "C", "C": "R"}
    got = {
        names.get(name, name): v.T if name in ("U_hat", "X_new") else v for name, v in got.items()
    }
    return MATRIX, x, got, {names.get(name, name): v for name, v in K.items()}


def permuted(case):
    """The loops on rows and columns in another order, put back."""
    x = inputs(case, MATRIX)
    rng = np.random.default_rng(case.seed)
    rows, columns = (rng.permutation(size) for size in case.sizes)
    there = {
        "X": np.ix_(rows, columns),
        "G": np.ix_(rows, columns),
        "R_old": rows,
        "C_old": columns,
    }
    got, K = loops_on(x | {name: x[name][at] for name, at in there.items()}, case)
    back = {"R": np.argsort(rows), "C": np.argsort(columns)}
    at = np.ix_(back["R"], back["C"])
    return (
        MATRIX,
        x,
        {"alpha": got["alpha"]}
        | {name: got[name][back.get(name, at)] for name in ("R", "C", "U_hat", "X_new")},
        K,
    )


def one_row(case):
    """A matrix of one row, whose R is the sum of its C: a vector, with C for V."""
    x = inputs(replace(case, sizes=case.sizes[1:]), VECTOR)
    row = {
        "X": x["X"][None],
        "G": x["G"][None],
        "C_old": x["V_old"],
        "R_old": x["V_old"].sum(keepdims=True),
    }
    got, K = loops_on({name: v for name, v in x.items() if name != "V_old"} | row, case)
    found = {
        "alpha": got["alpha"],
        "V": got["C"],
        "U_hat": got["U_hat"][0],
        "X_new": got["X_new"][0],
    }
    return VECTOR, x, found, K | {"V": K["C"]}


def one_by_one(case):
    """A tensor matrix by matrix, where nothing is over the whole tensor: X = 0, d = infinity."""
    case = replace(case, sizes=(2, *case.sizes), d=math.inf, X=Fill("zero"))
    x = inputs(case, TENSOR)
    parts = [loops_on({k: v[b] if np.ndim(v) else v for k, v in x.items()}, case) for b in range(2)]
    got = {
        name: np.stack([part[name] for part, _ in parts]) for name in ("R", "C", "U_hat", "X_new")
    }
    return TENSOR, x, got | {"alpha": parts[0][0]["alpha"]}, parts[0][1]


def loops_on(x, case):
    got = observed(COMPILED, x | check.scheduled_doubles(COMPILED, case.t))
    return got, check.loop_roundings(x["X"].shape, "R_old" in x, case.t)


def law_deviations(law, case, wrong=lambda x: x):
    rule, x, got, K = law(case)
    exact = evaluate(rule, wrong(x) | scheduled(SCHEDULE, case.t), BALL)
    return compared(rule, got, exact, K, case.dtype)


LAWS = [transposed, permuted, one_row, one_by_one]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@given(case=cases_of(MATRIX))
def test_a_law_of_the_rule_holds_of_the_loops_within_rounding(law, case):
    if law is one_row:
        case = replace(case, sizes=(1, case.sizes[1]))
    assert not law_deviations(law, case)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_law_is_refuted_where_a_column_is_another(law):
    case = Case((1 if law is one_row else 3, 4))
    assert not law_deviations(law, case)
    assert law_deviations(law, case, lambda x: x | {"G": np.flip(x["G"], axis=-1)})


def test_transposition_needs_statistics_of_equal_totals():
    case = Case((3, 4), d=math.inf)  # clipping would hide a factor of V
    assert law_deviations(lambda c: transposed(c, lambda c: inputs(c, MATRIX)), case)


@pytest.mark.parametrize("name", RULES)
@given(data=st.data())
def test_a_zero_gradient_moves_nothing(name, data):
    rule = RULES[name]
    case = data.draw(cases_of(rule, G=Fill("zero")))
    x = inputs(case, rule)
    got, _ = loops_on(x, case)
    assert not got["U_hat"].any()
    assert np.array_equal(got["X_new"], x["X"])
