"""Every wrong loop is caught at the step that is wrong; the right ones are not."""

import numpy as np
import pytest

from adafactor_numba.audit import check
from derivations.adafactor import MATRIX, SCHEDULE, TENSOR, VECTOR
from derivations.cases import Case, cases, inputs, scheduled
from derivations.evaluate import BALL, evaluate
from tests.mutants import MUTANTS, Mutant, implementation

ORDER = ("rho", "beta_2", "alpha", "R", "C", "V", "U_hat", "X_new")


def clipped(*sizes):
    """A case whose sizes are around the loops' blocks, where RMS(U) shows in U_hat."""
    return Case(sizes, statistics="small")


EXAMINED = {
    VECTOR: [*cases(VECTOR, ((3,),)), *(clipped(n) for n in (39, 40, 41, 63, 64, 65, 200))],
    MATRIX: [
        *cases(MATRIX, ((4, 3),)),
        clipped(9, 5),
        clipped(29, 9),
        clipped(7, 33),
        clipped(9, 17),
        clipped(53, 3),
    ],
    TENSOR: [*cases(TENSOR, ((2, 2, 3),)), clipped(2, 10, 6)],
}


@pytest.fixture(scope="module")
def references(tmp_path_factory):
    """What every mutant is compared with: inputs, exact values and K of every case."""
    folder, found = tmp_path_factory.mktemp("loops"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        counted = check.counting(implementation(folder, "counted"))
    for rule, chosen in EXAMINED.items():
        for case in chosen:
            x = inputs(case, rule)
            exact = evaluate(rule, x | scheduled(SCHEDULE, case.t), BALL)
            K = next(check.run_roundings(case.sizes, "R_old" in x, (case.t,), counted))
            found.append((rule, case, x, exact, K))
    return found


def first_step(loops, references):
    """The first step, in the order of the rule, outside its bound in any case; or None.

    A case in which Python divides by zero, where the compiled loop has an infinity, says nothing:
    another must show the step.
    """
    wrong = {d.step for d in check.schedule_deviations(loops)}
    for rule, case, x, exact, K in [] if wrong else references:
        try:
            with np.errstate(all="ignore"):
                got = check.observed(loops, x | check.scheduled_doubles(loops, case.t))
        except (ZeroDivisionError, ValueError):
            continue
        wrong |= {d.step for d in check.compared(rule, got, exact, K, case.dtype)}
    return min(wrong, key=ORDER.index, default=None)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_wrong_loop_is_caught_at_its_step(mutant, references, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    package = f"mutant_{MUTANTS.index(mutant)}"
    assert first_step(implementation(tmp_path, package, mutant), references) == mutant.step


def test_the_right_loops_are_not_caught(references, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    assert first_step(implementation(tmp_path, "unchanged"), references) is None


def test_there_is_a_wrong_loop_for_every_step_and_none_twice():
    assert {mutant.step for mutant in MUTANTS} == {*ORDER}
    assert len({(m.module, m.old, m.new) for m in MUTANTS}) == len(MUTANTS)
    assert len({m.name for m in MUTANTS}) == len(MUTANTS) >= 30


@pytest.mark.parametrize(("old", "times"), [("no such text", 0), ("_halved", 2)])
def test_a_change_that_does_not_fit_its_source_is_an_error(old, times, tmp_path):
    mutant = Mutant("none", "loops", "alpha", old, "")
    with pytest.raises(ValueError, match=f"none: '{old}' is {times} times in the source"):
        implementation(tmp_path, "unfit", mutant)
