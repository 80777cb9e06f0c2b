"""A case is shown on a screen, and its script finds again what the audit found."""

import json
import re
import subprocess
import sys
from dataclasses import asdict, replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from adafactor_numba.audit.company import several
from adafactor_numba.audit.conduct import conduct
from adafactor_numba.audit.difference import case_of
from adafactor_numba.audit.draw import Draw
from adafactor_numba.audit.judgement import is_in_order, judgements
from adafactor_numba.audit.properties import properties
from adafactor_numba.audit.replay import replayed, script
from adafactor_numba.audit.report import Difference, Report, plain
from adafactor_numba.audit.screen import show
from adafactor_numba.audit.shrink import smallest
from adafactor_numba.audit.strand import strands
from adafactor_numba.audit.subject import Run
from derivations.method import ADAFACTOR
from tests.answers import Here
from tests.implementations import lawless, wrong_conduct
from tests.test_conduct import every

COMPARED = (
    wrong_conduct.StateLost,
    wrong_conduct.SavingRounds,
    wrong_conduct.JumpsOneTooFar,
    wrong_conduct.CountsBetweenBuilds,
    wrong_conduct.CounterOfGroups,
    wrong_conduct.ScaleOfTheLast,
    wrong_conduct.TwinsShareTheirState,
    wrong_conduct.MovesWithoutGradient,
    wrong_conduct.ForeachUnclipped,
)
MEDDLING = (
    wrong_conduct.TakesTheGroups,
    wrong_conduct.EmptiesTheGradients,
    wrong_conduct.ReplacesParameters,
)


def difference(build):
    """The defect of one, as it is found in a report."""
    here = (f for f in every(build) if f.step == build.step and build.what in f.what)
    return plain(asdict(next(here)))


def printed(text):
    """What a script prints, line by line, without the label."""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    lines = re.split(
        r"^(?:got|other|expected|went on|given|now|returned) +", done.stdout, flags=re.MULTILINE
    )
    return [line.strip() for line in lines[1:]]


@pytest.mark.parametrize("build", COMPARED)
def test_the_script_shows_two_runs_or_two_ends_that_part(build):
    shown = difference(build)
    one, other = printed(script(shown["case"], shown))
    assert one != other


def test_the_script_of_a_flag_that_changes_nothing_shows_the_same_twice():
    shown = difference(wrong_conduct.DecayIgnored)
    text = script(shown["case"], shown)
    one, other = printed(text)
    assert one == other
    assert text.count("weight_decay=0.1") == 1


@pytest.mark.parametrize("build", MEDDLING)
def test_the_script_shows_what_was_given_and_is_another_now(build):
    shown = difference(build)
    given, now, returned, still = printed(script(shown["case"], shown))
    assert given != now
    assert returned == still


def test_groups_jumps_and_saves_are_asked_for_by_the_script():
    texts = {b: script((d := difference(b))["case"], d) for b in COMPARED}
    assert ", groups=[[0], [1]])" in texts[wrong_conduct.CounterOfGroups]
    assert "step.jump(1)\n" in texts[wrong_conduct.JumpsOneTooFar]
    saved = texts[wrong_conduct.StateLost]
    assert "saved = step.save()\n" in saved
    assert "step = StateLost.load(saved)\n" in saved
    assert all("jump" not in t for b, t in texts.items() if b is not wrong_conduct.JumpsOneTooFar)


def test_a_law_that_fails_is_replayed_beside_the_run_it_is_compared_with():
    laws = properties(Here(lawless.RowsOnly), ("float64",), 0)
    law = next(law for law in laws if law.name == "transposition")
    X, other = map(matrix, printed(script(law.case, {})))
    assert X.shape == other.T.shape
    assert f"off by {np.max(np.abs(X - other.T)):.3g}, of which rounding" in law.detail


def matrix(text):
    """The only parameter of a list, from its text."""
    numbers = [float(x) for x in re.findall(r"[-\d.e+]+", text)]
    rows = text.count("[") - 2
    return np.reshape(numbers, (rows, -1))


GOOD = {
    "builder": "m:build",
    "params": [[0.0], 1.0],
    "grads": [[[1.0], None], [["inf"], 2]],
    "dtype": ["float64", "float32"],
    "hyperparameters": {"d": "inf", "maximize": True},
}
BAD = [
    ({"params": 1}, "params is 1, not a list of arrays"),
    ({"params": [[0.0], "x"]}, 'params is [[0.0], "x"], not a list of arrays'),
    ({"params": [[0.0], None]}, "params is [[0.0], null], not a list of arrays"),
    ({"grads": None}, "grads is null, not a list of lists of arrays"),
    ({"grads": [1.0]}, "grads is [1.0], not a list of lists of arrays"),
    ({"grads": [[[1.0], None], [1]]}, "grads[1] has 1 entries, params 2"),
    ({"builder": 3}, "builder is 3, not module:builder"),
    ({"builder": "m"}, 'builder is "m", not module:builder'),
    ({"builder": "m:f()"}, 'builder is "m:f()", not module:builder'),
    ({"dtype": "int"}, 'dtype is "int", not a dtype, or a list of them'),
    ({"dtype": ["float64"]}, "dtype has 1 entries, params 2"),
    ({"hyperparameters": []}, "hyperparameters is [], not an object of numbers"),
    ({"hyperparameters": {"d": []}}, 'hyperparameters is {"d": []}, not an object of numbers'),
    ({"groups": [1]}, "groups is [1], not a list of lists of numbers"),
    ({"jump": "1"}, 'jump is "1", not a number of steps'),
    ({"split": -1}, "split is -1, not a number of steps"),
    ({"parameter": True}, "parameter is true, not a number of a parameter"),
    ({"other": 1}, "other is 1, not an object"),
    ({"other": {"params": []}}, "the other has no dtype, grads, hyperparameters; too long a run"),
    ({"index": 1, "expected": 1.0}, "index is 1, not a list of numbers from 0"),
    ({"index": [0, 0]}, "expected is null, not a number"),
]


