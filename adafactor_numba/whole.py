"""Sums of squares of float32, exactly, where the entries are of like size: in whole numbers.

If 2^(e - 28) <= |x| < 2^e, or x = 0, there are whole numbers a < 2^52 and |b| <= 2^50 such that

    x^2 = a 2^(2 e - 52) + b 2^(2 e - 103),

as x has 24 bits.  M = 2^(2 e) added to x^2 leaves a in the last bits of a double, and what that
lost, added to a number N as much smaller, leaves b.  Integers add up many of both, in any order
and without an error: modulo 2^64 with the bits of M and N, which are taken away at the end.
`reach` is 2^e.
"""

import math
from typing import Any, TypeAlias

import numpy as np
from numpy import float64, int64, uint32, uint64
from numpy.typing import NDArray

from .compiler import inlined
from .doubledouble import Pair, add, fast_two_sum
from .fused import multiply_add
from .loops import Floats, Integers, Stored, loop

Modular: TypeAlias = NDArray[np.uint64]
Numbers: TypeAlias = tuple[Any, ...]

LEAST = 2.0**-28  # times the reach, the least magnitude but 0
FINE = 2.0**-98  # the reach from which down all float32 are multiples of 2^-149 and so do
HEADROOM = 2  # binary digits by which a reach may be more than it must, so as to serve longer
SUMMANDS = 2**11  # numbers of 52 bits whose sum 64 bits hold
LOW = 2**32 - 1
ONE = uint32(1)
INFINITE = uint32(2 * 0x7F800000 - 1)  # twice the bits of an infinity, less one


def _magnitude(twice: int) -> float:
    """The number of which these are twice the bits."""
    return float64(uint32(twice >> ONE).view(np.float32))


magnitude = loop(_magnitude)


def _extended(a: Stored, largest: Any, least: Any) -> tuple[Any, Any]:
    """The largest bits, doubled to leave the sign out, and the least less one, of a (n,) and these.

    What is one less than 0 is above all others.
    """
    bits = a.view(uint32)
    for k in range(bits.shape[0]):
        twice = uint32(bits[k] << ONE)
        largest = max(largest, twice)
        least = min(least, uint32((int(twice) - 1) & LOW))
    return largest, least


extended = loop(_extended)


def _extremes(a: Stored) -> tuple[float, float]:
    """The largest magnitude in a (n,), and the least that is not 0, or infinity.

    The largest is not below infinity if an entry is no number.
    """
    largest, least = extended(a, uint32(0), INFINITE)
    return magnitude(largest), magnitude(least + ONE)


extremes = loop(_extremes)


def _extremes_of_four(x: Stored, y: Stored, z: Stored, w: Stored) -> tuple[float, float]:
    """Those of four arrays."""
    largest, least = extended(x, *extended(y, *extended(z, *extended(w, uint32(0), INFINITE))))
    return magnitude(largest), magnitude(least + ONE)


extremes_of_four = loop(_extremes_of_four)


def _holds(reach: float, largest: float, least: float) -> bool:
    """Whether all squares of what is between these magnitudes are whole numbers."""
    return largest < reach and (least >= LEAST * reach or reach <= FINE)


holds = loop(_holds)


def _fitting(largest: float, least: float) -> float:
    """A reach for all that is between these magnitudes, or 0 if there is none."""
    if largest < math.inf:
        reach = math.ldexp(1.0, math.frexp(largest)[1] + HEADROOM)
        if holds(reach, largest, least):
            return reach
    return 0.0


fitting = loop(_fitting)


def _bits(x: float) -> Any:
    """Those of a double, as a whole number modulo 2^64, as the compiler lets unsigned ones be."""
    return float64(x).view(uint64)


bits = inlined(_bits)


def _split(x: float, M: float, K: float) -> tuple[Any, Any]:
    """The whole numbers of x^2, to which the bits of M and of N are added, with K = M + N."""
    x = float64(x)
    high = multiply_add(x, x, M)
    return bits(high), bits(multiply_add(x, x, K - high))


split = inlined(_split)


def _less(total: Any, n: int, number: float) -> Any:
    """A sum of n bits, modulo 2^64, less those of n times this number."""
    return uint64(total - uint64(n) * bits(number)).view(int64)


less = inlined(_less)


def _levels(reach: float) -> tuple[float, float]:
    """M and N, which are added to squares to leave whole numbers in their last bits."""
    M = reach * reach
    return M, 3.0 * 2.0**-52 * M


levels = loop(_levels)


def _write(sums: Integers, high: Numbers, low: Numbers, n: int, reach: float) -> None:
    """Write k sums of n numbers, of each of which the bits of M and N are taken, to (2, k)."""
    M, N = levels(reach)
    for k in range(len(high)):
        sums[0, k], sums[1, k] = less(high[k], n, M), less(low[k], n, N)


write = loop(_write)


def _squares_of_each(
    x: Stored, y: Stored, z: Stored, w: Stored, reach: float, sums: Integers
) -> None:
    """Write the whole numbers of the sums of squares of four arrays (n,) to sums (2, 4)."""
    M, N = levels(reach)
    n, K = x.shape[0], M + N
    a = b = c = d = e = f = g = h = uint64(0)
    for k in range(n):
        a_k, e_k = split(x[k], M, K)
        b_k, f_k = split(y[k], M, K)
        c_k, g_k = split(z[k], M, K)
        d_k, h_k = split(w[k], M, K)
        a, b, c, d = a + a_k, b + b_k, c + c_k, d + d_k
        e, f, g, h = e + e_k, f + f_k, g + g_k, h + h_k
    write(sums, (a, b, c, d), (e, f, g, h), n, reach)


squares_of_each = loop(_squares_of_each)


def _squares_of_two(
    x: Stored, y: Stored, reach: float, own: Integers, high: Modular, low: Modular
) -> None:
    """The whole numbers of the sums of squares of two rows (m,), m <= SUMMANDS.

    By rows they are written to own (2, 2), by columns added to high and low (m,), the bits of M
    and N with each of them.  All that two rows need stays in registers.
    """
    M, N = levels(reach)
    m, K = x.shape[0], M + N
    a = b = c = d = uint64(0)
    for j in range(m):
        a_j, c_j = split(x[j], M, K)
        b_j, d_j = split(y[j], M, K)
        a, b = a + a_j, b + b_j
        c, d = c + c_j, d + d_j
        high[j] += a_j + b_j
        low[j] += c_j + d_j
    write(own, (a, b), (c, d), m, reach)


squares_of_two = loop(_squares_of_two)


def _scaled(a: int, unit: float) -> Pair:
    """a unit, of which unit is a power of two: exactly."""
    return fast_two_sum(float64(a >> 32) * (2.0**32 * unit), float64(a & LOW) * unit)


scaled = loop(_scaled)


def _real(high: int, low: int, reach: float) -> Pair:
    """What two whole numbers stand for."""
    M, _ = levels(reach)
    x, y = scaled(high, 2.0**-52 * M)
    a, b = scaled(low, 2.0**-103 * M)
    return add(x, y, a, b)


real = loop(_real)


def _pour(columns: Modular, count: int, reach: float, high: Floats, low: Floats) -> None:
    """Add to high + low (m,) what the sums (2, m) of whole numbers stand for, and leave zeros.

    With each of the `count` numbers of a column came the bits of M and N.
    """
    M, N = levels(reach)
    for j in range(high.shape[0]):
        x, y = fast_two_sum(high[j], low[j])
        a, b = real(less(columns[0, j], count, M), less(columns[1, j], count, N), reach)
        high[j], low[j] = add(x, y, a, b)
    columns[:] = 0


pour = loop(_pour)
