"""The page of several audits: every report has its row, and nothing is lost in it."""

import pytest

from adafactor_numba.audit.names import ADAPTERS, NOT_RUN
from adafactor_numba.audit.report import Difference, Report
from adafactor_numba.audit.table import DTYPES, page, table
from derivations.equivalents import EQUIVALENTS
from derivations.variants import AXES, HIDDEN

CASE = {"scenario": "first step", "shape": (1, 2), "dtype": "float64", "t": 1}
AGREEING = Report(
    "numba",
    "1.2",
    "agrees",
    precision="float64",
    range={"float32": {"smallest_G": 1.25e-30, "largest_G": 2e38}},
    range_of={"float32": "paper"},
    counts_skipped=False,
    state={"64 x 48": 112},
    sublinear=True,
    state_dtypes={"float64": "float64", "float32": "float64"},
    flags={"d": {"does": "as the paper's input", "why": ""}},
)
DIFFERING = Report(
    "torch",
    "2",
    "differs",
    variant="eps1 clamps the denominators",
    axes={"epsilon_1": "eps1 clamps the denominators"},
    precision="float32",
    range={"float64": {"smallest_G": 1.0, "largest_G": 2.0}},
    range_of={"float64": "variant"},
    counts_skipped=True,
    differences=(
        Difference("V", CASE, (0, 0), 0.12345678, 1.0, what="of |G|", source="[S] line 7"),
        Difference("arguments", CASE, what="beta_1 changes nothing"),
    ),
    flags={"beta_1": {"does": None, "why": "refused"}},
)
UNEXPLAINED = Report("came", "3", "differs", differences=(Difference("alpha", CASE, what="no"),))


def rows(text, title):
    """The rows of the table under a title, by their first cell."""
    (section,) = (part for part in text.split("\n## ") if part.startswith(title))
    lines = [line.strip("|") for line in section.splitlines() if line.startswith("| ")]
    head, _, *body = ([cell.strip() for cell in line.split(" | ")] for line in lines)
    return {line[0].strip("`"): dict(zip(head, line, strict=True)) for line in body}


@pytest.fixture(scope="module")
def text():
    return page([AGREEING, DIFFERING, UNEXPLAINED])


def test_every_report_has_its_verdict(text):
    found = rows(text, "Verdicts")
    assert found["numba"] | {"implementation": ""} == {
        "name": "`numba`",
        "implementation": "",
        "version": "1.2",
        "verdict": "**agrees**",
        "precision": "float64",
        "t": "waits",
        "state": "64 x 48: 112 numbers, sublinear, in float64",
    }
    assert found["torch"]["verdict"] == "**differs**: eps1 clamps the denominators"
    assert found["torch"]["implementation"] == ADAPTERS["torch"].what
    assert (found["torch"]["t"], found["torch"]["state"]) == ("advances", "not shown")
    assert (found["came"]["precision"], found["came"]["t"]) == ("unknown", "no step without one")


def test_a_range_is_the_paper_s_or_in_parentheses_the_variant_s(text):
    found = rows(text, "Ranges")
    assert found["numba"] == {
        "name": "numba",
        "float64": "",
        "float32": "1e-30 to 2e+38",
        "float16": "",
    }
    assert found["torch"] == {"name": "torch", "float64": "(1 to 2)", "float32": "", "float16": ""}
    assert not any(found["came"][dtype] for dtype in DTYPES)


def test_an_answer_stands_on_its_axis_and_a_line_without_one_is_a_question_mark(text):
    found = rows(text, "Answers")
    shown = {axis.name for axis in AXES if axis.name not in HIDDEN}
    assert {*found["numba"]} == {"name", *shown}
    assert {a: x for a, x in found["torch"].items() if x} == {
        "name": "torch",
        "epsilon_1": "eps1 clamps the denominators",
    }
    assert {a: x for a, x in found["came"].items() if x} == {"name": "came", "parameter scale": "?"}
    assert {a for a, x in found["numba"].items() if x} == {"name"}


def test_a_flag_is_not_known_or_not_there(text):
    found = rows(text, "Flags")
    assert found["numba"] == {"name": "numba", "d": "as the paper's input", "beta_1": ""}
    assert found["torch"] == {"name": "torch", "d": "", "beta_1": "not known"}


def test_every_difference_has_its_case_and_its_numbers(text):
    differences = text.partition("## Differences")[2]
    assert "* `torch`, **V**: of |G|\n  ([S] line 7, shape (1, 2), t = 1, 0.12345678 for 1)" in text
    assert "* `torch`, **arguments**: beta_1 changes nothing\n  (shape (1, 2), t = 1)" in text
    assert differences.count("* `") == 3
    assert "numba" not in differences


def test_what_is_not_run_is_on_the_page_with_its_reason(text):
    listed = text[text.index("## Not run") :]
    assert all(f"* {name}: {why}." in listed for name, why in NOT_RUN.items())


def test_what_no_audit_can_tell_is_on_the_page(text):
    for equivalent in EQUIVALENTS:
        assert f"* {equivalent.name}: {equivalent.theorem}" in text


def test_a_bar_in_a_cell_is_no_border():
    assert table(("a",), [("|G|",)]).splitlines()[-1] == r"| \|G\| |"
