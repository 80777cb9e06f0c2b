"""The laws that need no reference: kept by the paper's rule, each broken by a rule made for it."""

from functools import cache

import numpy as np
import pytest

from adafactor_numba.audit.laws import LAWS
from adafactor_numba.audit.moves import alike, moves, same_bits, step_roundings
from adafactor_numba.audit.properties import properties
from adafactor_numba.audit.subject import Run, Subject, Trace
from tests.implementations import lawless

NAMES = [law.name for law in LAWS]
DTYPES = ("float64", "float32")
OURS = "adafactor_numba.audit.adapters.ours:build"
RIGHT = ("plain:Plain", "right:RootsFirst", "right:Lerp", "right:Native", "right:Float32")
BREAKING = [
    c
    for c in vars(lawless).values()
    if isinstance(c, type) and issubclass(c, lawless.Lawless) and c is not lawless.Lawless
]


@cache
def found(target, dtypes=DTYPES, seed=0):
    """The properties of an implementation, by name."""
    with Subject(target) as subject:
        return {p.name: p for p in properties(subject, dtypes, seed)}


def broken(builder, seed=0):
    return found(f"tests.implementations.lawless:{builder.__name__}", seed=seed)


def plain(name, **more):
    return found("tests.implementations.plain:Plain", **more)[name]


@pytest.mark.parametrize("target", [OURS, *(f"tests.implementations.{name}" for name in RIGHT)])
def test_every_law_holds_for_the_papers_rule_in_any_form(target):
    assert {name: p.detail for name, p in found(target).items() if p.holds is not True} == {}
    assert [*found(target)] == NAMES


@pytest.mark.parametrize("builder", BREAKING, ids=lambda c: c.__name__)
def test_a_rule_breaks_the_laws_that_it_was_made_to_break_and_no_others(builder):
    answers = broken(builder)
    assert {name for name, p in answers.items() if p.holds is False} == {*builder.breaks}
    assert {name for name, p in answers.items() if p.holds is None} == {*builder.unasked}


def test_every_law_is_broken_by_a_rule_that_breaks_no_other():
    alone = {c.breaks[0] for c in BREAKING if len(c.breaks) == 1 and not c.unasked}
    assert alone == {*NAMES}


@pytest.mark.parametrize("seed", [1, 2])
def test_it_does_not_depend_on_the_numbers_drawn(seed):
    kept = found("tests.implementations.plain:Plain", seed=seed)
    assert all(p.holds for p in kept.values())
    for builder in (lawless.FirstEntry, lawless.Lion):
        assert {n for n, p in broken(builder, seed).items() if not p.holds} == {*builder.breaks}


def test_a_law_that_holds_says_in_which_precision():
    assert plain("transposition").detail == "float64, float32: within the rounding of float64"
    assert plain("signs").detail == "float64, float32: exactly"
    work = found("tests.implementations.right:Float32", ("float64",))["transposition"]
    assert work.detail == "float64: within the rounding of float32"


def test_the_range_of_G_is_told_for_each_precision():
    """epsilon_1 = 1e-30 does not show for |G| = 1e-8, ten times as much does, in float64."""
    assert plain("scale").detail == (
        "float64, float32: within the rounding of float64 for |G| from 1e-08 to 1e+08"
    )
    larger = found("tests.implementations.wrong:TenTimesEpsilon1", ("float64",))["scale"]
    assert larger.detail == (
        "float64: within the rounding of float64 for |G| from 1e-07 to 1e+08, "
        "within the rounding of float32 for |G| from 1e-08 to 1e+08"
    )
    assert plain("finite").detail == "float64, float32: exactly for |G| from 1e-15 to 1e+15"


def test_a_law_that_fails_tells_the_numbers_and_the_range_that_is_left():
    detail = broken(lawless.EpsilonInTheRoot)["scale"].detail
    assert "of which rounding explains" in detail
    assert ", t = 1, |G| about 0.001: off by " in detail
    assert detail.count("but holds for |G| from 0.01 to 1e+08") == 2
    assert "rounding" not in broken(lawless.EpsilonInTheRoot)["powers of two"].detail


