"""What a flag does that changes something: which known answer to its question explains it."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from derivations.method import Method
from derivations.variants import AXES, Option, combined

from .draw import Draw
from .flags import FLAGS, Shown, shown, shown_late
from .interview import ARGUMENTS, Finding, Interview
from .judgement import FORMATS, WILD, Formats
from .precision import formats
from .strand import Strand

NOTHING = "changes nothing"
ROUNDING = "changes nothing beyond rounding"
SOMETHING = "changes something"
UNKNOWN = "changes something, by no known rule"
INPUT = "as the paper's input"
PAPER = "as in the paper"
UNEXPLAINED = "no known rule explains the runs without it"
UNTOLD = "too many known rules explain it"
MANY = 3
"""Answers beyond which nothing is said."""

INPUTS = ("epsilon_1", "epsilon_2", "d")

RELATIVE = "relative_step"
"""Without which rho is a constant: it shows past t = 10^4 only."""


@dataclass(frozen=True)
class Flag:
    """What a flag does, in words; None where that could not be asked, and then why."""

    does: str | None
    why: str = ""


@dataclass(frozen=True)
class Known:
    """What is known of an implementation without flags.

    The options that explain it, the formats in which it may work, the dtype in which its flags are
    asked about, and what it refused in that.
    """

    options: tuple[Option, ...]
    formats: Formats
    dtype: str
    refused: Mapping[str, str]


def flagged(interview: Interview, acts: Mapping[str, bool], known: Known) -> dict[str, Flag]:
    """What every flag does that the builder takes; `acts`: whether it does anything."""
    draw = Draw(np.random.default_rng((interview.seed, 201)), known.dtype)
    taken = [name for name in FLAGS if name in interview.subject.takes]
    return {name: _flag(interview, draw, name, acts.get(name), known) for name in taken}


def misused(interview: Interview, found: Mapping[str, Flag], dtype: str) -> Iterator[Finding]:
    """Flags of no known rule, though the runs without them are explained.

    Those of the paper's inputs are cases of the rule, and judged by it.
    """
    draw = Draw(np.random.default_rng((interview.seed, 202)), dtype)
    for name, flag in found.items():
        if flag.does == UNKNOWN and name not in INPUTS:
            for example in itertools.islice(shown(interview, draw, name), 1):
                what = f"{name} {UNKNOWN}"
                yield interview.finding(ARGUMENTS, what, example.run, example.plain)


def _flag(interview: Interview, draw: Draw, name: str, acts: bool | None, known: Known) -> Flag:
    if acts is None:
        return Flag(None, known.refused.get(f"flag {name}", "it was refused"))
    if not acts:
        return Flag(NOTHING)
    found = [*shown(interview, draw, name)]
    late_alone = name == RELATIVE and not found
    if late_alone:
        found = [*shown_late(interview, draw, name)]
    if not found:
        return Flag(SOMETHING)
    ways = _best([*_ways(name, known.options)], [s for f in found for s in f.flagged], known)
    if len(ways) > 1 and not late_alone and "jump" not in interview.subject.can:
        late = [s for f in shown_late(interview, draw, name) for s in f.flagged]
        ways = _best(ways, late, known) or ways
    return _told(ways, found, known)


def _told(ways: Sequence["Way"], found: Sequence[Shown], known: Known) -> Flag:
    """What is to be said, given the ways that explain the runs with the flag."""
    if len(ways) > MANY:
        return Flag(None, UNTOLD)
    plain = Way(PAPER, combined(known.options), combined(known.options))
    own = [way for way in ways if way.what in {option.name for option in known.options}]
    ways = own or ways  # a number of what is done without the flag, too
    if ways and [*ways] != [plain]:
        return Flag(" or ".join(way.what for way in ways))
    explained = plain.format([s for f in found for s in f.unflagged], known)
    if ways:
        return Flag(ROUNDING if explained else PAPER)
    return Flag(UNKNOWN) if explained else Flag(None, UNEXPLAINED)


@dataclass(frozen=True)
class Way:
    """What a flag may do: the method that is asked for when it is set, and the one that is counted.

    What decays is a share of X, whose rounding is granted beside that of the step: it is not in K.
    """

    what: str
    method: Method
    counted: Method

    def format(self, found: Sequence[Strand], known: Known) -> str | None:
        """The finest format in which it explains all strands, if there is one."""
        working = formats(self.method, found, WILD, known.formats, counted=self.counted)
        return working[known.dtype] if working else None


def _ways(name: str, options: tuple[Option, ...]) -> Iterator[Way]:
    """What the flag may do, beside the options that explain the runs without it."""
    if name in INPUTS:
        method = combined(options)
        if name in {x.name for x in method.matrix.inputs}:
            yield Way(INPUT, method, method)
        return
    axis = next(axis for axis in AXES if name in axis.flags)
    others = tuple(option for option in options if option not in axis.options)
    for option in axis.options:
        method = combined((*others, option))
        yield Way(option.name, method, combined(others) if name == "weight_decay" else method)
    yield Way(PAPER, combined(others), combined(others))


def _best(ways: Sequence[Way], found: Sequence[Strand], known: Known) -> list[Way]:
    """The ways that explain all strands in the finest format in which any does."""
    working = [(way, f) for way in ways if (f := way.format(found, known))]
    finest = min((FORMATS.index(f) for _, f in working), default=0)
    return [way for way, f in working if f == FORMATS[finest]]
