"""What the loops over vectors and matrices share: how they are compiled, sums, alpha, clipping.

`_name` is the source, `name = loop(_name)` what runs.  The arithmetic is float64 whatever
the storage: `float64(x)` widens exactly, an assignment to a float32 array rounds once.
"""

import math
from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy import float64
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Stored: TypeAlias = NDArray[np.float32] | NDArray[np.float64]

BLOCK = 128  # terms added one after the other before a partial sum is closed

loop: Any = njit(cache=True, error_model="numpy")


def _sum_of_squares(X: Stored) -> float:
    """sum_k X_k^2 of X (n,), in blocks: any two terms meet within BLOCK + n / BLOCK additions."""
    total = 0.0
    for start in range(0, X.shape[0], BLOCK):
        block = 0.0
        for k in range(start, min(start + BLOCK, X.shape[0])):
            x = float64(X[k])
            block += x * x
        total += block
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
