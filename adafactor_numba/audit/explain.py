"""Which single line of the paper, changed in one symbol, explains everything that was observed."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np

from derivations.method import ADAFACTOR, Method

from .edits import Edit, edits
from .judgement import WILD, Formats, Judgement, is_in_order, judgements
from .precision import coarsest, formats
from .strand import Strand, predictions
from .subject import Run

Place: TypeAlias = tuple[Run, int, int]

WITNESSES = 6
EARLY = 100
"""Steps up to which a run is evaluated at no cost to speak of."""
STEPS = 100_000
"""Steps that are evaluated for unknown constants before an explanation is given up."""

_POWERS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)
GRID = (*(2.0**-k for k in reversed(_POWERS)), 1.0, *(2.0**k for k in _POWERS))
"""Factors on the paper's value between which an unknown constant is looked for."""
COARSE = tuple(factor for factor in GRID if abs(math.log2(factor)) in (0, 1, 5, 21, 89))
"""Those that are tried where each takes a long run."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """An edit that explains all observations, with the value of its unknown constant, if any."""

    edit: Edit
    theta: float | None
    working: Mapping[str, str]

    @property
    def method(self) -> Method:
        return self.edit.method

    def __str__(self) -> str:
        return self.edit.what if self.theta is None else f"{self.edit.what}: {self.theta:.10g}"


def explanations(
    failing: Sequence[Judgement],
    passing: Sequence[Judgement],
    allowed: Formats,
    method: Method = ADAFACTOR,
    suspected: Sequence[str] = (),
    steps: Counter[Edit] | None = None,
) -> Iterator[Explanation]:
    """Every edit of `method` that explains all strands of rank 0 to 2; it fails to explain some.

    Those of suspected lines come first.  `steps` counts those evaluated for unknown constants.

    A few witnesses of either kind refuse most edits at once.  What goes wrong between parameters
    or in a batch of matrices is no single line; nor is what only balls refuse, since floats, by
    which edits are judged, are granted more.
    """
    failing, passing = (
        sorted((j for j in found if _rank(j) <= 2), key=attrgetter("size"))
        for found in (failing, passing)
    )
    failing = _refused(method, failing, coarsest(allowed))
    if not failing:
        return
    found = tuple(dict.fromkeys(j.strand for j in (*failing, *passing)))
    later = [j for j in passing if j.prediction.observation.t > 1]
    telling = sorted(_spread(failing) + _spread(passing) + _spread(later), key=attrgetter("size"))
    witnesses = [j.strand.until(j.prediction.observation.t) for j in telling]
    explain = partial(formats, numbers=WILD, allowed=allowed, counted=method)
    early = [j for j in failing if j.prediction.observation.t <= EARLY] or failing
    worst = dict.fromkeys((max(early, key=_relative), failing[0]))
    steps = Counter[Edit]() if steps is None else steps
    plain = False
    for edit in sorted(edits(method), key=lambda e: (e.start is not None, e.step not in suspected)):
        if plain and edit.start is not None:
            return
        for theta in [None] if edit.start is None else _thetas(edit, method, worst, steps):
            if explain(edit.method, witnesses, theta=theta):
                working = explain(edit.method, found, theta=theta)
                if working and _says(edit.method, failing, working, theta, method):
                    plain = plain or theta is None
                    yield Explanation(edit, theta, working)
        if steps.total() > STEPS:
            return


def _refused(
    method: Method, found: Sequence[Judgement], working: Mapping[str, str]
) -> list[Judgement]:
    """Those that the method does not explain by floats either."""
    wild = _judged(method, found)
    return [
        j
        for j in found
        if (k := wild.get(_place(j))) and not is_in_order(k, working[k.strand.dtype])
    ]


def _says(
    method: Method,
    failing: Sequence[Judgement],
    working: Mapping[str, str],
    theta: float | None,
    counted: Method,
) -> bool:
    """Whether most of what failed is explained, and not just beyond the range of the format."""
    found = _judged(method, failing[:WITNESSES], theta=theta, counted=counted)
    explained = [j.explained(working[j.strand.dtype]) for j in found.values()]
    return 2 * sum(explained) > len(explained)


def _judged(method: Method, found: Sequence[Judgement], **more: Any) -> dict[Place, Judgement]:
    """How the method judges, by floats, what others did: by its place."""
    last: dict[Strand, int] = {}
    for j in found:
        last[j.strand] = max(last.get(j.strand, 0), j.prediction.observation.t)
    asked = (strand.until(t) for strand, t in last.items())
    judged = {_place(j): j for j in judgements(method, asked, WILD, **more)}
    return {place: judged[place] for j in found if (place := _place(j)) in judged}


def _place(j: Judgement) -> Place:
    """Run, parameter and t."""
    return j.strand.run, j.strand.parameter, j.prediction.observation.t


def _rank(j: Judgement) -> int:
    return j.strand.run.params[j.strand.parameter].ndim


def _spread(found: Sequence[Judgement]) -> list[Judgement]:
    """A few judgements of different ranks and scenarios, the smallest of each."""
    kinds: dict[tuple[int, str], Judgement] = {}
    for j in found:
        kinds.setdefault((_rank(j), j.strand.run.scenario), j)
    return list(kinds.values())[:WITNESSES]


def _relative(j: Judgement) -> float:
    """How large the error is beside the step, at the worst entry with a value: what tells most."""
    with np.errstate(all="ignore"):
        return float(np.max(np.nan_to_num(j.error / j.prediction.move, nan=0.0, posinf=0.0)))


def _thetas(
    edit: Edit, method: Method, telling: Iterable[Judgement], steps: Counter[Edit]
) -> Iterator[float]:
    """Values of the unknown constant that explain the worst entry of an observation.

    The steps evaluated are added to those of the edit.
    """
    known: list[float] = []
    for j in telling:
        miss = _miss(edit, method, j, steps)
        grid = GRID if j.prediction.observation.t <= EARLY else COARSE
        for theta in _roots(miss, edit.start or 1e-2, grid):
            if not any(math.isclose(theta, other, rel_tol=1e-12) for other in known):
                known.append(theta)
                yield theta


def _miss(
    edit: Edit, method: Method, j: Judgement, steps: Counter[Edit]
) -> Callable[[float], float]:
    """X_new of the edit minus X found, at the entry that is worst for the paper."""
    t = j.prediction.observation.t
    strand = j.strand.until(t)
    with np.errstate(all="ignore"):
        worst = np.nan_to_num(j.error / j.prediction.move, nan=0.0, posinf=0.0)
    index = np.unravel_index(np.argmax(worst), j.error.shape)

    def tell() -> None:
        steps[edit] += 1

    def miss(theta: float) -> float:
        for p in predictions(edit.method, strand, WILD, theta, method, tell):
            if p.observation.t == t and p.observation.after is not None:
                return float(p.X_new[index] - np.float64(p.observation.after[index]))
        return math.nan

    return miss


def _roots(
    f: Callable[[float], float], start: float, grid: Sequence[float] = GRID
) -> Iterator[float]:
    """Zeros of f, one for every change of sign between neighbours of the grid."""
    if f(start * grid[0]) == f(start) == f(start * grid[-1]):
        return  # it does not matter here
    points = sorted(start * factor for factor in grid)
    values = [f(x) for x in points]
    for (a, fa), (b, fb) in itertools.pairwise(zip(points, values, strict=True)):
        if fa == 0:
            yield a
        elif fa * fb < 0:
            yield _zero(f, a, b, fa, fb)


def _zero(f: Callable[[float], float], a: float, b: float, fa: float, fb: float) -> float:
    """A zero of f between a and b, to the last double or nearly: Illinois, else by halves."""
    for number in range(80):
        x = b - fb * (b - a) / (fb - fa)
        if number % 4 == 3 or not min(a, b) < x < max(a, b):
            x = math.copysign(math.sqrt(a * b), a) if a * b > 0 else (a + b) / 2
        if x in (a, b):
            break
        fx = f(x)
        if fx == 0:
            return x
        if (fx < 0) == (fb < 0):
            fa /= 2
        else:
            a, fa = b, fb
        b, fb = x, fx
    return b
