"""What a strict step on float32 reads of the gradient, once: sums by rows and by columns.

Those of squares are exact but for a rounding of pairs, unless the entries of a block are of very
different sizes; those of G^2 / R, from which RMS(U) follows, are of doubles.
"""

import numpy as np
from numpy import float64

from . import whole
from .doubledouble import add, two_sum
from .fused import multiply_add
from .loops import LANES, ROWS, Floats, Integers, Stored, height, loop, strip
from .pairsums import panel, squares
from .storage import room, rows
from .whole import Modular

PART = 2**11  # columns whose sums stay in the nearest cache


def _add_weighted(x: Stored, y: Stored, z: Stored, w: Stored, f: Floats, sums: Floats) -> None:
    """Add f_0 x^2 + f_1 y^2 + f_2 z^2 + f_3 w^2 to sums (m,), to four roundings."""
    f_0, f_1, f_2, f_3 = f[0], f[1], f[2], f[3]
    for j in range(sums.shape[0]):
        a, b, c, d = float64(x[j]), float64(y[j]), float64(z[j]), float64(w[j])
        left = multiply_add(b * b, f_1, a * a * f_0)
        sums[j] += multiply_add(d * d, f_3, multiply_add(c * c, f_2, left))


add_weighted = loop(_add_weighted)


def _sum_exactly(
    block: Stored, reach: float, sums: Floats, columns: Modular, own: Integers, end: Stored
) -> None:
    """Write the sums of squares of a block (n, m) by rows to sums (2, n), add columns whole."""
    n, m = block.shape
    sums[:] = 0.0
    last = panel(block, (n - 1) // ROWS * ROWS, end)
    for start in range(0, m, PART):
        part = slice(start, start + PART)
        high, low = columns[0, part], columns[1, part]
        for k in range(0, n, ROWS):
            A = block[k : k + ROWS] if k + ROWS <= n else last
            for i in range(0, min(ROWS, n - k), 2):
                whole.squares_of_two(A[i, part], A[i + 1, part], reach, own, high, low)
                for r in range(min(2, n - k - i)):
                    p, q = whole.real(own[0, r], own[1, r], reach)
                    sums[:, k + i + r] = add(sums[0, k + i + r], sums[1, k + i + r], p, q)


sum_exactly = loop(_sum_exactly)


def _sum_as_before(
    block: Stored, reach: float, sums: Floats, columns: Modular, own: Integers, end: Stored
) -> bool:
    """The same, if this reach will do, else nothing is added; whether it did.

    To sum a block takes longer than to fetch it, so that the memory is not waited for; to look for
    its extremes alone would wait.  So they are looked for when the block is near, and where the
    reach does not hold, what was added is taken away again.
    """
    sum_exactly(block, reach, sums, columns, own, end)
    if whole.holds(reach, *whole.extremes(block.reshape(-1))):
        return True
    np.negative(columns, columns)
    sum_exactly(block, reach, sums, columns, own, end)
    np.negative(columns, columns)
    return False


sum_as_before = loop(_sum_as_before)


def _sum_in_pairs(
    block: Stored, sums: Floats, high: Floats, low: Floats, lanes: Floats, end: Stored
) -> None:
    """Write the sums of squares of a block (n, m) by rows to sums (2, n), add columns to (m,)."""
    four = np.empty((2, ROWS))
    for k in range(0, block.shape[0], ROWS):
        squares(panel(block, k, end), four, high, low, lanes)
        most = min(ROWS, block.shape[0] - k)
        sums[:, k : k + most] = four[:, :most]


sum_in_pairs = loop(_sum_in_pairs)


def _weigh(block: Stored, f: Floats, high: Floats, low: Floats, sums: Floats, end: Stored) -> None:
    """Add sum_i f_i A_ij^2 of a block (n, m) to high + low (m,), f (n,), first to sums (m,)."""
    n, m = block.shape
    sums[:] = 0.0
    last = panel(block, (n - 1) // ROWS * ROWS, end)
    for start in range(0, m, PART):
        part = slice(start, start + PART)
        for k in range(0, n, ROWS):
            A = block[k : k + ROWS] if k + ROWS <= n else last
            x, y, z, w = A[0, part], A[1, part], A[2, part], A[3, part]
            add_weighted(x, y, z, w, f[k : k + ROWS], sums[part])
    for j in range(m):
        high[j], e = two_sum(high[j], sums[j])
        low[j] += e


weigh = loop(_weigh)


def _worthwhile(G: Stored) -> bool:
    """Whether this is for G: of float32, and of more than one row."""
    return G.itemsize < 8 and G.shape[1] > 1


worthwhile = loop(_worthwhile)


def _rows_of_block(n: int, m: int) -> int:
    """How many of n rows of m entries are read together."""
    return min(n, height(m), whole.SUMMANDS)


rows_of_block = loop(_rows_of_block)


def _observe(
    G: Stored,
    R_old: Floats,
    rates: Floats,
    row_sums: Floats,
    parts: Floats,
    ratios: Floats,
    first: int,
    last: int,
) -> None:
    """Write the sums of the strips of G (p, n, m) from first to last; R_old (p, n).

    Of squares by rows to row_sums (2, p, n), by columns to parts (2, strips, m), of squares over R
    by columns to ratios (2, strips, m); `rates` are w, beta_2 and epsilon_1.
    """
    w, beta_2, epsilon_1 = rates[0], rates[1], rates[2]
    _, n, m = G.shape
    each = -(-n // strip(n, m))
    most = rows_of_block(n, m)
    f, weighted = np.empty(most + ROWS - 1), np.empty(m)
    lanes, own = np.empty(2 * ROWS * LANES), np.empty((2, 2), np.int64)
    columns = np.zeros((2, m), np.uint64)
    spare, end = room(G[0], most), np.empty((ROWS, m), G.dtype)
    for s in range(first, last):
        b, start = s // each, s % each * strip(n, m)
        stop = min(n, start + strip(n, m))
        parts[:, s], ratios[:, s] = 0.0, 0.0
        high, low = parts[0, s], parts[1, s]
        reach, count = 0.0, 0
        for i in range(start, stop, most):
            block = rows(G[b], i, min(most, stop - i), spare)
            h = block.shape[0]
            sums = row_sums[:, b, i : i + h]
            added = h + h % 2
            goes_on = reach > 0.0 and count + added <= whole.SUMMANDS
            if goes_on and sum_as_before(block, reach, sums, columns, own, end):
                count += added
            else:
                if count > 0:
                    whole.pour(columns, count, reach, high, low)
                    count = 0
                reach = whole.fitting(*whole.extremes(block.reshape(-1)))
                if reach > 0.0:
                    sum_exactly(block, reach, sums, columns, own, end)
                    count = added
                else:
                    sum_in_pairs(block, sums, high, low, lanes, end)
            for k in range(h):
                fresh = sums[0, k] + m * epsilon_1
                f[k] = 1.0 / (beta_2 * R_old[b, i + k] + w * fresh)
            f[h : h + ROWS - 1] = 0.0
            weigh(block, f, ratios[0, s], ratios[1, s], weighted, end)
        if count > 0:
            whole.pour(columns, count, reach, high, low)


observe = loop(_observe)
