"""What differs is shown by the smallest case: the line that no option explains, then options."""

import numpy as np
import pytest

from adafactor_numba.audit.explain import explanations
from adafactor_numba.audit.findings import line_difference, option_differences
from adafactor_numba.audit.judgement import is_in_order, judgements
from adafactor_numba.audit.precision import FINE
from adafactor_numba.audit.scenarios import runs
from adafactor_numba.audit.search import Path
from derivations.method import ADAFACTOR
from derivations.variants import OPTIONS, combined
from tests.answers import Here, asked, seen
from tests.implementations import wrong, wrong_moves
from tests.implementations.derived import of_method
from tests.implementations.plain import Plain
from tests.implementations.right import Float32

UNSCALED = OPTIONS["no parameter scale"]
WORKING = {"float64": "float64"}
SCENARIOS = ("first step", "not clipped", "clipped", "size of X", "rank")


class Shown:
    """What was asked of a builder in these scenarios, in this process."""

    seed = 7

    def __init__(self, build, *scenarios, formats=FINE[:1]):
        self.subject, self.said = Here(build), []
        self.strands = seen(build, asked("float64", *(scenarios or SCENARIOS)))
        self.formats = {"float64": formats}

    def counts(self, run):
        return False

    def progress(self, what):
        self.said.append(what)

    def judged(self, *options):
        return [*judgements(combined(options), self.strands)]


def line(build, *options, **more):
    """The line that differs, and what is shown of the options."""
    shown = Shown(build, **more)
    base = Path(options)
    return line_difference(shown, base, shown.judged(*options), shown.judged())


def of_options(*names):
    """What is shown of each option of an implementation of all."""
    options = tuple(OPTIONS[name] for name in names)
    shown = Shown(of_method(combined(options)))
    return option_differences(shown, options, shown.judged(), WORKING)


class UnscaledAscent(wrong_moves.Ascent, wrong.NoScale):
    pass


class UnscaledClippedByEntry(wrong_moves.ClippedByEntry, wrong.NoScale):
    pass


class UnscaledButWrongAlone(wrong.NoScale):
    """Half the step where a parameter has one entry."""

    def U(self, G, V):
        return super().U(G, V) / (1 if G.size > 1 else 2)


class CapInSinglePrecision(Plain):
    def rho(self, t):
        return min(float(np.float32(1e-2)), t**-0.5)


class AscentInFloat32(wrong_moves.Ascent, Float32):
    pass


def test_a_wrong_sign_is_shown_by_one_entry_at_the_first_step():
    (found,) = line(wrong_moves.Ascent)
    assert (found.step, found.equivalent_steps) == ("X_new", ("X_new",))
    assert found.what == "the other sign of -alpha*U_hat"
    assert found.source == "[S] Algorithm 5, line 8"
    assert found.case["t"] == 1
    assert {*found.case["shape"]} <= {1}
    assert {*found.index} == {0}
    assert (found.case["seed"], found.case["builder"]) == (7, Here(wrong_moves.Ascent).target)
    assert found.got == -found.expected != 0
    assert found.off_by_ulp > found.explained_ulp > 0


def exactly(x):
    """But for a few roundings."""
    return pytest.approx(x, rel=2.0**-50, abs=0)


def last(build, case):
    """The only parameter after the case."""
    step = build([np.array(case["params"][0])])
    for grads in case["grads"]:
        (after,) = step([np.array(grads[0])])
    return after


def test_the_case_shown_gives_what_it_says():
    (found,) = line(wrong.CubeRoot)
    _, *index = found.index
    assert last(wrong.CubeRoot, found.case)[*index] == found.got
    assert last(Plain, found.case)[*index] == exactly(found.expected)


def test_what_no_symbol_explains_has_its_step_by_elimination():
    (found,) = line(wrong.CubeRoot)
    assert (found.step, found.equivalent_steps) == ("U", ("U", "V"))
    assert found.what.startswith("no single symbol explains it: entries move from ")


class RateSaturates(Plain):
    def rho(self, t):
        return min(1e-2, min(t, 12_000) ** -0.5)


class DecaySaturates(Plain):
    def beta_2(self, t):
        return min(super().beta_2(t), 0.9995)


