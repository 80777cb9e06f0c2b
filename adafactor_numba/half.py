"""float16 and bfloat16, which Numba has not, by their 16 bits: to floats exactly, and back.

The bits are a sign, an exponent and the digits after the point.  What goes back is a double, so
that it is rounded once: to the nearest, of two the even one, or up or down by chance.
"""

from typing import Any, NamedTuple

import numpy as np
from numba.extending import overload
from numba.np.numpy_support import as_dtype
from numpy import float32, float64, int64, uint16, uint32
from numpy.typing import NDArray

from .compiler import loop
from .philox import PAGE, page

Array = NDArray[Any]
Noise = tuple[int, int, int, int]

NEAREST = (-1, 0, 0, 0)
"""The noise of no chance.  Otherwise: seed, t, index of the parameter, first entry in it."""


class Format(NamedTuple):
    """A binary format of 16 bits; `normal` is the least number with all digits."""

    digits: int  # after the point
    bias: int  # what is added to exponents
    least: float
    normal: float
    largest: float
    infinity: int  # its bits


def _format(digits: int, bias: int) -> Format:
    normal = 2.0 ** (1 - bias)
    largest = (2.0 - 2.0**-digits) * 2.0**bias
    return Format(digits, bias, normal * 2.0**-digits, normal, largest, (2 * bias + 1) << digits)


FLOAT16, BFLOAT16 = _format(10, 15), _format(7, 127)

FORMATS = {np.dtype(np.uint16): FLOAT16, np.dtype(np.int16): BFLOAT16}
"""By the type that the loops see in their place."""


def format_of(A: Array) -> Format:
    """The format whose bits A has."""
    return FORMATS[A.dtype]


@overload(format_of, strict=False)
def _format_of(A: Any) -> Any:
    format = FORMATS[as_dtype(A.dtype)]
    return lambda A: format


_SEEN = {"float16": np.uint16, "bfloat16": np.int16}


def seen(A: Array) -> Array:
    """A as the loops see it: the same memory, of float16 and bfloat16 the bits."""
    return A.view(_SEEN.get(A.dtype.name, A.dtype))


def _widened(bits: int, format: Format) -> Any:
    """The float32 that the bits stand for; a NaN stays one.

    Those of bfloat16 are its first half.  A subnormal of float16 is read as if a 1 stood before the
    point, which then is subtracted: a subnormal float32 would be slow, or flushed to 0.
    """
    if format.bias == 127:
        return uint32((bits & 0xFFFF) << 16).view(float32)
    size = bits & 0x7FFF
    subnormal = size < 1 << format.digits
    rebias = (127 - format.bias) << 23
    if size >= format.infinity:
        rebias += rebias
    if subnormal:
        rebias += 1 << 23
    x = uint32((size << (23 - format.digits)) + rebias).view(float32)
    y = x - (float32(format.normal) if subnormal else float32(0.0))
    return -y if bits & 0x8000 else y


widened = loop(_widened)


def _nearest(x: Any, format: Format) -> Any:
    """The bits of the number nearest to the double x, of two the even one; a NaN stays one.

    Among subnormals, to add 2^52 of the least number rounds to it, and leaves their count.
    """
    bits = float64(x).view(int64)
    size = bits & 0x7FFF_FFFF_FFFF_FFFF
    cut = 52 - format.digits
    half = (1 << (cut - 1)) - 1 + ((size >> cut) & 1)
    rounded: Any = ((size + half) >> cut) - ((1023 - format.bias) << format.digits)
    found = min(rounded, format.infinity)
    unit = 2.0**52 * format.least
    if abs(x) < format.normal:
        found = float64(abs(x) + unit).view(int64) - float64(unit).view(int64)
    if x != x:
        found = format.infinity + 1
    return found | ((bits >> 48) & 0x8000)


nearest = loop(_nearest)


def _drawn(x: Any, word: int, format: Format) -> Any:
    """The bits of x rounded away from 0 for as many of the 2^32 words as is its part of the way.

    Of that part 32 digits count.  Beyond the largest number it is `nearest`, as there is no other.
    """
    bits = float64(x).view(int64)
    size = bits & 0x7FFF_FFFF_FFFF_FFFF
    cut = 52 - format.digits
    found = ((size + (word << (cut - 32))) >> cut) - ((1023 - format.bias) << format.digits)
    unit = 2.0**20 * format.least
    if abs(x) < format.normal:
        found = (float64(abs(x) + unit).view(int64) - float64(unit).view(int64) + word) >> 32
    found |= (bits >> 48) & 0x8000
    return found if abs(x) < format.largest else nearest(x, format)


drawn = loop(_drawn)


def _widen(A: Array, x: Array) -> None:
    """Write what the bits A (n,) stand for to x (n,), float32 or float64."""
    format = format_of(A)
    for k in range(x.shape[0]):
        x[k] = widened(int64(A[k]), format)


widen = loop(_widen)


def _narrow(x: Array, A: Array) -> None:
    """Write the bits of what is nearest to x (n,) to A (n,)."""
    format, bits = format_of(A), A.view(uint16)
    for k in range(x.shape[0]):
        bits[k] = nearest(x[k], format)


narrow = loop(_narrow)


def _narrow_by(x: Array, words: Array, A: Array) -> None:
    """Write the bits of x (n,), each rounded by its random word, to A (n,)."""
    format, bits = format_of(A), A.view(uint16)
    for k in range(x.shape[0]):
        bits[k] = drawn(x[k], int64(words[k]), format)


narrow_by = loop(_narrow_by)


def _draw(x: Array, A: Array, noise: Noise, start: int) -> None:
    """Write the bits of x (n,), rounded by chance, to A (n,); x_0 is `start` after the first entry.

    Which word an entry gets depends on the noise and where the entry stands, on nothing else.
    """
    seed, t, index, first = noise
    first += start
    words = np.empty(PAGE, np.uint32)
    done = 0
    while done < x.shape[0]:
        number, begin = (first + done) // PAGE, (first + done) % PAGE
        stop = min(x.shape[0], done + PAGE - begin)
        page(words, seed, t, index, number)
        narrow_by(x[done:stop], words[begin : begin + stop - done], A[done:stop])
        done = stop


draw = loop(_draw)
