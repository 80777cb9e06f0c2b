"""The sums of a step, each a pair of doubles far closer to its value than a double is.

A sum is kept in two: the doubles, and by itself what each addition loses; after k additions of
numbers that are not negative it is within `compensated(k)`, as `bounds` says.  All arrays of pairs
have an axis of two in front.
"""

from typing import Any

import numpy as np
from numba.extending import overload

from .doubledouble import (
    add,
    divide,
    fast_two_sum,
    multiply,
    root,
    times,
    two_product,
    two_sum,
)
from .loops import LANES, ROWS, Floats, Stored, height, loop, panel, strip
from .storage import room, rows


def square(x: float) -> tuple[float, float]:
    """x^2, exactly."""
    return two_product(np.float64(x), np.float64(x))


@overload(square, strict=False, inline="always")
def _square(x: Any) -> Any:
    if x.bitwidth < 64:  # its square is a double; to add -0.0 is to add nothing
        return lambda x: (np.float64(x) * np.float64(x), -0.0)
    return lambda x: two_product(x, x)


def _squares(A: Stored, sums: Floats, high: Floats, low: Floats, lanes: Floats) -> None:
    """Write the sums of squares of A (4, m) to sums (2, 4), and add them to high + low (m,)."""
    m = A.shape[1]
    whole = m // LANES
    most = ROWS * LANES
    if whole > 0:
        lanes[:] = 0.0
    for block in range(whole):
        for k in range(LANES):
            j = block * LANES + k
            h, l = high[j], low[j]
            for i in range(ROWS):
                x, y = square(A[i, j])
                lanes[i * LANES + k], e = two_sum(lanes[i * LANES + k], x)
                lanes[most + i * LANES + k] += e + y
                h, e = two_sum(h, x)
                l += e + y
            high[j], low[j] = h, l
    for i in range(ROWS):
        sums[0, i], sums[1, i] = 0.0, 0.0
        if whole > 0:
            own, lost = slice(i * LANES, (i + 1) * LANES), most + i * LANES
            sums[0, i], sums[1, i] = halved(lanes[own], lanes[lost : lost + LANES])
        for j in range(whole * LANES, m):
            x, y = square(A[i, j])
            sums[0, i], sums[1, i] = add(sums[0, i], sums[1, i], x, y)
            high[j], e = two_sum(high[j], x)
            low[j] += e + y


def _halved(high: Floats, low: Floats) -> tuple[float, float]:
    """The sum of LANES partial sums, halved until one is left."""
    for k in range(LANES):
        high[k], low[k] = fast_two_sum(high[k], low[k])
    half = LANES // 2
    while half > 0:
        for k in range(half):
            high[k], low[k] = add(high[k], low[k], high[half + k], low[half + k])
        half //= 2
    return high[0], low[0]


halved = loop(_halved)
squares = loop(_squares)


