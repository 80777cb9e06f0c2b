"""What differs, step by step: each with the smallest case that shows it."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from derivations.method import ADAFACTOR, Method
from derivations.variants import AXES, Option, combined

from .clue import Clue
from .difference import case_of, difference, extremity, first_different
from .edits import Edit
from .explain import Explanation, explanations
from .judgement import WILD, Formats, Judgement, is_in_order, judgements
from .precision import coarsest
from .ratio import described, of_size
from .report import Difference
from .search import Path
from .shrink import smallest
from .strand import Strand, strands
from .subject import Run, Subject
from .suspect import suspect

STEPS = {option: axis.step for axis in AXES for option in axis.options}

LINES, WAYS = 3, 9
"""Lines that are named at most, and explanations that are looked at for them."""

NOWHERE = {
    "between parameters": "only where there are other parameters",
    "over time": "only where the run was interrupted: saved and loaded, or without a gradient",
}
"""What differs, where it is at no line."""


class Sides(NamedTuple):
    """What was judged, by which format for each dtype; what that leaves unexplained, what not."""

    judged: Sequence[Judgement]
    failing: Sequence[Judgement]
    passing: Sequence[Judgement]
    working: Mapping[str, str]


class Evidence(Protocol):
    """What was asked of an implementation, and whom to ask again."""

    subject: Subject
    seed: int
    strands: list[Strand]
    formats: Formats

    def counts(self, run: Run) -> bool:
        """Whether t advances in the run without a gradient, too."""

    def progress(self, what: str) -> None:
        """Say what is being done."""


def option_differences(
    evidence: Evidence,
    options: Sequence[Option],
    paper: Sequence[Judgement],
    working: Mapping[str, str],
    unexplained: Sequence[Judgement] = (),
) -> list[Difference]:
    """One for every option: what is seen against the same combination without it.

    Nothing is shown on what all of them together leave unexplained.
    """
    found, whole = [], combined(tuple(options))
    left = {(j.strand, j.prediction.observation.t) for j in unexplained}
    for option in options:
        others = combined(tuple(o for o in options if o is not option))
        judged = paper
        if others is not ADAFACTOR:
            judged = list(judgements(others, evidence.strands, WILD))
        told = [j for j in judged if (j.strand, j.prediction.observation.t) not in left]
        failing = [j for j in told if not is_in_order(j, working[j.strand.dtype])]
        if not failing:
            continue
        j = _smallest(evidence, others, failing, working, whole)
        step = first_different(whole, j, STEPS[option])
        what = f"the variant {option.name!r} {_share(options, unexplained)}"
        found.append(difference(j, step, _case(evidence, j), working, what))
    return found


def _share(options: Sequence[Option], unexplained: Sequence[Judgement]) -> str:
    if unexplained:
        return "explains some cases"
    return "is a part of what explains all cases" if len(options) > 1 else "explains all cases"


def line_difference(
    evidence: Evidence, base: Path, judged: Sequence[Judgement], paper: Sequence[Judgement]
) -> list[Difference]:
    """The line that no known option explains, then the options of `base` that explain the rest.

    A line of the paper alone that explains everything is better than any of `base`; and so is none
    than a base that leaves nothing to explain for floats, and yet was refused by balls.
    """
    evidence.progress("looking for the line")
    steps_tried = Counter[Edit]()
    sides = _sides(judged, evidence.formats)
    if base.options and not sides.failing:
        base, sides = Path(), _sides(paper, evidence.formats)
    found = _explanations(evidence, base, sides, steps_tried)
    if not found and base.options:
        others = _sides(paper, evidence.formats)
        if found := _explanations(evidence, Path(), others, steps_tried):
            base, sides = Path(), others
    failing, working = sides.failing, sides.working
    j = _smallest(evidence, base.method, _alone(failing) or failing, working)
    steps = tuple(dict.fromkeys(s for e in found for s in e.edit.steps))
    steps = steps or suspect([*sides.judged, j], working)
    what = str(found[0]) if found else _unexplained(steps[0], [*failing, j], sides)
    besides = f"; besides: {', '.join(o.name for o in base.options)}" if base.options else ""
    line = difference(j, steps[0], _case(evidence, j), working, what + besides, steps)
    return [line, *option_differences(evidence, base.options, paper, working, failing)]


def _unexplained(step: str, failing: Sequence[Judgement], sides: Sides) -> str:
    """What is said of a difference that no change of a line explains."""
    wrong, right = (
        [Clue(j, sides.working[j.strand.dtype]) for j in found]
        for found in (failing, sides.passing)
    )
    said = f"no single symbol explains it: {described(wrong)}{of_size(wrong, right)}"
    return NOWHERE.get(step, said)


def _explanations(
    evidence: Evidence, base: Path, sides: Sides, steps: Counter[Edit]
) -> list[Explanation]:
    """The first few single lines of `base` that, changed, explain everything.

    One of each line, as what comes after is another way to say the same.
    """
    allowed = {d: f[: f.index(sides.working[d]) + 1] for d, f in evidence.formats.items()}
    suspected = suspect(sides.judged, sides.working)
    alone = _alone(sides.failing)
    found = explanations(alone, sides.passing, allowed, base.method, suspected, steps)
    lines: dict[str, Explanation] = {}
    for explanation in itertools.islice(found, WAYS):
        lines.setdefault(explanation.edit.step, explanation)
        if len(lines) == LINES:
            break
    return [*lines.values()]


def _alone(found: Sequence[Judgement]) -> list[Judgement]:
    """Those of runs of one parameter."""
    return [j for j in found if len(j.strand.run.params) == 1]


def _sides(judged: Sequence[Judgement], allowed: Formats) -> Sides:
    """By the coarsest formats, if they leave anything unexplained, else by the finest."""
    finest = {dtype: found[0] for dtype, found in allowed.items()}
    for working in (coarsest(allowed), finest):
        passing: list[Judgement] = []
        failing: list[Judgement] = []
        for j in judged:
            (passing if is_in_order(j, working[j.strand.dtype]) else failing).append(j)
        if failing:
            break
    return Sides(judged, failing, passing, working)


def _smallest(
    evidence: Evidence,
    method: Method,
    failing: Sequence[Judgement],
    working: Mapping[str, str],
    whole: Method | None = None,
) -> Judgement:
    """The smallest failing judgement that can be found by asking again, and that `whole` explains.

    Whether it does is not asked of those that are given.
    """
    evidence.progress("looking for the smallest case")
    start = min(failing, key=extremity)

    def check(run: Run) -> list[Judgement]:
        asked = _asked(evidence, method, run)
        found = [j for j in asked if not is_in_order(j, working[j.strand.dtype])]
        return [j for j in found if whole is None or _explains(whole, j, working)]

    return smallest(start, check).judgement


def _explains(method: Method, j: Judgement, working: Mapping[str, str]) -> bool:
    """Whether the method explains what another leaves unexplained."""
    t = j.prediction.observation.t
    found = judgements(method, [j.strand.until(t)], WILD)
    at_t = [k for k in found if k.prediction.observation.t == t]
    return bool(at_t) and is_in_order(at_t[0], working[j.strand.dtype])


def _asked(evidence: Evidence, method: Method, run: Run) -> Iterator[Judgement]:
    trace = evidence.subject.run(run)
    if trace.error:
        return
    try:
        yield from list(judgements(method, strands(run, trace, evidence.counts(run))))
    except ArithmeticError:
        return


def _case(evidence: Evidence, j: Judgement) -> dict[str, object]:
    t = j.prediction.observation.t
    return case_of(evidence.subject.target, j.strand.run, t, evidence.seed)
