"""What comes back in another shape or dtype than its parameter is a difference."""

import pytest

from adafactor_numba.audit.subject import Subject
from adafactor_numba.audit.verdict import audit
from tests.builders import RUN, plain, stepping

UNLIKE = {
    "the list returned has length 1, that of parameters 2": "return X[:1]",
    "returned array 1 has shape (3, 2), the parameter (2, 3)": "return [X[0], X[1].T]",
    "returned array 0 has dtype float32, the parameter float64": (
        "return [X[0].astype('float32'), X[1]]"
    ),
}


@pytest.mark.parametrize("what", UNLIKE)
def test_what_comes_back_unlike_its_parameter_is_told_and_ends_the_run(what, builder):
    with Subject(builder(stepping(f"if t == 3: {UNLIKE[what]}"))) as subject:
        trace = subject.run(RUN)
    assert (len(trace.after), trace.unlike, trace.error) == (2, [what], f"ValueError: {what}")
    assert trace.changed == []


def test_what_the_builder_raises_is_not_taken_for_what_it_returned(builder):
    with Subject(builder(stepping("raise ValueError('returned array 0')"))) as subject:
        assert subject.run(RUN).unlike == []


ALMOST = {
    "returned array 0 has dtype float64, the parameter float32": (
        "X = [x.astype('float64') for x in X]",
        "all, float32",
    ),
    "returned array 0 has shape (1,), the parameter ()": (
        "X = [x.reshape(1) if x.shape == () else x for x in X]",
        "rank, float64",
    ),
}


@pytest.mark.parametrize("what", ALMOST)
def test_one_that_returns_another_dtype_or_shape_differs_by_that_alone(what, builder):
    line, scenario = ALMOST[what]
    report = audit("mine", builder(plain(line)))
    assert (report.verdict, report.exit_code, report.precision) == ("differs", 1, "float64")
    assert [(d.step, d.what) for d in report.differences] == [("arguments", what)]
    assert {"scenario": scenario, "why": f"ValueError: {what}"} in report.scenarios_not_run


def test_one_that_never_returns_what_it_should_differs_although_no_step_is_seen(builder):
    report = audit("mine", builder(stepping("return []")))
    (difference,) = report.differences
    assert (report.verdict, report.cases, difference.step) == ("differs", 0, "arguments")
    assert difference.what == "the list returned has length 0, that of parameters 1"


def test_a_flag_that_makes_another_dtype_is_a_difference(builder):
    text = plain("X = [x.astype('float32') for x in X] if self.maximize else X")
    text = text.replace(
        "    def __call__",
        "    def __init__(self, params, *, maximize=False):\n"
        "        super().__init__(params)\n"
        "        self.maximize = maximize\n"
        "    def __call__",
    )
    report = audit("mine", builder(text), dtypes=["float64"])
    assert [(d.step, d.what) for d in report.differences] == [
        ("arguments", "returned array 0 has dtype float32, the parameter float64")
    ]
