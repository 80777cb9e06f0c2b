"""Moves of one implementation beside each other, and what rounding explains of a difference.

No rule is known here.  A move is granted the roundings of the paper's rule, as in every judgement:
those of its own step and of the steps seen before it, which its X carries.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, TypeAlias

import numpy as np

from derivations.method import ADAFACTOR

from .counting import schedule_counts, step_counts
from .judgement import Judgement
from .strand import Observation, Prediction, Strand, floats, strands
from .subject import Run, Trace

Map: TypeAlias = Callable[[Any], Any]
Bound: TypeAlias = Callable[[str], Any]
"""What is allowed of a difference if the work is done in the format of that name."""

OURS = 3  # our own roundings: the difference X_new - X, the norm of moves, a factor


@dataclass(frozen=True, eq=False)
class Move:
    """Step t of a parameter whose X is known before and after; K are its roundings."""

    strand: Strand
    observation: Observation
    K: int

    @property
    def t(self) -> int:
        return self.observation.t

    @property
    def after(self) -> np.ndarray:
        return floats(self.observation.after)

    @cached_property
    def moved(self) -> np.ndarray:
        """X_new - X."""
        with np.errstate(all="ignore"):
            return np.asarray(self.after - floats(self.observation.before))

    def allowed(self, working: str) -> np.ndarray:
        """How far the move may be from the exact one of its rule.

        The X it started from is rounded when it is stored, and alpha may be proportional to it.
        """
        o, size = self.observation, np.abs(self.moved)
        rule = Prediction(
            self.strand,
            o,
            {"G": o.G},
            self.after.astype(object),
            size,
            self.K + OURS,
            self.K + OURS,
        )
        carried = float(np.finfo(self.strand.dtype).eps) / 2 * size
        return Judgement(ADAFACTOR, rule).allowed(working) + (carried if self.t > 1 else 0)

    @property
    def is_seen(self) -> bool:
        """Whether anything moved, to where it can be seen."""
        return bool(np.any(np.isfinite(self.moved) & (self.moved != 0)))


def moves(run: Run, trace: Trace, parameter: int = 0) -> Iterator[Move]:
    """The moves of one parameter of a run."""
    strand = [*strands(run, trace)][parameter]
    inherited = 0
    for o in strand.observations:
        if o.before is not None and o.after is not None:
            inherited += step_roundings(o.G.shape, o.t)
            yield Move(strand, o, inherited)


@cache
def step_roundings(shape: tuple[int, ...], t: int) -> int:
    """K of the paper's step t, with the statistics that it carries."""
    return _carried(shape, t)["X_new"]


@cache
def _carried(shape: tuple[int, ...], t: int) -> dict[str, int]:
    layout = ADAFACTOR.layout(shape)
    K: dict[str, int] = {}
    for step in range(1, t + 1):
        scheduled = schedule_counts(ADAFACTOR.schedule, step)
        K = step_counts(ADAFACTOR, layout.sizes, layout.rule, step, K, scheduled)
    return K


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a law says of one move: `found` is `expected`, up to what is allowed.

    `allowed` is None where the law is exact; `other` is the move it is compared with, if there is
    one; `G` about the size of the gradients; `tells` whether the law could have failed.
    """

    what: str
    move: Move
    found: np.ndarray
    expected: np.ndarray
    allowed: Bound | None = None
    other: Move | None = None
    G: float = 1.0
    tells: bool = True

    @cached_property
    def off(self) -> np.ndarray:
        """|found - expected|: 0 where they are the same, infinities and NaN too."""
        same = (self.found == self.expected) | (np.isnan(self.found) & np.isnan(self.expected))
        with np.errstate(all="ignore"):
            return np.where(same, 0.0, np.abs(self.found - self.expected))

    def bound(self, working: str) -> np.ndarray:
        """What is allowed of every entry."""
        with np.errstate(all="ignore"):
            allowed = 0.0 if self.allowed is None else self.allowed(working)
        return np.broadcast_to(allowed, self.off.shape)

    def holds(self, working: str) -> bool:
        """Whether every entry is within its bound; what is not finite, only if both are so."""
        within = np.isfinite(self.off) & (self.off <= self.bound(working))
        return bool(np.all((self.off == 0) | within))

    def worst(self, working: str) -> tuple[int, ...]:
        """The index of the entry that is most beyond its bound."""
        excess = np.nan_to_num(self.off - self.bound(working), nan=np.inf)
        return tuple(int(k) for k in np.unravel_index(np.argmax(excess), excess.shape))

    @property
    def size(self) -> tuple[float, ...]:
        """How far from ordinary the case is, and how large."""
        X = self.move.after
        decades = abs(round(float(np.log10(self.G))))
        return (decades, self.move.t, X.size, X.ndim)


def same_bits(move: Move, other: Move, back: Map, G: float = 1.0) -> Comparison:
    """X_new, taken back, is the other X_new, bit for bit but for the sign of a zero."""
    tells = other.is_seen
    return Comparison("X_new", move, back(move.after), other.after, None, other, G, tells)


def alike(move: Move, other: Move, back: Map, G: float = 1.0) -> Comparison:
    """The move, taken back, is the other move within the rounding of both."""

    def allowed(working: str) -> Any:
        return np.abs(back(move.allowed(working))) + other.allowed(working)

    tells = other.is_seen
    return Comparison("the move", move, back(move.moved), other.moved, allowed, other, G, tells)
