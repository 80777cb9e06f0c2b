"""What the loops over vectors and matrices share: sums, alpha, clipping.

The arithmetic is float64 whatever the storage: `float64(x)` widens exactly, an assignment to a
float32 array rounds once, and so does `put` where the storage has 16 bits.

Every addition is written out, in an order that depends on the shape alone, so that the bits do
not depend on the machine, the threads or the layout.  What can be done at once stands side by
side, four rows and many partial sums: that is what it takes to fill wide registers.
"""

import math
from typing import TypeAlias

import numpy as np
from numpy import float64
from numpy.typing import NDArray

from .compiler import inlined as inlined
from .compiler import loop as loop
from .compiler import together as together
from .storage import room, rows

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Stored: TypeAlias = (
    NDArray[np.float32] | NDArray[np.float64] | NDArray[np.uint16] | NDArray[np.int16]
)

ROWS = 4  # that are read together: so many streams keep the memory busy
LANES = 16  # partial sums of a row, a power of 2
MANY = 4 * LANES  # entries of a row that are read together
WIDTH = 2048  # partial sums at most of an array that is read as it lies in memory
LEAST = 2 * ROWS  # rows of a block
BLOCK = 2**16  # entries of a block, unless LEAST rows are more
STRIPS = 16  # into which an array is cut at most, and so the threads that can share it


def _height(m: int) -> int:
    """How many rows of m entries make a block: a multiple of LEAST."""
    return LEAST * max(1, BLOCK // (LEAST * m))


height = loop(_height)


def _strip(n: int, m: int) -> int:
    """How many of n rows of m entries make a strip: blocks, so many that STRIPS are enough."""
    blocks = -(-n // height(m))
    return height(m) * -(-blocks // STRIPS)


strip = loop(_strip)


def _halved(lanes: Floats) -> float:
    """The sum of LANES partial sums, which are overwritten: one half added to the other."""
    half = LANES // 2
    while half > 0:
        for k in range(half):
            lanes[k] += lanes[half + k]
        half //= 2
    return lanes[0]


halved = loop(_halved)


def _total(a: Floats) -> float:
    """sum_j a_j of a (m,), in LANES partial sums, halved until one is left, and then the rest."""
    m, total = a.shape[0], 0.0
    whole = m // LANES
    if whole > 0:
        lanes = np.zeros(LANES)
        for block in range(whole):
            for k in range(LANES):
                lanes[k] += a[block * LANES + k]
        total = halved(lanes)
    for j in range(whole * LANES, m):
        total += a[j]
    return total


total = loop(_total)


def _add_squares(A: Stored, q: int, columns: Floats) -> None:
    """Add sum_i A_ij^2 of the first ROWS q rows of A, read q apart, to columns (m,)."""
    for i in range(q):
        for j in range(columns.shape[0]):
            a, b = float64(A[i, j]), float64(A[q + i, j])
            c, d = float64(A[2 * q + i, j]), float64(A[3 * q + i, j])
            columns[j] += (a * a + b * b) + (c * c + d * d)


add_squares = loop(_add_squares)


def _add_squares_of_row(a: Stored, columns: Floats) -> None:
    """Add a_j^2 of a, no longer than columns, to columns (m,)."""
    for j in range(a.shape[0]):
        x = float64(a[j])
        columns[j] += x * x


add_squares_of_row = loop(_add_squares_of_row)


def _width(n: int) -> int:
    """How many partial sums n numbers are added up in: ROWS rows of them, where they suffice."""
    return max(1, min(WIDTH, n // ROWS))


width = loop(_width)


def _sum_of_squares_of_block(x: Stored) -> float:
    """sum_k x_k^2 of x (n,), as rows of so many entries as there are partial sums."""
    n, m = x.shape[0], width(x.shape[0])
    columns = np.zeros(m)
    quarter = n // (ROWS * m)
    whole = ROWS * quarter
    add_squares(x[: whole * m].reshape(whole, m), quarter, columns)
    for start in range(whole * m, n, m):
        add_squares_of_row(x[start : start + m], columns)
    return total(columns)


sum_of_squares_of_block = loop(_sum_of_squares_of_block)


def _sum_of_squares(x: Stored) -> float:
    """sum x^2 of a strip x (n,), or (n, 1), block by block."""
    n = x.shape[0]
    most = min(n, height(1))
    spare = room(x, most)
    total = 0.0
    for start in range(0, n, most):
        block = rows(x, start, min(most, n - start), spare)
        total += sum_of_squares_of_block(block.reshape(-1))
    return total


sum_of_squares = loop(_sum_of_squares)


def _first_beyond(X: Stored, largest: float) -> int:
    """The position in X (p, n, m) of the first entry not within +-largest, such as a NaN, or -1."""
    p, n, m = X.shape
    spare = room(X[0], 1)
    for b in range(p):
        for i in range(n):
            row = rows(X[b], i, 1, spare)
            for j in range(m):
                if not abs(float64(row[0, j])) <= largest:
                    k: int = (b * n + i) * m + j
                    return k
    return -1


first_beyond = loop(_first_beyond)


def _relative_step(mean_square_X: float, rho: float, epsilon_2: float) -> float:
    """max(epsilon_2, RMS(X)) rho.  Step alpha."""
    return max(epsilon_2, math.sqrt(mean_square_X)) * rho


relative_step = loop(_relative_step)


def _clipping(mean_square_U: float, d: float) -> float:
    """max(1, RMS(U) / d), by which U is divided.  Step U_hat."""
    return max(1.0, math.sqrt(mean_square_U) / d)


clipping = loop(_clipping)
