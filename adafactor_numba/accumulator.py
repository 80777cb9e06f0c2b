"""Exact sums of squares: every bit of every square in one long number, in whatever order.

A long number is LIMBS integers of 64 bits, of which number k counts units of 2^(32 k - LOWEST).
2^28 squares can be added before one of them overflows, unless what is above 32 bits is carried.
"""

import math
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numba.extending import overload
from numpy import float64
from numpy.typing import NDArray

from . import threefold
from .doubledouble import Pair, add
from .hyperparameters import LEAST
from .loops import BLOCK, ROWS, Floats, Stored, height, loop, strip
from .storage import room, rows
from .whole import SUMMANDS, extremes_of_four, fitting, holds, squares_of_each

Long: TypeAlias = NDArray[np.int64]

LOWEST = 2208  # the square of the least double is 2^-2148
LIMBS = 112  # up to 2^1376
LOW = 2**32 - 1
DIGITS = 5  # integers of which the first is not 0 and all others are below 2^-128 of them
BEYOND = 1023 + 491  # the biased exponent of what is larger than the optimizer takes


def _add_integer(total: Long, a: int, position: int) -> None:
    """Add a 2^(position - LOWEST)."""
    k, shift = position >> 5, position & 31
    low, high = (a & LOW) << shift, (a >> 32) << shift
    total[k] += low & LOW
    total[k + 1] += (low >> 32) + (high & LOW)
    total[k + 2] += high >> 32


add_integer = loop(_add_integer)


def _carry(total: Long) -> None:
    """Leave 32 bits in each integer but the last."""
    for k in range(LIMBS - 1):
        total[k + 1] += total[k] >> 32
        total[k] &= LOW


carry = loop(_carry)


def _add_each_square(total: Long, a: Floats) -> bool:
    """Add the squares of all of a; whether none is beyond what the optimizer takes."""
    for bits in a.view(np.int64):
        exponent, mantissa = (bits >> 52) & 2047, bits & (2**52 - 1)
        if exponent >= BEYOND:
            return False
        if exponent > 0:
            mantissa += 2**52
        if mantissa != 0:
            position = 2 * (max(exponent, 1) - 1075) + LOWEST
            high, low = mantissa >> 27, mantissa & (2**27 - 1)
            add_integer(total, low * low, position)
            add_integer(total, 2 * high * low, position + 27)
            add_integer(total, high * high, position + 54)
    return True


add_each_square = loop(_add_each_square)


def _place(reach: float) -> int:
    """The position of reach^2, of which reach is a power of two."""
    return 2 * (math.frexp(reach)[1] - 1) + LOWEST


place = loop(_place)


def _add_whole_squares(
    total: Long, x: Stored, y: Stored, z: Stored, w: Stored, reach: float, sums: Long
) -> float:
    """Add the squares of four arrays (n,) of float32, n <= SUMMANDS, that are whole numbers.

    Return their reach, the given one if that will do, or 0 where there is none and nothing is
    added; sums (2, 4) are overwritten.
    """
    squares_of_each(x, y, z, w, reach, sums)
    largest, least = extremes_of_four(x, y, z, w)
    if not holds(reach, largest, least):
        reach = fitting(largest, least)
        squares_of_each(x, y, z, w, reach, sums)
    if reach > 0.0:
        position = place(reach)
        for k in range(ROWS):
            add_integer(total, sums[0, k], position - 52)
            add_integer(total, sums[1, k], position - 103)
    return reach


add_whole_squares = loop(_add_whole_squares)


def _add_squares_of_block(total: Long, x: Stored) -> bool:
    """Add the squares of x (n,) of float32, its quarters side by side; whether all are numbers."""
    reach, good, sums = 1.0, True, np.empty((2, ROWS), np.int64)
    n = x.shape[0] // ROWS
    for start in range(0, n, SUMMANDS):
        stop = min(n, start + SUMMANDS)
        a, b = x[start:stop], x[n + start : n + stop]
        c, d = x[2 * n + start : 2 * n + stop], x[3 * n + start : 3 * n + stop]
        reach = add_whole_squares(total, a, b, c, d, reach, sums)
        if reach == 0.0:
            for part in (a, b, c, d):
                good &= add_each_square(total, part.astype(float64))
    return add_each_square(total, x[ROWS * n :].astype(float64)) and good


add_squares_of_block = loop(_add_squares_of_block)


def _add_squares_of_doubles(total: Long, x: Floats) -> bool:
    """Add the squares of x (n,); whether none is beyond what the optimizer takes."""
    reach, good, sums = 1.0, True, np.empty(3, np.int64)
    for start in range(0, x.shape[0], SUMMANDS):
        part = x[start : start + SUMMANDS]
        largest, least = threefold.extremes(part)
        if not threefold.holds(reach, largest, least):
            reach = threefold.fitting(largest, least)
        if reach == 0.0:
            good &= add_each_square(total, part)
        else:
            threefold.sum_up(part, reach, sums)
            position = place(reach)
            add_integer(total, sums[0], position - 52)
            add_integer(total, sums[1], position - 104)
            add_integer(total, sums[2], position - 154)
    return good


add_squares_of_doubles = loop(_add_squares_of_doubles)


def add_squares(total: Long, a: Stored) -> bool:
    """Add the squares of a (n,); whether none is beyond what the optimizer takes."""
    return _add_squares_of_doubles(total, a.astype(float64))


@overload(add_squares, strict=False)
def _add_squares(total: Any, a: Any) -> Any:
    if a.dtype.bitwidth < 64:
        return lambda total, a: add_squares_of_block(total, a)
    return lambda total, a: add_squares_of_doubles(total, a)


def _add_strips(total: Long, X: Stored, first: int, last: int) -> bool:
    """Add the squares of the strips of X (p, n, m) from first to last; whether all are taken."""
    _, n, m = X.shape
    each = -(-n // strip(n, m))
    good = True
    for s in range(first, last):
        start = s % each * strip(n, m)
        A = X[s // each, start : start + strip(n, m)]
        most = min(A.shape[0], height(m))
        spare = room(A, most)
        for i in range(0, A.shape[0], most):
            block = rows(A, i, min(most, A.shape[0] - i), spare)
            entries = block.reshape(-1)
            for k in range(0, entries.shape[0], BLOCK):
                good &= add_squares(total, entries[k : k + BLOCK])
                carry(total)
    return good


add_strips = loop(_add_strips)


def _pair(totals: Long) -> Pair:
    """The sum of numbers (k, LIMBS), none negative, within PAIR; above 0 where it is.

    It is a NaN beyond the doubles.
    """
    total, x, y = totals.sum(0), 0.0, 0.0
    carry(total)
    for top in range(LIMBS - 1, -1, -1):
        if total[top] > 0:
            for k in range(top, max(top - DIGITS, -1), -1):
                x, y = add(x, y, math.ldexp(float64(total[k]), 32 * k - LOWEST), 0.0)
            return (x if x != 0.0 else LEAST), y
    return x, y


pair = loop(_pair)


def value(total: Long) -> Fraction:
    """The number, which is not negative and is carried in place."""
    carry(total)
    return Fraction(int.from_bytes(total.astype("<u4").tobytes(), "little"), 2**LOWEST)
