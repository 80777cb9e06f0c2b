"""How much memory an optimizer keeps and a step takes: `python -m adafactor_numba.bench.memory`.

What is kept is what the process holds after two steps, and three, and did not hold before anything
was made, less X and G: whatever was made on the way and not given back is in it.  What a step takes
shows in the peak.  That only rises, so that it is filled first: all that was ever needed is in use
when the fourth step begins.
"""

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .case import Array, Case
from .child import MOST, lines
from .peers import PEERS, Build, Step
from .transformer import Shape

PROGRAM = ("-m", "adafactor_numba.bench.memory")
SHAPE = (4096, 4096)
FIRST = (256, 256)  # entries enough that threads and loops are started by it
MIB = 2**20
GIVEN_BACK = {"MALLOC_MMAP_THRESHOLD_": str(2**16), "MALLOC_TRIM_THRESHOLD_": "0"}
"""So that glibc returns what is freed, and it does not seem to be kept."""


@dataclass(frozen=True)
class Memory:
    """Bytes of X; of the arrays kept, as the optimizer counts them; bytes kept and taken, measured.

    `kept` is by how much the process has grown, less X and G, and None where the system does not
    say; `raised` is by how much a step raises its peak.
    """

    name: str
    weights: int
    counted: int
    kept: int | None
    raised: int


def needed(
    name: str,
    shape: Shape = SHAPE,
    threads: int = 1,
    *,
    count: int = 1,
    dtype: str = "float32",
    order: str = "C",
    seconds: float = MOST,
) -> Memory:
    """What a peer needs for so many parameters of one shape, in a process of its own.

    `order` is that of X and G in memory, C or F.  A TimeoutError after so many seconds.
    """
    case = {"shapes": (shape,) * count, "threads": threads, "dtype": dtype}
    question = json.dumps({"name": name, "case": case, "order": order})
    *_, answer = lines([*PROGRAM], question, environment=GIVEN_BACK, seconds=seconds)
    return Memory(name, *json.loads(answer))


def main() -> None:
    """Answer the question on stdin: the fields of a Memory, but for the name."""
    from .worker import confine, parsed

    asked = json.load(sys.stdin)
    case, build = parsed(asked["case"]), PEERS[asked["name"]].build
    confine(case.threads)
    first = Case((FIRST,), case.threads, case.dtype)
    _stepped(build, first, asked["order"])  # compiles, starts threads
    before = resident()
    step = _stepped(build, case, asked["order"])
    held = [resident()]
    step.call()
    held.append(resident())  # some give back late what they took
    given = case.size * np.dtype(case.dtype).itemsize
    kept = min(held) - before - 2 * given if before else None
    filled = full()
    highest = peak()
    step.call()
    answer = [given, step.kept(), kept, peak() - highest]
    del filled
    sys.stdout.write(json.dumps(answer) + "\n")


def _stepped(build: Build, case: Case, order: str) -> Step:
    """An optimizer that has taken two steps: what is made once was made."""
    X, G = (_drawn(case, scale, order) for scale in (0.02, 1e-3))
    step = build(X, G, case.threads)
    step.call()
    step.call()
    return step


def _drawn(case: Case, scale: float, order: Any) -> list[Array]:
    """Numbers for all parameters, in one piece of memory that is given back as one."""
    drawn = np.random.default_rng(0).standard_normal(case.size, np.float32)
    piece = (scale * drawn).astype(case.dtype)
    ends = np.cumsum([math.prod(shape) for shape in case.shapes])
    parts = zip(np.split(piece, ends[:-1]), case.shapes, strict=True)
    return [part.reshape(shape, order=order) for part, shape in parts]


def full() -> list[Any]:
    """Memory that is held and not used, so much that this process has never held more."""
    held, before = [], peak()
    while peak() < before + MIB:
        held.append(np.ones(MIB // 8))
    return held


def resident() -> int:
    """The bytes that this process holds in memory, 0 where the system does not say it."""
    try:
        text = Path("/proc/self/smaps_rollup").read_text()
    except OSError:
        return 0
    return 1024 * int(text.split("Rss:")[1].split()[0])


def peak() -> int:
    """The most bytes this process has ever held in memory."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
