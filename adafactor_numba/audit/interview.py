"""Questions to one implementation, whose answers are compared with one another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .difference import case_of
from .subject import Run, Subject, Trace


@dataclass(frozen=True)
class Finding:
    """What an implementation does that it should not, and the run that shows it.

    `step` is "between parameters", "over time" or "arguments".
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

    def trace(self, run: Run) -> Trace:
        """Its answer; an error is kept as the scenario's."""
        trace = self.subject.run(run)
        if trace.error:
            self.not_run.setdefault(run.scenario, trace.error)
        return trace

    def finding(self, step: str, what: str, run: Run, t: int = 1) -> Finding:
        """A finding with its case; what is particular to the run is among its data."""
        case = case_of(self.subject.target, run, t, self.seed)
        options = {"groups": run.groups, "jump": run.jump, "split": run.split}
        return Finding(step, what, case | {k: v for k, v in options.items() if v is not None})


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
