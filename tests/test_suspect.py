"""The step that elimination points to: what the failing cases of a wrong one share names it."""

from functools import cache, partial

import numpy as np
import pytest

from adafactor_numba.audit.clue import Clue
from adafactor_numba.audit.judgement import judgements
from adafactor_numba.audit.scenarios import runs
from adafactor_numba.audit.suspect import RULES, suspect
from derivations.method import ADAFACTOR
from derivations.variants import AXES, combined
from tests.answers import Here, seen
from tests.implementations import wrong, wrong_conduct, wrong_moves
from tests.implementations.plain import Plain
from tests.implementations.right import Float32

WORKING = {"float64": "float64", "float32": "float64"}
LONG = 10
ELSEWHERE = (
    *("least size", "growing X", "empty parameter", "parameters of two dtypes"),
    *("rank from zero", "foreach", "groups"),
)
"""Scenarios that no case here needs."""


class Epsilon2Ignored(Plain):
    def alpha(self, X, rho):
        return max(1e-3, self.rms(X)) * rho


class Epsilon1BelowTheLeast(Plain):
    """0 / 0 where the gradient is zero, and nowhere else."""

    def squares(self, G):
        return G**2 + self.epsilon_1 * bool(np.any(G))


class LargeWeightsDecay(Plain):
    """Those that set alpha, where they move."""

    def X_new(self, X, alpha, U_hat):
        share = 1e-4 * bool(self.rms(X) > 0.5 and np.any(U_hat))
        return super().X_new(X, alpha, U_hat) - share * X


class ScaleOfTheFirstRow(Plain):
    """Of a matrix, and the first matrix of a batch."""

    def alpha(self, X, rho):
        return super().alpha(X[:1] if X.ndim > 1 else X, rho)


class ScaleOfEachRow(Plain):
    def alpha(self, X, rho):
        scale = np.sqrt(np.mean(X**2, axis=-1, keepdims=True)) if X.ndim > 1 else self.rms(X)
        return np.maximum(self.epsilon_2, scale) * rho


class TwiceTheCapSaved(wrong.TwiceTheCap, wrong_conduct.Whole):
    """Right over time."""


class TwiceTheCapLater(Plain):
    def rho(self, t):
        return super().rho(t) * (1 if t < 4 else 2)


class ClippedAtFirst(Plain):
    """Up to t = 2, and once it was averaged, no more."""

    def updated(self, state, X, G):
        self.t = state["t"] + 1
        return super().updated(state, X, G)

    def clipped(self, U):
        return super().clipped(U) if self.t < 3 else U


class Beta2Later(Plain):
    def beta_2(self, t):
        return super().beta_2(t) if t < 5 else 0.9


class TwiceTheCapWithMomentum(wrong.TwiceTheCap, wrong_moves.Momentum):
    """What a base of momentum does not explain."""


class EachMatrixClipped(Plain):
    def clipped(self, U):
        if U.ndim < 3:
            return super().clipped(U)
        return np.stack([self.clipped(matrix) for matrix in U])


class SquareOfX(Plain):
    """Neither a root nor a least scale: X = 0 stays."""

    def alpha(self, X, rho):
        return np.sum(X**2) * rho


class RootOfV(Plain):
    """Where G is negative it goes the wrong way, and without it too."""

    def U(self, G, V):
        return np.sqrt(V)


class Offset(Plain):
    """Moves without a gradient, from zero, too."""

    def U(self, G, V):
        return super().U(G, V) + 0.1


class ClippedBelow(Plain):
    """By another formula where RMS(U) > d, which rounding may decide."""

    def clipped(self, U):
        power = np.mean(U**2)
        return (U + self.d) / np.sqrt(power) if power > self.d**2 else U


class ForgetsWithoutGradient(Plain):
    def __call__(self, grads):
        for k, G in enumerate(grads):
            if G is None:
                self.states[k] = {"t": self.states[k]["t"]}
        return super().__call__(grads)


class SkipsZeros(Plain):
    """A gradient of zeros is taken for none."""

    def __call__(self, grads):
        return super().__call__([None if G is None or not np.any(G) else G for G in grads])


class ColumnsOfTheFirst(Plain):
    """All matrices of a batch have the column statistics of the first."""

    def columns(self, squares):
        own = super().columns(squares)
        return 0 * own + own[:1] if own.ndim > 1 else own


class ScaledByTime(Plain):
    """Of what is clipped, clipping leaves nothing of it."""

    def second_moment(self, state, squares, t):
        return super().second_moment(state, squares, t) / (1 + 1 / t)


class Normalised(Plain):
    """Where it is not clipped, too."""

    def clipped(self, U):
        return U / self.rms(U) * self.d if np.sum(U**2) > self.d**2 else U


class ScaledBySize(Plain):
    """What is summed for a mean, and multiplied once too often."""

    def alpha(self, X, rho):
        return X.size * super().alpha(X, 1.0)


class StepBefore(Plain):
    """Divides by V as it was."""

    def second_moment(self, state, squares, t):
        before, state["before"] = state.get("before"), super().second_moment(state, squares, t)
        return state["before"] if before is None else before


