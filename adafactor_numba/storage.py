"""Blocks of rows, lying in memory as the loops want them: row after row, in float32 or float64.

An array that lies so is read and written in place; of any other a block at a time is copied.  So
it is with float16 and bfloat16, in which the loops cannot calculate: what they read is widened to
float32, what they write to float64, and that is rounded once.  As plain source, which knows no
layout, the functions only name the rows.
"""

from typing import Any

import numpy as np
from numba.extending import overload
from numba.np.numpy_support import as_dtype
from numpy.typing import NDArray

from .compiler import loop
from .half import FORMATS, Noise, draw, narrow, widen

Array = NDArray[Any]


def room(A: Array, height: int) -> Array:
    """Where a block of A (n, ...) of so many rows is copied to, if that is needed."""
    return np.empty((height, *A.shape[1:]), np.float32) if A.dtype in FORMATS else A[:0]


def workroom(A: Array, height: int) -> Array:
    """As `room`, for a block that is written."""
    return np.empty((height, *A.shape[1:])) if A.dtype in FORMATS else A[:0]


def rows(A: Array, i: int, height: int, spare: Array) -> Array:
    """The rows of A (n, ...) from i on, so many of them."""
    return widened(A, i, height, spare) if A.dtype in FORMATS else A[i : i + height]


def put(A: Array, i: int, block: Array, noise: Noise) -> None:
    """Write back to A, from row i on, what `rows` gave; `noise` is that of the first row of A."""
    if A.dtype in FORMATS:
        bits = np.empty(block.shape, A.dtype)
        rounded(block.reshape(-1), bits.reshape(-1), noise, i * (block.size // block.shape[0]))
        A[i : i + block.shape[0]] = bits


def _widened(A: Array, i: int, height: int, spare: Array) -> Array:
    """The rows of the bits A (n, ...) from i on, so many of them, as floats in `spare`."""
    widen(np.ascontiguousarray(A[i : i + height]).reshape(-1), spare[:height].reshape(-1))
    return spare[:height]


widened = loop(_widened)


def _rounded(x: Array, bits: Array, noise: Noise, start: int) -> None:
    """Write doubles x (n,) to bits (n,); x_0 is `start` after the entry that the noise is of."""
    if noise[0] < 0:
        narrow(x, bits)
    else:
        draw(x, bits, noise, start)


rounded = loop(_rounded)


def _half(A: Any) -> bool:
    """Whether A, a type of array, has the bits of floats."""
    return as_dtype(A.dtype) in FORMATS


@overload(room, strict=False)
def _room(A: Any, height: Any) -> Any:
    if _half(A):
        return lambda A, height: np.empty((height, *A.shape[1:]), np.float32)
    if A.layout == "C":
        return lambda A, height: A[:0]
    return lambda A, height: np.empty((height, *A.shape[1:]), A.dtype)


@overload(workroom, strict=False)
def _workroom(A: Any, height: Any) -> Any:
    if _half(A):
        return lambda A, height: np.empty((height, *A.shape[1:]))
    return lambda A, height: room(A, height)


@overload(rows, strict=False)
def _rows(A: Any, i: Any, height: Any, spare: Any) -> Any:
    if _half(A):
        return lambda A, i, height, spare: widened(A, i, height, spare)
    if A.layout == "C":
        return lambda A, i, height, spare: A[i : i + height]

    def copied(A: Any, i: int, height: int, spare: Any) -> Any:
        spare[:height] = A[i : i + height]
        return spare[:height]

    return copied


@overload(put, strict=False)
def _put(A: Any, i: Any, block: Any, noise: Any) -> Any:
    def written(A: Any, i: int, block: Any, noise: Any) -> None:
        A[i : i + block.shape[0]] = block

    def rounded_in_place(A: Any, i: int, block: Any, noise: Any) -> None:
        bits = A[i : i + block.shape[0]].reshape(-1)
        rounded(block.reshape(-1), bits, noise, i * (block.size // block.shape[0]))

    def rounded_apart(A: Any, i: int, block: Any, noise: Any) -> None:
        bits = np.empty(block.shape, A.dtype)
        rounded(block.reshape(-1), bits.reshape(-1), noise, i * (block.size // block.shape[0]))
        A[i : i + block.shape[0]] = bits

    if _half(A):
        return rounded_in_place if A.layout == "C" else rounded_apart
    return (lambda A, i, block, noise: None) if A.layout == "C" else written
