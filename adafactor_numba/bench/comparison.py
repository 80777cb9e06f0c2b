"""All cases measured, those with the same number of threads in one process."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import groupby
from time import perf_counter

from .case import Case
from .peers import PEERS, missing
from .result import Result


@dataclass
class Comparison:
    """The results, and what was left out and why."""

    results: list[Result] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def compared(
    cases: Iterable[Case], each: float, seconds: float, progress: Callable[[str], None]
) -> Comparison:
    """Measure the cases, `each` for so many seconds; begin none after `seconds` in all."""
    found = Comparison()
    absent = missing([*PEERS])
    found.left_out += [f"{name}: {PEERS[name].module} is not installed" for name in absent]
    peers = [name for name in PEERS if name not in absent]
    end = perf_counter() + seconds
    for threads, group in groupby(cases, key=lambda case: case.threads):
        question = {"peers": peers, "each": each, "seconds": end - perf_counter()}
        named = [*group]
        for answer in _answers(question | {"cases": [asdict(case) for case in named]}):
            found.results += [Result(**each) for each in answer.get("results", ())]
            found.left_out += [answer["left_out"]] if "left_out" in answer else []
            progress(f"{len(found.results)} results, {threads} threads")
    return found


def _answers(question: dict[str, object]) -> Iterator[dict[str, list[dict[str, object]]]]:
    """The answers of a process to one question; a process that dies has said why on stderr."""
    with subprocess.Popen(
        [sys.executable, "-m", "adafactor_numba.bench.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdin:
            json.dump(question, process.stdin)
        yield from map(json.loads, process.stdout)
    if process.returncode:
        yield {"left_out": [f"a process that measures ended with {process.returncode}"]}
