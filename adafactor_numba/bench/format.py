"""Formats in which weights are stored, and the rounding to them, exactly."""

import math
from fractions import Fraction
from typing import Any, NamedTuple

import flint
import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


class Format(NamedTuple):
    """Numbers of so many binary digits, multiples of 2^least, below 2^beyond."""

    name: str
    digits: int
    least: int
    beyond: int

    @property
    def largest(self) -> float:
        """The largest finite number."""
        return 2.0**self.beyond - 2.0 ** (self.beyond - self.digits)

    def dtype(self) -> np.dtype[Any]:
        """NumPy's; an ImportError where there is none."""
        if self.name != "bfloat16":
            return np.dtype(self.name)
        from ml_dtypes import bfloat16

        dtype: np.dtype[Any] = np.dtype(bfloat16)
        return dtype

    def spacing(self, x: Doubles) -> Doubles:
        """The distance between neighbours at x."""
        _, exponent = np.frexp(x)
        binary = np.where(x == 0, self.least, exponent - self.digits)
        return np.ldexp(1.0, np.maximum(binary, self.least))

    def rounded(self, x: Doubles) -> Doubles:
        """The nearest to x, of two the even one; beyond the largest, infinity."""
        spacing = self.spacing(x)
        nearest = np.rint(x / spacing) * spacing
        return np.where(abs(nearest) < 2.0**self.beyond, nearest, np.copysign(np.inf, x))

    def nearest(self, x: flint.arb) -> tuple[float, float]:
        """The nearest to the ends of the ball x: the same twice, but where it holds a tie."""
        middle, radius = _exact(x.mid()), _exact(x.rad())
        _, exponent = math.frexp(float(middle))
        spacing = Fraction(2) ** max(exponent - self.digits, self.least)
        low, high = (round((middle + part) / spacing) * spacing for part in (-radius, radius))
        return self._stored(low), self._stored(high)

    def _stored(self, x: Fraction) -> float:
        return float(x) if abs(x) < 2**self.beyond else math.copysign(math.inf, x)


FORMATS = {
    "float32": Format("float32", 24, -149, 128),
    "float16": Format("float16", 11, -24, 16),
    "bfloat16": Format("bfloat16", 8, -133, 128),
}


def _exact(x: flint.arb) -> Fraction:
    """A ball without a radius as the rational number it is."""
    mantissa, exponent = x.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
