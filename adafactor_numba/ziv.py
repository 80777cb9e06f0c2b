"""Ziv's test: an entry of X_new is decided where all that it may be rounds to the same number.

It may be whatever lies within a counted bound of what was computed, in doubles or in pairs.
"""

import math
from typing import Any, TypeAlias

import numpy as np
from numba.extending import overload
from numpy.typing import NDArray

from .doubledouble import U, multiply, times, two_sum
from .half import NEAREST
from .loops import WIDTH, Floats, Stored, height, loop, strip
from .storage import put, room, rows

Indices: TypeAlias = NDArray[np.int64]

TINY = 2.0**-890  # more than a product of pairs below 2^-900 can be off by


def rounded(x: float, y: float, like: Any) -> float:
    """x + y such that to store it in the type of `like` rounds once: to odd, if that is narrower.

    S. Boldo, G. Melquiond, IEEE Trans. Comput. 57(4), 2008: two more bits are enough.
    """
    if like.dtype.itemsize == 8:
        return x + y
    return to_odd(x, y)


@overload(rounded, strict=False, inline="always")
def _rounded(x: Any, y: Any, like: Any) -> Any:
    if like.dtype.bitwidth == 64:
        return lambda x, y, like: x + y
    return lambda x, y, like: to_odd(x, y)


def _to_odd(x: float, y: float) -> float:
    """x + y if that is a double, else of its two neighbours the one whose last bit is odd."""
    x, y = two_sum(x, y)
    if y != 0.0 and np.float64(x).view(np.int64) & 1 == 0:
        x = math.nextafter(x, math.inf if y > 0.0 else -math.inf)
    return x


to_odd = loop(_to_odd)


def _entry(
    x: float, g: float, f: tuple[float, float], c: tuple[float, float], bound: float, tiny: float
) -> tuple[float, float, float]:
    """Such h, low, high that x - f c g is from h + low to h + high; f c g is within `bound`."""
    p, q = multiply(f[0], f[1], c[0], c[1])
    p, q = times(p, q, g)
    h, l = two_sum(x, -p)
    l -= q
    e = bound * abs(p) + 4.0 * U * abs(l)
    if g != 0.0:
        e += tiny
    return h, l - e, l + e


entry = loop(_entry)


def _in_doubles(
    X: Stored, G: Stored, f: float, c: Floats, bound: float, low: Stored, high: Stored
) -> int:
    """Write the ends of X - f c G (m,), rounded; how many of them differ, or are no numbers."""
    undecided = 0
    for j in range(X.shape[0]):
        x = np.float64(X[j])
        s = f * c[j] * np.float64(G[j])
        y = x - s
        e = bound * abs(s) + 2.0 * U * (1.0 + 2.0**-20) * abs(y)
        low[j], high[j] = y - e, y + e
        undecided += low[j] != high[j]
    return undecided


in_doubles = loop(_in_doubles)


def _in_pairs(
    X: Stored,
    G: Stored,
    f: tuple[float, float],
    c_0: Floats,
    c_1: Floats,
    bound: float,
    tiny: float,
    low: Stored,
    high: Stored,
) -> int:
    """Write the ends of X - f c G (m,), rounded once; how many differ, or are no numbers."""
    undecided = 0
    for j in range(X.shape[0]):
        x, g = np.float64(X[j]), np.float64(G[j])
        h, a, b = entry(x, g, f, (c_0[j], c_1[j]), bound, tiny)
        low[j], high[j] = rounded(h, a, low), rounded(h, b, high)
        undecided += low[j] != high[j]
    return undecided


in_pairs = loop(_in_pairs)


def _retried(
    x: Stored,
    g: Stored,
    f: tuple[float, float],
    c_0: Floats,
    c_1: Floats,
    bound: float,
    tiny: float,
    low: Stored,
    high: Stored,
) -> int:
    """Write the ends of the entries that doubles left undecided anew; how many pairs decide."""
    decided = 0
    for j in range(x.shape[0]):
        if low[j] != high[j]:
            one = slice(j, j + 1)
            decided += 1 - in_pairs(
                x[one], g[one], f, c_0[one], c_1[one], bound, tiny, low[one], high[one]
            )
    return decided


retried = loop(_retried)


def _appended(found: Indices, count: int, k: int) -> Indices:
    """`found`, of which the first count are used, with k put next, and with more room if needed."""
    if count == found.shape[0]:
        more = np.empty(2 * count + 64, np.int64)
        more[:count] = found
        found = more
    found[count] = k
    return found


