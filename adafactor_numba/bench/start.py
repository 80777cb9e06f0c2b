"""How long it takes to begin: the import, and the first step of a process."""

from dataclasses import dataclass
from statistics import median
from tempfile import TemporaryDirectory

from .child import lines
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


@dataclass(frozen=True)
class Imports:
    """Seconds that the imports take, medians over processes that take turns, and their ratio."""

    numba: float
    ours: float
    ratio: float


def imports(rounds: int = 9) -> Imports:
    """`import numba` beside `import adafactor_numba`."""
    times: dict[str, list[float]] = {"numba": [], "adafactor_numba": []}
    for count in range(2 * rounds + 2):
        name = [*times][(count + count // 2) % 2]  # each comes first in every other round
        found = _printed(IMPORT.format(name=name))
        if count > 1:  # the first round fills the file cache
            times[name].append(found)
    numba, ours = times.values()
    return Imports(median(numba), median(ours), ratio(ours, numba))


def first_step() -> float:
    """Seconds of the first step of a process that finds all compiled in the cache."""
    _printed(FIRST_STEP)
    return _printed(FIRST_STEP)


def first_steps() -> tuple[float, float]:
    """Seconds of the first step of a process that compiles, and of the next process."""
    with TemporaryDirectory() as folder:
        cache = {"NUMBA_CACHE_DIR": folder}
        return _printed(FIRST_STEP, cache), _printed(FIRST_STEP, cache)


def _printed(source: str, environment: dict[str, str] | None = None) -> float:
    """The number that a process prints which runs this source."""
    *_, number = lines(["-c", source], environment=environment)
    return float(number)
