"""How long it takes to begin: the import, and the first step of a process."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from .child import MOST, lines
from .turns import ratio

IMPORT = """
from time import perf_counter
start = perf_counter()
import {name}
print(perf_counter() - start)
"""

FIRST_STEP = """
import numpy as np
from time import perf_counter
from adafactor_numba import Adafactor
X, G = np.ones((2, 64, 64), np.float32)
start = perf_counter()
Adafactor([X]).step([G])
print(perf_counter() - start)
"""

ALL_LOOPS = """
import numpy as np
from adafactor_numba import Adafactor
for strict in (False, True):
    for threads in (1, 2):
        X, G = ([np.ones(shape, {dtype!r}) for shape in ((300, 300), (9,))] for _ in range(2))
        Adafactor(X, strict=strict, threads=threads).step(G)
print(0)
"""
"""300 x 300 are enough entries for two threads."""


@dataclass(frozen=True)
class Imports:
    """Seconds that the imports take, medians over processes that take turns, and their ratio."""

    numba: float
    ours: float
    ratio: float


def imports(rounds: int = 9, seconds: float = MOST) -> Imports:
    """`import numba` beside `import adafactor_numba`; a TimeoutError after so many seconds."""
    times: dict[str, list[float]] = {"numba": [], "adafactor_numba": []}
    end = perf_counter() + seconds
    for count in range(2 * rounds + 2):
        name = [*times][(count + count // 2) % 2]  # each comes first in every other round
        found = _printed(IMPORT.format(name=name), seconds=end - perf_counter())
        if count > 1:  # the first round fills the file cache
            times[name].append(found)
    numba, ours = times.values()
    return Imports(median(numba), median(ours), ratio(ours, numba))


def compile_all(seconds: float = MOST) -> None:
    """Have the loops in the cache, both types at the same time, so that no case waits for them."""
    with ThreadPoolExecutor() as pool:
        sources = [ALL_LOOPS.format(dtype=dtype) for dtype in ("float32", "float64")]
        [*pool.map(partial(_printed, seconds=seconds), sources)]


def first_step(seconds: float = MOST) -> float:
    """Seconds of the first step of a process that finds all compiled in the cache."""
    end = perf_counter() + seconds
    _printed(FIRST_STEP, seconds=seconds)
    return _printed(FIRST_STEP, seconds=end - perf_counter())


def first_steps() -> tuple[float, float]:
    """Seconds of the first step of a process that compiles, and of the next process."""
    with TemporaryDirectory() as folder:
        cache = {"NUMBA_CACHE_DIR": folder}
        return _printed(FIRST_STEP, cache), _printed(FIRST_STEP, cache)


def _printed(
    source: str, environment: dict[str, str] | None = None, seconds: float = MOST
) -> float:
    """The number that a process prints which runs this source."""
    *_, number = lines(["-c", source], environment=environment, seconds=seconds)
    return float(number)
