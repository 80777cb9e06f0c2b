"""Whether a method explains what was observed, and in which format the work was done.

A computation that is written in another form than the rule is granted twice the roundings counted
on the rule as written, in units of the format it works in, beside the rounding of storage.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from derivations.evaluate import BALL, FLOAT, Numbers
from derivations.method import Method

from .strand import Prediction, Strand, predictions

FORMATS = ("float64", "float32", "float16")
PLAINLY = "float32"
"""The format whose rounding a case must exceed to be looked into first."""

WILD = replace(FLOAT, errors="ignore")
"""Floats in which a method may well give NaN, as what is examined may do."""

FORMS = 2  # roundings granted for every rounding of the rule as written


@dataclass(frozen=True, eq=False)
class Judgement:
    """One prediction beside what was found."""

    method: Method
    prediction: Prediction

    @property
    def strand(self) -> Strand:
        return self.prediction.strand

    @property
    def size(self) -> tuple[int, int, int]:
        """How large the case is: its steps, entries and rank."""
        X = self.strand.run.params[self.strand.parameter]
        return (self.prediction.observation.t, X.size, X.ndim)

    @cached_property
    def error(self) -> np.ndarray:
        return self.prediction.error()

    def allowed(self, working: str) -> np.ndarray:
        """What rounding explains of the error if the work is done in format `working`."""
        X_new = _floats(self.prediction.X_new)
        with np.errstate(all="ignore"):
            step = self.counted(working) * self.prediction.move
            return np.asarray(step + self.stored(working, X_new))

    def counted(self, working: str) -> float:
        """The relative error of a step that its roundings explain."""
        u = float(np.finfo(working).eps) / 2
        K = FORMS * self.prediction.K + (FORMS * self.prediction.K if _is_float(self) else 0)
        return np.inf if K * u >= 1 else K * u / (1 - K * u)

    def stored(self, working: str, X_new: np.ndarray) -> np.ndarray:
        """What the last difference and storage explain."""
        u = float(np.finfo(working).eps) / 2
        least = max(float(np.finfo(f).smallest_subnormal) for f in (working, self.strand.dtype))
        half_ulp = float(np.finfo(self.strand.dtype).eps) / 2
        before = np.abs(_floats(self.prediction.observation.before))
        return np.asarray((FORMS * u + half_ulp) * np.abs(X_new) + FORMS * u * before + least)

    def moves(self, working: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Flat: the moves expected and found, and what rounding explains of the moves found."""
        o = self.prediction.observation
        before, after = _floats(o.before).ravel(), _floats(o.after).ravel()
        with np.errstate(all="ignore"):
            expected = _floats(self.prediction.X_new - np.asarray(o.before)).ravel()
            seen = after - before
            counted = self.counted(working) * np.abs(seen)
            stored = self.stored(working, after.reshape(self.error.shape)).ravel()
        return expected, seen, counted + stored

    def explained(self, working: str) -> bool:
        """Whether every entry is within its bound.

        What is not finite never is, but where floats were asked to predict just that.
        """
        within = self.error <= self.allowed(working)
        if _is_float(self):
            expected, after = self.prediction.X_new, self.prediction.observation.after
            G = self.prediction.observation.G
            nothing = not np.all(np.isfinite(_floats(after))) or not np.any(G)
            within |= ~np.isfinite(expected) & nothing
        return bool(np.all(within))

    def worst(self, working: str) -> tuple[int, ...]:
        """The index of the entry that is most beyond its bound."""
        with np.errstate(all="ignore"):
            excess = np.nan_to_num(self.error / self.allowed(working), nan=np.inf)
        return tuple(int(k) for k in np.unravel_index(np.argmax(excess), excess.shape))

    @cached_property
    def naturals(self) -> tuple[float, float]:
        """The least and greatest nonzero magnitude among G^2, V, R, C, R C and sums of the rule."""
        values = self.prediction.values
        arrays = [_floats(values["G"]) ** 2]
        named = [name for name in ("V", "R", "C", "S_R") if name in values]
        arrays += [np.abs(_floats(values[name])) for name in named]
        if "R" in values:
            arrays.append(np.asarray(arrays[-1].max() * _floats(values["C"]).max()))
            arrays.append(np.asarray(_floats(values["R"]).min() * _floats(values["C"]).min()))
        found = np.concatenate([a.ravel() for a in arrays])
        found = found[found > 0]
        return (float(found.min()), float(found.max())) if found.size else (1.0, 1.0)

    def grain(self) -> set[float]:
        """The signs, relative to the step, of what is beyond float64's rounding at t = 1."""
        o, p = self.prediction.observation, self.prediction
        if o.t > 1 or len(self.strand.run.params) > 1 or o.before is None or o.after is None:
            return set()
        beyond = self.error > self.allowed(FORMATS[0])
        if not np.any(beyond):
            return set()
        off = o.after.astype(object) - p.X_new
        step = p.X_new - o.before.astype(object)
        with np.errstate(all="ignore"):
            return {*np.sign(_floats(off * step))[beyond].tolist()} & {-1.0, 1.0}

    def leaves_range(self, working: str) -> bool:
        """Whether the rule's own numbers leave the exponents of `working`; G has no zeros."""
        history = [o.G for o in self.strand.observations if o.t <= self.prediction.observation.t]
        if not all(np.all(G != 0) for G in history):
            return False
        least, greatest = self.naturals
        limits = np.finfo(working)
        eps, dtype = float(limits.eps), np.finfo(self.strand.dtype)
        roomy = float(limits.tiny) / eps <= least and greatest <= float(limits.max) * eps
        storable = float(dtype.tiny) / eps <= float(np.min(np.abs(history)))
        return not (roomy and storable)


