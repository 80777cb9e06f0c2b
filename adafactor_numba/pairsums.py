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
from .loops import LANES, ROWS, Floats, Stored, height, loop, strip
from .storage import room, rows


def _panel(A: Stored, i: int, spare: Stored) -> Stored:
    """The rows of A (n, m) from i to i + ROWS; where the last are missing, `spare` with zeros."""
    n, m = A.shape
    if i + ROWS <= n:
        return A[i : i + ROWS]
    for k in range(ROWS):
        for j in range(m):
            spare[k, j] = A[i + k, j] if i + k < n else 0.0
    return spare


panel = loop(_panel)


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


def _sum_of_pairs(high: Floats, low: Floats) -> tuple[float, float]:
    """The sum of pairs (n,), in LANES partial sums, and then the rest."""
    x, y = 0.0, 0.0
    whole = high.shape[0] // LANES
    if whole > 0:
        a, b = np.zeros(LANES), np.zeros(LANES)
        for block in range(whole):
            for k in range(LANES):
                j = block * LANES + k
                a[k], b[k] = add(a[k], b[k], high[j], low[j])
        x, y = halved(a, b)
    for j in range(whole * LANES, high.shape[0]):
        x, y = add(x, y, high[j], low[j])
    return x, y


sum_of_pairs = loop(_sum_of_pairs)


def _square_row(a: Stored, high: Floats, low: Floats) -> None:
    """Write the squares of a (m,) as pairs."""
    for j in range(a.shape[0]):
        high[j], low[j] = square(a[j])


square_row = loop(_square_row)


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
        if n == 1:
            square_row(G[b, 0], parts[0, s], parts[1, s])
            row_sums[0, b, 0], row_sums[1, b, 0] = sum_of_pairs(parts[0, s], parts[1, s])
            continue
        parts[:, s] = 0.0
        for i in range(start, stop, most):
            block = rows(G[b], i, min(most, stop - i), spare)
            for k in range(0, block.shape[0], ROWS):
                squares(panel(block, k, end), four, parts[0, s], parts[1, s], lanes)
                own = min(ROWS, block.shape[0] - k)
                row_sums[:, b, i + k : i + k + own] = four[:, :own]


observe = loop(_observe)


def _add_part(high: Floats, low: Floats, a: Floats, b: Floats) -> None:
    """Add the sums a + b of one strip to the pairs (m,)."""
    for j in range(high.shape[0]):
        x, y = fast_two_sum(a[j], b[j])
        high[j], low[j] = add(high[j], low[j], x, y)


add_part = loop(_add_part)


def _gather(parts: Floats, columns: Floats) -> None:
    """Write the sums (2, p, m) over the strips of each of p matrices, in their order."""
    each = parts.shape[1] // columns.shape[1]
    for b in range(columns.shape[1]):
        columns[:, b] = 0.0
        for s in range(b * each, (b + 1) * each):
            add_part(columns[0, b], columns[1, b], parts[0, s], parts[1, s])


gather = loop(_gather)


def _decay(
    old: Floats,
    high: Floats,
    low: Floats,
    x: tuple[float, float],
    w: tuple[float, float],
    beta_2: tuple[float, float],
) -> None:
    """Turn the pairs (n,) into beta_2 old + w (pairs + x)."""
    for i in range(old.shape[0]):
        h, l = add(high[i], low[i], x[0], x[1])
        h, l = multiply(h, l, w[0], w[1])
        f, g = times(beta_2[0], beta_2[1], old[i])
        high[i], low[i] = add(h, l, f, g)


decay = loop(_decay)


def _update(
    old: Floats,
    sums: Floats,
    terms: int,
    w: tuple[float, float],
    beta_2: tuple[float, float],
    epsilon_1: float,
) -> None:
    """Turn sums (2, p, n) into beta_2 old + w (sums + terms epsilon_1), old (p, n).  Steps R, C."""
    x = two_product(np.float64(terms), epsilon_1)
    for b in range(old.shape[0]):
        decay(old[b], sums[0, b], sums[1, b], x, w, beta_2)


update = loop(_update)


def _invert(high: Floats, low: Floats, x: float, y: float) -> None:
    """Turn the pairs (n,) into (x + y) / pairs."""
    for i in range(high.shape[0]):
        high[i], low[i] = divide(x, y, high[i], low[i])


