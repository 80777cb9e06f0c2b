"""How the loops are compiled: `_name` is the source, `name = loop(_name)` what runs."""

from collections.abc import Callable
from typing import Any

from numba import njit

OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True}


def loop(source: Callable[..., Any]) -> Any:
    """The loop, compiled when it is first called."""
    return _kept(source, OPTIONS)


def inlined(source: Callable[..., Any]) -> Any:
    """The same, written out where it is called, so that the compiler sees how often it turns."""
    return njit(inline="always", **OPTIONS)(source)


def together(source: Callable[..., Any]) -> Any:
    """The same, its `prange` shared by threads."""
    return _kept(source, OPTIONS | {"parallel": True})


def _kept(source: Callable[..., Any], options: dict[str, Any]) -> Any:
    """With its code kept for the next process, where there is a folder that can be written to."""
    try:
        return njit(cache=True, **options)(source)
    except RuntimeError:
        return njit(**options)(source)
