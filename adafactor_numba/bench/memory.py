"""How much memory a step takes beyond what it keeps: `python -m adafactor_numba.bench.memory`.

The peak of a process only rises, so that a step is seen to need room only where all that was ever
needed is in use when it begins: the peak is filled first.
"""

import json
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from .case import Case
from .child import lines

SHAPE = (4096, 4096)
MIB = 2**20


@dataclass(frozen=True)
class Memory:
    """Bytes of X, bytes that are kept beside X and G, bytes by which a step raises the peak."""

    name: str
    weights: int
    kept: int
    raised: int


def needed(name: str, shape: tuple[int, int] = SHAPE, threads: int = 1) -> Memory:
    """What the third step of a peer needs, in a process of its own."""
    question = json.dumps({"name": name, "shape": shape, "threads": threads})
    *_, answer = lines(["-m", "adafactor_numba.bench.memory"], question)
    return Memory(name, *json.loads(answer))


def main() -> None:
    """Answer the question on stdin: the bytes of X, those kept and those raised."""
    from .peers import PEERS
    from .worker import confine

    asked = json.load(sys.stdin)
    confine(asked["threads"])
    case = Case("memory", (tuple(asked["shape"]),), asked["threads"])
    step = PEERS[asked["name"]].build(*case.arrays(), case.threads)
    step.call()  # what is made once
    step.call()
    filled = full()
    before = peak()
    step.call()
    answer = [4 * case.size, step.kept(), peak() - before]
    del filled
    sys.stdout.write(json.dumps(answer) + "\n")


def full() -> list[Any]:
    """Memory that is held and not used, so much that this process has never held more."""
    held, before = [], peak()
    while peak() < before + MIB:
        held.append(np.ones(MIB // 8))
    return held


def peak() -> int:
    """The most bytes this process has ever held in memory."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
