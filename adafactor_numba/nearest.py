"""The floats nearest to real numbers, and of two that are equally near the even one.

Among them the paper's schedules, [S] Algorithm 6, found by whole numbers alone.
"""

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

FORMATS = {  # digits, the exponent of the least number, that of the first one too large
    np.dtype(np.float16): (11, -24, 16),
    np.dtype(np.float32): (24, -149, 128),
    np.dtype(np.float64): (53, -1074, 1024),
}


def nearest(x: Fraction, dtype: np.dtype[Any]) -> float:
    """The number of `dtype` nearest to x; a zero is positive, what is too large infinite."""
    digits, least, beyond = FORMATS[dtype]
    if x == 0:
        return 0.0
    exponent = abs(x.numerator).bit_length() - x.denominator.bit_length()
    exponent -= abs(x) < Fraction(2) ** exponent
    unit = Fraction(2) ** max(exponent - digits + 1, least)
    y = round(x / unit) * unit  # to even
    if abs(y) < 2**beyond:
        return float(y)
    return math.inf if y > 0 else -math.inf


def between(low: float, high: float, dtype: np.dtype[Any]) -> Fraction:
    """What lies halfway; where infinity begins the exponents of `dtype` are taken to go on."""
    beyond = Fraction(2) ** FORMATS[dtype][2]
    start = Fraction(low) if low > -math.inf else -beyond
    end = Fraction(high) if high < math.inf else beyond
    return (start + end) / 2


@lru_cache(maxsize=1024)
def weight(t: int) -> float:
    """The double nearest to t^-0.8."""
    return _power(math.pow(t, 0.2) / t, t, 4, 5)


@lru_cache(maxsize=1024)
def rho(t: int) -> float:
    """The double nearest to min(1e-2, 1 / sqrt t)."""
    return min(1e-2, _power(1.0 / math.sqrt(t), t, 1, 2))


def _power(x: float, t: int, k: int, l: int) -> float:
    """The double nearest to t^(-k / l), from a near one; t^(-k / l) is never halfway."""
    while _below(x, 1, t, k, l):
        x = math.nextafter(x, math.inf)
    while not _below(x, -1, t, k, l):
        x = math.nextafter(x, 0.0)
    return x


def _below(x: float, side: int, t: int, k: int, l: int) -> bool:
    """Whether y 2^e < t^(-k / l), that is y^l t^k < 2^(-e l).

    y 2^e is halfway to the next double above or below x, by the sign of `side`; below a power of
    two that is half as far.
    """
    part, exponent = math.frexp(x)
    e, half = exponent - 55, 1 if side < 0 and part == 0.5 else 2
    y = int(part * 2**55) + half * side
    power: int = y**l * t**k
    return power.bit_length() <= -e * l
