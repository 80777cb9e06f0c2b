"""The audit: runs an implementation on every scenario and says which rule it computes.

In this order: the paper's rule; a combination of named variants; that with one symbol changed;
otherwise the step that elimination leaves.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from derivations.equivalents import EQUIVALENTS
from derivations.method import ADAFACTOR, Method
from derivations.variants import VARIANTS

from .besides import besides, unanswered
from .company import skipping
from .conduct import AGAIN, conduct
from .difference import case_of, difference
from .distinguish import apart
from .findings import line_difference, option_differences
from .flagged import Known
from .interview import Finding, Interview
from .judgement import FORMATS, WILD, Formats, Judgement, is_in_order, judgements
from .misconduct import Misconduct, unsaid
from .names import remedy
from .parting import Answer
from .precision import (
    FINE,
    coarsest,
    formats,
    formats_at_work,
    formats_of,
    possible,
    precision,
    with_momentum_in_bfloat16,
)
from .properties import WORKING
from .reach import Reach, reach
from .report import Difference, Report
from .scenarios import runs
from .search import Path, search
from .strand import Strand, strands
from .subject import CannotRunError, Run, Subject
from .suspect import suspect

DTYPES = (*WORKING, "float16")
"""The last is too coarse and too narrow for the laws, and for most of what flags do."""
Progress = Callable[[str], None]
Guess: TypeAlias = tuple[Path, Formats]
"""A combination of variants, and the formats in which it may explain."""


def audit(
    name: str,
    target: str,
    *,
    seed: int = 0,
    seconds: float = 60.0,
    dtypes: Sequence[str] = DTYPES,
    progress: Progress = lambda _: None,
    paths: Sequence[str] = (),
) -> Report:
    """The report on the builder `target`, `module:function`; each run may take `seconds`.

    `paths` are folders to import from before all others.
    """
    start = time.monotonic()
    try:
        with Subject(target, seconds, paths) as subject:
            fine = [dtype for dtype in dtypes if dtype in WORKING] or dtypes
            examination = Examination(name, subject, seed, fine, progress)
            report = examination.report()
            for dtype in (dtype for dtype in dtypes if dtype not in fine):
                report = _with(report, dtype, examination)
    except CannotRunError as error:
        report = _cannot_run(name, "unknown", remedy(name, str(error)))
    return replace(report, seed=seed, seconds=time.monotonic() - start)


class Examination:
    """One audit while it goes on: what was asked and answered, and how the paper judges it."""

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
        self.path: Path | None = None

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

    def report(self) -> Report:
        """The verdict, and what supports it."""
        if not self.paper:
            return self._without_a_step()
        self.progress("conduct")
        dtype = self.paper[0].strand.dtype
        self.conduct = conduct(self.subject, self.seed, dtype, coarsest(self.formats))
        misconduct = self.misconduct.differences(self.conduct)
        another_each_time = any(d.what.startswith(AGAIN) for d in misconduct)
        if (working := formats_of(self.paper, self.formats)) or another_each_time:
            self.path = Path() if working else None
            ranges = self._ranges(working or {})
            differences = [*misconduct, *self._beyond(ranges, working or {})]
            return self._report(Path(), working or {}, differences, ranges)
        self.progress("looking for variants")
        guesses: list[Guess] = [(Path(), self.formats)]
        for path, allowed in self._guesses():
            guesses.append((path, allowed))
            if path.options and (working := self._explained_by(path, allowed)):
                found = option_differences(self, path.options, self.paper, working)
                if found:
                    self.path = path
                    differences = [*found, *misconduct]
                    ranges = self._ranges(working)
                    return self._report(path, working, differences, ranges)
        base, self.formats = self._explaining_most(guesses)
        found = line_difference(self, base, self._judged(base.method), self.paper)
        return self._report(Path(), {}, [*found, *misconduct], {}, base)

    def _without_a_step(self) -> Report:
        """What is said where nothing could be judged: it differs if anything came back."""
        if unlike := self.misconduct.unlike():
            return Report(
                self.name,
                self.subject.version,
                "differs",
                variants_known=len(VARIANTS),
                scenarios_not_run=tuple(self._not_run()),
                differences=tuple(unlike),
            )
        why = next((a.trace.error for a in self.answers if a.trace.error), "nothing came back")
        return _cannot_run(self.name, self.subject.version, why)

    def _guesses(self) -> Iterator[Guess]:
        """The combinations that may explain everything, then those whose momentum is rounded."""
        yield from ((path, self.formats) for path in search(self._finest(), self.formats))
        allowed = with_momentum_in_bfloat16(self.formats)
        paths = search(self._finest(), allowed, answered=("momentum",))
        yield from ((path, allowed) for path in paths)

    def _explained_by(self, path: Path, allowed: Formats) -> dict[str, str] | None:
        """The formats in which the path explains everything; decided by floats, then by balls."""
        if not formats(path.method, self.strands, WILD, allowed):
            return None
        return formats(path.method, self.strands, allowed=allowed)

    def _explaining_most(self, guesses: Sequence[Guess]) -> Guess:
        """The guess that leaves the fewest strands unexplained, the first of several."""
        best, least = guesses[0], len(self.strands)
        for guess in guesses:
            left = sum(1 for _ in itertools.islice(self._unexplained(*guess), least))
            if left < least:
                best, least = guess, left
        return best

    def _unexplained(self, path: Path, allowed: Formats) -> Iterator[Strand]:
        """The strands that the path does not explain, whatever the format."""
        working = coarsest(allowed)
        for strand in self._finest():
            found = judgements(path.method, [strand], WILD)
            if not all(is_in_order(j, working[strand.dtype]) for j in found):
                yield strand

    def _finest(self) -> list[Strand]:
        """The strands of the dtype with the most digits, in which methods part most clearly."""
        dtype = next(d for d in FORMATS if d in self.formats)
        return [s for s in self.strands if s.dtype == dtype]

    def _judged(self, method: Method) -> list[Judgement]:
        return self.paper if method is ADAFACTOR else list(judgements(method, self.strands, WILD))

    def _report(
        self,
        path: Path,
        working: dict[str, str],
        differences: Sequence[Difference],
        ranges: Mapping[str, Reach],
        base: Path | None = None,
    ) -> Report:
        """`base` is the path that explains the most, where none explains all."""
        self.progress("variants")
        pairs = apart(self.paper, working or coarsest(self.formats))
        beside, wrong = self._besides(base or path, working)
        differences = unsaid(differences, wrong)
        not_run = [*self._not_run()]
        refused = {f"{s}, {self.conduct.dtype}": why for s, why in self.conduct.not_run.items()}
        not_run += unanswered(refused | self.subject.lost, not_run)
        return Report(
            self.name,
            self.subject.version,
            "differs" if differences else "agrees",
            rule=path.method.source,
            variant=path.method.name if path.options else None,
            axes={axis.name: option.name for axis, option in (base or path).answers()},
            precision=precision(working),
            precisions=_precisions(working),
            range=_ends(ranges),
            cases=len(self.paper),
            variants_told_apart=len(VARIANTS) - sum(ADAFACTOR.name in pair for pair in pairs),
            variants_known=len(VARIANTS),
            not_told_apart=tuple(sorted(pairs)),
            equivalent=tuple({"axis": e.name, "theorem": e.theorem} for e in EQUIVALENTS),
            scenarios_not_run=tuple(not_run),
            differences=tuple(differences),
            counts_skipped=self.counts_skipped,
            **beside,
        )

    def added_to(self, report: Report, path: Path) -> Report:
        """The report with what its rule, found in finer dtypes, says of these."""
        if not self.paper:
            return replace(report, scenarios_not_run=(*report.scenarios_not_run, *self._not_run()))
        if report.precision == "bfloat16":
            self.formats = dict.fromkeys(self.formats, (*FINE, *FORMATS[3:]))
        judged = self.paper if not path.options else list(judgements(path.method, self.strands))
        working = formats_of(judged, self.formats)
        ranges = self._ranges(working or {})
        found = [*self._beyond(ranges, working or {})]
        if working is None:
            found = line_difference(self, path, judged, self.paper)[:1]
        alone = [replace(d, what=f"in {d.case['dtype']} alone: {d.what}") for d in found]
        differences = unsaid([*report.differences, *alone], self.misconduct.shown())
        not_run = [*report.scenarios_not_run, *self._not_run()]
        return replace(
            report,
            verdict="differs" if differences else "agrees",
            precisions={**report.precisions, **_precisions(working or {})},
            range={**report.range, **_ends(ranges)},
            cases=report.cases + len(self.paper),
            scenarios_not_run=(*not_run, *unanswered(self.subject.lost, not_run)),
            differences=tuple(differences),
        )

    def _ranges(self, working: Mapping[str, str]) -> dict[str, Reach]:
        """How far the paper's rule reaches, for each dtype that has its step at |G| = 1."""
        self.progress("range")
        found = {
            dtype: reach(dtype, format_, self.formats[dtype], self.subject.run)
            for dtype, format_ in working.items()
        }
        return {dtype: r for dtype, r in found.items() if r}

    def _beyond(
        self, ranges: Mapping[str, Reach], working: Mapping[str, str]
    ) -> Iterator[Difference]:
        """Where another formula takes over at some |G|."""
        for dtype, r in ranges.items():
            if r.beyond:
                steps = suspect([*self.paper, r.beyond], working)
                case = self._case(r.beyond.strand.run, r.beyond.prediction.observation.t)
                what = f"the paper's for {dtype} only where |G| is from {r.least:.3g} to "
                what += f"{r.greatest:.3g}"
                yield difference(r.beyond, steps[0], case, working, what, steps)

    def _besides(
        self, path: Path, working: Mapping[str, str]
    ) -> tuple[dict[str, Any], list[Finding]]:
        self.progress("flags and properties")
        at_work = {d: (*self.formats[d], f) for d, f in working.items()}
        allowed = {**self.formats, **at_work}
        known = Known(path.options, allowed, self.conduct.dtype, self.conduct.not_run)
        dtypes = [dtype for dtype in self.dtypes if dtype in self.formats and dtype in WORKING]
        return besides(Interview(self.subject, self.seed), self.conduct, known, dtypes)

    def _not_run(self) -> Iterator[dict[str, str]]:
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


def _with(report: Report, dtype: str, finer: Examination) -> Report:
    """The report with what the rule of finer dtypes says of a coarser one, if there is a rule."""
    if finer.path is None:
        line = {"scenario": f"all, {dtype}", "why": "there is no rule of finer dtypes to judge by"}
        return replace(report, scenarios_not_run=(*report.scenarios_not_run, line))
    coarser = Examination(finer.name, finer.subject, finer.seed, [dtype], finer.progress)
    return coarser.added_to(report, finer.path)


def _precisions(working: Mapping[str, str]) -> dict[str, str]:
    return {dtype: str(precision({dtype: format_})) for dtype, format_ in working.items()}


def _ends(ranges: Mapping[str, Reach]) -> dict[str, dict[str, float]]:
    return {d: {"smallest_G": r.least, "largest_G": r.greatest} for d, r in ranges.items()}


def _cannot_run(name: str, version: str, why: str) -> Report:
    return Report(name, version, "cannot run", why=why, variants_known=len(VARIANTS))
