"""The cases reach every branch of a rule and every region of the domains of its inputs."""

import math

import flint
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from derivations.adafactor import MATRIX, SCHEDULE, TENSOR, VECTOR
from derivations.cases import TIMES, Case, Fill, cases, choices, inputs, scheduled
from derivations.evaluate import BALL, evaluate
from derivations.method import ADAFACTOR
from derivations.rule import Step
from tests.strategies import cases_of

RULES = {"vector": VECTOR, "matrix": MATRIX, "tensor": TENSOR}


def winners(rule, values_of):
    """The choices of a rule whose argument is strictly best for some of the given inputs."""
    kinds = [
        choice
        for step in rule.steps
        for choice in sorted(step.value.atoms(sp.Max, sp.Min), key=str)
    ]
    sides = [(choice, argument) for choice in kinds for argument in choice.args]
    probe = rule.but("probe", "", *(Step(symbol(a), a, "probe") for _, a in sides))
    won = set()
    for x in values_of:
        y = evaluate(probe, x, BALL, want=[str(symbol(a)) for _, a in sides])
        for choice, argument in sides:
            ours = y[str(symbol(argument))]
            others = [y[str(symbol(a))] for a in choice.args if a != argument]
            if all(ours > o if isinstance(choice, sp.Max) else ours < o for o in others):
                won.add(argument)
    return won


def symbol(argument):
    return sp.Symbol(f"side {argument}")


@pytest.mark.parametrize("name", RULES)
def test_every_argument_of_every_choice_wins_in_some_case(name):
    rule = RULES[name]
    given = (inputs(case, rule) | scheduled(SCHEDULE, case.t) for case in cases(rule))
    assert winners(rule, given) == {argument for _, argument in choices(rule)}
    assert [step for step, _ in choices(rule)] == ["alpha", "alpha", "U_hat", "U_hat"]


def test_every_argument_of_the_schedule_wins_at_some_time():
    assert winners(SCHEDULE, ({"t": t} for t in TIMES)) == {a for _, a in choices(SCHEDULE)}


def test_a_choice_that_is_never_reached_is_seen():
    one_sided = [case for case in cases(MATRIX) if case.X.pattern == "zero"]
    given = (inputs(case, MATRIX) | scheduled(SCHEDULE, case.t) for case in one_sided)
    lost = {a for _, a in choices(MATRIX)} - winners(MATRIX, given)
    assert [str(a) for a in lost] == ["sqrt(mean_square_X)"]
    assert winners(SCHEDULE, [{"t": 10_000}]) == set()  # a tie has no strict winner


ASPECTS = {
    "t": lambda case, x: case.t,
    "d": lambda case, x: case.d,
    "dtype": lambda case, x: case.dtype,
    "magnitude": lambda case, x: case.G.size if case.G.pattern == "normal" else None,
    "gradient": lambda case, x: case.G.pattern,
    "weights": lambda case, x: case.X.pattern,
    "statistics": lambda case, x: case.statistics,
    "large epsilon_1": lambda case, x: case.epsilon_1 > np.square(x["G"], dtype=float).max() > 0,
    "epsilon_2 is zero": lambda case, x: case.epsilon_2 == 0,
    "tiny weights": lambda case, x: 0 < np.abs(x["X"]).max() < case.epsilon_2,
}
REACHED = {
    "t": {1, 2, 3, 32, 100, 9_999, 10_000, 10_001, 2**14, 10**6},
    "d": {0.5, 1.0, 3.0, math.inf},
    "dtype": {"float32", "float64"},
    "magnitude": {1e-20, 1e-15, 1e-5, 1.0, 1e10, 1e18},
    "gradient": {"normal", "zero", "one zero row", "one zero column", "equal", "bits"},
    "weights": {"zero", "normal", "bits"},
    "statistics": {"zero", "fresh", "small", "large"},
    "large epsilon_1": {True, False},
    "epsilon_2 is zero": {True, False},
    "tiny weights": {True, False},
}


@pytest.mark.parametrize("name", RULES)
def test_every_region_is_reached(name):
    rule = RULES[name]
    given = [(case, inputs(case, rule)) for case in cases(rule)]
    for aspect, value in ASPECTS.items():
        assert {value(case, x) for case, x in given} >= REACHED[aspect], aspect


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("vector", {(1,), (5,)}),
        ("matrix", {(1, 1), (1, 4), (4, 1), (3, 4), (4, 3)}),
        ("tensor", {(1, 1, 1), (2, 1, 3), (2, 3, 1), (3, 2, 4)}),
    ],
)
def test_sizes_are_unequal_or_one_as_well(name, sizes):
    assert {case.sizes for case in cases(RULES[name])} >= sizes
    chosen = tuple(2 for _ in RULES[name].input("X").indices)
    assert {case.sizes for case in cases(RULES[name], (chosen,))} == {chosen}


@pytest.mark.parametrize("name", RULES)
@given(data=st.data())
def test_the_inputs_of_a_case_are_in_their_domains_and_the_same_every_time(name, data):
    rule = RULES[name]
    case = data.draw(cases_of(rule))
    x, again = inputs(case, rule), inputs(case, rule)
    assert x["X"].dtype == x["G"].dtype == case.dtype
    assert {q.name for q in rule.inputs} - {*x} == {"rho", "beta_2"}
    for q in rule.inputs:
        value = np.asarray(x.get(q.name, q.domain.inf), float)
        assert np.array_equal(value, np.asarray(again.get(q.name, q.domain.inf), float))
        assert np.all((float(q.domain.inf) <= value) & (value <= float(q.domain.sup)))
    assert evaluate(rule, x | scheduled(SCHEDULE, case.t), BALL, want=("alpha",))  # shapes fit


@pytest.mark.parametrize(("axis", "pattern"), [(1, "one zero row"), (0, "one zero column")])
def test_one_row_or_one_column_is_zero(axis, pattern):
    G = inputs(Case((4, 3), G=Fill(pattern)), MATRIX)["G"]
    assert (~G.any(axis=axis)).sum() == 1
    assert G.any(axis=1 - axis).all()


def test_uniform_bit_patterns_reach_the_whole_range_of_float32():
    x = inputs(Case((400,), G=Fill("bits"), dtype="float32"), VECTOR)
    sizes = np.abs(x["G"])
    assert np.isfinite(sizes).all()
    assert sizes.min() < 1e-30 < 1e30 < sizes.max()


def test_schedules_are_the_papers_to_every_bit():
    values = scheduled(SCHEDULE, 2**15)
    assert values["beta_2"].overlaps(flint.arb(4095) / 4096)
    assert values["rho"] < flint.arb(1) / 100


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (3, 2, 4), (2, 3, 4, 5), (1, 2, 1, 3), (2, 1)])
def test_a_parameter_of_every_rank_finds_its_rule_and_its_way_back(shape):
    layout = ADAFACTOR.layout(shape)
    assert layout.rule.name == {0: "vector", 1: "vector", 2: "matrix"}.get(len(shape), "tensor")
    array = np.arange(math.prod(shape)).reshape(shape)
    arranged = layout.arranged(array)
    assert arranged.ndim == len(layout.rule.input("X").indices)
    assert np.array_equal(layout.restored(arranged), array)
    assert layout.restored(arranged).shape == shape
    assert np.array_equal(layout.arranged(layout.restored(arranged)), arranged)
    if len(shape) > 1:
        assert arranged.shape[-2:] == shape[-2:]
