"""The audit of implementations whose verdict is known: right ones, wrong ones, every variant."""

import pytest

from adafactor_numba.audit.verdict import DTYPES
from derivations.variants import VARIANTS
from tests.implementations import plain, right, wrong, wrong_moves

STEPS = ("rho", "beta_2", "alpha", "R", "C", "V", "U", "U_hat", "X_new")


def written_in(module, kind):
    return [c for c in vars(module).values() if isinstance(c, type) and issubclass(c, kind)]


RIGHT = (plain.Plain, *written_in(right, plain.Plain)[1:], right.entry_by_entry)
WRONG = tuple(
    dict.fromkeys(
        c
        for module in (wrong, wrong_moves)
        for c in written_in(module, wrong.Wrong)
        if c is not wrong.Wrong
    )
)
DERIVED = [f"tests.implementations.derived:variant_{k}" for k in range(len(VARIANTS))]
PAPER = "tests.implementations.derived:paper"

ELSEWHERE = {
    wrong.AxesExchanged: "V",
    wrong.BiasCorrected: "U_hat",
    wrong.RowsOnly: "C",
}
"""Defects that are found, and located at this step instead."""

QUICK = 4
"""How many of the wrong ones are audited for every step in a quick run."""


def name_of(implementation):
    return f"{implementation.__module__}:{implementation.__name__}"


def quick(builder):
    """Whether a wrong one is among those of a quick run: the first few of every step."""
    return builder in [c for c in WRONG if c.step == builder.step][:QUICK]


def names(implementations):
    """The parameters of a test, by name."""
    return [pytest.param(name_of(c), c, id=c.__name__) for c in implementations]


def in_turn(implementations):
    """In float64 those of a quick run; in every dtype, and the others too, in a slow one."""
    for c in implementations:
        if quick(c):
            yield pytest.param(name_of(c), c, ("float64",), id=c.__name__)
        slow = {"id": f"{c.__name__}, every dtype", "marks": pytest.mark.slow}
        yield pytest.param(name_of(c), c, DTYPES, **slow)


def variants():
    """The builders made from variants."""
    return [pytest.param(name, v, id=v.name) for name, v in zip(DERIVED, VARIANTS, strict=True)]


@pytest.mark.parametrize(("implementation", "builder"), names(RIGHT))
def test_a_right_one_agrees_in_whatever_form_it_is_written(report, builder):
    assert (report.verdict, report.variant, report.differences) == ("agrees", None, ())
    assert report.precision == builder.precision
    assert report.exit_code == 0


@pytest.mark.parametrize(("implementation", "builder", "dtypes"), [*in_turn(WRONG)])
def test_a_wrong_one_differs_at_the_step_that_is_wrong(report, builder, dtypes):
    assert (report.verdict, report.variant) == ("differs", builder.variant)
    assert report.exit_code == 1
    first = report.differences[0]
    assert first.step == ELSEWHERE.get(builder, builder.step)
    assert first.off_by_ulp is None or first.off_by_ulp > first.explained_ulp


def test_at_least_nine_in_ten_wrong_ones_are_located():
    assert len(WRONG) >= 60
    assert sum(map(quick, WRONG)) >= 40
    assert 10 * len(ELSEWHERE) <= len(WRONG)
    assert all(step != builder.step for builder, step in ELSEWHERE.items())


def test_there_is_a_wrong_one_for_every_step():
    assert {c.step for c in WRONG} == {*STEPS, "between parameters", "arguments"}


@pytest.mark.parametrize("implementation", [PAPER, "numba"])
def test_the_rule_itself_and_its_compiled_loops_agree(report):
    assert (report.verdict, report.precision) == ("agrees", "float64")


@pytest.mark.parametrize("implementation", [PAPER, "numba", name_of(plain.Plain)])
def test_an_agreement_tells_the_paper_from_every_variant(report, implementation):
    assert (report.variants_known, report.variants_told_apart) == (len(VARIANTS), len(VARIANTS))
    assert report.not_told_apart == ()


@pytest.mark.slow
@pytest.mark.parametrize(("implementation", "variant"), variants())
def test_every_variant_is_known_when_it_is_met(report, variant):
    assert (report.verdict, report.variant) == ("differs", variant.name)
    assert report.rule == variant.source
    assert report.differences[0].step in STEPS


@pytest.mark.parametrize("implementation", [name_of(right.entry_by_entry)])
def test_what_could_not_be_run_is_listed_and_the_rest_decides(report):
    refused = {s["scenario"]: s["why"] for s in report.scenarios_not_run}
    assert refused["rank, float64"] == "NotImplementedError: only vectors and matrices"
    assert refused["empty parameter, float32"] == "ZeroDivisionError: division by zero"
    assert report.verdict == "agrees"


@pytest.mark.parametrize("implementation", [name_of(plain.Plain)])
def test_an_agreement_says_for_which_gradients_it_holds(report):
    assert {*report.range} == {"float64", "float32"}
    for ends in report.range.values():
        assert 0 < ends["smallest_G"] < 1 < ends["largest_G"]
    assert report.range["float64"]["largest_G"] >= 1e150  # its squares end at 1e308


@pytest.mark.parametrize("implementation", [name_of(wrong_moves.Ascent), name_of(wrong.NoRoot)])
def test_the_smallest_case_is_one_entry_at_the_first_step(report):
    case = report.differences[0].case
    assert case["t"] == 1
    assert set(case["shape"]) <= {1}
