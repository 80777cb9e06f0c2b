"""What the loops over vectors and matrices share: how they are compiled, sums, alpha, clipping.

`_name` is the source, `name = loop(_name)` what runs.  The arithmetic is float64 whatever
the storage: `float64(x)` widens exactly, an assignment to a float32 array rounds once.

Every addition is written out, in an order that depends on the shape alone, so that the bits do
not depend on the machine, the threads or the layout.  What can be done at once stands side by
side, four rows and many partial sums: that is what it takes to fill wide registers.
"""

import math
from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy import float64
from numpy.typing import NDArray

from .storage import room, rows

Floats: TypeAlias = NDArray[np.float64]
Stored: TypeAlias = NDArray[np.float32] | NDArray[np.float64]

ROWS = 4  # that are read together
LANES = 64  # partial sums of a row, a power of 2
WIDTH = 1024  # partial sums of an array that is read as it lies in memory
BLOCK = 2**16  # entries of a block, unless four rows are more
STRIPS = 16  # into which an array is cut at most, and so the threads that can share it

loop: Any = njit(cache=True, error_model="numpy", nogil=True)
together: Any = njit(cache=True, error_model="numpy", nogil=True, parallel=True)


def _height(m: int) -> int:
    """How many rows of m entries make a block: a multiple of ROWS."""
    return ROWS * max(1, BLOCK // (ROWS * m))


height = loop(_height)


def _strip(n: int, m: int) -> int:
    """How many of n rows of m entries make a strip: blocks, so many that STRIPS are enough."""
    blocks = -(-n // height(m))
    return height(m) * -(-blocks // STRIPS)


strip = loop(_strip)


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


def _total(a: Floats) -> float:
    """sum_j a_j of a (m,), in LANES partial sums, halved until one is left, and then the rest."""
    m = a.shape[0]
    whole = m // LANES
    total = 0.0
    if whole > 0:
        lanes = np.zeros(LANES)
        for block in range(whole):
            for k in range(LANES):
                lanes[k] += a[block * LANES + k]
        half = LANES // 2
        while half > 0:
            for k in range(half):
                lanes[k] += lanes[half + k]
            half //= 2
        total = lanes[0]
    for j in range(whole * LANES, m):
        total += a[j]
    return total


total = loop(_total)


def _add_squares(A: Stored, columns: Floats) -> None:
    """Add sum_i A_ij^2 of the four rows of A (4, m) to columns (m,)."""
    for j in range(columns.shape[0]):
        a, b, c, d = float64(A[0, j]), float64(A[1, j]), float64(A[2, j]), float64(A[3, j])
        columns[j] += (a * a + b * b) + (c * c + d * d)


add_squares = loop(_add_squares)


def _sum_of_squares_of_block(X: Stored) -> float:
    """sum_k X_k^2 of X (n,), in rows of WIDTH; the last may be short."""
    n = X.shape[0]
    columns = np.zeros(min(n, WIDTH))
    whole = n // (ROWS * WIDTH) * ROWS
    A = X[: whole * WIDTH].reshape(whole, WIDTH)
    for i in range(0, whole, ROWS):
        add_squares(A[i : i + ROWS], columns)
    for start in range(whole * WIDTH, n, WIDTH):
        for k in range(min(WIDTH, n - start)):
            x = float64(X[start + k])
            columns[k] += x * x
    return total(columns)


sum_of_squares_of_block = loop(_sum_of_squares_of_block)


def _sum_of_squares(X: Stored) -> float:
    """sum X^2 of a strip X (n,) or (n, m), block by block."""
    n = X.shape[0]
    most = min(n, height(X.size // n))
    spare = room(X, most)
    total = 0.0
    for start in range(0, n, most):
        block = rows(X, start, min(most, n - start), spare)
        total += sum_of_squares_of_block(block.reshape(-1))
    return total


sum_of_squares = loop(_sum_of_squares)


def _first_beyond(X: Stored, largest: float) -> int:
    """The position in X (p, n, m) of the first entry not within +-largest, such as a NaN, or -1."""
    p, n, m = X.shape
    for b in range(p):
        for i in range(n):
            for j in range(m):
                if not abs(float64(X[b, i, j])) <= largest:
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
