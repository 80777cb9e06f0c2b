"""Wide numbers, for which no range ends: (mantissa, exponent) stands for mantissa 2^exponent.

The mantissa is a double, 0 or of magnitude 2^-128 to 2^128, the exponent a multiple of 256.  To
scale by a power of two is exact, so that every operation is rounded once, as one of doubles is
where it neither overflows nor underflows; these never do.
"""

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .loops import Floats, loop, total

Wide: TypeAlias = tuple[float, int]
Wides: TypeAlias = tuple[Floats, NDArray[np.int64]]
"""An array of wide numbers: the mantissas, the exponents."""

UNIT = 256
LARGE, SMALL = 2.0**128, 2.0**-128
NOTHING = -(2**40)  # the exponent of 0, below that of any other number
POWERS = 2.0 ** np.arange(-1023, 1024)
LEAST_NORMAL = 2.0**-1022
INFINITE = float("inf")
PART = 2**12  # wide numbers that are added up before the next ones


def _normal(x: float, exponent: int) -> Wide:
    """x 2^exponent for a double x, which may be infinite, and a multiple of UNIT."""
    if abs(x) == 0.0:
        return 0.0, NOTHING
    while LARGE <= abs(x) < INFINITE:
        x *= SMALL * SMALL
        exponent += UNIT
    while abs(x) < SMALL:
        x *= LARGE * LARGE
        exponent -= UNIT
    return x, exponent


normal = loop(_normal)


def _wide(x: float) -> Wide:
    """The double x."""
    return normal(x, 0)


wide = loop(_wide)


def _scaled(x: float, exponent: int) -> float:
    """The wide number as a double, rounded once: of the two products the first is exact."""
    if exponent == 0:
        return x
    e = min(max(exponent, -2046), 2046)
    return x * POWERS[1023 + e // 2] * POWERS[1023 + e - e // 2]


scaled = loop(_scaled)


def _times(a: Wide, b: Wide) -> Wide:
    """a b."""
    return normal(a[0] * b[0], a[1] + b[1])


times = loop(_times)


def _over(a: Wide, b: Wide) -> Wide:
    """a / b."""
    return normal(a[0] / b[0], a[1] - b[1])


over = loop(_over)


def _root(a: Wide) -> Wide:
    """sqrt a."""
    if a[1] % (2 * UNIT) == 0:
        return normal(math.sqrt(a[0]), a[1] // 2)
    return normal(math.sqrt(scaled(a[0], UNIT)), (a[1] - UNIT) // 2)


root = loop(_root)


def _plus(a: Wide, b: Wide) -> Wide:
    """a + b, both scaled by the larger exponent; what then underflows is too small to be seen."""
    e = max(a[1], b[1])
    return normal(scaled(a[0], a[1] - e) + scaled(b[0], b[1] - e), e)


plus = loop(_plus)


def _larger(a: Wide, b: Wide) -> Wide:
    """max(a, b)."""
    e = max(a[1], b[1])
    return normal(max(scaled(a[0], a[1] - e), scaled(b[0], b[1] - e)), e)


larger = loop(_larger)


def _difference(x: float, a: Wide) -> float:
    """x - a as a double, rounded once.

    A subnormal difference would be rounded twice, as a difference and when it is scaled.  But
    there a is a double, or else x and a, rounded to a double, are both so small that theirs is one.
    """
    mantissa, own = wide(x)
    e = max(own, a[1])
    new = scaled(*normal(scaled(mantissa, own - e) - scaled(a[0], a[1] - e), e))
    return x - scaled(a[0], a[1]) if abs(new) <= LEAST_NORMAL else new


difference = loop(_difference)


def _at(a: Wides, k: int) -> Wide:
    """a_k."""
    return a[0][k], a[1][k]


at = loop(_at)


def _put(a: Wides, k: int, x: Wide) -> None:
    """Write x to a_k."""
    a[0][k], a[1][k] = x


put = loop(_put)


def _sum_of(a: Wides) -> Wide:
    """sum_k a_k of a (n,), all scaled by the largest exponent, in parts that are then added."""
    mantissas, exponents = a
    n, top = mantissas.shape[0], exponents[0]
    for k in range(n):
        top = max(top, exponents[k])
    parts, terms = np.empty(-(-n // PART)), np.empty(min(n, PART))
    for part in range(parts.shape[0]):
        start = part * PART
        size = min(PART, n - start)
        for k in range(size):
            terms[k] = scaled(mantissas[start + k], exponents[start + k] - top)
        parts[part] = total(terms[:size])
    return normal(total(parts), top)


sum_of = loop(_sum_of)


def _relative_step(mean_square_X: Wide, rho: float, epsilon_2: float) -> Wide:
    """max(epsilon_2, RMS(X)) rho.  Step alpha."""
    return times(larger(wide(epsilon_2), root(mean_square_X)), wide(rho))


relative_step = loop(_relative_step)


def _clipping(mean_square_U: Wide, d: float) -> Wide:
    """max(1, RMS(U) / d), by which U is divided.  Step U_hat."""
    return larger(wide(1.0), over(root(mean_square_U), wide(d)))


clipping = loop(_clipping)
