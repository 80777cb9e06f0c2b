"""Questions to one implementation, whose answers are compared with one another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .difference import beside, case_of
from .subject import Run, Subject, Trace


@dataclass(frozen=True)
class Finding:
    """What an implementation does that it should not, and the run that shows it.

    `step` is "between parameters", "over time" or "arguments".  The case may have an `other` run,
    which it is compared with, and the `parameter` to look at, in each of both.
    """

    step: str
    what: str
    case: Mapping[str, Any]


@dataclass
class Interview:
    """What one implementation is asked, and the scenarios that it refused, with its message."""

    subject: Subject
    seed: int
    not_run: dict[str, str] = field(default_factory=dict)
    unlike: list[Finding] = field(default_factory=list)

    def run(self, run: Run) -> Trace:
        """Its answer; what came back unlike the parameters is kept as a finding."""
        trace = self.subject.run(run)
        self.unlike += [self.finding("arguments", what, run) for what in trace.unlike[:1]]
        return trace

    def trace(self, run: Run) -> Trace:
        """Its answer; an error is kept as the scenario's."""
        trace = self.run(run)
        if trace.error:
            self.not_run.setdefault(run.scenario, trace.error)
        return trace

    def finding(self, step: str, what: str, run: Run) -> Finding:
        """What the run shows by itself, at its end at the latest."""
        return Finding(step, what, case_of(self.subject.target, run, len(run.grads), self.seed))

    def parting(
        self,
        step: str,
        what: str,
        run: Run,
        other: Run,
        t: int,
        places: tuple[int, int] | None = None,
    ) -> Finding:
        """What step t of the run shows beside that of another one.

        `places` are those of the parameter to look at: in the run, and in the other one.
        """
        alone = self.finding(step, what, until(run, t))
        case = {**alone.case, "other": beside(until(other, t))}
        if places is not None:
            case["parameter"], case["other"]["parameter"] = places
        return replace(alone, case=case)


def until(run: Run, t: int) -> Run:
    """The run up to its step t, or as it is if it would not be saved then."""
    return run if run.split is not None and run.split >= t else replace(run, grads=run.grads[:t])


def parted(first: Trace, second: Trace, order: Sequence[int] = ()) -> Iterator[tuple[int, int]]:
    """Parameter and step, from 1, of every array whose bits differ, as far as both traces go.

    `order[k]` is the parameter of the first trace that has place k in the second.
    """
    for t, (a, b) in enumerate(zip(first.after, second.after, strict=False), 1):
        for place, k in enumerate(order or range(len(a))):
            if bits(a[k]) != bits(b[place]):
                yield k, t


def bits(array: np.ndarray) -> bytes:
    """The bits of its entries, in order."""
    return array.tobytes()
