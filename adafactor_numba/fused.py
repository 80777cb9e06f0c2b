"""The fused multiply-add of IEEE 754: x y + z, rounded once.

One instruction of most x86-64 processors since 2013 and of all of ARM64; without it a function of
the C library, slower, that gives the same bits.
"""

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numba.extending import intrinsic, overload

from .nearest import nearest


def multiply_add(x: Any, y: Any, z: Any) -> Any:
    """x y + z, of three numbers of one type, float64 or float32."""
    number = np.result_type(x, y, z)
    rounded = x * y + z
    if not math.isfinite(rounded):
        return rounded
    exactly = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
    if exactly == 0:
        return rounded
    return number.type(math.copysign(nearest(exactly, number), exactly))


def _fma(context: Any, x: Any, y: Any, z: Any) -> Any:
    """The instruction itself, of what the loops are compiled to."""

    def written(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return x(x, y, z), written


instruction: Any = intrinsic(_fma)


@overload(multiply_add, strict=False, inline="always")
def _multiply_add(x: Any, y: Any, z: Any) -> Any:
    return lambda x, y, z: instruction(x, y, z)
