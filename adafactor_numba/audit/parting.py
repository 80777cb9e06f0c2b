"""Where two runs of one implementation part that should not, beyond what rounding explains.

A parameter may be rounded otherwise where it has other neighbours, as it may be worked on with
them: as far as the paper's rule rounds in the format at work, that is no difference.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from derivations.method import ADAFACTOR

from .judgement import FORMS, greatest_unit, unit_of
from .strand import Prediction, predictions, strands
from .subject import Run, Trace


@dataclass(frozen=True, eq=False)
class Answer:
    """A run, and what was answered."""

    run: Run
    trace: Trace


@dataclass(frozen=True)
class Parted:
    """After step t, from 1, an entry of a parameter is `got` in one run, and `expected` in another.

    `granted` is what rounding explains of the distance; `places` are those of the parameter.
    """

    t: int
    places: tuple[int, int]
    entry: tuple[int, ...]
    got: float
    expected: float
    granted: float


def parted(
    found: Answer, known: Answer, working: Mapping[str, str], order: Sequence[int] = ()
) -> Iterator[Parted]:
    """The worst entry of every array that is another one beyond rounding, as far as both runs go.

    `order[k]` is the parameter of the known run that has place k in the one found; `working` tells
    the format in which each dtype's work is done.
    """
    for place, k in enumerate(order or range(len(known.run.params))):
        pairs = [
            (new[place], old[k])
            for new, old in zip(found.trace.after, known.trace.after, strict=False)
        ]
        if any(another(new, old) for new, old in pairs):
            granted = _granted(known, k, working)
            for t, (new, old) in enumerate(pairs, 1):
                yield from _parted(t, (place, k), new, old, next(granted, 0.0))


def another(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether any bit differs."""
    return a.tobytes() != b.tobytes()


def changes(found: Trace, known: Trace) -> bool:
    """Whether any bit of two runs differs, as far as both go."""
    rows = zip(found.after, known.after, strict=False)
    return any(another(a, b) for new, old in rows for a, b in zip(new, old, strict=True))


def _parted(
    t: int, places: tuple[int, int], found: np.ndarray, known: np.ndarray, granted: Any
) -> Iterator[Parted]:
    with np.errstate(all="ignore"):
        beyond = np.abs(found - known) - granted
    beyond = np.where(np.isnan(beyond), np.inf, beyond)
    beyond[np.isnan(found) & np.isnan(known) | (found == known)] = 0
    if np.any(beyond > 0):
        entry = tuple(int(i) for i in np.unravel_index(np.argmax(beyond), beyond.shape))
        allowed = np.broadcast_to(granted, beyond.shape)[entry]
        yield Parted(t, places, entry, *map(float, (found[entry], known[entry], allowed)))


def _granted(known: Answer, k: int, working: Mapping[str, str]) -> Iterator[Any]:
    """By how much two runs may be apart after each step, all of whose steps are rounded."""
    (strand,) = (s for s in strands(known.run, known.trace) if s.parameter == k)
    unit = max(greatest_unit(working.get(strand.dtype, strand.dtype)), unit_of(strand.dtype))
    updates = {p.observation.t: _rounding(p, unit) for p in predictions(ADAFACTOR, strand)}
    total, t = 0.0, (known.run.jump or 1) - 1
    for row in known.run.grads:
        if row[k] is not None:
            t += 1
            total = total + updates.get(t, 0.0)
        yield total


def _rounding(p: Prediction, unit: float) -> Any:
    before, after = p.observation.before, p.observation.after
    assert before is not None
    assert after is not None
    with np.errstate(all="ignore"):
        move = np.abs(after - before).max(initial=0.0)
        return 2 * FORMS * unit * (p.K * move + np.abs(after))


Ask = Callable[[Run, Run, Sequence[int]], Iterator[Parted]]
"""Where the first run parts from the second, in which the parameters have another order."""


@dataclass(frozen=True)
class Pair:
    """Two runs, and where the first parts from the second; `order` is that of `parted`."""

    found: Run
    known: Run
    order: tuple[int, ...]
    parted: Parted


def fewest(pair: Pair, ask: Ask) -> Pair:
    """The pair with as few other parameters as still show it for the same one."""
    for place in reversed(range(len(pair.found.params))):
        if place != pair.parted.places[0]:
            pair = _without(pair, place, ask) or pair
    return pair


def _without(pair: Pair, place: int, ask: Ask) -> Pair | None:
    """The pair without the parameter at a place of the first run, if it still parts."""
    gone = pair.order[place]
    runs = without(pair.found, place), without(pair.known, gone)
    order = tuple(k - (k > gone) for k in pair.order if k != gone)
    own = pair.parted.places[0]
    own -= place < own
    again = (p for p in ask(*runs, order) if p.places[0] == own)
    return next((Pair(*runs, order, p) for p in again), None)


def without(run: Run, k: int) -> Run:
    """The run without parameter k, which leaves its group."""

    def others(row: Sequence[Any]) -> tuple[Any, ...]:
        return (*row[:k], *row[k + 1 :])

    left = ([i - (i > k) for i in group if i != k] for group in run.groups or ())
    groups = None if run.groups is None else tuple(tuple(group) for group in left if group)
    grads = tuple(map(others, run.grads))
    return replace(run, params=others(run.params), grads=grads, groups=groups)
