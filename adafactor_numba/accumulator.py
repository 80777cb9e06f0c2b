"""Exact sums of squares: every bit of every square in one long number, in whatever order.

A long number is LIMBS integers of 64 bits, of which number k counts units of 2^(32 k - LOWEST).
2^28 squares can be added before one of them overflows, unless what is above 32 bits is carried.
"""

from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numba.extending import overload
from numpy.typing import NDArray

from .doubledouble import two_sum
from .loops import BLOCK, ROWS, WIDTH, Floats, Stored, height, loop, strip
from .storage import room, rows

Long: TypeAlias = NDArray[np.int64]

LOWEST = 2208  # the square of the least double is 2^-2148
LIMBS = 112  # up to 2^1376
LOW = 2**32 - 1
BEYOND = 1023 + 491  # the biased exponent of what is larger than the optimizer takes


def _add_integer(total: Long, a: int, position: int) -> None:
    """Add a 2^(position - LOWEST), |a| < 2^56."""
    k, shift = position >> 5, position & 31
    low, high = (a & LOW) << shift, (a >> 32) << shift
    total[k] += low & LOW
    total[k + 1] += (low >> 32) + (high & LOW)
    total[k + 2] += high >> 32


add_integer = loop(_add_integer)


def _add_doubles(total: Long, a: Floats) -> None:
    """Add all of a, multiples of 2^-1074."""
    for bits in a.view(np.int64):
        exponent, mantissa = (bits >> 52) & 2047, bits & (2**52 - 1)
        if exponent > 0:
            mantissa += 2**52
        if mantissa != 0:
            position = max(exponent, 1) - 1075 + LOWEST
            add_integer(total, mantissa if bits >= 0 else -mantissa, position)


add_doubles = loop(_add_doubles)


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


def _cascade(A: Stored, high: Floats, low: Floats, lost: Floats) -> None:
    """Add the squares of A (4, m), all exact, to high + low (m,); what low cannot hold to lost."""
    for j in range(high.shape[0]):
        h, l, rest = high[j], low[j], lost[j]
        for i in range(ROWS):
            x = np.float64(A[i, j])
            h, error = two_sum(h, x * x)
            l, error = two_sum(l, error)
            rest += abs(error)
        high[j], low[j], lost[j] = h, l, rest


cascade = loop(_cascade)


def _squares_in_pairs(total: Long, a: Stored) -> bool:
    """Add the squares of a (n,) of float32, if pairs of doubles hold the partial sums."""
    n = a.shape[0]
    m = min(n, WIDTH)
    high, low, lost = np.zeros(m), np.zeros(m), np.zeros(m)
    whole = n // (ROWS * m) * ROWS
    A = a[: whole * m].reshape(whole, m)
    for i in range(0, whole, ROWS):
        cascade(A[i : i + ROWS], high, low, lost)
    if whole * m < n:
        last = np.zeros((ROWS, m), a.dtype)
        last.reshape(-1)[: n - whole * m] = a[whole * m :]
        cascade(last, high, low, lost)
    if not (lost == 0.0).all():
        return False
    add_doubles(total, high)
    add_doubles(total, low)
    return True


squares_in_pairs = loop(_squares_in_pairs)


def add_squares(total: Long, a: Stored) -> bool:
    """Add the squares of a (n,); whether none is beyond what the optimizer takes."""
    return _add_each_square(total, a.astype(np.float64))


@overload(add_squares, strict=False)
def _add_squares(total: Any, a: Any) -> Any:
    if a.dtype.bitwidth < 64:
        return lambda total, a: (
            squares_in_pairs(total, a) or add_each_square(total, a.astype(np.float64))
        )
    return lambda total, a: add_each_square(total, a)


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
                good = add_squares(total, entries[k : k + BLOCK]) and good
                carry(total)
    return good


add_strips = loop(_add_strips)


def value(total: Long) -> Fraction:
    """The number."""
    return Fraction(sum(int(a) << 32 * k for k, a in enumerate(total)), 2**LOWEST)
