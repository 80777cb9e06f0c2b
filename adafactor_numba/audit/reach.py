"""The range of |G| on which an implementation computes the paper's rule: both ends, bisected."""

from collections.abc import Callable

import numpy as np

from derivations.method import ADAFACTOR

from .judgement import judgements
from .strand import strands
from .subject import CannotRunError, Run, Trace

SHAPES = ((3,), (2, 3))


def reach(dtype: str, working: str, ask: Callable[[Run], Trace]) -> dict[str, float] | None:
    """The least and greatest |G| between which all is explained, as `smallest_G`, `largest_G`.

    Gradients run from 2^(k-1) to 2^(k+1); None if even k = 0 is not explained, or if a run is
    lost, as then nothing is known of those after it.
    """
    limits = np.finfo(dtype)
    low = int(np.log2(float(limits.smallest_subnormal))) + 1
    high = int(np.log2(float(limits.max))) - 1

    def good(k: int) -> bool:
        return _explained(dtype, working, k, ask)

    try:
        if not good(0):
            return None
        ends = _furthest(good, low), _furthest(good, high)
    except CannotRunError:
        return None
    return {"smallest_G": 2.0 ** (ends[0] - 1), "largest_G": 2.0 ** (ends[1] + 1)}


def _furthest(good: Callable[[int], bool], end: int) -> int:
    """The k furthest from 0, on the way to `end`, up to which `good` holds; it holds at 0."""
    if good(end):
        return end
    inside, outside = 0, end
    while abs(outside - inside) > 1:
        middle = (inside + outside) // 2
        inside, outside = (middle, outside) if good(middle) else (inside, middle)
    return inside


def _explained(dtype: str, working: str, k: int, ask: Callable[[Run], Trace]) -> bool:
    """Two steps from X = 0, the second so much smaller that it is not clipped."""
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
        if trace.error:
            return False
        try:
            if not all(j.explained(working) for j in judgements(ADAFACTOR, strands(run, trace))):
                return False
        except ArithmeticError:
            return False
    return True
