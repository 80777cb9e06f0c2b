"""How often an optimizer gives another number than the exact step, rounded once, and how far off.

Libraries are asked for the first trials of those that ours is asked for, a step t from statistics
of zero; ours also for the step that follows, from the statistics it keeps.  Of ours there is a
second row for just the trials and steps that libraries are asked for.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from adafactor_numba.audit.names import target
from adafactor_numba.audit.worker import builder

from .enclosure import Expected, expected
from .format import FORMATS, Format
from .trial import ANY, TRAINING, Trial, trials

OURS = "numba"
SAME = "numba, as below"
PEERS = ("torch", "torch-eps1", "transformers", "optax-factored")
SHARE = 20  # a peer is asked for one of so many outputs


@dataclass
class Tally:
    """How many outputs of one optimizer in one format were which; errors in ulps of the format."""

    name: str
    dtype: str
    like: str
    outputs: int = 0
    not_finite: int = 0
    misrounded: int = 0
    largest_error: float = 0.0
    by_balls: int = 0
    refused: int = 0

    def add(self, got: Any, right: Expected, format: Format) -> None:
        """Count what was got; an infinity is right where the exact number rounds to it."""
        x = np.asarray(got).astype(np.float64)
        is_right = (x == right.outcome) | (x == right.other)
        finite = np.isfinite(x)
        self.outputs += x.size
        self.by_balls += right.by_balls
        self.not_finite += int((~finite & ~is_right).sum())
        self.misrounded += int((~is_right).sum())
        error = (abs(x - right.near) + right.error) / format.spacing(right.near)
        self.largest_error = max(self.largest_error, float(error.max(initial=0, where=finite)))


@dataclass(frozen=True)
class Subject:
    """An optimizer, by the name of its adapter: a builder."""

    name: str
    build: Callable[..., Any]

    def steps(self, trial: Trial) -> Iterator[tuple[Any, Mapping[str, Any]]]:
        """The new weights and what is kept, after each step of the trial."""
        step = self.build([trial.X], d=trial.d)
        if trial.t > 1:
            step.jump(trial.t)
        for G in trial.G:
            yield step([G])[0], step.state()[0]


def subjects() -> tuple[list[Subject], list[str]]:
    """Ours, twice, and the peers; and which are not installed."""
    found, absent = [], []
    for name in (OURS, SAME, *PEERS):
        try:
            found.append(Subject(name, builder(target(OURS if name == SAME else name))[1]))
        except ImportError as error:
            absent.append(f"{name}: {error}")
    return found, absent


def tallies(
    asked: Iterable[Subject], outputs: int, progress: Callable[[str], None]
) -> tuple[list[Tally], list[str]]:
    """Of each in every format, of weights and gradients like training and of any; what failed."""
    found, left_out = [], []
    for subject in asked:
        for format in FORMATS.values():
            most = outputs if subject.name == OURS else outputs // SHARE
            try:
                found += tallied(subject, format, most, progress)
            except Exception as error:  # whatever a library raises must not end the others
                left_out.append(f"{subject.name}, {format.name}: {type(error).__name__}: {error}")
    return found, left_out


def tallied(
    subject: Subject, format: Format, outputs: int, progress: Callable[[str], None] = lambda _: None
) -> list[Tally]:
    """So many outputs of one optimizer or a few more, refused ones included, half of each kind."""
    found = {like: Tally(subject.name, format.name, like) for like in (TRAINING, ANY)}
    drawn = trials(format)
    while (done := min(t.outputs + t.refused for t in found.values())) < outputs / 2:
        progress(f"{subject.name}, {format.name}: {2 * done:,} of {outputs:,} outputs")
        ask(subject, next(drawn), format, found)
    return [*found.values()]


def ask(subject: Subject, trial: Trial, format: Format, found: Mapping[str, Tally]) -> None:
    """Count the outputs of one trial; where the subject refuses it, all of them as refused."""
    tally, X = found[trial.like], trial.X
    state: Mapping[str, Any] = zeros(X.shape)
    steps = subject.steps(trial)
    for t, G in enumerate(trial.G, trial.t):
        try:
            X_new, kept = next(steps)
        except ValueError:
            tally.refused += X.size
            return
        tally.add(X_new, expected(inputs(X, G, state, trial.d), t, format), format)
        if subject.name != OURS or not np.isfinite(X_new.astype(np.float64)).all():
            return
        X, state = X_new, kept


def inputs(X: Any, G: Any, state: Mapping[str, Any], d: float) -> dict[str, Any]:
    """What the rule reads; the doubles of the constants are taken as exact."""
    statistics = {f"{name}_old": state[name] for name in ("R", "C", "V") if name in state}
    arrays = {"X": X.astype(np.float64), "G": G.astype(np.float64)}
    return {**arrays, **statistics, "epsilon_1": 1e-30, "epsilon_2": 1e-3, "d": d}


def zeros(shape: tuple[int, ...]) -> dict[str, Any]:
    """The statistics before the first step."""
    if len(shape) == 1:
        return {"V": np.zeros(shape)}
    *leading, n, m = shape
    return {"R": np.zeros((*leading, n)), "C": np.zeros((*leading, m))}