def test_what_does_not_move_cannot_be_asked():
    signs = broken(lawless.NoEpsilon2)["signs"]
    assert (signs.holds, signs.detail) == (None, "float64, float32: no finite move was seen")


def test_what_is_refused_cannot_be_asked_and_says_why():
    batch = found("tests.implementations.right:entry_by_entry")["batch"]
    assert batch.holds is None
    assert batch.detail == "not asked: NotImplementedError: only vectors and matrices"


def test_what_is_refused_beside_what_holds_is_told():
    finite = found("tests.implementations.lawless:NoScalars")["finite"]
    assert finite.holds is True
    assert finite.detail == (
        "float64, float32: exactly for |G| from 1e-15 to 1e+15; not asked: ValueError: no scalars"
    )


@pytest.mark.parametrize("builder", BREAKING, ids=lambda c: c.__name__)
def test_a_case_is_small_and_holds_all_its_numbers(builder):
    for p in broken(builder).values():
        assert bool(p.case) == (p.holds is False)
        if p.case:
            assert p.case["t"] == len(p.case["grads"]) <= 30
            assert p.case["params"]


def ran(case):
    """X_new at the last step of the case, and of the other one."""
    runs = (case, case["other"])
    dtype = case["dtype"]
    with Subject(case["builder"]) as subject:
        for run in runs:
            params = tuple(np.array(X, dtype) for X in run["params"])
            grads = tuple(tuple(np.array(G, dtype) for G in row) for row in run["grads"])
            yield subject.run(Run("again", params, grads)).after[-1][0]


def test_the_case_shows_the_failure_again():
    law = broken(lawless.RowsOnly)["transposition"]
    X, other = ran(law.case)
    assert X.shape == other.T.shape
    assert f"off by {np.max(np.abs(X - other.T)):.3g}, of which rounding" in law.detail
    X, other = ran(broken(lawless.HalfDown)["signs"].case)
    assert np.sum(X != other) == 1
    assert not np.any(X == -other)


def test_the_paper_is_asked_with_d_1_if_the_builder_takes_it():
    assert broken(lawless.DefaultOfTwo)["bounded"].holds is True
    assert broken(lawless.ClippedAtTwo)["bounded"].holds is False


def pair(X, other, dtype="float64"):
    """Two first moves of one entry, from 0 to these."""
    zero, G = np.zeros(1, dtype), np.ones(1, dtype)
    run = Run("", (zero,), ((G,),))
    return [next(moves(run, Trace([[np.array([x], dtype)]], [], None))) for x in (X, other)]


K = step_roundings((1,), 1)
SIDES = {  # of two moves from 0 to about 1: how far apart, in u, and whether rounding explains it
    "equal": (0, True, True),
    "an ulp": (2, True, False),
    "the roundings of both": (4 * K, True, False),
    "more than these and ours": (4 * (K + 8), False, False),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SIDES)
def test_the_rounding_of_two_moves_is_counted(name, dtype):
    apart, within, same = SIDES[name]
    move, other = pair(1 + apart * float(np.finfo(dtype).eps) / 2, 1.0, dtype)
    assert alike(move, other, lambda A: A).holds(dtype) == within
    assert same_bits(move, other, lambda A: A).holds(dtype) == same


@pytest.mark.parametrize("compared", [alike, same_bits])
def test_what_is_not_finite_is_like_itself_only_and_tells_nothing(compared):
    for X in (np.nan, np.inf):
        same = compared(*pair(X, X), lambda A: A)
        assert (same.holds("float64"), same.tells) == (True, False)
        assert not compared(*pair(X, 1.0), lambda A: A).holds("float64")
        assert not compared(*pair(1.0, X), lambda A: A).holds("float64")
