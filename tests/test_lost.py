"""A run that is lost, to a crash or a hang, takes its scenario with it and no other."""

import re
from dataclasses import replace

import pytest

from adafactor_numba.audit.subject import LIMITS, Subject
from adafactor_numba.audit.verdict import audit
from tests.builders import RUN, stepping

LOST = {
    "a crash": ("os._exit(7)", "the process ended with exit code 7"),
    "last words": (
        "sys.stderr.write('first\\nlast words'); sys.stderr.flush(); os._exit(1)",
        "the process ended with exit code 1: last words",
    ),
    "a hang": ("time.sleep(100)", "no answer within 2 s"),
}


@pytest.mark.parametrize("name", LOST)
def test_a_scenario_is_given_up_once_a_run_of_it_is_lost_and_all_after_two(name, builder):
    body, message = LOST[name]
    runs = [RUN, RUN, replace(RUN, scenario="another"), replace(RUN, scenario="a third")]
    with Subject(builder(stepping(body)), seconds=2) as subject:
        traces = [subject.run(run) for run in runs]
    assert [trace.error for trace in traces] == [
        message,
        "not tried after one without an answer",
        message,
        "not tried after two runs without an answer",
    ]
    assert all(trace.lost for trace in traces)


CRASHES = "if t == 4: os._exit(7)"
SHORT = replace(RUN, scenario="short", grads=RUN.grads[:1])


def test_a_crash_in_one_scenario_ends_no_other_nor_the_same_in_another_dtype(builder):
    others = [replace(RUN, scenario=f"long {k}") for k in range(12)]
    params, *grads = (tuple(X.astype("float32") for X in row) for row in (RUN.params, *RUN.grads))
    single = replace(RUN, params=params, grads=tuple(grads))
    with Subject(builder(stepping(CRASHES))) as subject:
        assert subject.run(SHORT).error is None
        for run in (RUN, *others, single):
            assert subject.run(run).error == "the process ended with exit code 7"
            assert subject.run(SHORT).error is None
    assert {*subject.lost.values()} == {"the process ended with exit code 7"}
    assert len(subject.lost) == 14


def test_lost_runs_together_may_take_so_long_and_no_longer(builder):
    with Subject(builder(stepping(CRASHES.replace("os._exit(7)", "time.sleep(9)"))), 2) as subject:
        assert subject.run(SHORT).error is None
        runs = [replace(RUN, scenario=f"long {k}") for k in range(LIMITS + 1)]
        errors = [subject.run(run).error for run in runs]
        hung = errors.count("no answer within 2 s")
        assert 3 <= hung <= LIMITS  # starting again takes time, too
        assert re.fullmatch(r"not tried after runs without an answer took \d+ s", errors[hung])
        assert subject.run(SHORT).error == errors[hung]


LAME = """\
import os, time
from tests.implementations.plain import Plain
class build(Plain):
    def __init__(self, params, *, relative_step=True, d=1.0):
        super().__init__(params, d=d)
    def __call__(self, grads):
        if any(X.shape == () for X in self.X):
            os._exit(7)
        self.called = getattr(self, "called", 0) + 1
        if self.called > 9_000:
            time.sleep(100)
        return super().__call__(grads)
"""


@pytest.mark.slow
def test_one_slow_late_and_crashing_at_rank_0_is_audited_in_all_else(builder):
    report = audit("mine", builder(LAME), seconds=5, dtypes=["float64"])
    assert (report.verdict, report.precision) == ("agrees", "float64")
    refused = {line["scenario"]: line["why"] for line in report.scenarios_not_run}
    late = ("past t = 10^4", "flag relative_step", "flag relative_step past t = 10^4")
    assert {refused.pop(f"{name}, float64") for name in late} == {"no answer within 5 s"}
    assert all(why.startswith("the process ended with exit code 7") for why in refused.values())
    assert {name.rpartition(", ")[0] for name in refused} == {
        *("one entry", "rank", "several parameters", "parameters of two dtypes", "finite")
    }
    assert {name: flag["does"] for name, flag in report.flags.items()} == {
        "relative_step": None,
        "d": "as the paper's input",
    }
    assert [law["name"] for law in report.properties if not law["holds"]] == []
    assert {*report.range} == {"float64"}


@pytest.mark.slow
def test_a_range_in_which_a_run_is_lost_is_not_known(builder):
    text = LAME.replace("X.shape == () for X in self.X", "abs(G).max() < 1e-60 for G in grads")
    text = text.replace("any(", "any(G is not None and G.any() and ", 1)
    report = audit("mine", builder(text), dtypes=["float64"], seconds=8)
    assert (report.verdict, {*report.range}) == ("agrees", {"float32"})
    assert "range, float64" in {line["scenario"] for line in report.scenarios_not_run}


def test_a_hang_in_every_run_is_cannot_run_and_soon_over(builder):
    report = audit("mine", builder(stepping("time.sleep(100)")), seconds=1)
    assert (report.verdict, report.why) == ("cannot run", "no answer within 1 s")
    assert report.seconds < 60
