"""The process in which cases are measured: `python -m adafactor_numba.bench.worker`.

It reads one question, JSON: the cases, the names of the peers, and for how many seconds.  It
answers a line for each case: its results, or why it was left out.  It uses as many processors as
the cases have threads, all of which have the same number: some libraries take all there are.
"""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from statistics import median
from time import perf_counter
from typing import Any

from .case import Case, Shape
from .result import FLOOR, Result


def main() -> None:
    """Answer the question on stdin."""
    question, answers = json.load(sys.stdin), os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    cases = [_case(each) for each in question["cases"]]
    confine(cases[0].threads)
    end = perf_counter() + question["seconds"]
    for case in cases:
        for answer in answered(case, question["peers"], question["each"], end):
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


def confine(threads: int) -> None:
    """Leave this process `threads` of its processors, where the system can."""
    os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + (
        " --xla_cpu_multi_thread_eigen=false" if threads == 1 else ""
    )
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def answered(case: Case, peers: list[str], each: float, end: float) -> Iterator[dict[str, Any]]:
    """The results of a case, and lines that say what was left out."""
    if perf_counter() > end:
        yield {"left_out": f"{case.name}, {case.dtype}, on {case.threads}: no time was left"}
        return
    if (wanted := case.most_bytes) > (there := memory()):
        yield {
            "left_out": f"{case.name}: takes {wanted / 2**30:.0f} GB, {there / 2**30:.0f} are free"
        }
        return
    from .peers import OURS, PEERS, UNCHANGED

    steps, failed = {}, []
    X, G = case.arrays()
    for name in peers:
        if (case.alone and name not in (OURS, UNCHANGED)) or len(X) > PEERS[name].most:
            continue
        try:
            steps[name] = PEERS[name].build(X, G, case.threads).call
            steps[name]()
        except Exception as error:  # whatever a library raises must not end the others
            if name == OURS:
                raise
            steps.pop(name, None)
            failed.append(f"{name}: {case.name}, {case.dtype}: {type(error).__name__}: {error}")
    yield {"case": case.name, "results": [asdict(r) for r in results(case, steps, each)]}
    yield from ({"left_out": why} for why in failed)


def results(case: Case, steps: dict[str, Any], seconds: float) -> list[Result]:
    """The floor and every step, in one alternating run."""
    from .floor import additions, floors
    from .peers import OURS, UNCHANGED
    from .turns import measured, ratio

    ways = additions(case)
    times = measured(ways | steps, seconds)
    add = min((times[way] for way in ways), key=median)
    times = {FLOOR: [t * floors(case) for t in add]} | {name: times[name] for name in steps}
    shapes = [list(shape) for shape in case.shapes]
    return [
        Result(
            name,
            case.name,
            shapes[0] if len(shapes) == 1 else shapes,
            case.dtype,
            case.threads,
            median(found),
            ratio(found, [t * floors(case, name == UNCHANGED) for t in add]),
            ratio(found, times[OURS]),
        )
        for name, found in times.items()
    ]


def memory() -> float:
    """The bytes that are free, or infinity where the system does not say."""
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (ValueError, OSError, AttributeError):
        return float("inf")


def _case(given: dict[str, Any]) -> Case:
    shapes: tuple[Shape, ...] = tuple(map(tuple, given.pop("shapes")))
    return Case(shapes=shapes, **given)


if __name__ == "__main__":
    main()
