"""All cases measured, those with the same number of threads in one process."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from itertools import groupby
from time import perf_counter

from .case import Case
from .child import lines
from .peers import PEERS, missing
from .report import Report
from .result import Result


def compare(
    cases: Iterable[Case],
    found: Report,
    each: float,
    seconds: float,
    progress: Callable[[str], None],
) -> None:
    """Add the results: `each` case for so many seconds, none begun after `seconds` in all."""
    absent = missing([*PEERS])
    found.left_out += [f"{name}: {PEERS[name].module} is not installed" for name in absent]
    peers = [name for name in PEERS if name not in absent]
    end = perf_counter() + seconds
    for threads, group in groupby(cases, key=lambda case: case.threads):
        question: dict[str, object] = {"peers": peers, "each": each}
        question["seconds"] = end - perf_counter()
        question["cases"] = [asdict(case) for case in group]
        try:
            for line in lines(["-m", "adafactor_numba.bench.worker"], json.dumps(question)):
                answer = json.loads(line)
                found.results += [Result(**each) for each in answer.get("results", ())]
                found.left_out += [answer["left_out"]] if "left_out" in answer else []
                progress(f"on {threads}: {answer.get('case', '')}")
        except ChildProcessError as error:
            found.left_out.append(f"on {threads}: {error}")
