"""The floor: the memory that the rule moves, line by line, at the bandwidth of an addition.

The addition X += c, in place and compiled, reads and writes every entry once; it is measured on as
many bytes as the parameters have, with the same threads.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import prange, set_num_threads

from adafactor_numba.loops import loop, together

from .case import Case


def _add(X: Any, c: Any) -> None:
    """X += c."""
    for k in range(X.shape[0]):
        X[k] += c


add = loop(_add)


def _add_shares(X: Any, c: Any, threads: int) -> None:
    """X += c, a share for each thread."""
    n = X.shape[0]
    for k in prange(threads):
        add(X[n * k // threads : n * (k + 1) // threads], c)


add_shares = together(_add_shares)


def additions(case: Case) -> dict[str, Callable[[], None]]:
    """The addition by one thread and by all; for few entries one is faster."""
    X = np.ones(case.size, case.dtype)
    nothing = X.dtype.type(0)
    ways: dict[str, Callable[[], None]] = {"add": lambda: add(X, nothing)}
    if case.threads > 1:
        set_num_threads(case.threads)
        ways["add, shared"] = lambda: add_shares(X, nothing, case.threads)
    return ways


def floors(case: Case, carried: bool = False) -> float:
    """How many such additions move as many bytes as the lines of the rule."""
    return case.bytes_of_the_rule(carried) / (2 * np.dtype(case.dtype).itemsize * case.size)
