"""Sums of squares of float64, exactly, where the entries are of like size: in whole numbers.

If 2^(e - 25) <= |x| < 2^e, or x = 0, there are whole numbers a < 2^52 and |b|, |c| <= 2^52 with

    x^2 = a 2^(2 e - 52) + b 2^(2 e - 104) + c 2^(2 e - 154),

as x has 53 bits.  The square is a pair p + q; added to p, M = 2^(2 e) leaves a in the last bits,
N, that is as much smaller, leaves b of what p and q have left, and so does L the rest, c.
`reach` is 2^e.
"""

import math

import numpy as np

from .doubledouble import two_product
from .loops import Floats, Integers, loop
from .whole import HEADROOM, bits, less

LEAST = 2.0**-25  # times the reach, the least magnitude but 0
SMALLEST = 2.0**-459  # the reach down to which c 2^(2 e - 154) is a double
LARGEST = 2.0**491  # more than any entry that the optimizer takes
MAGNITUDE = 2**63 - 1  # the bits of a double but its sign


def _real(magnitude: int) -> float:
    """The number of which these are the bits."""
    return float(np.int64(magnitude).view(np.float64))


real = loop(_real)


def _extremes(a: Floats) -> tuple[float, float]:
    """The largest magnitude in a (n,), and the least that is not 0; NaN is above all numbers.

    Where all are 0, or there is none, the least is infinite.
    """
    largest, least = 0, MAGNITUDE
    for number in a.view(np.int64):
        magnitude = number & MAGNITUDE
        largest = max(largest, magnitude)
        least = min(least, (magnitude - 1) & MAGNITUDE)  # of 0 this is the largest
    return real(largest), (real(least + 1) if least < MAGNITUDE else math.inf)


extremes = loop(_extremes)


def _holds(reach: float, largest: float, least: float) -> bool:
    """Whether all squares of what is between these magnitudes are whole numbers."""
    return largest < min(reach, LARGEST) and least >= LEAST * reach and reach >= SMALLEST


holds = loop(_holds)


def _fitting(largest: float, least: float) -> float:
    """A reach for all that is between these magnitudes, or 0 if there is none."""
    if largest < LARGEST:
        reach = math.ldexp(1.0, math.frexp(largest)[1] + HEADROOM)
        if holds(reach, largest, least):
            return reach
    return 0.0


fitting = loop(_fitting)


def _sum_up(x: Floats, reach: float, sums: Integers) -> None:
    """Write the whole numbers of the sum of the squares of x (n,), n <= SUMMANDS, to sums (3,)."""
    M = reach * reach
    N, L = 1.5 * 2.0**-52 * M, 1.5 * 2.0**-102 * M
    a = b = c = np.uint64(0)
    for k in range(x.shape[0]):
        p, q = two_product(x[k], x[k])
        high = p + M
        p -= high - M
        middle, other = p + N, q + N
        low = ((p - (middle - N)) + (q - (other - N))) + L
        a, b, c = a + bits(high), b + (bits(middle) + bits(other)), c + bits(low)
    n = x.shape[0]
    sums[0], sums[1], sums[2] = less(a, n, M), less(b, 2 * n, N), less(c, n, L)


sum_up = loop(_sum_up)
