"""float16 is judged by the rule that finer dtypes show; it can only add a difference."""

from dataclasses import replace

import numpy as np
import pytest

from adafactor_numba.audit.coarser import judged, unjudged
from adafactor_numba.audit.examination import Examination
from adafactor_numba.audit.report import Difference, Report
from adafactor_numba.audit.search import Path
from derivations.variants import OPTIONS
from tests.answers import Here
from tests.implementations.plain import Plain
from tests.implementations.right import Native
from tests.implementations.wrong import NoScale

FINER = Report("x", "1", "agrees", precision="float64", precisions={"float64": "float64"}, cases=3)
OF_A_VARIANT = (Difference("alpha", {}, what="a variant"),)
VARIANT = replace(FINER, verdict="differs", differences=OF_A_VARIANT)


class Climbing(Plain):
    """Uphill, if X is of float16."""

    def __call__(self, grads):
        half = self.X[0].dtype == np.float16
        return super().__call__([-G if half and G is not None else G for G in grads])


class Half(Plain):
    """Knows, line by line, whether X is of float16."""

    def __call__(self, grads):
        (self.half,) = {X.dtype == np.float16 for X in self.X}
        return Plain.__call__(self, grads)


class LeastScale(Half):
    def alpha(self, X, rho):
        return max(1e-2 if self.half else self.epsilon_2, self.rms(X)) * rho


class LongerSteps(Half):
    def X_new(self, X, alpha, U_hat):
        return X - alpha * U_hat * (1.1 if self.half else 1)


class MoreV(Half):
    def V(self, R, C):
        return super().V(R, C) * (1.3 if self.half else 1)


class HalfForgotten(Half):
    def beta_2(self, t):
        return 0.5 if self.half and t > 1 else super().beta_2(t)


class Unclipped(Half):
    def clipped(self, U):
        return U if self.half else super().clipped(U)


WRONG = [
    (LeastScale, ("alpha",)),
    (LongerSteps, ("X_new", "U_hat", "alpha", "rho")),
    (MoreV, ("V",)),
    (HalfForgotten, ("beta_2", "V")),
    (Unclipped, ("U_hat",)),
]
"""Wrong in float16 alone, and the lines in which that may be."""


class Widened(Plain):
    """float32 for float16."""

    def __call__(self, grads):
        return [X.astype(np.float32) for X in super().__call__(grads)]


class Sometimes(Plain):
    """float32 for a gradient of one entry."""

    def __call__(self, grads):
        small = any(G is not None and G.size == 1 for G in grads)
        return [X.astype(np.float32 if small else X.dtype) for X in super().__call__(grads)]


class Refusing(Plain):
    def __init__(self, params, *, d=1.0):
        raise TypeError("no float16")


def examined(build):
    return Examination("x", Here(build), 0, ["float16"], lambda _: None)


def added(build, report=FINER, *options):
    """The report on finer dtypes with what is found in float16."""
    return judged(report, Path(tuple(OPTIONS[name] for name in options)), examined(build))


@pytest.mark.parametrize(("build", "format_"), [(Plain, "float64"), (Native, "float16")])
def test_what_agrees_in_float16_has_its_range_and_its_format_there(build, format_):
    report = added(build)
    assert (report.verdict, report.differences, report.precision) == ("agrees", (), "float64")
    assert report.precisions == {"float64": "float64", "float16": format_}
    assert [*report.range] == ["float16"]
    assert report.range_of == {"float16": "paper"}
    assert report.cases > 500


def test_what_is_wrong_in_float16_alone_differs_at_its_step():
    report = added(Climbing)
    assert report.verdict == "differs"
    (found,) = report.differences
    assert (found.step, found.case["dtype"]) == ("X_new", "float16")
    assert found.what.startswith("in float16 alone: ")
    assert "float16" not in report.precisions


@pytest.mark.parametrize(("build", "steps"), WRONG)
def test_what_is_wrong_in_float16_alone_is_at_no_other_line(build, steps):
    (found,) = added(build).differences
    assert found.step in steps, found


def test_a_variant_is_one_in_float16_too():
    assert added(NoScale, VARIANT, "no parameter scale").differences == VARIANT.differences


@pytest.mark.parametrize(
    ("build", "why"),
    [
        (Refusing, "TypeError: no float16"),
        (Widened, "ValueError: returned array 0 has dtype float32, the parameter float16"),
    ],
)
def test_one_that_does_not_take_float16_is_not_judged_by_it(build, why):
    report = added(build)
    assert report == replace(FINER, scenarios_not_run=({"scenario": "all, float16", "why": why},))


def test_one_that_takes_it_and_returns_another_dtype_now_and_then_differs():
    report = added(Sometimes)
    assert report.verdict == "differs"
    assert [d.step for d in report.differences] == ["arguments"]
    assert "dtype float32" in report.differences[0].what


NO_RULE = {"scenario": "all, float16", "why": "there is no rule of finer dtypes to judge by"}


def test_without_a_rule_of_finer_dtypes_float16_is_not_judged():
    assert unjudged(FINER, examined(Climbing)) == replace(FINER, scenarios_not_run=(NO_RULE,))


def test_what_needs_no_rule_is_told_of_float16_all_the_same():
    report = unjudged(VARIANT, examined(Sometimes))
    assert report.scenarios_not_run == (NO_RULE,)
    assert [d.step for d in report.differences] == ["alpha", "arguments"]
