"""What was asked of an implementation and answered, and how the paper judges it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from derivations.method import ADAFACTOR, Method

from .company import skipping
from .difference import case_of, difference
from .judgement import Formats, Judgement, judgements
from .misconduct import Misconduct
from .parting import Answer
from .precision import formats_at_work, possible, precision
from .reach import Reach, reach
from .report import Difference
from .scenarios import runs
from .strand import Strand, strands
from .subject import Run, Subject
from .suspect import suspect

Progress = Callable[[str], None]


class Examination:
    """An implementation that was asked every scenario in these dtypes."""

    def __init__(
        self, name: str, subject: Subject, seed: int, dtypes: Sequence[str], progress: Progress
    ) -> None:
        self.name, self.subject, self.seed, self.progress = name, subject, seed, progress
        self.dtypes = dtypes
        asked = runs(dtypes, seed, subject.takes, subject.can)
        self.answers = [self._answered(run) for run in asked]
        self.misconduct = Misconduct(subject.target, seed, self.answers)
        self.counts_skipped = self._counts_skipped(alone=False)
        self.counts_alone = self._counts_skipped(alone=True)
        self.strands = [s for a in self.answers for s in self._strands(a)]
        progress("judging")
        self.paper = list(judgements(ADAFACTOR, self.strands))
        at_work = formats_at_work(self.paper)
        self.formats: Formats = {s.dtype: possible(at_work, s.dtype) for s in self.strands}

    def _answered(self, run: Run) -> Answer:
        self.progress(f"{run.scenario}, {run.params[0].dtype}")
        return Answer(run, self.subject.run(run))

    def _strands(self, answer: Answer) -> list[Strand]:
        return list(strands(answer.run, answer.trace, self.counts(answer.run)))

    def counts(self, run: Run) -> bool:
        """Whether t advances in the run without a gradient, too."""
        return bool(self.counts_alone if len(run.params) == 1 else self.counts_skipped)

    def _counts_skipped(self, alone: bool) -> bool | None:
        """Whether t advances without a gradient: the paper is silent about it, so it is asked.

        A gap in the gradients of a parameter then matters; otherwise it changes no bit.  Where
        there are others, it may be a step, and none where there is nothing else to do.  None: a
        gap is refused.
        """
        for dtype in self.dtypes:
            gap, without = (self.subject.run(run) for run in skipping(dtype, self.seed, alone))
            if not (gap.error or without.error):
                return gap.after[-1][0].tobytes() != without.after[-1][0].tobytes()
        return None

    def ranges(
        self, working: Mapping[str, str], method: Method = ADAFACTOR
    ) -> dict[str, tuple[Reach, ...]]:
        """How far the method reaches, then the paper's rule: those that do, for each dtype."""
        self.progress("range")
        found = {}
        for dtype, format_ in working.items():
            possible = (*self.formats[dtype], format_)
            asked = (
                reach(rule, dtype, format_, possible, self.subject.run)
                for rule in dict.fromkeys((method, ADAFACTOR))
            )
            found[dtype] = tuple(r for r in asked if r)
        return found

    def beyond(
        self,
        ranges: Mapping[str, Sequence[Reach]],
        working: Mapping[str, str],
        judged: Sequence[Judgement],
        method: Method = ADAFACTOR,
    ) -> Iterator[Difference]:
        """Where another formula than the method's takes over at some |G|."""
        for dtype, found in ranges.items():
            for r in found:
                if r.method is method and r.beyond:
                    steps = suspect([*judged, r.beyond], working)
                    case = self._case(r.beyond.strand.run, r.beyond.prediction.observation.t)
                    what = f"the {_whose(method)}'s for {dtype} only where |G| is from "
                    what += f"{r.least:.3g} to {r.greatest:.3g}"
                    yield difference(r.beyond, steps[0], case, working, what, steps)

    def not_run(self) -> Iterator[dict[str, str]]:
        """Each scenario that raised, with its first reason; all of a dtype in one line."""
        for dtype in self.dtypes:
            own = [a for a in self.answers if str(a.run.params[0].dtype) == dtype]
            whys: dict[str, str] = {}
            for answer in own:
                if answer.trace.error:
                    whys.setdefault(answer.run.scenario, answer.trace.error)
            if own and all(a.trace.error for a in own):
                whys = {"all": next(iter(whys.values()))}
            for scenario, why in whys.items():
                yield {"scenario": f"{scenario}, {dtype}", "why": why}

    def _case(self, run: Run, t: int) -> dict[str, Any]:
        return case_of(self.subject.target, run, t, self.seed)


def precisions(working: Mapping[str, str]) -> dict[str, str]:
    """The format of the work of each dtype, by the name that a report has for it."""
    return {dtype: str(precision({dtype: format_})) for dtype, format_ in working.items()}


def ends(ranges: Mapping[str, Sequence[Reach]]) -> dict[str, Any]:
    """The range of |G| of each dtype, as a report has it, and whose it is.

    It is that of the paper's rule, if it has its step at 1, otherwise of the variant.
    """
    found = {dtype: reaches[-1] for dtype, reaches in ranges.items() if reaches}
    return {
        "range": {d: {"smallest_G": r.least, "largest_G": r.greatest} for d, r in found.items()},
        "range_of": {dtype: _whose(r.method) for dtype, r in found.items()},
    }


def _whose(method: Method) -> str:
    return "paper" if method is ADAFACTOR else "variant"
