"""Questions to one implementation, whose answers are compared with one another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .difference import beside, case_of
from .parting import Answer, Pair, Parted, fewest, parted
from .subject import Run, Subject, Trace

ARGUMENTS, BETWEEN, OVER_TIME = "arguments", "between parameters", "over time"
"""Where an implementation is wrong beside the lines of the paper."""


@dataclass(frozen=True)
class Finding:
    """What an implementation does that it should not, and the run that shows it.

    `step` is ARGUMENTS, BETWEEN or OVER_TIME.  The case may have an `other` run, which it is
    compared with, and the `parameter` to look at, in each of both; then `index` is
    [parameter, i, j, ...] of an entry, which is `got` in the run and `expected` from the other, and
    `granted` is what rounding explains.
    """

    step: str
    what: str
    case: Mapping[str, Any]
    index: tuple[int, ...] = ()
    got: float | None = None
    expected: float | None = None
    granted: float = 0.0


@dataclass
class Interview:
    """What one implementation is asked, and the scenarios that it refused, with its message.

    `working` tells the format in which each dtype's work is done; that of a dtype left out is its
    own.
    """

    subject: Subject
    seed: int
    working: Mapping[str, str] = field(default_factory=dict)
    not_run: dict[str, str] = field(default_factory=dict)
    meddling: list[Finding] = field(default_factory=list)

    def run(self, run: Run) -> Trace:
        """Its answer; what came back unlike its parameter, or was changed, is kept as a finding."""
        trace = self.subject.run(run)
        whats = (*trace.unlike[:1], *trace.changed[:1])
        self.meddling += [self.finding(ARGUMENTS, what, run) for what in whats]
        return trace

    def trace(self, run: Run) -> Trace:
        """Its answer; an error is kept as the scenario's."""
        trace = self.run(run)
        if trace.error:
            self.not_run.setdefault(run.scenario, trace.error)
        return trace

    def finding(self, step: str, what: str, run: Run, other: Run | None = None) -> Finding:
        """What the run shows, by itself or beside another one, at its end at the latest."""
        case = case_of(self.subject.target, run, len(run.grads), self.seed)
        return Finding(step, what, case if other is None else case | {"other": beside(other)})

    def compared(
        self,
        step: str,
        what: str,
        run: Run,
        known: Run,
        order: Sequence[int] = (),
        *,
        but: int | None = None,
        raising: bool = False,
    ) -> Iterator[Finding]:
        """Where a run parts from a known one, whose parameters may have another `order`.

        `what` has a place for the number of the parameter; nothing is said of parameter `but`.
        `raising`: the run may not raise either, as the known one shows it to be possible.
        """
        found, before = (Answer(r, self.trace(r)) for r in (run, known))
        for at in parted(found, before, self.working, order):
            if at.places[0] != but:
                yield self._parting(step, what, run, known, at, order)
        trace = found.trace
        if raising and trace.error and not trace.lost and not before.trace.error:
            t = min(len(trace.after) + 1, len(run.grads))
            yield self.finding(step, f"step {t} raises {trace.error}", run, known)

    def _parting(
        self, step: str, what: str, run: Run, known: Run, at: Parted, order: Sequence[int]
    ) -> Finding:
        """That a run parts from a known one, shown with few parameters and no later step."""
        numbers = tuple(order or range(len(run.params)))

        def again(first: Run, second: Run, places: Sequence[int]) -> Iterator[Parted]:
            one, other = (Answer(r, self.subject.run(r)) for r in (first, second))
            return parted(one, other, self.working, places)

        pair = fewest(Pair(run, known, numbers, at), again)
        return self.shown(step, what, pair.found, pair.known, pair.parted)

    def shown(self, step: str, what: str, run: Run, known: Run, at: Parted) -> Finding:
        """That a run parts from a known one, as it is."""
        place, other = at.places
        runs = (until(r, at.t) for r in (run, known))
        case = {**self.finding(step, what, *runs).case, "parameter": place}
        case["other"] = {**case["other"], "parameter": other}
        index = (place, *at.entry)
        return Finding(step, what.format(place), case, index, at.got, at.expected, at.granted)


def until(run: Run, t: int) -> Run:
    """The run up to its step t, or as it is if it would not be saved then."""
    return run if run.split is not None and run.split >= t else replace(run, grads=run.grads[:t])
