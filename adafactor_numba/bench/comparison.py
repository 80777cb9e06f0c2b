"""All cases measured, those with the same number of threads in one process.

A process that fails or hangs ends its peer and no other: the next goes on without it.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from itertools import groupby
from time import perf_counter

from .case import Case
from .child import lines
from .peers import OURS, PEERS, missing
from .report import Report
from .result import Result

WORKER = ("-m", "adafactor_numba.bench.worker")


@dataclass(frozen=True)
class Limits:
    """Seconds: for each case; without an answer; after which no case begins, after which all end.

    The last two are counted from `start`, in the time of `perf_counter`.
    """

    each: float
    silence: float
    begin: float
    end: float
    start: float = field(default_factory=perf_counter)

    def left(self, until: float) -> float:
        """Seconds until so many have passed."""
        return until - (perf_counter() - self.start)


def compare(
    cases: Iterable[Case], found: Report, limits: Limits, progress: Callable[[str], None]
) -> None:
    """Add the results, and what was left out."""
    absent = missing([*PEERS])
    found.left_out += [f"{name}: {PEERS[name].module} is not installed" for name in absent]
    peers = [name for name in PEERS if name not in absent]
    for _, group in groupby(cases, key=lambda case: case.threads):
        waiting = [*group]
        while waiting and limits.left(limits.end) > 0:
            _ask(waiting, peers, found, limits, progress)
        found.left_out += [f"{case.name}: no time was left" for case in waiting]


def _ask(
    waiting: list[Case],
    peers: list[str],
    found: Report,
    limits: Limits,
    progress: Callable[[str], None],
) -> None:
    """Ask one process, and take from `waiting` what it answers, and what ends it; or its peer."""
    question = {
        "peers": peers,
        "each": limits.each,
        "seconds": limits.left(limits.begin),
        "cases": [asdict(case) for case in waiting],
    }
    asked = ""
    seconds = limits.left(limits.end)
    answers = lines([*WORKER], json.dumps(question), silence=limits.silence, seconds=seconds)
    try:
        for line in answers:
            answer = json.loads(line)
            asked = answer.get("asked", asked)
            progress(f"{waiting[0].name}: {asked}")
            for name in ("results", "unchanged"):
                getattr(found, name).extend(Result(**each) for each in answer.get(name, ()))
            found.left_out += [answer["left_out"]] if "left_out" in answer else []
            if "ended" in answer:
                del waiting[0]
    except (ChildProcessError, TimeoutError) as error:
        if not waiting:  # all was answered
            return
        late, why = limits.left(limits.end) <= 0, f"{waiting[0].name}: {error}"
        if late or asked not in peers or asked == OURS:
            del waiting[0]
        else:
            peers.remove(asked)
            why += "; it is asked no further"
        found.left_out.append(f"{asked or 'the rounds'}: {why}")
