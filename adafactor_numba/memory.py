"""Which arrays share memory: exactly, yet cheap where arrays lie apart."""

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.array_utils import byte_bounds
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Interval: TypeAlias = tuple[int, int]  # the first byte and the one after the last

SMALL = 2**6  # entries up to which to copy an array takes less than to ask where it lies


def overlapping(arrays: Mapping[Hashable, Array]) -> tuple[Hashable, Hashable] | None:
    """The names of two arrays that share a byte, twice the same if an array shares it with itself.

    Interleaved views such as X[::2] and X[1::2] share none.  In order of their first bytes, an
    array is compared only with those that have not ended before it starts.
    """
    for name, X in arrays.items():
        if overlaps_itself(X):
            return name, name
    begun: list[tuple[int, Hashable]] = []
    filled = [(byte_bounds(X), name) for name, X in arrays.items() if X.size]
    for (start, end), name in sorted(filled, key=lambda x: x[0]):
        begun = [(other_end, other) for other_end, other in begun if other_end > start]
        for _, other in begun:
            if np.shares_memory(arrays[other], arrays[name]):
                return other, name
        begun.append((end, name))
    return None


def overlaps_itself(X: Array) -> bool:
    """Whether two entries of X share a byte, as after `broadcast_to`.

    Each axis is halved until one entry is left.  Whether two entries meet depends on how far apart
    they are alone, and every distance is once that of entries in different halves.
    """
    if X.flags.forc:
        return False
    for axis in range(X.ndim):
        X = np.moveaxis(X, axis, 0)
        while X.shape[0] > 1:
            half = X.shape[0] // 2
            if np.shares_memory(X[:half], X[half:]):
                return True
            X = X[:half]
        X = np.moveaxis(X, 0, axis)
    return False


def intervals(arrays: Iterable[Array]) -> list[Interval]:
    """Where the arrays lie, as disjoint intervals of bytes in ascending order."""
    merged: list[Interval] = []
    for start, end in sorted(byte_bounds(X) for X in arrays if X.size):
        if merged and start <= merged[-1][1]:
            start, end = merged[-1][0], max(end, merged.pop()[1])
        merged.append((start, end))
    return merged


def reaches(X: Array, occupied: list[Interval]) -> bool:
    """Whether X lies anywhere within `occupied`, which is disjoint and ascending."""
    start, end = byte_bounds(X)
    at = bisect_left(occupied, end, key=lambda interval: interval[0]) - 1
    return bool(X.size) and at >= 0 and occupied[at][1] > start
