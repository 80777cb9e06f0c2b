"""Properties that need no reference: which laws an implementation's moves keep.

They are asked of any update rule, whatever it computes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from .asking import Asking
from .difference import beside, case_of
from .draw import Draw
from .laws import LAWS, Law
from .moves import Comparison, Move
from .subject import Run, Subject

WORKING = ("float64", "float32")
"""The formats in which the work may be done, finest first."""


@dataclass(frozen=True)
class Property:
    """A law and whether it holds; None where it could not be asked.

    `detail` says in which precision and range it holds, or where it fails, or why it was not asked;
    `case` is the smallest failing run as data, `other` in it the one it is compared with.
    """

    name: str
    holds: bool | None
    says: str
    detail: str
    case: Mapping[str, Any] = field(default_factory=dict)


def properties(subject: Subject, dtypes: Sequence[str], seed: int) -> tuple[Property, ...]:
    """Every law of LAWS, asked in each of the dtypes."""
    return tuple(
        _property(law, [_answer(law, subject, dtype, (seed, number)) for dtype in dtypes], seed)
        for number, law in enumerate(LAWS)
    )


@dataclass(frozen=True, eq=False)
class Answer:
    """What was found of a law in one dtype, and what was refused."""

    asking: Asking
    comparisons: Sequence[Comparison]

    @property
    def telling(self) -> Sequence[Comparison]:
        """The comparisons that could have failed."""
        return [c for c in self.comparisons if c.tells]

    @cached_property
    def failing(self) -> Sequence[Comparison]:
        """Those that no rounding explains."""
        return [c for c in self.comparisons if not c.holds(WORKING[-1])]

    @property
    def working(self) -> str:
        """The finest format whose rounding explains everything, if none fails."""
        finer = all(c.holds(WORKING[0]) for c in self.comparisons)
        return WORKING[0] if finer else WORKING[-1]


def _answer(law: Law, subject: Subject, dtype: str, seed: tuple[int, ...]) -> Answer:
    asking = Asking(law.name, subject, Draw(np.random.default_rng(seed), dtype))
    return Answer(asking, [*law.ask(asking)])


def _property(law: Law, answers: Sequence[Answer], seed: int) -> Property:
    failing = [c for answer in answers for c in answer.failing]
    if failing:
        return Property(law.name, False, law.says, _detail(answers), _case(answers, failing, seed))
    asked = any(answer.telling for answer in answers)
    return Property(law.name, True if asked else None, law.says, _detail(answers))


def _detail(answers: Sequence[Answer]) -> str:
    """What is to be said of every dtype, the same things once."""
    said: dict[str, list[str]] = {}
    for answer in answers:
        said.setdefault(_found(answer), []).append(answer.asking.draw.dtype)
    refused = dict.fromkeys(message for answer in answers for message in answer.asking.refused)
    found = [f"{', '.join(dtypes)}: {text}" for text, dtypes in said.items() if text]
    return "; ".join([*found, *(f"not asked: {message}" for message in refused)])


def _found(answer: Answer) -> str:
    """What is to be said of one dtype, if anything was asked."""
    if answer.failing:
        said = [_failure(_least(answer.failing)), _range(answer, WORKING[-1])]
        return ", but holds for ".join(filter(None, said))
    if answer.telling:
        return _success(answer)
    return "" if answer.asking.refused else "no finite move was seen"


def _success(answer: Answer) -> str:
    """In which precision it holds and, if the law asks about |G|, where in a finer one."""
    if all(c.allowed is None for c in answer.comparisons):
        return " for ".join(filter(None, ("exactly", _range(answer, WORKING[0]))))
    precisions = {f: f"within the rounding of {f}" for f in WORKING}
    ranges = {f: _range(answer, f) for f in WORKING[: WORKING.index(answer.working) + 1]}
    if any(ranges.values()):
        return ", ".join(f"{precisions[f]} for {r}" for f, r in ranges.items() if r)
    return precisions[answer.working]


def _range(answer: Answer, working: str) -> str:
    """The |G| about 1 for which the law holds in a format, if sizes are what was asked."""
    sizes = {c.G for c in answer.comparisons}
    wrong = {c.G for c in answer.comparisons if not c.holds(working)}
    low = max((size for size in wrong if size <= 1), default=0.0)
    high = min((size for size in wrong if size >= 1), default=np.inf)
    inside = [s for s in sizes if low < s < high]
    if len(sizes) == 1 or not inside:
        return ""
    return f"|G| from {min(inside):g} to {max(inside):g}"


def _least(failing: Sequence[Comparison]) -> Comparison:
    return min(failing, key=lambda c: c.size)


def _failure(c: Comparison) -> str:
    """The numbers at the worst entry."""
    index = c.worst(WORKING[-1])
    found, expected = (_digits(c, array[index]) for array in (c.found, c.expected))
    explained = f", of which rounding explains {c.bound(WORKING[-1])[index]:.3g}"
    G = "" if c.G == 1 else f", |G| about {c.G:g}"
    return (
        f"{c.what}{list(index) or ''} is {found} where the law has {expected}, "
        f"shape {c.move.observation.G.shape}, t = {c.move.t}{G}: "
        f"off by {c.off[index]:.3g}{'' if c.allowed is None else explained}"
    )


def _digits(c: Comparison, x: float) -> str:
    """The shortest decimal that gives x back in the parameter's dtype."""
    return str(np.asarray(x, c.move.strand.dtype)[()])


def _case(answers: Sequence[Answer], failing: Sequence[Comparison], seed: int) -> dict[str, Any]:
    c, target = _least(failing), answers[0].asking.subject.target
    case = case_of(target, _until(c.move), c.move.t, seed)
    if c.other is not None:
        case["other"] = beside(_until(c.other))
    return case


def _until(move: Move) -> Run:
    """The run of a move, up to its step."""
    run = move.strand.run
    return replace(run, grads=run.grads[: move.t], watch=())
