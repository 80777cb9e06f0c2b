"""How the loops are compiled: `_name` is the source, `name = loop(_name)` what runs.

A loop is compiled with all that it calls, of other modules too.  Numba takes what it has kept for
fresh while the file of the loop itself is as it was; here all files beside it must be, too.  And it
numbers what it keeps of a loop, so that two processes that compile it at once, each for other
types, may write to one number; here each has a file of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
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
    cache._cache_file = Kept(place, name, stamp)
    return compiled


@dataclass(frozen=True)
class Kept:
    """What is kept of a loop of this name: of each `key`, which has its types, in own files.

    Code is written before the index, which has the stamp: whoever finds it finds the code of it.
    """

    place: str
    name: str
    stamp: object

    def save(self, key: object, code: object) -> None:
        """Keep code."""
        files = self._files(key)
        name = files._data_name(1)
        files._save_data(name, code)
        files._save_index({key: name})

    def load(self, key: object) -> object:
        """The code kept, if any is, of these sources."""
        return self._files(key).load(key)

    def _files(self, key: object) -> Any:
        number = sha256(repr(key).encode()).hexdigest()[:16]
        name = f"{self.name}.{number}"
        return IndexDataCacheFile(self.place, name, self.stamp)  # type: ignore[no-untyped-call]
