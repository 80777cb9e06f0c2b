"""The audit: runs an implementation on every scenario and says which rule it computes.

In this order: the paper's rule; a named variant; the paper with one symbol changed; otherwise the
step that elimination leaves.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from derivations.method import ADAFACTOR, Method
from derivations.variants import VARIANTS

from .difference import case_of, difference, extremity, first_different
from .explain import Explanation, explanations
from .judgement import (
    FORMATS,
    PLAINLY,
    Judgement,
    formats,
    formats_of,
    is_in_order,
    judgements,
    plausible_formats,
)
from .names import remedy
from .reach import reach
from .report import Difference, Report
from .scenarios import runs
from .shrink import smallest
from .strand import Strand, predictions, strands
from .subject import CannotRunError, Run, Subject, Trace
from .suspect import suspect

DTYPES = ("float64", "float32")
Progress = Callable[[str], None]


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
            examination = Examination(name, subject, seed, dtypes, progress)
            report = examination.report()
    except CannotRunError as error:
        report = _cannot_run(name, "unknown", remedy(name, str(error)))
    return replace(report, seed=seed, seconds=time.monotonic() - start)


@dataclass(frozen=True)
class _Answer:
    run: Run
    trace: Trace


class Examination:
    """One audit while it goes on: what was asked and answered, and how the paper judges it."""

    def __init__(
        self, name: str, subject: Subject, seed: int, dtypes: Sequence[str], progress: Progress
    ) -> None:
        self.name, self.subject, self.seed, self.progress = name, subject, seed, progress
        self.dtypes = dtypes
        self.answers = [self._answered(run) for run in runs(dtypes, seed, subject.takes)]
        self.strands = [s for a in self.answers for s in self._strands(a)]
        progress("judging")
        self.paper = list(judgements(ADAFACTOR, self.strands))
        self.candidates = plausible_formats(self.paper)

    def _answered(self, run: Run) -> _Answer:
        self.progress(f"{run.scenario}, {run.params[0].dtype}")
        return _Answer(run, self.subject.run(run))

    def _strands(self, answer: _Answer) -> list[Strand]:
        """The strands of a run; where a gradient is missing, t may advance: the paper is silent."""
        found = list(strands(answer.run, answer.trace))
        if answer.run.scenario == "missing gradient" and not formats(ADAFACTOR, found):
            other = list(strands(answer.run, answer.trace, counting_skipped=True))
            if formats(ADAFACTOR, other):
                return other
        return found

    def report(self) -> Report:
        """The verdict, and what supports it."""
        if not self.paper:
            why = next((a.trace.error for a in self.answers if a.trace.error), "nothing came back")
            return _cannot_run(self.name, self.subject.version, why)
        changed = self._changed_arguments()
        working = formats_of(self.paper, self.candidates, grained=True)
        if working:
            return self._report("differs" if changed else "agrees", ADAFACTOR, working, changed)
        for variant in VARIANTS:
            self.progress(f"variant: {variant.name}")
            working = formats(variant, self.strands, candidates=self.candidates, grained=True)
            if working:
                found = (self._variant_difference(variant, working), *changed)
                return self._report("differs", variant, working, found)
        found = (self._line_difference(), *changed)
        return self._report("differs", None, {}, found)

    def _report(
        self,
        verdict: str,
        method: Method | None,
        working: dict[str, str],
        differences: Sequence[Difference],
    ) -> Report:
        self.progress("range")
        ranges = {
            dtype: reach(dtype, format_, self.subject.run) for dtype, format_ in working.items()
        }
        coarsest = max(working.values(), key=FORMATS.index) if working else None
        self.progress("variants")
        return Report(
            self.name,
            self.subject.version,
            verdict,
            rule=(method or ADAFACTOR).source,
            variant=method.name if method in VARIANTS and method is not None else None,
            precision=coarsest,
            range={dtype: found for dtype, found in ranges.items() if found},
            cases=len(self.paper),
            variants_told_apart=sum(self._tells_apart(v, working) for v in VARIANTS),
            variants_known=len(VARIANTS),
            scenarios_not_run=tuple(self._not_run()),
            differences=tuple(differences),
        )

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

    def _changed_arguments(self) -> list[Difference]:
        for answer in self.answers:
            if answer.trace.changed:
                case = case_of(self.subject.target, answer.run, 1, self.seed)
                return [Difference("arguments", case, what=answer.trace.changed[0])]
        return []

    def _tells_apart(self, variant: Method, working: dict[str, str]) -> bool:
        """Whether a case here has another X_new by the variant, beyond what rounding explains."""
        by_paper: dict[Strand, dict[int, Judgement]] = {}
        for j in self.paper:
            by_paper.setdefault(j.strand, {})[j.prediction.observation.t] = j
        for strand, known in by_paper.items():
            try:
                for p in predictions(variant, strand):
                    j = known[p.observation.t]
                    apart = np.abs(np.asarray(p.X_new - j.prediction.X_new).astype(float))
                    if np.any(apart > 2 * j.allowed(working.get(strand.dtype, PLAINLY))):
                        return True
            except ArithmeticError:
                return True
        return False

    def _failing(self) -> tuple[list[Judgement], list[Judgement]]:
        """What the paper plainly fails to explain, and the rest; in float64 if nothing is plain."""
        for format_ in (PLAINLY, "float64"):
            failing = [j for j in self.paper if not is_in_order(j, format_)]
            if failing:
                return failing, [j for j in self.paper if is_in_order(j, format_)]
        raise AssertionError("the paper explains everything")

    def _smallest(self, failing: Sequence[Judgement]) -> Judgement:
        """The smallest failing judgement that can be found by asking again."""
        self.progress("looking for the smallest case")
        plainly = not is_in_order(failing[0], PLAINLY)
        format_ = PLAINLY if plainly else "float64"

        def check(run: Run) -> list[Judgement]:
            trace = self.subject.run(run)
            if trace.error:
                return []
            try:
                found = list(judgements(ADAFACTOR, strands(run, trace)))
            except ArithmeticError:
                return []
            return [j for j in found if not is_in_order(j, format_)]

        return smallest(min(failing, key=extremity), check).judgement

    def _variant_difference(self, variant: Method, working: Mapping[str, str]) -> Difference:
        j = self._smallest(self._failing()[0])
        *_, last = predictions(variant, j.strand.until(j.prediction.observation.t))
        step = first_different(variant, j, last.values)
        what = f"the variant {variant.name!r} explains all cases"
        return difference(j, step, self._case(j), working, what)

    def _line_difference(self) -> Difference:
        failing, passing = self._failing()
        self.progress("looking for the line")
        alone = [j for j in failing if len(j.strand.run.params) == 1]
        found: list[Explanation] = []
        if alone:
            plain = not is_in_order(failing[0], PLAINLY)
            candidates = self.candidates if plain else FORMATS[:1]
            found = list(itertools.islice(explanations(alone, passing, candidates), 3))
        j = self._smallest(alone or failing)
        if found:
            steps = tuple(dict.fromkeys(e.edit.step for e in found))
            what, working = str(found[0]), found[0].working
            return difference(j, steps[0], self._case(j), working, what, steps)
        step = suspect(self.paper, lambda j: is_in_order(j, PLAINLY))
        return difference(j, step, self._case(j), {}, "no single symbol explains it")

    def _case(self, j: Judgement) -> dict[str, Any]:
        o = j.prediction.observation
        return case_of(self.subject.target, j.strand.run, o.t, self.seed)


def _cannot_run(name: str, version: str, why: str) -> Report:
    return Report(name, version, "cannot run", why=why, variants_known=len(VARIANTS))
