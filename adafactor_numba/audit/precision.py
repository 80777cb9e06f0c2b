"""In which format an implementation works, dtype by dtype.

Early steps have few roundings: they show the format most sharply.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from derivations.evaluate import BALL, Numbers
from derivations.method import Method

from .judgement import (
    FORMATS,
    Formats,
    Judgement,
    explained_up_to_factor,
    is_in_order,
    judgements,
)
from .strand import Strand, floats

FINE = FORMATS[:3]
"""The formats in which any work may be done; float16 only where its coarse grid itself is seen."""

EARLY = 6
"""Steps up to which few roundings have piled up."""


def formats_at_work(paper: Iterable[Judgement]) -> Formats:
    """The formats in which the work may have been done, by what the paper says of early steps."""
    early: dict[str, list[Judgement]] = {}
    for j in filter(_is_early, paper):
        early.setdefault(j.strand.dtype, []).append(j)
    return {dtype: _at_work(dtype, found) for dtype, found in early.items()}


def _is_early(j: Judgement) -> bool:
    run = j.strand.run
    plain = len(run.params) == 1 and not run.hyperparameters and run.jump is None
    o = j.prediction.observation
    return plain and o.t <= EARLY and bool(np.any(o.G))


def _at_work(dtype: str, early: Sequence[Judgement]) -> tuple[str, ...]:
    """float64 alone if it explains all that float32 explains, as it is or up to a factor.

    A coarser one is believed only if what is beyond float64 looks like its rounding.  Of
    another dtype the storage hides so much that its own format is always believed.
    """
    half = FORMATS[4:] if _halves(early) else ()
    if dtype != FINE[0]:
        return (*FINE, *half)
    for explained in (Judgement.explained, _one_factor):
        if near := [j for j in early if explained(j, FINE[-1])]:
            break
    else:
        return (*FINE, *half)
    finest = next(f for f in FINE if all(explained(j, f) for j in near))
    another = explained is Judgement.explained and _is_no_rounding(near)
    return (*(FINE[:1] if another or finest == FINE[0] else FINE), *half)


def _one_factor(j: Judgement, working: str) -> bool:
    return j.error.size > 1 and explained_up_to_factor([j], working)


def _is_no_rounding(found: Iterable[Judgement]) -> bool:
    """Whether steps are off to one side alone, entry by entry, and not by one factor each.

    Of vectors that are not clipped: clipping makes some entries larger where others are smaller.
    First steps are asked first, as they know no beta_2.
    """
    beyond = [j for j in found if _is_plain(j) and not j.explained(FINE[0])]
    beyond = [j for j in beyond if j.prediction.observation.t == 1] or beyond
    signs = {sign for j in beyond for sign in _signs(j)}
    return len(signs) == 1 and not all(_one_factor(j, FINE[0]) for j in beyond)


def _is_plain(j: Judgement) -> bool:
    values = j.prediction.values
    steep = "mean_square_U" in values and float(values["mean_square_U"]) > float(values["d"]) ** 2
    return j.strand.rank == 1 and j.error.size > 1 and not steep


def _signs(j: Judgement) -> set[float]:
    """The signs, relative to the step, of what is beyond float64's rounding."""
    o, p = j.prediction.observation, j.prediction
    assert o.before is not None
    assert o.after is not None
    beyond = j.error > j.allowed(FINE[0])
    off = o.after.astype(object) - p.X_new
    step = p.X_new - o.before.astype(object)
    with np.errstate(all="ignore"):
        return {*np.sign(floats(off * step))[beyond].tolist()} & {-1.0, 1.0}


def formats(
    method: Method,
    found: Iterable[Strand],
    numbers: Numbers = BALL,
    allowed: Formats | None = None,
    **more: Any,
) -> dict[str, str] | None:
    """`formats_of` what the method says of the strands; None, too, where it has no value."""
    try:
        return formats_of(judgements(method, found, numbers, **more), allowed)
    except ArithmeticError:
        return None


def formats_of(found: Iterable[Judgement], allowed: Formats | None = None) -> dict[str, str] | None:
    """For each dtype the finest format in which everything is explained; None if there is none.

    What is beyond the range of a format is not held against it.
    """
    left: dict[str, list[str]] = {}
    for j in found:
        dtype = j.strand.dtype
        known = left.get(dtype, possible(allowed, dtype))
        left[dtype] = kept = [f for f in known if is_in_order(j, f)]
        if not kept:
            return None
    return {dtype: kept[0] for dtype, kept in left.items()}


def with_momentum_in_bfloat16(allowed: Formats) -> dict[str, tuple[str, ...]]:
    """The formats, and that of a momentum which is kept in bfloat16."""
    return {dtype: (*found[:3], FORMATS[3]) for dtype, found in allowed.items()}


def precision(working: Mapping[str, str]) -> str | None:
    """The coarsest format in which anything is done, None if that is not known."""
    coarsest = max(working.values(), key=FORMATS.index) if working else None
    return "float32" if coarsest == "mixed" else coarsest


def possible(allowed: Formats | None, dtype: str) -> tuple[str, ...]:
    """The formats allowed for a dtype of which nothing else may be known."""
    return FINE if allowed is None else allowed.get(dtype, FINE)


def coarsest(allowed: Formats) -> dict[str, str]:
    """For each dtype the last of its formats, which explains the most."""
    return {dtype: found[-1] for dtype, found in allowed.items()}


def _halves(early: Sequence[Judgement]) -> bool:
    """Whether every step from X = 0 is a number of float16: of few digits, a multiple of 2^-24.

    What is not finite is beyond its range, and tells nothing.
    """
    after = [floats(j.prediction.observation.after) for j in early if _starts_at_zero(j)]
    after = [array[np.isfinite(array)] for array in after]
    moved = any(np.any(array) for array in after)
    scaled = (x for array in after for x in (np.frexp(array)[0] * 2**11, array * 2**24))
    return moved and all(bool(np.all(x == np.round(x))) for x in scaled)


def _starts_at_zero(j: Judgement) -> bool:
    before = j.prediction.observation.before
    return before is not None and not np.any(before)
