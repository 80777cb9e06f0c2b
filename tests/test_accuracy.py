"""The reference of `bench --accuracy` against balls, and that wrong steps are seen."""

import itertools
import math

import flint
import numpy as np
import pytest

from adafactor_numba import Adafactor
from adafactor_numba.bench import accuracy, enclosure
from adafactor_numba.bench.accuracy import (
    OURS,
    SAME,
    Subject,
    Tally,
    ask,
    inputs,
    subjects,
    tallied,
    tallies,
    zeros,
)
from adafactor_numba.bench.enclosure import Expected, expected, rule_for
from adafactor_numba.bench.format import FORMATS
from adafactor_numba.bench.trial import (
    ANY,
    KINDS,
    SHAPES,
    THRESHOLDS,
    TIMES,
    TRAINING,
    _magnitudes,
    trials,
)
from derivations.adafactor import SCHEDULE
from derivations.cases import scheduled
from derivations.evaluate import BALL, evaluate
from tests.arrays import stored

F32, F16, BF16 = FORMATS.values()
SMALL = 400  # entries of a trial that balls are computed for


def as_stored(x, format):
    """x as NumPy rounds it; to bfloat16 by bits, from float32."""
    if format is not BF16:
        with np.errstate(over="ignore"):
            return x.astype(format.name).astype(np.float64)
    bits = x.astype(np.float32).view(np.uint32).astype(np.uint64)
    bits += 0x7FFF + ((bits >> 16) & 1)
    return (bits & 0xFFFF0000).astype(np.uint32).view(np.float32).astype(np.float64)


def points(format):
    """All numbers of a half format, all between two of them, and what is just beside."""
    patterns = np.arange(2**15, dtype=np.uint32)
    if format is F16:
        x = patterns.astype(np.uint16).view(np.float16).astype(np.float32)
    else:
        x = (patterns << 16).view(np.float32)
    x = x[np.isfinite(x)].astype(np.float64)
    between = (x + np.append(x[1:], 2.0**format.beyond)) / 2  # the last rounds to infinity
    x = np.concatenate([x, between]).astype(np.float32)
    beside = [np.nextafter(x, np.float32(to)) for to in (-np.inf, np.inf)]
    x = np.concatenate([x, *beside]).astype(np.float64)
    x = x[np.isfinite(x)]
    return np.concatenate([x, -x])


@pytest.mark.parametrize("format", [F16, BF16], ids=lambda f: f.name)
def test_numbers_and_ties_of_the_halves_are_rounded_as_by_others(format):
    x = points(format)
    assert np.array_equal(format.rounded(x), as_stored(x, format))
    some = x[:: len(x) // 2000]
    assert [format.nearest(flint.arb(v)) for v in some] == [(v, v) for v in format.rounded(some)]


def test_doubles_are_rounded_to_float32_as_by_numpy():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2**64, 100_000, np.uint64).view(np.float64)
    wide = rng.standard_normal(100_000) * 2.0 ** rng.uniform(-160, 130, 100_000)
    x = np.concatenate([x[np.isfinite(x) & (abs(x) > 1e-300) & (abs(x) < 1e300)], wide, [0.0]])
    assert np.array_equal(F32.rounded(x), as_stored(x, F32))
    some = wide[:1000]
    assert [F32.nearest(flint.arb(v)) for v in some] == [(v, v) for v in F32.rounded(some)]


def test_a_ball_that_holds_a_tie_has_a_nearest_on_either_side():
    tie, above = 1 + 2.0**-24, 1 + 2.0**-23
    assert F32.nearest(flint.arb(tie, 2.0**-60)) == (1.0, above)
    assert F32.nearest(flint.arb(tie)) == (1.0, 1.0)
    assert F32.nearest(flint.arb(tie + 2.0**-50, 2.0**-60)) == (above, above)
    assert F16.nearest(flint.arb(-65520.0, 2.0**-60)) == (-math.inf, -65504.0)


def test_the_spacing_at_zero_is_that_of_the_smallest():
    assert F16.spacing(np.array([0.0, 2.0**-24, 1.0, 65504.0])).tolist() == [
        *(2.0**-24, 2.0**-24, 2.0**-10, 32.0)
    ]


def small_trials(format, count):
    """The first so many trials of few entries, with their steps from nothing."""
    for trial in itertools.islice((x for x in trials(format) if x.X.size <= SMALL), count):
        yield trial, inputs(trial.X, trial.G[0], zeros(trial.X.shape), trial.d)


def balls(given, t):
    return evaluate(rule_for(given), {**given, **scheduled(SCHEDULE, t)}, BALL)["X_new"]


