"""The audit: runs an implementation on every scenario and says which rule it computes.

In this order: the paper's rule; a combination of named variants; that with one symbol changed;
otherwise the step that elimination leaves.
"""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from derivations.equivalents import EQUIVALENTS
from derivations.method import ADAFACTOR, Method
from derivations.variants import VARIANTS

from .besides import besides, unanswered
from .coarser import judged, unjudged
from .conduct import AGAIN, conduct
from .distinguish import apart
from .examination import Examination, Progress, ends, precisions
from .findings import line_difference, option_differences
from .flagged import Known
from .interview import Finding, Interview
from .judgement import FORMATS, WILD, Formats, Judgement, is_in_order, judgements
from .misconduct import unsaid
from .names import remedy
from .precision import coarsest, formats, formats_of, precision, with_momentum_in_bfloat16
from .properties import WORKING
from .reach import Reach
from .report import Difference, Report
from .search import Path, search
from .strand import Strand
from .subject import CannotRunError, Subject

DTYPES = (*WORKING, "float16")
"""The last is too coarse and too narrow to find a rule in: it is judged by that of another."""
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

    float16 is never asked alone, but with float32 at least.  `paths` are folders to import from
    before all others.
    """
    start = time.monotonic()
    try:
        with Subject(target, seconds, paths) as subject:
            finer = [dtype for dtype in dtypes if dtype in WORKING] or WORKING[-1:]
            verdict = Verdict(name, subject, seed, finer, progress)
            report = verdict.report()
            for dtype in (dtype for dtype in dtypes if dtype not in finer):
                examination = Examination(name, subject, seed, [dtype], progress)
                if verdict.path is None:
                    report = unjudged(report, examination)
                else:
                    report = judged(report, verdict.path, examination)
    except CannotRunError as error:
        report = _cannot_run(name, "unknown", remedy(name, str(error)))
    return replace(report, seed=seed, seconds=time.monotonic() - start)


class Verdict(Examination):
    """What an examination comes to; `path`: the variants, or none, that explain all, if some do."""

    path: Path | None = None

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
            ranges = self.ranges(working or {})
            differences = [*misconduct, *self.beyond(ranges, working or {}, self.paper)]
            return self._report(Path(), working or {}, differences, ranges)
        self.progress("looking for variants")
        guesses: list[Guess] = [(Path(), self.formats)]
        for path, allowed in self._guesses():
            guesses.append((path, allowed))
            if path.options and (working := self._explained_by(path, allowed)):
                found = option_differences(self, path.options, self.paper, working)
                if found:
                    self.path = path
                    ranges = self.ranges(working, path.method)
                    seen = self._judged(path.method)
                    beyond = self.beyond(ranges, working, seen, path.method)
                    differences = [*found, *misconduct, *beyond]
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
                scenarios_not_run=tuple(self.not_run()),
                differences=tuple(unlike),
            )
        why = next((a.trace.error for a in self.answers if a.trace.error), "nothing came back")
        return _cannot_run(self.name, self.subject.version, why)

    def _guesses(self) -> Iterator[Guess]:
        """The combinations that may explain everything, then those whose momentum is rounded.

        What is done in float16 is too coarse to tell them apart by.
        """
        fine = {d: tuple(f for f in found if f != "float16") for d, found in self.formats.items()}
        yield from ((path, self.formats) for path in search(self._finest(), fine))
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
        ranges: Mapping[str, Sequence[Reach]],
        base: Path | None = None,
    ) -> Report:
        """`base` is the path that explains the most, where none explains all."""
        self.progress("variants")
        pairs = apart(self.paper, working or coarsest(self.formats))
        beside, wrong = self._besides(base or path, working)
        differences = unsaid(differences, wrong)
        not_run = [*self.not_run()]
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
            precisions=precisions(working),
            cases=len(self.paper),
            variants_told_apart=len(VARIANTS) - sum(ADAFACTOR.name in pair for pair in pairs),
            variants_known=len(VARIANTS),
            not_told_apart=tuple(sorted(pairs)),
            equivalent=tuple({"axis": e.name, "theorem": e.theorem} for e in EQUIVALENTS),
            scenarios_not_run=tuple(not_run),
            differences=tuple(differences),
            counts_skipped=self.counts_skipped,
            **ends(ranges),
            **beside,
        )

    def _besides(
        self, path: Path, working: Mapping[str, str]
    ) -> tuple[dict[str, Any], list[Finding]]:
        self.progress("flags and properties")
        at_work = {d: (*self.formats[d], f) for d, f in working.items()}
        allowed = {**self.formats, **at_work}
        known = Known(path.options, allowed, self.conduct.dtype, self.conduct.not_run)
        dtypes = [dtype for dtype in self.dtypes if dtype in self.formats and dtype in WORKING]
        return besides(Interview(self.subject, self.seed), self.conduct, known, dtypes)


def _cannot_run(name: str, version: str, why: str) -> Report:
    return Report(name, version, "cannot run", why=why, variants_known=len(VARIANTS))