class SignOnly(Plain):
    def X_new(self, X, alpha, U_hat):
        return super().X_new(X, alpha, np.sign(U_hat))


class OneBatch(Plain):
    """The row statistics of all matrices of a batch together, at rank 3."""

    def rows(self, squares):
        own = super().rows(squares)
        return 0 * own + own.mean(axis=0) if own.ndim == 2 else own


class Epsilon1OfVectors(Plain):
    """Another epsilon_1, in vectors alone."""

    def squares(self, G):
        return G**2 + (1e-8 if G.ndim < 2 else self.epsilon_1)


WRONG = (
    ("_over_time", wrong_conduct.StateLost, ("over time",)),
    ("_over_time", ForgetsWithoutGradient, ("over time",)),
    ("_over_time", SkipsZeros, ("over time",)),
    ("_between", wrong_moves.LeakingRate, ("between parameters",)),
    ("_between", wrong_moves.OneCounter, ("between parameters",)),
    ("_hyperparameter", wrong_moves.DIgnored, ("U_hat",)),
    ("_hyperparameter", Epsilon2Ignored, ("alpha",)),
    ("_without_value", Epsilon1BelowTheLeast, ("V", "R", "C")),
    ("_direction", wrong_moves.Ascent, ("X_new",)),
    ("_direction", wrong_moves.Decay, ("X_new",)),
    ("_direction", Offset, ("U", "U_hat", "X_new")),
    ("_direction", RootOfV, ("U", "U_hat", "X_new")),
    ("_batches", EachMatrixClipped, ("U_hat",)),
    ("_batches", ColumnsOfTheFirst, ("C", "V")),
    ("_batches", OneBatch, ("V", "R")),
    ("_weights", wrong.NormOfX, ("alpha",)),
    ("_weights", wrong_moves.AlphaAfterwards, ("alpha",)),
    ("_weights", ScaleOfTheFirstRow, ("alpha",)),
    ("_weights", ScaleOfEachRow, ("alpha",)),
    ("_weights", LargeWeightsDecay, ("X_new",)),
    ("_stuck", SquareOfX, ("alpha",)),
    ("_number", wrong.TwiceTheCap, ("rho", "alpha", "U_hat")),
    ("_number", TwiceTheCapSaved, ("rho",)),
    ("_number", TwiceTheCapLater, ("rho",)),
    ("_number", wrong.NoCap, ("rho",)),
    ("_number", wrong.NoScale, ("alpha",)),
    ("_number", ScaledBySize, ("alpha",)),
    ("_number", wrong.NoNormaliser, ("V", "U", "U_hat")),
    ("_number", ScaledByTime, ("V", "U")),
    ("_number", Normalised, ("U_hat",)),
    ("_number", wrong_moves.NotClipped, ("U_hat",)),
    ("_number", ClippedAtFirst, ("U_hat",)),
    ("_number", wrong_moves.MinForMaxInClipping, ("U_hat",)),
    ("_clip", wrong_moves.ClippedByRow, ("U_hat",)),
    ("_clip", wrong_moves.ClippedByEntry, ("U_hat",)),
    ("_clip", ClippedBelow, ("U_hat",)),
    ("_sign", SignOnly, ("U_hat", "U", "X_new")),
    ("_stale", StepBefore, ("U", "V")),
    ("_array", wrong.Exponent, ("beta_2",)),
    ("_array", Beta2Later, ("beta_2",)),
    ("_array", wrong.NoRoot, ("U", "V")),
    ("_array", wrong.StaleR, ("R", "V")),
    ("_array", wrong.CNeverUpdated, ("C", "V")),
    ("_array", wrong.TenTimesEpsilon1, ("V", "U", "R", "C")),
    ("_array", wrong.NoEpsilon1, ("V", "U", "R", "C")),
)
"""The rule that names the step of what is wrong, and those that are the same from outside."""

LAST = (wrong.NotFactored, wrong.VNotAveraged, Epsilon1OfVectors)
"""Those whose step is V, which is named, too, if no rule names any."""

SOONER = (
    ("_over_time", "_between", wrong_conduct.StateLost),
    ("_between", "_number", wrong_moves.LeakingRate),
    ("_between", "_array", wrong_moves.OneCounter),
    ("_hyperparameter", "_array", Epsilon2Ignored),
    ("_without_value", "_direction", Epsilon1BelowTheLeast),
    ("_direction", "_number", wrong_moves.Ascent),
    ("_batches", "_weights", EachMatrixClipped),
    ("_weights", "_number", ScaleOfTheFirstRow),
    ("_stuck", "_array", SquareOfX),
    ("_number", "_array", wrong.TwiceTheCap),
    ("_clip", "_array", wrong_moves.ClippedByEntry),
    ("_sign", "_array", SignOnly),
    ("_stale", "_array", StepBefore),
)
"""A rule, one that comes later, and what that would misname if it came first."""


@cache
def judged(build, method=ADAFACTOR):
    """How a method judges every short run of a builder."""
    here = Here(build)
    asked = runs(("float64",), 0, here.takes, here.can)
    short = [r for r in asked if len(r.grads) < LONG and r.scenario not in ELSEWHERE]
    return [*judgements(method, seen(build, short))]