invert = loop(_invert)


def _quotients(R: Floats, C: Floats, S: Floats) -> None:
    """Turn R (2, p, n), C (2, p, m) into S / R and 1 / C, so that U^2 is their product with G^2.

    S (2, p), the mean of sum R and sum C, is written.
    """
    for b in range(R.shape[1]):
        x, y = sum_of_pairs(R[0, b], R[1, b])
        z, t = sum_of_pairs(C[0, b], C[1, b])
        x, y = add(x, y, z, t)
        S[0, b], S[1, b] = 0.5 * x, 0.5 * y
        invert(R[0, b], R[1, b], S[0, b], S[1, b])
        invert(C[0, b], C[1, b], 1.0, 0.0)


quotients = loop(_quotients)


def _add_weighted(A: Stored, f: Floats, high: Floats, low: Floats) -> None:
    """Add sum_i f_i A_ij^2 of the four rows of A (4, m), f (2, 4), to high + low (m,)."""
    for i in range(ROWS):
        f_0, f_1 = f[0, i], f[1, i]
        for j in range(high.shape[0]):
            x, y = square(A[i, j])
            x, y = multiply(x, y, f_0, f_1)
            high[j], e = two_sum(high[j], x)
            low[j] += e + y


add_weighted = loop(_add_weighted)


def _weigh_row(a: Stored, f: tuple[float, float], high: Floats, low: Floats) -> None:
    """Write f a^2 (m,) as pairs."""
    for j in range(a.shape[0]):
        x, y = square(a[j])
        high[j], low[j] = multiply(x, y, f[0], f[1])


weigh_row = loop(_weigh_row)


def _measure(G: Stored, f: Floats, parts: Floats, first: int, last: int) -> None:
    """Write sum_i f_i G_ij^2 of the strips of G (p, n, m) from first to last, f (2, p, n)."""
    _, n, m = G.shape
    each = -(-n // strip(n, m))
    most = min(n, height(m))
    four = np.zeros((2, ROWS))
    spare, end = room(G[0], most), np.empty((ROWS, m), G.dtype)
    for s in range(first, last):
        b, start = s // each, s % each * strip(n, m)
        stop = min(n, start + strip(n, m))
        if n == 1:
            weigh_row(G[b, 0], (f[0, b, 0], f[1, b, 0]), parts[0, s], parts[1, s])
            continue
        parts[:, s] = 0.0
        for i in range(start, stop, most):
            block = rows(G[b], i, min(most, stop - i), spare)
            for k in range(0, block.shape[0], ROWS):
                own = min(ROWS, block.shape[0] - k)
                four[:, :own] = f[:, b, i + k : i + k + own]
                add_weighted(panel(block, k, end), four, parts[0, s], parts[1, s])


measure = loop(_measure)


def _weigh(high: Floats, low: Floats, c_0: Floats, c_1: Floats) -> None:
    """Multiply the pairs (m,) by the pairs c."""
    for j in range(high.shape[0]):
        high[j], low[j] = multiply(high[j], low[j], c_0[j], c_1[j])


weigh = loop(_weigh)


def _sum_of_products(a: Floats, c: Floats, S: Floats) -> tuple[float, float]:
    """sum S a c of a, c (2, p, m) and S (2, p); a becomes the products a c."""
    x, y = 0.0, 0.0
    for b in range(a.shape[1]):
        weigh(a[0, b], a[1, b], c[0, b], c[1, b])
        h, l = sum_of_pairs(a[0, b], a[1, b])
        h, l = multiply(h, l, S[0, b], S[1, b])
        x, y = add(x, y, h, l)
    return x, y


sum_of_products = loop(_sum_of_products)


def _extract(high: Floats, low: Floats, factor: tuple[float, float]) -> None:
    """Turn the pairs (n,) into their roots, times a factor."""
    for i in range(high.shape[0]):
        h, l = root(high[i], low[i])
        high[i], low[i] = multiply(h, l, factor[0], factor[1])


extract = loop(_extract)


def _roots(a: Floats, factor: tuple[float, float]) -> Floats:
    """The roots of a (2, p, n), times a factor."""
    roots = a.copy()
    for b in range(a.shape[1]):
        extract(roots[0, b], roots[1, b], factor)
    return roots


roots = loop(_roots)