def outside(found, exact):
    """How many balls are not within the error of what was found."""
    pairs = zip(exact.flat, found.near.flat, found.error.flat, strict=True)
    return sum(not abs(ball - flint.arb(x)) <= error for ball, x, error in pairs)


@pytest.mark.parametrize("format", [F32, F16], ids=lambda f: f.name)
def test_every_exact_step_is_within_the_error_and_rounds_to_the_outcome(format):
    met = set()
    for trial, given in small_trials(format, 24):
        found, exact = expected(given, trial.t, format), balls(given, trial.t)
        assert not outside(found, exact)
        nearest = [format.nearest(ball) for ball in exact.flat]
        assert nearest == [*zip(found.outcome.flat, found.other.flat, strict=True)]
        assert all(low == high for low, high in nearest)
        met |= {trial.like, trial.t, trial.d, trial.X.ndim}
    assert met >= {TRAINING, ANY, *TIMES, *THRESHOLDS, 1, 2, 3}


def test_an_error_that_counts_no_rounding_is_found_too_small(monkeypatch):
    monkeypatch.setattr(enclosure, "_relative", lambda K: 0.0)
    assert any(
        outside(expected(given, trial.t, F32), balls(given, trial.t))
        for trial, given in small_trials(F32, 4)
    )


def test_where_doubles_do_not_decide_balls_do(monkeypatch):
    trial, given = next(iter(small_trials(F32, 1)))
    decided = expected(given, trial.t, F32)
    monkeypatch.setattr(enclosure, "_relative", lambda K: 2.0**-26)
    found = expected(given, trial.t, F32)
    assert found.by_balls > decided.by_balls
    assert np.array_equal(found.outcome, decided.outcome)
    assert not outside(found, balls(given, trial.t))


def test_at_a_tie_either_neighbour_is_right():
    between = np.array([1 + 2.0**-24])
    right = Expected(between, np.zeros(1), np.array([1.0]), np.array([1 + 2.0**-23]), 1)
    tally = Tally("", "float32", ANY)
    for x in (1.0, 1 + 2.0**-23, 1 - 2.0**-24):
        tally.add(np.array([x], np.float32), right, F32)
    assert (tally.outputs, tally.misrounded, tally.largest_error) == (3, 1, 1.0)


def test_an_infinity_is_right_where_the_exact_number_rounds_to_it():
    near = np.array([2.0**128, 1.0])
    right = Expected(near, np.zeros(2), np.array([np.inf, 1.0]), np.array([np.inf, 1.0]), 0)
    tally = Tally("", "float32", ANY)
    tally.add(np.array([np.inf, 1.0], np.float32), right, F32)
    assert (tally.not_finite, tally.misrounded) == (0, 0)
    tally.add(np.array([np.nan, np.inf], np.float32), right, F32)
    assert (tally.not_finite, tally.misrounded, tally.largest_error) == (2, 2, 0.0)


def test_trials_are_the_same_each_time_finite_and_of_every_kind():
    first, again = (list(itertools.islice(trials(F16), 200)) for _ in range(2))
    for trial, other in zip(first, again, strict=True):
        assert trial.X.tobytes() == other.X.tobytes()
        assert (trial.t, trial.d) == (other.t, other.d)
        assert all(np.isfinite(A).all() for A in (trial.X, *trial.G))
    assert {t.like for t in first} == {like for like, _ in KINDS} == {TRAINING, ANY}
    assert {t.X.shape for t in first} == {*SHAPES}
    assert any(not t.G[0].any(axis=-1).all() for t in first if t.X.ndim == 2)


@pytest.mark.parametrize("format", [F32, F16, BF16], ids=lambda f: f.name)
def test_magnitudes_are_finite_and_reach_both_ends_of_the_range(format):
    rng = np.random.default_rng(0)
    drawn = np.concatenate([np.ravel(_magnitudes(rng, (500,), format)) for _ in range(10)])
    exponents = np.log2(abs(drawn[drawn != 0].astype(np.float64)))
    assert np.isfinite(exponents).all()
    assert exponents.max() > 0.99 * format.beyond
    assert exponents.min() < 0.99 * format.least
    inner = (exponents > format.least / 4) & (exponents < format.beyond / 4)
    assert 0.5 < inner.mean() < 0.8  # half of them, and a quarter of the others


@pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
def test_ours_gives_the_exact_step_rounded_once(format):
    stored(format.name)
    ours = next(subject for subject in subjects()[0] if subject.name == OURS)
    found = tallied(ours, format, 30_000)
    assert [tally.like for tally in found] == [TRAINING, ANY]
    for tally in found:
        assert tally.outputs > 1000
        assert (tally.not_finite, tally.misrounded, tally.refused) == (0, 0, 0)
        assert 0.49 < tally.largest_error < 0.5001