def _observe(G: Stored, row_sums: Floats, parts: Floats, first: int, last: int) -> None:
    """Write the sums of squares of the strips of G (p, n, m) from first to last.

    By rows to row_sums (2, p, n), by columns to parts (2, strips, m), strip by strip.
    """
    _, n, m = G.shape
    each = -(-n // strip(n, m))
    lanes, four = np.empty(2 * ROWS * LANES), np.empty((2, ROWS))
    most = min(n, height(m))
    spare, end = room(G[0], most), np.empty((ROWS, m), G.dtype)
    for s in range(first, last):
        b, start = s // each, s % each * strip(n, m)
        stop = min(n, start + strip(n, m))
        parts[:, s] = 0.0
        for i in range(start, stop, most):
            block = rows(G[b], i, min(most, stop - i), spare)
            for k in range(0, block.shape[0], ROWS):
                squares(panel(block, k, end), four, parts[0, s], parts[1, s], lanes)
                own = min(ROWS, block.shape[0] - k)
                row_sums[:, b, i + k : i + k + own] = four[:, :own]


observe = loop(_observe)


def _gather(parts: Floats, columns: Floats) -> None:
    """Write the sums (2, p, m) over the strips of each of p matrices, in their order."""
    each = parts.shape[1] // columns.shape[1]
    for b in range(columns.shape[1]):
        columns[:, b] = 0.0
        for s in range(b * each, (b + 1) * each):
            for j in range(columns.shape[2]):
                x, y = fast_two_sum(parts[0, s, j], parts[1, s, j])
                columns[0, b, j], columns[1, b, j] = add(columns[0, b, j], columns[1, b, j], x, y)


gather = loop(_gather)


def _update(
    old: Floats,
    sums: Floats,
    terms: int,
    w: tuple[float, float],
    beta_2: tuple[float, float],
    epsilon_1: float,
) -> None:
    """Turn sums (2, p, n) into beta_2 old + w (sums + terms epsilon_1), old (p, n).  Steps R, C."""
    x, y = two_product(np.float64(terms), epsilon_1)
    for b in range(old.shape[0]):
        for i in range(old.shape[1]):
            h, l = add(sums[0, b, i], sums[1, b, i], x, y)
            h, l = multiply(h, l, w[0], w[1])
            f, g = times(beta_2[0], beta_2[1], old[b, i])
            sums[0, b, i], sums[1, b, i] = add(h, l, f, g)


update = loop(_update)


def _sum_of_pairs(a: Floats) -> tuple[float, float]:
    """The sum of a (2, n), one after the other."""
    x, y = 0.0, 0.0
    for i in range(a.shape[1]):
        x, y = add(x, y, a[0, i], a[1, i])
    return x, y


sum_of_pairs = loop(_sum_of_pairs)


def _quotients(R: Floats, C: Floats, factored: bool) -> None:
    """Turn R (2, p, n), C (2, p, m) into S / R and 1 / C, so that U^2 is their product with G^2.

    S is the mean of sum R and sum C.  A vector is a row whose R is S.
    """
    for b in range(R.shape[1]):
        x, y = sum_of_pairs(R[:, b])
        z, t = sum_of_pairs(C[:, b])
        x, y = add(x, y, z, t)
        for i in range(R.shape[2]):
            h, l = 1.0, 0.0
            if factored:
                h, l = divide(0.5 * x, 0.5 * y, R[0, b, i], R[1, b, i])
            R[0, b, i], R[1, b, i] = h, l
        for j in range(C.shape[2]):
            C[0, b, j], C[1, b, j] = divide(1.0, 0.0, C[0, b, j], C[1, b, j])


quotients = loop(_quotients)


def _add_weighted(A: Stored, f: Floats, high: Floats, low: Floats) -> None:
    """Add sum_i f_i A_ij^2 of the four rows of A (4, m) to high + low (m,), to 3 roundings."""
    f_0, f_1, f_2, f_3 = f[0, 0], f[0, 1], f[0, 2], f[0, 3]
    for j in range(high.shape[0]):
        a, b = np.float64(A[0, j]), np.float64(A[1, j])
        c, d = np.float64(A[2, j]), np.float64(A[3, j])
        x = (a * a * f_0 + b * b * f_1) + (c * c * f_2 + d * d * f_3)
        high[j], e = two_sum(high[j], x)
        low[j] += e


add_weighted = loop(_add_weighted)


def _add_weighted_pairs(A: Stored, f: Floats, high: Floats, low: Floats) -> None:
    """Add sum_i f_i A_ij^2 of the four rows of A (4, m), f (2, 4), to high + low (m,)."""
    for i in range(ROWS):
        f_0, f_1 = f[0, i], f[1, i]
        for j in range(high.shape[0]):
            x, y = square(A[i, j])
            x, y = multiply(x, y, f_0, f_1)
            high[j], e = two_sum(high[j], x)
            low[j] += e + y


add_weighted_pairs = loop(_add_weighted_pairs)


def _measure(G: Stored, f: Floats, parts: Floats, pairs: bool, first: int, last: int) -> None:
    """Write sum_i f_i G_ij^2 of the strips of G (p, n, m) from first to last, f (2, p, n)."""
    _, n, m = G.shape
    each = -(-n // strip(n, m))
    most = min(n, height(m))
    four = np.zeros((2, ROWS))
    spare, end = room(G[0], most), np.empty((ROWS, m), G.dtype)
    for s in range(first, last):
        b, start = s // each, s % each * strip(n, m)
        stop = min(n, start + strip(n, m))
        parts[:, s] = 0.0
        for i in range(start, stop, most):
            block = rows(G[b], i, min(most, stop - i), spare)
            for k in range(0, block.shape[0], ROWS):
                own = min(ROWS, block.shape[0] - k)
                four[:, :own] = f[:, b, i + k : i + k + own]
                if pairs:
                    add_weighted_pairs(panel(block, k, end), four, parts[0, s], parts[1, s])
                else:
                    add_weighted(panel(block, k, end), four, parts[0, s], parts[1, s])


measure = loop(_measure)


def _sum_of_products(a: Floats, c: Floats) -> tuple[float, float]:
    """sum a c of a, c (2, p, m)."""
    x, y = 0.0, 0.0
    for b in range(a.shape[1]):
        for j in range(a.shape[2]):
            h, l = multiply(a[0, b, j], a[1, b, j], c[0, b, j], c[1, b, j])
            x, y = add(x, y, h, l)
    return x, y


sum_of_products = loop(_sum_of_products)


def _roots(a: Floats, factor: tuple[float, float]) -> Floats:
    """The roots of a (2, p, n), times a factor."""
    roots = np.empty_like(a)
    for b in range(a.shape[1]):
        for i in range(a.shape[2]):
            h, l = root(a[0, b, i], a[1, b, i])
            roots[0, b, i], roots[1, b, i] = multiply(h, l, factor[0], factor[1])
    return roots


roots = loop(_roots)