@pytest.mark.parametrize(
    ("build", "step", "what", "constant"),
    [
        (RateSaturates, "rho", "at least a constant", 12_000**-0.5),
        pytest.param(
            *(DecaySaturates, "beta_2", "at most a constant", 0.9995), marks=pytest.mark.slow
        ),
    ],
)
def test_a_bound_that_shows_late_is_found_with_its_constant(build, step, what, constant):
    late = [run for run in runs(("float64",), 0, (), ()) if run.scenario == "past t = 10^4"]
    judged = [*judgements(ADAFACTOR, seen(build, [*asked("float64", "first step"), *late]))]
    wrong, right = ([j for j in judged if is_in_order(j, "float64") is ok] for ok in (False, True))
    found = next(explanations(wrong, right, {"float64": FINE[:1]}, ADAFACTOR, (step,)))
    assert (found.edit.step, str(found)) == (step, f"{what}: {constant:.10g}")


def test_what_is_seen_of_several_parameters_only_is_shown_with_all():
    shown = Shown(wrong_moves.LeakingRate, "several parameters", "first step")
    (found,) = line_difference(shown, Path(), shown.judged(), shown.judged())
    assert found.step == "between parameters"
    assert len(found.case["shape"]) == 3
    assert found.index[0] > 0


def test_what_is_done_is_told():
    shown = Shown(wrong_moves.Ascent)
    line_difference(shown, Path(), shown.judged(), shown.judged())
    assert shown.said == ["looking for the line", "looking for the smallest case"]


def test_a_line_of_a_variant_is_told_with_its_options():
    found = line(UnscaledAscent, UNSCALED)
    assert [d.what for d in found] == [
        "the other sign of -alpha*U_hat; besides: no parameter scale"
    ]
    assert found[0].got == exactly(-found[0].expected)


def test_beside_a_line_an_option_explains_some_cases():
    first, second = line(UnscaledClippedByEntry, UNSCALED)
    assert (first.step, first.what.partition(";")[0]) == ("U_hat", "clipped entry by entry")
    assert second.step == "alpha"
    assert second.what == "the variant 'no parameter scale' explains some cases"


@pytest.mark.parametrize("build", [UnscaledClippedByEntry, UnscaledButWrongAlone])
def test_an_option_is_shown_by_a_case_that_it_explains(build):
    *_, found = line(build, UNSCALED)
    assert found.step == "alpha"
    assert last(wrong.NoScale, found.case)[*found.index[1:]] == exactly(found.got)


def test_nothing_is_shown_on_what_all_options_leave_unexplained():
    shown = Shown(UnscaledAscent)
    left = [j for j in shown.judged(UNSCALED) if not is_in_order(j, "float64")]
    assert option_differences(shown, [UNSCALED], shown.judged(), WORKING, left) == []
    assert option_differences(shown, [UNSCALED], shown.judged(), WORKING) != []


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("eps1 = 1e-7", "V"),
        ("two largest axes", "V"),
        ("beta_2 = 0.9", "beta_2"),
        ("momentum over U_hat", "X_new"),
        ("no parameter scale", "alpha"),
        ("rho at most 1e-3", "rho"),
        ("no clipping", "U_hat"),
    ],
)
def test_an_option_is_shown_at_its_own_step(name, step):
    (found,) = of_options(name)
    assert (found.step, found.what) == (step, f"the variant {name!r} explains all cases")
    assert found.off_by_ulp > found.explained_ulp


def test_each_of_several_options_is_shown_against_the_others():
    names = ("no parameter scale", "beta_2 = 0.9", "momentum over U_hat")
    found = of_options(*names)
    assert [d.step for d in found] == ["alpha", "beta_2", "X_new"]
    assert [d.what for d in found] == [
        f"the variant {name!r} is a part of what explains all cases" for name in names
    ]


def test_an_option_that_no_case_shows_is_left_out():
    """rho is 1e-2 until t = 10^4."""
    assert [d.step for d in of_options("rho = 1e-2", "no parameter scale")] == ["alpha"]


def test_a_case_is_judged_by_the_coarsest_format_of_the_work_that_leaves_any():
    (coarse,) = line(AscentInFloat32, formats=FINE)
    assert coarse.step == "X_new"
    assert coarse.explained_ulp > 2**29
    (fine,) = line(CapInSinglePrecision, formats=FINE)
    assert fine.step == "rho"
    assert fine.explained_ulp < 2**10


def test_a_base_that_leaves_nothing_to_floats_is_given_up_for_the_paper():
    """Such a base was refused by balls, which grant less."""
    (found,) = line(wrong.NoScale, UNSCALED)
    assert found.step == "alpha"
    assert "besides" not in found.what


def test_the_paper_alone_has_no_option_to_show():
    shown = Shown(wrong_moves.Ascent)
    assert option_differences(shown, [], shown.judged(), WORKING) == []
    assert shown.judged()[0].method is ADAFACTOR
