"""The passes of a strict step over a vector: all threads at once, each from one of `cuts` on."""

import numpy as np
from numba import prange

from . import vectorpairs
from .accumulator import Long, add_strips
from .doubledouble import Pair, add
from .loops import Floats, Integers, Stored, loop, together
from .passes import borrowed
from .vectorpairs import Renewal


def _read_share(X: Stored, G: Stored, largest: float, total: Long, first: int, last: int) -> bool:
    """Add the squares of X (n,) from first to last to the total; whether these and G are taken."""
    taken = add_strips(total, X[first:last].reshape(1, 1, -1), 0, 1)
    return bool(taken and vectorpairs.fits(G[first:last], largest))


read_share = loop(_read_share)


def _read(X: Stored, G: Stored, largest: float, totals: Long, cuts: Integers) -> bool:
    """The same of all of X, in totals (threads, LIMBS)."""
    taken = np.empty(cuts.shape[0] - 1, np.int64)
    for k in prange(cuts.shape[0] - 1):
        taken[k] = read_share(X, G, largest, totals[k], cuts[k], cuts[k + 1])
    return bool(taken.min() == 1)


read = together(_read)


def _measure(G: Stored, of: Renewal, pairs: bool, cuts: Integers) -> Pair:
    """The sum of G^2 / V."""
    parts = np.empty((cuts.shape[0] - 1, 2))
    for k in prange(cuts.shape[0] - 1):
        x, y = vectorpairs.measure(borrowed(G), of, pairs, cuts[k], cuts[k + 1])
        parts[k, 0], parts[k, 1] = x, y
    x, y = 0.0, 0.0
    for k in range(parts.shape[0]):
        x, y = add(x, y, parts[k, 0], parts[k, 1])
    return x, y


measure = together(_measure)


def _settle(
    G: Stored, of: Renewal, bound: float, new: Floats, found: Integers, cuts: Integers
) -> Integers:
    """Write V, rounded, to new (n,); how many entries each thread found undecided."""
    counts = np.empty(cuts.shape[0] - 1, np.int64)
    for k in prange(cuts.shape[0] - 1):
        counts[k] = vectorpairs.settle(borrowed(G), of, bound, new, found, cuts[k], cuts[k + 1])
    return counts


settle = together(_settle)


def _descend(
    X: Stored,
    G: Stored,
    of: Renewal,
    V: Floats,
    f: Floats,
    bounds: Floats,
    found: Integers,
    cuts: Integers,
) -> Integers:
    """Move X, by f (2,); how many entries each thread left, and how many pairs decided."""
    counts = np.empty((2, cuts.shape[0] - 1), np.int64)
    for k in prange(cuts.shape[0] - 1):
        counts[0, k], counts[1, k] = vectorpairs.descend(
            borrowed(X), borrowed(G), of, V, (f[0], f[1]), bounds, found, cuts[k], cuts[k + 1]
        )
    return counts


descend = together(_descend)
