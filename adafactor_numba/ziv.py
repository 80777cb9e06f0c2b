"""Ziv's test: an entry of X_new is decided where all that it may be rounds to the same number.

It may be whatever lies within a counted bound of what was computed, in doubles or in pairs.
"""

import math
from typing import Any

import numpy as np
from numba.extending import overload

from .compiler import inlined
from .doubledouble import U, multiply, times, two_sum
from .half import NEAREST
from .loops import Floats, Integers, Stored, height, loop
from .singles import Singles, in_singles
from .storage import put, room, rows

WIDE = 2**13  # entries of a row that are moved together: so many of float32 are mostly decided
PIECE = 2**9  # those that are moved anew, where one is not
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


def _ends(x: float, g: float, f: float, c: float, bound: float) -> tuple[float, float]:
    """The ends of x - f c g, in doubles; f c g is within `bound`, which is 3 roundings at least."""
    move = f * c * np.float64(g)
    y = np.float64(x) - move
    e = bound * (abs(move) + abs(y))
    return y - e, y + e


ends = inlined(_ends)


def _in_doubles(x: Stored, g: Stored, f: float, c: Floats, bound: float, old: Stored) -> bool:
    """Move x (m,) by f c g; what it was goes to old.  Whether an entry is undecided."""
    number, undecided = x.dtype.type, False
    for j in range(x.shape[0]):
        a, b = ends(x[j], g[j], f, c[j], bound)
        low, high = number(a), number(b)
        old[j] = x[j]
        x[j] = low + number(0)
        undecided |= low != high
    return undecided


in_doubles = loop(_in_doubles)


def _in_pairs(
    x: Stored,
    g: Stored,
    f: tuple[float, float],
    c_0: Floats,
    c_1: Floats,
    bound: float,
    tiny: float,
    old: Stored,
) -> bool:
    """Move x (m,) by f c g; what it was goes to old.  Whether an entry is undecided."""
    number, undecided = x.dtype.type, False
    for j in range(x.shape[0]):
        h, a, b = entry(np.float64(x[j]), np.float64(g[j]), f, (c_0[j], c_1[j]), bound, tiny)
        low, high = number(rounded(h, a, x)), number(rounded(h, b, x))
        old[j] = x[j]
        x[j] = low + number(0)
        undecided |= low != high
    return undecided


in_pairs = loop(_in_pairs)


def _cheaply(
    x: Stored,
    g: Stored,
    f: tuple[float, float],
    c_0: Floats,
    c_1: Floats,
    bounds: Floats,
    old: Stored,
) -> bool:
    """The same, but of float32 in doubles."""
    if x.itemsize < 8:
        return in_doubles(x, g, f[0], c_0, bounds[1], old)
    return in_pairs(x, g, f, c_0, c_1, bounds[2], bounds[3], old)


cheaply = loop(_cheaply)


def both_in_singles(
    x: Stored,
    y: Stored,
    g: Stored,
    h: Stored,
    f: tuple[float, float],
    e: tuple[float, float],
    c_0: Singles,
    c_1: Singles,
    bound: float,
    old: Stored,
) -> bool:
    """Move two rows of float32 as `in_singles` does; those of doubles stay as they are."""
    if x.itemsize == 8:
        return True
    return bool(in_singles(x, y, g, h, f, e, c_0, c_1, np.float32(bound), old))


@overload(both_in_singles, strict=False)
def _both_in_singles(
    x: Any, y: Any, g: Any, h: Any, f: Any, e: Any, c_0: Any, c_1: Any, bound: Any, old: Any
) -> Any:
    if x.dtype.bitwidth == 64:
        return lambda x, y, g, h, f, e, c_0, c_1, bound, old: True
    return lambda x, y, g, h, f, e, c_0, c_1, bound, old: in_singles(
        x, y, g, h, f, e, c_0, c_1, np.float32(bound), old
    )


def _retried(
    x: Stored,
    g: Stored,
    f: tuple[float, float],
    c_0: Floats,
    c_1: Floats,
    bounds: Floats,
    old: Stored,
    at: int,
    found: Integers,
) -> tuple[int, int]:
    """Move what was old and became x (m,) anew, and by pairs what was undecided.

    What pairs leave undecided stays as it was, and its position, counted from `at`, is written to
    found (m,): how many these are, and how many entries pairs decided.
    """
    count, decided = 0, 0
    for k in range(x.shape[0]):
        own = slice(k, k + 1)
        x[k] = old[k]
        if cheaply(x[own], g[own], f, c_0[own], c_1[own], bounds, old[own]):
            x[k] = old[k]
            if in_pairs(x[own], g[own], f, c_0[own], c_1[own], bounds[2], bounds[3], old[own]):
                x[k], found[count] = old[k], at + k
                count += 1
            else:
                decided += 1
    return count, decided


