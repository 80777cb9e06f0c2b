"""Blocks of rows, lying in memory as the loops want them: row after row, in float32 or float64.

An array that lies so is read and written in place; of any other a block at a time is copied.
As plain source, which knows no layout, the functions only name the rows.
"""

from typing import Any

import numpy as np
from numba.extending import overload
from numpy.typing import NDArray

Array = NDArray[Any]


def room(A: Array, height: int) -> Array:
    """Where a block of A (n, ...) of so many rows is copied to, if that is needed."""
    return A[:0]


def rows(A: Array, i: int, height: int, spare: Array) -> Array:
    """The rows of A (n, ...) from i on, so many of them."""
    return A[i : i + height]


def put(A: Array, i: int, block: Array) -> None:
    """Write back to A, from row i on, what `rows` gave."""


@overload(room, strict=False)
def _room(A: Any, height: Any) -> Any:
    if A.layout == "C":
        return lambda A, height: A[:0]
    return lambda A, height: np.empty((height, *A.shape[1:]), A.dtype)


@overload(rows, strict=False)
def _rows(A: Any, i: Any, height: Any, spare: Any) -> Any:
    if A.layout == "C":
        return lambda A, i, height, spare: A[i : i + height]

    def copied(A: Any, i: int, height: int, spare: Any) -> Any:
        spare[:height] = A[i : i + height]
        return spare[:height]

    return copied


@overload(put, strict=False)
def _put(A: Any, i: Any, block: Any) -> Any:
    if A.layout == "C":
        return lambda A, i, block: None

    def written(A: Any, i: int, block: Any) -> None:
        A[i : i + block.shape[0]] = block

    return written
