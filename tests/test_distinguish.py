"""Which of the known methods the cases of an audit tell apart, and which they leave together."""

from itertools import combinations

import numpy as np
import pytest

from adafactor_numba.audit.distinguish import METHODS, apart
from adafactor_numba.audit.judgement import judgements
from adafactor_numba.audit.precision import formats_of
from adafactor_numba.audit.scenarios import runs
from adafactor_numba.audit.strand import strands
from adafactor_numba.audit.subject import Run, Trace
from derivations.method import ADAFACTOR
from derivations.variants import VARIANTS

from .implementations.plain import Plain

WORKING = {"float64": "float64", "float32": "float64"}
TAKES = ("epsilon_1", "epsilon_2", "d")
NAMES = [method.name for method in METHODS]
EVERY_PAIR = {*combinations(NAMES, 2)}


def traced(run):
    """What `Plain` answers."""
    step = Plain(run.params, **run.hyperparameters)
    found = dict(enumerate(map(step, run.grads), 1))
    return Trace([found[t] for t in run.steps], [], None)


def judged(*asked):
    """How the paper judges the strands of these runs of `Plain`."""
    return [*judgements(ADAFACTOR, (s for run in asked for s in strands(run, traced(run))))]


def asked(dtype):
    """Every run of the audit but those with an empty parameter, which has no mean."""
    every = runs((dtype,), 0, TAKES)
    return [run for run in every if all(X.size for X in run.params)]


@pytest.fixture(scope="module")
def paper():
    return judged(*asked("float64"))


@pytest.fixture(scope="module")
def single():
    return judged(*asked("float32"))


def of(paper, *scenarios):
    return [j for j in paper if j.strand.run.scenario in scenarios]


def without(paper, *scenarios):
    return [j for j in paper if j.strand.run.scenario not in scenarios]


def constant(grads, X=0.0):
    """A run of one scalar."""
    return Run("one entry", (np.array([X]),), tuple((np.array([g]),) for g in grads))


def test_the_methods_are_the_paper_and_every_variant():
    assert NAMES == [ADAFACTOR.name, *(variant.name for variant in VARIANTS)]
    assert len(EVERY_PAIR) == len(NAMES) * (len(NAMES) - 1) / 2


def test_all_scenarios_of_either_dtype_tell_every_two_apart(paper, single):
    for cases in (paper, single):
        working = formats_of(cases)
        assert {*working.values()} == {"float64"}
        assert apart(cases, working) == set()


def test_in_single_precision_only_what_begins_beyond_ten_thousand_steps_is_lost(single):
    """Three steps beyond, rho_t is 1e-4 below 1e-2, and 10,000 averages may be off by more."""
    assert apart(single, {"float32": "float32"}) == {("paper", "rho = 1e-2")}


def test_no_cases_tell_no_two_apart():
    assert apart([], {}) == EVERY_PAIR


def test_first_steps_cannot_tell_what_beta_2_and_rho_become(paper):
    left = apart(of(paper, "first step"), WORKING)
    assert {
        ("paper", "beta_2 = 0.999"),
        ("paper", "beta_2 at most 0.999"),
        ("paper", "rho = 1e-2"),
    } <= left
    assert ("paper", "rho at most 1e-3") not in left
    assert ("paper", "rho warmed up") not in left


@pytest.mark.parametrize(
    ("scenario", "pairs"),
    [
        ("past t = 10^4", {("paper", "rho = 1e-2"), ("paper", "beta_2 at most 0.999")}),
        (
            "least size",
            {
                ("two largest axes, from 128 on", "nothing factored"),
                ("two largest axes, from 32 on", "two largest axes, from 16 on"),
            },
        ),
    ],
)
def test_a_scenario_that_is_left_out_leaves_pairs_together(paper, scenario, pairs):
    assert pairs <= apart(without(paper, scenario), WORKING)
    assert not pairs & apart(of(paper, scenario), WORKING)


def test_where_one_of_two_has_no_value_they_are_told_apart(paper):
    left = apart(of(paper, "zero gradient"), WORKING)
    assert ("paper", "no eps1") not in left
    assert ("eps1 = 1e-30 clamps the denominators", "no eps1") not in left


def test_what_rounding_explains_tells_nothing_apart():
    """At |G| = 1 an epsilon_1 of 1e-7 shows in seven digits, and in no coarser format."""
    found = judged(constant([1.0, 0.5, 0.25]))
    pair = ("paper", "eps1 = 1e-7")
    assert pair not in apart(found, WORKING)
    assert pair in apart(found, WORKING | {"float64": "float16"})
    assert ("eps1 added to the root", "no eps1") in apart(found, WORKING)


def test_a_finer_format_tells_no_fewer_apart(paper):
    some = of(paper, "one entry", "ordinary")
    fine, middle, coarse = (
        apart(some, WORKING | {"float64": format_}) for format_ in ("float64", "float32", "float16")
    )
    assert fine <= middle <= coarse
    assert fine < coarse


def test_the_order_of_the_cases_does_not_matter(paper):
    some = of(paper, "first step", "rank")
    assert apart(some, WORKING) == apart(some[::-1], WORKING)


def test_one_step_of_a_scalar_tells_what_scales_it_and_what_of_epsilon_1_shows():
    left = apart(judged(constant([1.0])), WORKING)
    assert {name for name in NAMES[1:] if ("paper", name) not in left} == {
        "eps1 = 1e-7",
        "momentum over U_hat",
        "momentum over alpha U_hat",
        "no parameter scale",
        "rho at most 1e-3",
        "rho warmed up",
        "rho = 1 / sqrt t",
    }
