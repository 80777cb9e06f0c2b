"""How the loops are compiled: `_name` is the source, `name = loop(_name)` what runs.

A loop is compiled with all that it calls, of other modules too.  Numba takes what it has kept for
fresh while the file of the loop itself is as it was; here all files beside it must be, too.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from numba import njit
from numba.core.caching import IndexDataCacheFile

OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True}
FILES = sorted(Path(__file__).parent.glob("*.py"))
SOURCES = sha256(b"".join(path.read_bytes() for path in FILES)).digest()


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
        compiled = njit(cache=True, **options)(source)
    except RuntimeError:
        return njit(**options)(source)
    cache = compiled._cache
    place, name = cache.cache_path, cache._impl.filename_base
    stamp = cache._impl.locator.get_source_stamp(), SOURCES
    cache._cache_file = IndexDataCacheFile(place, name, stamp)  # type: ignore[no-untyped-call]
    return compiled
