"""The process in which cases are measured: `python -m adafactor_numba.bench.worker`.

It reads one question, JSON: the cases, the names of the peers, and for how many seconds.  It
answers, line by line, who is asked next, what was left out, and the results.  It uses as many
processors as the cases have threads, all of which have the same number: some libraries take all.
"""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from statistics import median
from time import perf_counter
from typing import Any

from .case import Case
from .result import FLOOR, Result
from .transformer import Shape
from .turns import Times, measured, ratio


def main() -> None:
    """Answer the question on stdin."""
    question, answers = json.load(sys.stdin), os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    cases = [parsed(each) for each in question["cases"]]
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
    """Who is `asked` next, what was left out, and last the results: the case has `ended`."""
    if perf_counter() > end:
        yield {"left_out": f"{case.name}: no time was left", "ended": True}
        return
    if (wanted := case.most_bytes) > (there := memory()):
        why = f"takes {wanted / 2**30:.0f} GB, {there / 2**30:.0f} are free"
        yield {"left_out": f"{case.name}: {why}", "ended": True}
        return
    from .peers import OURS, OWN, PEERS

    if case.alone:
        peers = [name for name in peers if name in OWN]
        yield {"left_out": f"{case.name}: all but ours"}
    steps: dict[str, Any] = {}
    X, G = case.arrays()
    for name in peers:
        if len(X) > (most := PEERS[name].most):
            yield {"left_out": f"{name}: {case.name}: is not asked for more than {most} parameters"}
            continue
        yield {"asked": name}
        try:
            steps[name] = PEERS[name].build(X, G, case.threads).call
            steps[name]()
        except Exception as error:  # whatever a library raises must not end the others
            if name == OURS:
                raise
            steps.pop(name, None)
            yield {"left_out": f"{name}: {case.name}: {type(error).__name__}: {error}"}
    yield {"asked": ""}
    found = {kind: [asdict(r) for r in of] for kind, of in results(case, steps, each).items()}
    yield {**found, "ended": True}


def results(case: Case, steps: dict[str, Any], seconds: float) -> dict[str, list[Result]]:
    """The floor and every step, in one alternating run; again beside ours with X unchanged."""
    from .floor import additions, floors
    from .peers import OURS, STRICT, UNCHANGED

    ways = additions(case)
    times = measured(ways | steps, seconds)
    add = min((times.pop(way) for way in ways), key=median)
    others = {name: found for name, found in times.items() if name not in (OURS, STRICT)}
    floor, lower = ([t * floors(case, carried) for t in add] for carried in (False, True))
    return {
        "results": _compared(case, {FLOOR: floor, **times}, OURS),
        "unchanged": _compared(case, {FLOOR: lower, **others}, UNCHANGED),
    }


def _compared(case: Case, times: Times, ours: str) -> list[Result]:
    """The medians, and the ratios within each round."""
    shapes = [list(shape) for shape in case.shapes]
    return [
        Result(
            name,
            shapes[0] if len(shapes) == 1 else shapes,
            case.dtype,
            case.threads,
            median(found),
            ratio(found, times[FLOOR]),
            ratio(found, times[ours]),
        )
        for name, found in times.items()
        if ours in times
    ]


def memory() -> float:
    """The bytes that are free, or infinity where the system does not say."""
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (ValueError, OSError, AttributeError):
        return float("inf")


def parsed(given: dict[str, Any]) -> Case:
    """A case that was JSON."""
    shapes: tuple[Shape, ...] = tuple(map(tuple, given.pop("shapes")))
    return Case(shapes=shapes, **given)


if __name__ == "__main__":
    main()
