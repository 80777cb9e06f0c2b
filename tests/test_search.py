"""A combination of known options is found axis by axis, and what is none of them left open."""

from dataclasses import replace

import pytest

from adafactor_numba.audit.precision import FINE
from adafactor_numba.audit.search import STAGES, Path, search
from derivations.variants import AXES, HIDDEN, OPTIONS, combined
from tests.answers import asked, seen
from tests.implementations.derived import of_method
from tests.implementations.plain import Plain
from tests.implementations.right import Float32
from tests.implementations.wrong import CubeRoot, Exponent, NoNormaliser, OwnEpsilon2, TwiceTheCap
from tests.implementations.wrong_moves import ClippedByTheLargest, DIgnored

ALLOWED = {"float64": FINE[:1]}
LONG = 10
SAME = ((), (1, 1), (1, 3), (3, 1), (3, 2), (4, 4))
"""Shapes that show what others do."""
RUNS = tuple(
    run
    for run in asked("float64", *{name for stage in STAGES for name in stage.scenarios})
    if len(run.grads) < LONG and run.params[0].shape not in SAME
)

BIG = "two largest axes, from 128 on"
PER_MATRIX = "each matrix of a batch clipped by itself"
COMBINATIONS = (
    (),
    ("no parameter scale", "beta_2 at most 0.999", "momentum over U_hat"),
    ("eps1 = 1e-7", "two largest axes", "no clipping"),
    ("eps1 clamps the denominators", BIG, "beta_2 = 0.9", "rho = 1 / sqrt t", "clipping at d = 2"),
    ("two largest axes", PER_MATRIX),
    ("first two axes, else last two, from 17 on", "rho at most 1e-3", PER_MATRIX),
)
SINGLE = [
    pytest.param((option.name,), id=option.name, marks=pytest.mark.slow)
    for axis in AXES
    if axis.name not in HIDDEN
    for option in axis.options
]


def strands_of(*names):
    """What the combination of these options answers."""
    return seen(of_method(combined(tuple(OPTIONS[name] for name in names))), RUNS)


def named(paths):
    """The options of every path."""
    return [{option.name for option in path.options} for path in paths]


@pytest.mark.parametrize("names", [*COMBINATIONS, *SINGLE])
def test_a_combination_of_options_is_found(names):
    paths = search(strands_of(*names), ALLOWED)
    assert {*names} in named(paths)
    assert len(paths) <= 12


def test_options_that_show_later_only_are_left_open_and_those_with_few_come_first():
    """rho is 1e-2 until t = 10^4, beta_2 below 0.999 until t = 5,600."""
    assert named(search(seen(Plain, RUNS), ALLOWED)) == [
        set(),
        {"rho = 1e-2"},
        {"beta_2 at most 0.999"},
        {"beta_2 at most 0.999", "rho = 1e-2"},
    ]


def test_of_the_combinations_left_those_with_few_options_are_gone_on_with(monkeypatch):
    monkeypatch.setattr("adafactor_numba.audit.search.PATHS", 2)
    assert named(search(seen(Plain, RUNS), ALLOWED)) == [set(), {"rho = 1e-2"}]


def test_a_path_tells_its_answers_by_axis():
    chosen = tuple(OPTIONS[name] for name in ("beta_2 = 0.9", "no clipping"))
    answers = {axis.name: option.name for axis, option in Path(chosen).answers()}
    assert answers == {"beta_2": "beta_2 = 0.9", "clipping": "no clipping"}
    assert Path(chosen).method is combined(chosen)


def test_an_answer_that_is_asked_for_is_found_where_it_is():
    names = ("no parameter scale", "momentum over alpha U_hat")
    paths = search(strands_of(*names), ALLOWED, answered=("momentum",))
    assert {*names} in named(paths)
    assert all("momentum" in {axis.name for axis, _ in path.answers()} for path in paths)


def test_an_answer_that_is_asked_for_and_is_not_there_leaves_no_path():
    found = strands_of("no parameter scale", "rho at most 1e-3")
    assert search(found, ALLOWED, answered=("rho",))
    assert search(found, ALLOWED, answered=("clipping",)) == []
    assert search(found, ALLOWED, answered=("rho", "epsilon_1")) == []


@pytest.mark.parametrize(
    ("build", "axis"),
    [
        (CubeRoot, "epsilon_1"),
        (Exponent, "beta_2"),
        (TwiceTheCap, "rho"),
        (OwnEpsilon2, "parameter scale"),
        (NoNormaliser, "factored axes"),
        (ClippedByTheLargest, "clipping"),
    ],
)
def test_what_is_none_of_the_options_leaves_its_axis_unexplained(build, axis):
    (first, *_) = search(seen(build, RUNS), ALLOWED)
    assert axis in first.unexplained
    assert axis not in {decided.name for decided, _ in first.answers()}


def test_a_format_that_is_not_allowed_explains_nothing():
    found = seen(Float32, RUNS)
    assert search(found, {"float64": FINE})[0] == Path()
    assert {"epsilon_1", "rho"} <= {*search(found, ALLOWED)[0].unexplained}


def test_what_a_hyperparameter_or_another_scenario_shows_decides_nothing():
    clipped = [run for run in RUNS if run.scenario == "clipped"]
    varied = [replace(run, hyperparameters={"d": 0.5}) for run in clipped]
    other = [replace(run, scenario="elsewhere") for run in RUNS]
    found = [*seen(Plain, RUNS), *seen(DIgnored, varied), *seen(CubeRoot, other)]
    assert search(found, ALLOWED)[0] == Path()


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.name)
def test_every_axis_that_shows_is_decided_by_a_stage(axis):
    assert any(axis.name in stage.axes for stage in STAGES) == (axis.name not in HIDDEN)


def test_a_stage_asks_for_axes_and_scenarios_that_there_are():
    known = {run.scenario for run in asked("float64")}
    for stage in STAGES:
        assert {*stage.axes, *stage.hidden_by} <= {axis.name for axis in AXES}
        assert {*stage.scenarios} <= known
        assert any(stage.sees(s) for s in seen(Plain, RUNS) if s.run.scenario in stage.scenarios)