appended = loop(_appended)


def _descend(
    X: Stored,
    G: Stored,
    f: Floats,
    c: Floats,
    bounds: tuple[float, float, float],
    first: int,
    last: int,
) -> tuple[Indices, int]:
    """Move the strips of X (p, n, m) from first to last by f c G; f (2, p, n), c (2, p, m).

    `bounds` are those of f c G in doubles, in pairs, and a tiny one.  The positions in X of what
    remains undecided, which stays as it is, and how many entries pairs decided.
    """
    _, n, m = X.shape
    in_doubles_bound, bound, tiny = bounds
    each = -(-n // strip(n, m))
    most, wide = min(n, height(m)), min(m, WIDTH)
    spare, spare_G = room(X[0], most), room(G[0], most)
    low, high = np.empty(wide, X.dtype), np.empty(wide, X.dtype)
    zero = X.dtype.type(0)
    found, count, decided = np.empty(0, np.int64), 0, 0
    for s in range(first, last):
        b, top = s // each, s % each * strip(n, m)
        stop = min(n, top + strip(n, m))
        for start in range(top, stop, most):
            block = rows(X[b], start, min(most, stop - start), spare)
            gradient = rows(G[b], start, min(most, stop - start), spare_G)
            for i in range(block.shape[0]):
                pair = (f[0, b, start + i], f[1, b, start + i])
                for j in range(0, m, wide):
                    x, g = block[i, j : j + wide], gradient[i, j : j + wide]
                    c_0, c_1 = c[0, b, j : j + wide], c[1, b, j : j + wide]
                    if X.itemsize == 8:
                        left = in_pairs(x, g, pair, c_0, c_1, bound, tiny, low, high)
                        decided += x.shape[0] - left
                    else:
                        left = in_doubles(x, g, pair[0], c_0, in_doubles_bound, low, high)
                    if left > 0:
                        if X.itemsize < 8:
                            decided += retried(x, g, pair, c_0, c_1, bound, tiny, low, high)
                        for k in range(x.shape[0]):
                            if low[k] != high[k]:
                                at = (b * n + start + i) * m + j + k
                                found = appended(found, count, at)
                                count, low[k] = count + 1, x[k]
                    for k in range(x.shape[0]):
                        x[k] = low[k] + zero
            put(X[b], start, block, NEAREST)
    return found[:count], decided


descend = loop(_descend)


def _again(
    X: Stored,
    G: Stored,
    f: Floats,
    c: Floats,
    bounds: tuple[float, float, float],
    which: Indices,
) -> Indices:
    """Move those entries of X (p, n, m) by f c G, in pairs; the positions that stay undecided."""
    _, n, m = X.shape
    low, high = np.empty(1, X.dtype), np.empty(1, X.dtype)
    x, g = np.empty(1, X.dtype), np.empty(1, X.dtype)
    found, count = np.empty(0, np.int64), 0
    for at in which:
        b, i, j = at // (n * m), at // m % n, at % m
        x[0], g[0] = X[b, i, j], G[b, i, j]
        pair = (f[0, b, i], f[1, b, i])
        c_0, c_1 = c[0, b, j : j + 1], c[1, b, j : j + 1]
        if in_pairs(x, g, pair, c_0, c_1, bounds[1], bounds[2], low, high) == 0:
            X[b, i, j] = low[0] + X.dtype.type(0)
        else:
            found = appended(found, count, at)
            count += 1
    return found[:count]


again = loop(_again)


def _round_pairs(high: Floats, low: Floats, bound: float, nearest: Floats, other: Floats) -> int:
    """Write the ends of the pairs (n,), rounded; how many differ, or are no numbers."""
    undecided = 0
    for k in range(high.shape[0]):
        e = bound * high[k] + 4.0 * U * abs(low[k])
        nearest[k], other[k] = high[k] + (low[k] - e), high[k] + (low[k] + e)
        undecided += nearest[k] != other[k]
    return undecided


round_pairs = loop(_round_pairs)


def _settled(a: Floats, bound: float, nearest: Floats) -> Indices:
    """Write the pairs a (2, n), rounded, to nearest (n,); the positions of the undecided."""
    other = np.empty_like(nearest)
    found, count = np.empty(0, np.int64), 0
    if round_pairs(a[0], a[1], bound, nearest, other) > 0:
        for k in range(other.shape[0]):
            if nearest[k] != other[k]:
                found = appended(found, count, k)
                count += 1
    return found[:count]


settled = loop(_settled)
