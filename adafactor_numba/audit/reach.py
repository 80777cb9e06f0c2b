"""The range of |G| on which an implementation computes the paper's rule: both ends, bisected."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from derivations.method import Method

from .judgement import Judgement, is_in_order, judgements
from .strand import strands
from .subject import CannotRunError, Run, Trace

SHAPES = ((3,), (2, 3))
PROBES = 8


@dataclass(frozen=True)
class Reach:
    """Between which |G| the method explains all, and a step beyond that the format does not excuse.

    Rounding excuses neither a wrong number nor a bound: only what has no number, or whose own
    quantities leave the exponents of the format in which the work is done, is out of range.
    """

    method: Method
    least: float
    greatest: float
    beyond: Judgement | None


def reach(
    method: Method, dtype: str, working: str, possible: Sequence[str], ask: Callable[[Run], Trace]
) -> Reach | None:
    """How far |G| may go from 1, either way, as judged by the format `working`.

    Gradients run from 2^(k-1) to 2^(k+1); None if even k = 0 is not explained, or if a run is
    lost, as then nothing is known of those after it.  `possible` are the formats that may excuse
    what is beyond.
    """
    limits = np.finfo(dtype)
    ends = (
        int(np.log2(float(limits.smallest_subnormal))) + 1,
        int(np.log2(float(limits.max))) - 1,
    )

    def good(k: int) -> bool:
        return all(j is not None and j.explained(working) for j in _judged(method, dtype, k, ask))

    try:
        if not good(0):
            return None
        low, high = (_furthest(good, end) for end in ends)
        outside = (k + np.sign(end) for k, end in zip((low, high), ends, strict=True) if k != end)
        found = [j for k in outside for j in _judged(method, dtype, int(k), ask) if j is not None]
    except CannotRunError:
        return None
    beyond = next((j for j in found if _is_wrong(j, possible)), None)
    return Reach(method, 2.0 ** (low - 1), 2.0 ** (high + 1), beyond)


def _is_wrong(j: Judgement, possible: Sequence[str]) -> bool:
    """Whether it is a number, not the paper's, and one that every format has."""
    after = j.prediction.observation.after
    return bool(np.all(np.isfinite(np.asarray(after)))) and not any(
        is_in_order(j, format_) for format_ in possible
    )


def _furthest(good: Callable[[int], bool], end: int) -> int:
    """The k furthest from 0, on the way to `end`, up to which `good` holds; it holds at 0.

    A few are asked on the way, as it may hold again where nothing is left of a step.
    """
    inside, outside = 0, end
    for k in (end * share // PROBES for share in range(1, PROBES + 1)):
        if not good(k):
            outside = k
            break
        inside = k
    while abs(outside - inside) > 1:
        middle = (inside + outside) // 2
        inside, outside = (middle, outside) if good(middle) else (inside, middle)
    return inside


def _judged(
    method: Method, dtype: str, k: int, ask: Callable[[Run], Trace]
) -> Iterator[Judgement | None]:
    """Two steps from X = 0, the second so much smaller that it is not clipped; None: an error."""
    for shape in SHAPES:
        size = int(np.prod(shape))
        factors = np.resize([1.0, -2.0, 2.0, -1.0, 1.0], size).reshape(shape)
        with np.errstate(all="ignore"):
            sizes = (np.ldexp(factors, k), np.ldexp(factors[..., ::-1], k - 1))
            gradients = [size.astype(dtype) for size in sizes]
        run = Run("range", (np.zeros(shape, dtype),), tuple((g,) for g in gradients))
        trace = ask(run)
        if trace.lost:
            raise CannotRunError(trace.error)
        try:
            yield from judgements(method, strands(run, trace))
        except ArithmeticError:
            yield None
        if trace.error:
            yield None
