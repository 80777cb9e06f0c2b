"""What is wrong beside the arithmetic, as differences: one for each kind."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from .conduct import Conduct
from .difference import case_of
from .interview import ARGUMENTS, OVER_TIME, Finding
from .parting import Answer
from .report import Difference
from .subject import Run

ANY = ("was changed by step", " has shape ", " has dtype ", " has length ")
"""What is said once, of whatever array and step."""


class Misconduct:
    """What the runs of a builder show, whatever rule it computes."""

    def __init__(self, builder: str, seed: int, answers: Sequence[Answer]) -> None:
        self.builder, self.seed, self.answers = builder, seed, answers

    def differences(self, conducted: Conduct) -> list[Difference]:
        """What conduct found, and what the answers show besides."""
        findings = map(difference_of, conducted.findings)
        return [*findings, *unsaid(self.shown(), conducted.meddling)]

    def shown(self) -> list[Difference]:
        """What the answers show by themselves."""
        return [*self._stopped(), *self.unlike(), *self._changed()]

    def unlike(self) -> list[Difference]:
        """What came back in another shape or dtype than its parameter, in the smallest run."""
        told = [a for a in self.answers if a.trace.unlike]
        least = sorted(told, key=lambda a: (len(a.run.params), len(a.run.grads)))[:1]
        return [self._difference(ARGUMENTS, a.run, 1, a.trace.unlike[0]) for a in least]

    def _stopped(self) -> Iterator[Difference]:
        """A step that raises in every ordinary run."""
        ordinary = [a for a in self.answers if a.run.scenario == "ordinary"]
        stopped = [a for a in ordinary if a.trace.error and a.trace.after and not a.trace.unlike]
        if stopped and all(a.trace.error for a in ordinary):
            run, trace = stopped[0].run, stopped[0].trace
            t = len(trace.after) + 1
            yield self._difference(OVER_TIME, run, t, f"step {t} raises {trace.error}")

    def _changed(self) -> Iterator[Difference]:
        """The first of the caller's own that was changed."""
        changed = (a for a in self.answers if a.trace.changed)
        for a in itertools.islice(changed, 1):
            yield self._difference(ARGUMENTS, a.run, 1, a.trace.changed[0])

    def _difference(self, step: str, run: Run, t: int, what: str) -> Difference:
        case = case_of(self.builder, run, t, self.seed)
        return Difference(step, case, what=what, equivalent_steps=(step,))


def unsaid(known: Sequence[Difference], more: Iterable[Finding | Difference]) -> list[Difference]:
    """Those that are known, and the first of every other kind."""
    found = [*known]
    for one in more:
        difference = difference_of(one) if isinstance(one, Finding) else one
        if _kind(difference) not in map(_kind, found):
            found.append(difference)
    return found


def _kind(difference: Difference) -> str:
    return next((said for said in ANY if said in difference.what), difference.what)


def difference_of(f: Finding) -> Difference:
    """A finding, with its two numbers if it has them."""
    found = Difference(f.step, f.case, what=f.what, equivalent_steps=(f.step,))
    if f.expected is None or f.got is None:
        return found
    dtype = f.case["dtype"]
    dtype = dtype if isinstance(dtype, str) else dtype[f.index[0]]
    with np.errstate(all="ignore"):
        ulp = np.spacing(np.abs(np.asarray(f.expected, dtype))).astype(float)
        off, granted = float(abs(f.got - f.expected) / ulp), float(f.granted / ulp)
    return replace(
        found,
        index=f.index,
        got=f.got,
        expected=f.expected,
        off_by_ulp=off,
        explained_ulp=granted,
    )