def judgements(
    method: Method, found: Iterable[Strand], numbers: Numbers = BALL, **more: Any
) -> Iterator[Judgement]:
    """A judgement of every observation that the method has a value for."""
    for strand in found:
        for prediction in predictions(method, strand, numbers, **more):
            yield Judgement(method, prediction)


def formats(
    method: Method,
    found: Iterable[Strand],
    numbers: Numbers = BALL,
    candidates: Sequence[str] = FORMATS[:2],
    grained: bool = False,
    **more: Any,
) -> dict[str, str] | None:
    """`formats_of` what the method says of the strands; None, too, where it has no value."""
    try:
        return formats_of(judgements(method, found, numbers, **more), candidates, grained)
    except ArithmeticError:
        return None


def formats_of(
    found: Iterable[Judgement], candidates: Sequence[str] = FORMATS[:2], grained: bool = False
) -> dict[str, str] | None:
    """For each dtype the finest format in which everything is explained; None if there is none.

    What is beyond the range of a format is not held against it.  `grained`: a format coarser than
    the finest is believed only where its rounding is seen, in both directions, at first steps.
    """
    left: dict[str, list[str]] = {}
    signs: dict[str, set[float]] = {}
    for j in found:
        dtype = j.strand.dtype
        left[dtype] = kept = [f for f in left.get(dtype, candidates) if is_in_order(j, f)]
        if not kept:
            return None
        if grained:
            signs.setdefault(dtype, set()).update(j.grain())
    finest = {dtype: kept[0] for dtype, kept in left.items()}
    if grained and any(f != FORMATS[0] and len(signs[d]) < 2 for d, f in finest.items()):
        return None
    return finest


def is_in_order(j: Judgement, working: str) -> bool:
    """Explained, or beyond the range of the format in which the work is done."""
    return j.explained(working) or j.leaves_range(working)


def explained_up_to_factor(
    found: Sequence[Judgement], candidates: Sequence[str] = FORMATS[:2]
) -> bool:
    """Whether one unknown factor makes the moves expected those found, in one of the formats.

    The factor is read off the entry that should move most; its own error is allowed for.
    """
    return any(_one_factor([j for j in found if not j.leaves_range(f)], f) for f in candidates)


def _one_factor(found: Sequence[Judgement], working: str) -> bool:
    if not found:
        return True
    expected, seen, allowed = map(
        np.concatenate, zip(*(j.moves(working) for j in found), strict=True)
    )
    if not np.any(expected):
        return not np.any(np.abs(seen) > allowed)
    if not (np.all(np.isfinite(expected)) and np.all(np.isfinite(seen))):
        return False
    pivot = int(np.argmax(np.abs(expected)))
    share = expected / expected[pivot]
    within = np.abs(seen - share * seen[pivot]) <= allowed + np.abs(share) * allowed[pivot]
    return bool(seen[pivot] != 0 and np.all(within))


def plausible_formats(found: Sequence[Judgement]) -> tuple[str, ...]:
    """The formats in which the work may have been done.

    float16 only where its coarse grid itself is seen: no first step from X = 0 has more digits.
    """
    first = [j for j in found if _starts_at_zero(j)]
    moved = any(np.any(j.prediction.observation.after) for j in first)
    return FORMATS if moved and all(map(_has_half_digits, first)) else FORMATS[:2]


def _starts_at_zero(j: Judgement) -> bool:
    before = j.prediction.observation.before
    return before is not None and not bool(np.count_nonzero(before))


def _has_half_digits(j: Judgement) -> bool:
    after = _floats(j.prediction.observation.after)
    mantissa, _ = np.frexp(after)
    return bool(np.all(mantissa * 2**11 == np.round(mantissa * 2**11)))


def _is_float(j: Judgement) -> bool:
    return bool(j.prediction.X_new.dtype != object)


def _floats(array: Any) -> np.ndarray:
    return np.asarray(array).astype(np.float64)
