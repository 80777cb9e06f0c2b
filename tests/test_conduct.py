"""What an implementation does between parameters and over time: each defect is found."""

from dataclasses import replace

import numpy as np
import pytest

from adafactor_numba.audit.adapters import ours
from adafactor_numba.audit.besides import unanswered
from adafactor_numba.audit.company import permuted, several
from adafactor_numba.audit.conduct import CHECKS, conduct
from adafactor_numba.audit.draw import Draw
from adafactor_numba.audit.flags import FLAGS
from adafactor_numba.audit.judgement import is_in_order, judgements
from adafactor_numba.audit.scenarios import runs
from adafactor_numba.audit.strand import strands
from adafactor_numba.audit.subject import Run, Subject
from adafactor_numba.audit.suspect import suspect
from derivations.method import ADAFACTOR
from tests.answers import Here
from tests.implementations import wrong_conduct
from tests.implementations.plain import Plain
from tests.implementations.right import CountsEveryCall, Float32, Native
from tests.implementations.wrong_conduct import Defect, Whole

DEFECTS = [c for c in vars(wrong_conduct).values() if isinstance(c, type) and issubclass(c, Defect)]
DEFECTS.remove(Defect)
SEVERAL = ("several parameters", "save and load")
EVERYTHING = (*Whole.options,)


def found(build, dtype="float64"):
    return conduct(Here(build), 0, dtype)


def every(build):
    """All that is found of its conduct."""
    conducted = found(build)
    return (*conducted.findings, *conducted.meddling)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("build", [ours.build, Plain, CountsEveryCall, Float32, Native, Whole])
def test_nothing_is_found_on_a_right_one(build, dtype):
    conducted = found(build, dtype)
    assert (conducted.findings, conducted.meddling) == ((), ())
    assert all(conducted.flags.values())
    assert conducted.not_run == {}


@pytest.mark.parametrize("build", DEFECTS)
def test_a_defect_is_found_where_it_lies(build):
    findings = every(build)
    assert [f for f in findings if f.step == build.step and build.what in f.what], findings


def test_there_is_a_defect_of_every_kind():
    assert {c.step for c in DEFECTS} == {"between parameters", "over time", "arguments"}
    assert len(DEFECTS) > 2 * len(CHECKS)


def test_a_finding_has_its_case():
    (finding,) = [f for f in found(wrong_conduct.StateLost).findings if f.step == "over time"]
    assert finding.case["split"] == 1
    assert finding.case["t"] == 2
    assert finding.case["builder"].endswith(":StateLost")
    assert len(finding.case["params"]) == 3


def test_what_is_kept_is_counted_by_shape():
    conducted = found(ours.build)
    assert conducted.state == {"64 x 48": 112, "48": 48, "2 x 8 x 6": 28}
    assert conducted.sublinear is True
    assert conducted.state_dtypes == {"float64": "float64"}


def test_the_dtype_of_what_is_kept_is_told_for_every_dtype_of_a_parameter():
    class Single(Whole):
        def averaged(self, state, name, new, t):
            return super().averaged(state, name, new.astype(np.float32), t)

    for build, kept in ((Whole, "float64"), (Single, "float32")):
        working = dict.fromkeys(("float64", "float32"), "float32")
        conducted = conduct(Here(build), 0, "float64", working)
        assert conducted.state_dtypes == dict.fromkeys(working, kept)


def test_one_that_keeps_a_matrix_is_not_sublinear():
    class Full(Whole):
        def second_moment(self, state, squares, t):
            return self.averaged(state, "V", squares, t)

    conducted = found(Full)
    assert conducted.state["64 x 48"] == 64 * 48
    assert conducted.sublinear is False


def test_one_that_does_not_show_its_state_is_not_judged_by_it():
    conducted = found(Plain)
    assert (conducted.state, conducted.sublinear) == ({}, None)


def test_every_flag_of_one_that_takes_all_is_tried():
    assert found(Whole).flags == dict.fromkeys(FLAGS, True)


def test_a_flag_that_is_refused_is_neither_found_nor_passed():
    class Refusing(Whole):
        options = ("relative_step", "d", "groups")

        def __init__(self, params, *, relative_step=True, d=1.0, groups=None):
            if not relative_step or d < 1:
                raise ValueError("no")
            super().__init__(params, groups=groups, d=d)

    conducted = found(Refusing)
    assert conducted.findings == ()
    assert conducted.flags == {"d": True}
    assert conducted.not_run == {"flag relative_step": "ValueError: no"}


def test_a_fixed_step_size_of_the_cap_is_seen_late():
    class Late(Plain):
        def __init__(self, params, *, relative_step=False):
            super().__init__(params)
            self.relative_step = relative_step

        def rho(self, t):
            return super().rho(t) if self.relative_step else 1e-2

    assert found(Late).flags == {"relative_step": True}


def test_what_it_refuses_is_kept_with_its_reason():
    class NoNone(Plain):
        def __call__(self, grads):
            if any(G is None for G in grads):
                raise ValueError("every parameter needs a gradient")
            return super().__call__(grads)

    conducted = found(NoNone)
    assert conducted.findings == ()
    assert set(conducted.not_run) == {"missing gradient"}


@pytest.mark.parametrize("build", [ours.build, Whole])
def test_every_scenario_judges_a_right_one_as_the_paper(build):
    subject = Here(build)
    asked = [r for r in runs(("float64",), 0, subject.takes, subject.can) if of_several(r)]
    for run in asked:
        found = subject.run(run)
        assert (found.error, found.changed, found.parted) == (None, [], [])
        paper = [j for s in strands(run, found) for j in judgements(ADAFACTOR, [s])]
        assert all(is_in_order(j, "float64") for j in paper)
    scenarios = {r.scenario for r in asked}
    assert {"past t = 10^4", "save and load", "empty parameter"} <= scenarios
    assert ({"groups", "foreach"} <= scenarios) is (build is Whole)