@pytest.mark.parametrize(("wrong", "message"), BAD)
def test_a_field_of_another_kind_is_named_in_one_line(wrong, message, tmp_path):
    file = tmp_path / "case.json"
    file.write_text(json.dumps(GOOD))
    assert "X_new = step(grads)" in replayed(file)
    file.write_text(json.dumps(GOOD | wrong))
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        replayed(file)
    assert str(error.value) == f"{file}: {message}"


def test_a_case_that_is_written_is_one_that_can_be_read(tmp_path):
    file = tmp_path / "case.json"
    for build in (*COMPARED, *MEDDLING):
        shown = difference(build)
        file.write_text(json.dumps(shown))
        assert replayed(file) == script(shown["case"], shown)


RUN = Run("", (np.zeros(2), np.zeros(3)), (), groups=((0,), (1,)), jump=7, split=2)


def test_a_case_has_what_only_its_run_has():
    case = case_of("m:build", RUN, 1, 0)
    assert (case["groups"], case["jump"], case["split"]) == (((0,), (1,)), 7, 2)
    plainly = case_of("m:build", Run("", RUN.params, ()), 1, 0)
    assert {*case} - {*plainly} == {"groups", "jump", "split"}


def screen(report):
    file = StringIO()
    show(report, Console(file=file, width=100))
    return file.getvalue()


def test_a_case_of_several_parameters_is_shown_with_all_that_is_particular_to_it():
    case = case_of("m:build", RUN, 1, 0) | {"hyperparameters": {"maximize": True, "d": 0.5}}
    said = screen(Report("m", "1", "differs", differences=(Difference("over time", case),)))
    assert (
        "case: , shapes (2,), (3,), float64, t = 1, maximize = True, d = 0.5, groups [0] [1], "
        "jumped to t = 7, saved and loaded after step 2\n"
    ) in said
    assert "smallest" not in said


def test_only_the_first_difference_is_offered_as_a_script():
    shown = Difference("over time", {**case_of("m:build", RUN, 1, 0), "grads": []})
    said = screen(Report("m", "1", "differs", differences=(shown, replace(shown))))
    assert said.count("over time differs") == 2
    assert said.count("--replay") == 1


LAWS = tuple(
    {"name": f"law {k}", "holds": holds, "detail": f"float64: detail {k}; float32: another"}
    for k, holds in enumerate([True, False, None, *[False] * 7])
)


def test_what_is_found_beside_the_arithmetic_has_a_line_each():
    flags = {"d": {"does": "x", "why": ""}, "q": {"does": None, "why": "no"}}
    flags["e"] = flags["d"]
    said = screen(
        Report(
            "m",
            "1",
            "agrees",
            state={"64 x 48": 112, "48": 48},
            sublinear=True,
            counts_skipped=True,
            flags=flags,
            properties=LAWS,
        )
    )
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "state 64 x 48: 112 numbers, sublinear" in lines
    assert "t advances without a gradient, too" in lines
    assert "flags d, e: x; q: not known (no)" in lines
    assert "properties 1 of 10 hold, 1 could not be asked" in lines
    assert "law 1 fails: float64: detail 1" in lines
    assert "and 2 more fail, which the JSON lists" in lines
    assert len(lines) < 20


def test_what_was_not_found_has_no_line():
    labels = {line.split()[0] for line in screen(Report("m", "1", "agrees")).splitlines()}
    assert labels == {"m", "cases"}


def shrunk(build, run):
    """The smallest run that fails as this one does, and all that were asked on the way to it."""
    subject, asked = Here(build), []

    def check(run):
        asked.append(run)
        trace = subject.run(run)
        assert trace.error is None
        return [
            j for j in judgements(ADAFACTOR, strands(run, trace)) if not is_in_order(j, "float64")
        ]

    return smallest(check(run)[0], check).run, asked


def test_a_run_that_is_saved_shrinks_to_one_that_is_saved():
    run = several(Draw(np.random.default_rng(0), "float64"))
    more = {"groups": ((0, 1, 2),), "split": 2, "grads": (*run.grads, *run.grads)}
    run = Run("saved", run.params, **more)
    found, asked = shrunk(wrong_conduct.StateLost, run)
    assert (len(found.params), len(found.grads), found.split, found.groups) == (1, 2, 1, None)
    for other in asked[1:]:
        assert other.groups is None
        assert other.split is None or 0 <= other.split < len(other.grads)


def test_a_run_that_jumps_shrinks_to_the_two_steps_that_show_it():
    run = several(Draw(np.random.default_rng(0), "float64"))
    found, _ = shrunk(wrong_conduct.JumpsOneTooFar, Run("jump", run.params, run.grads, jump=30))
    assert (len(found.params), len(found.grads), found.jump) == (1, 2, 30)


def test_what_one_run_shows_by_itself_is_a_finding_without_another():
    (finding,) = [f for f in conduct(Here(wrong_conduct.StateLost), 0).findings if "save" in f.what]
    assert "other" not in finding.case