def suspected(build):
    return suspect(judged(build), WORKING)


def place(rule):
    return [named.__name__ for _, named in RULES].index(rule)


@pytest.fixture
def ruled(monkeypatch):
    """Sets the rules that are asked."""
    return lambda rules: monkeypatch.setattr("adafactor_numba.audit.suspect.RULES", tuple(rules))


@pytest.mark.parametrize(("rule", "build", "steps"), WRONG)
def test_the_step_that_is_wrong_is_named_by_its_rule_and_by_none_before(rule, build, steps, ruled):
    assert suspected(build) == steps
    ruled(RULES[: place(rule)])
    assert suspected(build) == ("V",)
    ruled(RULES[: place(rule) + 1])
    assert suspected(build) == steps


@pytest.mark.parametrize("build", LAST)
def test_where_no_other_step_is_named_it_is_V(build, ruled):
    assert suspected(build) == ("V",)


def test_a_momentum_moves_without_a_gradient():
    (option,) = (o for axis in AXES for o in axis.options if o.name == "momentum over U_hat")
    found = judged(TwiceTheCapWithMomentum, combined((option,)))
    assert any(f.still and f.fails for f in map(partial(Clue, working="float64"), found))
    assert suspect(found, WORKING) == ("rho", "alpha", "U_hat")


def test_every_rule_names_a_step_of_something_wrong():
    assert {rule for rule, _, _ in WRONG} == {named.__name__ for _, named in RULES}
    assert [*map(place, dict.fromkeys(rule for rule, _, _ in WRONG))] == [*range(len(RULES))]


@pytest.mark.parametrize(("sooner", "later", "build"), SOONER)
def test_a_rule_that_comes_sooner_would_else_be_forestalled(sooner, later, build, ruled):
    (expected,) = {steps for rule, other, steps in WRONG if (rule, other) == (sooner, build)}
    first, second = place(sooner), place(later)
    assert first < second
    ruled([*RULES[:first], RULES[second], *RULES[first:second], *RULES[second + 1 :]])
    assert suspected(build) != expected


def test_every_rule_but_the_last_comes_sooner_than_one_that_would_err():
    assert {sooner for sooner, _, _ in SOONER} == {named.__name__ for _, named in RULES[:-1]}


def findings(build, *scenarios, working="float64"):
    return [Clue(j, working) for j in judged(build) if j.strand.run.scenario in scenarios]


def test_a_finding_fails_by_the_rounding_of_its_format():
    found = findings(Float32, "not clipped")
    assert any(f.fails for f in found)
    assert not any(f.fails for f in findings(Float32, "not clipped", working="float32"))


def test_one_factor_may_be_common_to_all_entries_or_to_those_of_each_row():
    cap = findings(wrong.TwiceTheCap, "first step")
    assert {f.common for f in cap} == {True}
    assert np.allclose([f.factor for f in cap], 2, rtol=2.0**-50, atol=0)
    matrices = [f for f in findings(wrong_moves.ClippedByRow, "clipped") if f.rank == 2 and f.fails]
    assert {f.bands for f in matrices} == {True}
    assert any(not f.common for f in matrices)
    entries = findings(wrong_moves.ClippedByEntry, "clipped")
    assert any(f.rank == 2 and f.fails and not f.bands for f in entries)


def test_weights_are_small_where_alpha_does_not_depend_on_them():
    found = findings(Plain, "size of X")
    sizes = [np.sqrt(np.mean(f.judgement.prediction.observation.before**2)) for f in found]
    assert [f.small for f in found] == [size < 5e-4 for size in sizes]
    assert [f.resting for f in found] == [size == 0 for size in sizes]
    assert len({*zip((f.small for f in found), (f.resting for f in found), strict=True)}) == 3


def test_a_second_moment_remembers_where_the_size_of_the_gradient_changed():
    assert not any(f.remembers for f in findings(Plain, "one entry"))
    unclipped = findings(Plain, "not clipped")
    assert [f.remembers for f in unclipped] == [f.t > 1 for f in unclipped]


def test_a_zero_gradient_is_still_and_a_small_one_tiny():
    found = findings(Plain, "zero gradient", "size of G")
    sizes = [np.abs(f.judgement.prediction.observation.G).max() for f in found]
    assert [f.still for f in found] == [size == 0 for size in sizes]
    assert [f.tiny for f in found] == [size < 1e-3 for size in sizes]
    assert {f.tiny for f in found if not f.still} == {True, False}
    assert all(f.tiny for f in findings(Plain, "hyperparameter epsilon_1"))


def test_a_case_is_clipped_or_steep_by_the_size_of_U():
    found = findings(Plain, "clipped", "not clipped", "first step")
    values = [f.judgement.prediction.values for f in found]
    assert [f.clipped for f in found] == [float(v["mean_square_U"]) > 1 for v in values]
    assert all(f.steep for f in found if f.clipped)
    assert not any(f.steep for f in found if f.rank == 1 and f.t == 1)
    assert {f.steep for f in found if not f.clipped} == {True, False}