retried = loop(_retried)


def _move_row(
    x: Stored,
    g: Stored,
    f: tuple[float, float],
    c_0: Floats,
    c_1: Floats,
    bounds: Floats,
    old: Stored,
    at: int,
    found: Integers,
) -> tuple[int, int]:
    """Move x (m,), piece by piece, in doubles or in pairs, and return what `retried` does."""
    count, decided = 0, 0
    for start in range(0, x.shape[0], PIECE):
        part = slice(start, start + PIECE)
        given = x[part], g[part], f, c_0[part], c_1[part], bounds, old[part]
        if cheaply(*given):
            more, sure = retried(*given, at + start, found[count:])
            count, decided = count + more, decided + sure
    return count, decided


move_row = loop(_move_row)


def _descend(
    X: Stored,
    G: Stored,
    f: Floats,
    c: Floats,
    f32: Singles,
    c32: Singles,
    bounds: Floats,
    first: int,
    last: int,
    found: Integers,
) -> tuple[int, int, int]:
    """Move the blocks of X (p, n, m) from first to last by f c G; f (2, p, n), c (2, p, m).

    These are pairs of doubles, and of float32 besides.  `bounds` are those of f c G in pairs of
    float32, in doubles, in pairs, and a tiny one.  The positions in X of what remains undecided,
    and stays as it is, are written to `found`.  The last block, which was read last and is still
    near, is the first to be moved; where `found` may not have room for another, this ends.  How
    many blocks from the first on are left, how many entries are undecided, and how many pairs
    decided after doubles.
    """
    _, n, m = X.shape
    most, wide = min(n, height(m)), min(m, WIDE)
    each = -(-n // most)
    spare, spare_G, old = room(X[0], most), room(G[0], most), np.empty((2, wide), X.dtype)
    count, decided, again = 0, 0, np.empty(most, np.bool_)
    for q in range(last - 1, first - 1, -1):
        if found.shape[0] - count < most * m:
            return q + 1 - first, count, decided
        b, start = q // each, q % each * most
        block = rows(X[b], start, min(most, n - start), spare)
        gradient = rows(G[b], start, min(most, n - start), spare_G)
        left, right = f[0, b, start:], f[1, b, start:]
        high, low = f32[0, b, start:], f32[1, b, start:]
        half = block.shape[0] // 2 if bounds[0] < math.inf else 0
        for j in range(0, m, wide):
            part, at = slice(j, j + wide), (b * n + start) * m + j
            c_0, c_1, d_0, d_1 = c[0, b, part], c[1, b, part], c32[0, b, part], c32[1, b, part]
            again[:] = True
            for i in range(half):
                k = half + i
                x, y, g, h = block[i, part], block[k, part], gradient[i, part], gradient[k, part]
                two = (high[i], low[i]), (high[k], low[k])
                again[i] = again[k] = both_in_singles(
                    x, y, g, h, two[0], two[1], d_0, d_1, bounds[0], old
                )
            for r in range(block.shape[0]):
                if again[r]:
                    x, g, own = block[r, part], gradient[r, part], (left[r], right[r])
                    more, sure = move_row(
                        x, g, own, c_0, c_1, bounds, old[0], at + r * m, found[count:]
                    )
                    count, decided = count + more, decided + sure
        put(X[b], start, block, NEAREST)
    return 0, count, decided


descend = loop(_descend)


def _again(
    X: Stored,
    G: Stored,
    f: Floats,
    c: Floats,
    bounds: Floats,
    which: Integers,
) -> Integers:
    """Move those entries of X (p, n, m) by f c G, in pairs; the positions that stay undecided."""
    _, n, m = X.shape
    x, g, old = np.empty(1, X.dtype), np.empty(1, X.dtype), np.empty(1, X.dtype)
    found, count = np.empty_like(which), 0
    for at in which:
        b, i, j = at // (n * m), at // m % n, at % m
        x[0], g[0] = X[b, i, j], G[b, i, j]
        pair = (f[0, b, i], f[1, b, i])
        c_0, c_1 = c[0, b, j : j + 1], c[1, b, j : j + 1]
        if in_pairs(x, g, pair, c_0, c_1, bounds[2], bounds[3], old):
            found[count] = at
            count += 1
        else:
            X[b, i, j] = x[0]
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


def _settled(a: Floats, bound: float, nearest: Floats) -> Integers:
    """Write the pairs a (2, n), rounded, to nearest (n,); the positions of the undecided."""
    other = np.empty_like(nearest)
    undecided = round_pairs(a[0], a[1], bound, nearest, other)
    found, count = np.empty(undecided, np.int64), 0
    if undecided > 0:
        for k in range(other.shape[0]):
            if nearest[k] != other[k]:
                found[count] = k
                count += 1
    return found


settled = loop(_settled)
