"""Which of the known methods the cases of an audit cannot tell apart, pair by pair."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial

import numpy as np

from derivations.method import ADAFACTOR, Method
from derivations.variants import VARIANTS

from .judgement import WILD, Judgement, judgements
from .strand import Strand

METHODS = (ADAFACTOR, *VARIANTS)
Pair = tuple[str, str]
Allowed = Callable[[Judgement], np.ndarray]


def apart(paper: Sequence[Judgement], working: Mapping[str, str]) -> set[Pair]:
    """The pairs of names, of the paper and its variants, that no case here tells apart.

    Two are told apart by a case for which they expect more different X_new than rounding explains,
    in the format in which the work is done, or of which one has no value.
    """
    left = {(one.name, other.name) for one, other in itertools.combinations(METHODS, 2)}
    for strand in _in_turn(dict.fromkeys(j.strand for j in paper)):
        names = {name for pair in left for name in pair}
        by_method = {m.name: _expected(m, strand) for m in METHODS if m.name in names}
        allowed = cache(partial(Judgement.allowed, working=working[strand.dtype]))
        left = {
            (one, other)
            for one, other in left
            if not _differ(by_method[one], by_method[other], allowed)
        }
        if not left:
            break
    return left


def _in_turn(strands: Iterator[Strand] | Mapping[Strand, None]) -> Iterator[Strand]:
    """One strand of every scenario, then another of every one, and so on."""
    by_scenario: dict[str, list[Strand]] = {}
    for strand in strands:
        by_scenario.setdefault(strand.run.scenario, []).append(strand)
    for row in itertools.zip_longest(*by_scenario.values()):
        yield from (strand for strand in row if strand is not None)


def _expected(method: Method, strand: Strand) -> dict[int, Judgement]:
    try:
        found = list(judgements(method, [strand], WILD))
    except ArithmeticError:
        return {}
    return {j.prediction.observation.t: j for j in found}


def _differ(one: Mapping[int, Judgement], other: Mapping[int, Judgement], allowed: Allowed) -> bool:
    return any(_at(one[t], other[t], allowed) for t in one.keys() & other.keys())


def _at(one: Judgement, other: Judgement, allowed: Allowed) -> bool:
    """Whether some entry has values too far apart, or in one method only."""
    a, b = one.prediction.X_new, other.prediction.X_new
    with np.errstate(all="ignore"):
        beyond = np.abs(a - b) > allowed(one) + allowed(other)
    return bool(np.any(beyond | (np.isfinite(a) != np.isfinite(b))))
