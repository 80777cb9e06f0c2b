"""What was measured, as it is written down."""

import math
import os
import platform
from dataclasses import dataclass
from typing import Any

from .title import title

FLOOR = "floor"


@dataclass(frozen=True)
class Result:
    """One optimizer on one case: seconds a step, over those of the floor, over those of ours.

    `shape` is that of the parameter, or a list of the shapes of them all.
    """

    name: str
    shape: list[int] | list[list[int]]
    dtype: str
    threads: int
    seconds: float
    ratio_to_floor: float
    ratio_to_ours: float

    @property
    def shapes(self) -> list[list[int]]:
        """The shape of each parameter."""
        several: Any = self.shape
        return several if several and isinstance(several[0], list) else [several]

    @property
    def title(self) -> str:
        """What was measured, in words."""
        return title(self.shapes)

    @property
    def entries(self) -> int:
        """How many numbers are updated."""
        return sum(map(math.prod, self.shapes))


def machine() -> dict[str, object]:
    """The processor, how many of them may be used, the system and the Python."""
    return {
        "processor": _processor(),
        "processors": processors(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    """The model of the processor, where the system says it."""
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.partition(":")[2].strip() for line in file if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