def of_several(run):
    return len(run.params) > 1 or run.jump is not None


def test_a_missing_gradient_taken_for_zero_is_no_step_of_the_paper():
    class Zeros(Plain):
        def __call__(self, grads):
            given = zip(self.X, grads, strict=True)
            return super().__call__([np.zeros_like(X) if G is None else G for X, G in given])

    subject = Here(Zeros)
    asked = [r for r in runs(("float64",), 0, (), ()) if r.scenario == "missing gradient"]
    traces = [(r, subject.run(r)) for r in asked]
    for counting in (False, True):
        judged = [j for r, a in traces for j in judgements(ADAFACTOR, strands(r, a, counting))]
        assert not all(is_in_order(j, "float64") for j in judged)


def test_a_jump_makes_the_first_step_that_of_t():
    run = replace(several(Draw(np.random.default_rng(0), "float64")), jump=10_000)
    (first, *_), *_ = (s.observations for s in strands(run, Here(ours.build).run(run)))
    assert first.t == 10_000


def test_a_jump_to_another_t_is_seen():
    run = replace(several(Draw(np.random.default_rng(0), "float64")), jump=9_999)
    judged = judgements(ADAFACTOR, strands(run, Here(wrong_conduct.JumpsOneTooFar).run(run)))
    assert not all(is_in_order(j, "float64") for j in judged)


def test_a_run_can_be_permuted_and_back():
    run = several(Draw(np.random.default_rng(0), "float64"))
    again = permuted(permuted(run, (1, 2, 0)), (2, 0, 1))
    assert all(a is b for a, b in zip(run.params, again.params, strict=True))
    assert all(a is b for a, b in zip(run.grads[1], again.grads[1], strict=True))


def test_a_process_answers_as_one_that_is_here():
    name = "tests.implementations.wrong_conduct:SavesWhatGoesOn"
    with Subject(name) as subject:
        assert subject.can == ("state", "jump", "save")
        assert subject.takes == EVERYTHING
        there = conduct(subject, 0)
    assert there == found(wrong_conduct.SavesWhatGoesOn)
    assert [f.step for f in there.findings] == ["over time"]


@pytest.mark.parametrize(
    ("build", "step"),
    [
        (wrong_conduct.StateLost, "over time"),
        (wrong_conduct.ScaleOfTheLast, "between parameters"),
    ],
)
def test_what_fails_only_in_runs_that_are_saved_lies_over_time(build, step):
    subject = Here(build)
    asked = [r for r in runs(("float64",), 0, (), ("save",)) if r.scenario in SEVERAL]
    judged = [j for r in asked for j in judgements(ADAFACTOR, strands(r, subject.run(r)))]
    assert suspect(judged, {"float64": "float64"}) == (step,)


def test_what_was_refused_is_a_scenario_not_run_once():
    refused = {"groups, float64": "no", "missing gradient, float64": "nor this"}
    known = [{"scenario": "groups, float64", "why": "no"}]
    line = {"scenario": "missing gradient, float64", "why": "nor this"}
    assert [*unanswered(refused, known)] == [line]
    assert [*unanswered(refused, [{"scenario": "all, float64", "why": "no"}])] == []


def test_a_step_size_that_never_shows_is_not_called_ignored():
    class LowCap(Plain):
        def __init__(self, params, *, relative_step=True):
            super().__init__(params)
            self.relative_step = relative_step

        def rho(self, t):
            return min(1e-3, t**-0.5) if self.relative_step else 1e-3

    class Jumping(LowCap):
        def jump(self, t):
            self.states = [{"t": t - 1} for _ in self.states]

    conducted = found(LowCap)
    assert (conducted.flags, conducted.findings) == ({}, ())
    assert "cannot jump" in conducted.not_run["flag relative_step"]
    assert found(Jumping).flags == {"relative_step": True}


def test_a_step_that_cannot_jump_or_save_says_so():
    X = np.zeros(1)
    for more in ({"jump": 2}, {"split": 1}):
        asked = Run("none", (X,), ((X,), (X,)), **more)
        assert Here(Plain).run(asked).error.startswith("AttributeError: ")


@pytest.mark.parametrize("build", DEFECTS)
def test_what_parts_two_runs_has_both_numbers(build):
    for finding in found(build).findings:
        case = finding.case
        if "parameter" in case:
            assert (finding.index[0], finding.got != finding.expected) == (case["parameter"], True)
            assert abs(finding.got - finding.expected) > finding.granted


def test_a_finding_has_no_more_parameters_than_show_it():
    twins, counter = (
        next(f for f in found(build).findings if f.step == build.step).case
        for build in (wrong_conduct.TwinsShareTheirState, wrong_conduct.CounterOfGroups)
    )
    assert [len(case["params"]) for case in (twins, counter)] == [2, 2]
    assert (counter["groups"], twins["parameter"]) == (((0,), (1,)), 1)


class Batched(Plain):
    """Rounds by the place in the list, as a sum over all parameters at once may."""

    off = 2.0**-52

    def __call__(self, grads):
        after = enumerate(super().__call__(grads))
        return [np.asarray(X * (1 + self.off * k), X.dtype) for k, X in after]


def test_rounding_by_the_company_is_no_defect_and_more_is():
    class Further(Batched):
        off = 2.0**-44

    assert found(Batched).findings == ()
    assert {f.step for f in found(Further).findings} == {"between parameters"}