class Single:
    """The step in float32 throughout, from statistics of zero; `late` is added to epsilon_1."""

    def __init__(self, params, *, d=1.0, late=0.0):
        self.X, self.d, self.t, self.late = params[0].astype(np.float32), np.float32(d), 1, late

    def jump(self, t):
        self.t = t

    def state(self):
        return [{}]

    def __call__(self, grads):
        with np.errstate(all="ignore"):
            X, G = self.X, grads[0].astype(np.float32)
            w = np.float32(self.t**-0.8)
            squares = w * (G * G + np.float32(1e-30 + self.late))
            V = squares
            if X.ndim == 2:
                V = np.outer(squares.sum(1) / squares.sum(), squares.sum(0))
            U = G / np.sqrt(V)
            clip = max(np.float32(1), np.sqrt(np.mean(U * U)) / self.d)
            scale = max(np.float32(1e-3), np.sqrt(np.mean(X * X)))
            rho = np.float32(min(1e-2, self.t**-0.5))
            return [X - rho * scale * U / clip]


def test_a_step_in_float32_is_seen_to_be_misrounded_and_not_finite():
    training, any_ = tallied(Subject("single", Single), F32, 30_000)
    assert training.misrounded > 0 < any_.misrounded
    assert 0 < training.not_finite < training.misrounded  # squares of epsilon_1 are no float32
    assert 0 < any_.not_finite
    assert training.largest_error > 0.5


def test_another_epsilon_1_is_seen():
    late = Subject("late", lambda params, d: Single(params, d=d, late=1e-8))
    right, wrong = (tallied(s, F32, 30_000)[0] for s in (Subject("single", Single), late))
    assert wrong.misrounded > 2 * right.misrounded


def test_ours_is_asked_again_for_just_the_trials_that_a_library_is_asked_for():
    def refusing(params, *, d):
        if d < 1:
            raise ValueError("d should be >= 1")
        return Single(params, d=d)

    same = next(subject for subject in subjects()[0] if subject.name == SAME)
    ours, theirs = (tallied(s, F32, 20_000) for s in (same, Subject("one", refusing)))
    for own, their in zip(ours, theirs, strict=True):
        assert own.outputs == their.outputs + their.refused
        assert own.misrounded == own.refused == 0 < their.refused


def test_a_refused_trial_is_counted_and_asked_no_further():
    def build(params, *, d):
        raise ValueError("d should be >= 1")

    trial = next(trials(F32))
    found = {like: Tally("", "float32", like) for like in (TRAINING, ANY)}
    ask(Subject("strict", build), trial, F32, found)
    assert found[trial.like].refused == trial.X.size
    assert found[trial.like].outputs == 0


def test_an_error_of_the_reference_is_no_refusal(monkeypatch):
    def broken(*_):
        raise ValueError("no step")

    monkeypatch.setattr(accuracy, "expected", broken)
    with pytest.raises(ValueError, match="no step"):
        tallied(Subject("single", Single), F32, 1)


def test_a_format_that_is_not_taken_is_left_out_and_the_others_are_asked():
    def build(params, *, d):
        if params[0].dtype != np.float32:
            raise TypeError("give float32")
        return Single(params, d=d)

    found, left_out = tallies([Subject("one", build)], 20 * 300, lambda _: None)
    assert [tally.dtype for tally in found] == ["float32", "float32"]
    assert len(left_out) == 2
    assert left_out[0] == "one, float16: TypeError: give float32"


def test_the_second_step_of_ours_is_asked_from_what_it_keeps():
    asked = []

    class Watched:
        def __init__(self, params, *, d):
            self.X = [x.copy() for x in params]
            self.optimizer = Adafactor(self.X, d=d)

        def jump(self, t):
            asked.append(t)
            state = self.optimizer.state_dict()
            for name in state[0].keys() - {"t"}:
                state[0][name] = np.maximum(state[0][name], 5e-324)
            state[0]["t"] = t - 1
            self.optimizer.load_state_dict(state)

        def state(self):
            return [self.optimizer.state_dict()[0]]

        def __call__(self, grads):
            self.optimizer.step(grads)
            return [x.copy() for x in self.X]

    trial = next(x for x in trials(F32) if x.t > 1 and x.like == TRAINING)
    found = {like: Tally("", "float32", like) for like in (TRAINING, ANY)}
    ask(Subject(OURS, Watched), trial, F32, found)
    assert asked == [trial.t]
    assert found[TRAINING].outputs == 2 * trial.X.size
    assert found[TRAINING].misrounded == 0
    assert not math.isnan(found[TRAINING].largest_error)
