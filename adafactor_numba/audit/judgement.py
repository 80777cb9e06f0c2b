"""Whether a method explains what was observed, if the work was done in some format.

A computation that is written in another form than the rule is granted twice the roundings counted
on the rule as written, in units of the format it works in, beside the rounding of storage; and as
many more as numbers lose that are carried as their logarithms, for which float16 is too coarse.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, TypeAlias

import numpy as np

from derivations.evaluate import BALL, FLOAT, Numbers
from derivations.method import Method

from .strand import Prediction, Strand, floats, predictions

FORMATS = ("float64", "mixed", "float32", "bfloat16", "float16")
"""Finest first; mixed: rho and beta_2 in float32, all else in float64; bfloat16: momentum alone is
kept in it, all else is done in float32.
"""

SCHEDULES = {"mixed": "float32", "bfloat16": "float32"}
WORK = {"mixed": "float64", "bfloat16": "float32"}
KEPT = {"bfloat16": 2.0**-9}

Formats: TypeAlias = Mapping[str, tuple[str, ...]]
"""For each dtype, the formats in which its work may be done, finest first."""

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
        X_new = floats(self.prediction.X_new)
        with np.errstate(all="ignore"):
            step = self.counted(working) * self.prediction.move
            step = step + self.kept(working, np.asarray(0.0))
            return np.asarray(step + self.stored(working, X_new))

    def kept(self, working: str, otherwise: np.ndarray) -> np.ndarray:
        """What the rounding of a stored momentum explains; `otherwise` is a move without one.

        A first move is rounded twice: before it is averaged, and as the momentum.
        """
        kept = self.prediction.kept
        unit = FORMS * KEPT.get(working, 0.0)
        return np.asarray(unit * (2 * np.abs(otherwise) if kept is None else kept))

    def counted(self, working: str) -> float:
        """The relative error of a step that its roundings explain."""
        p, forms = self.prediction, FORMS * (2 if _is_float(self) else 1)
        scheduled = forms * (p.K - p.K_work) * unit_of(SCHEDULES.get(working, working))
        logarithm = 0.0 if working == "float16" else self.logarithm
        Ku = (forms * p.K_work + FORMS * logarithm) * unit_of(WORK.get(working, working))
        Ku += scheduled
        return np.inf if Ku >= 1 else Ku / (1 - Ku)

    def stored(self, working: str, X_new: np.ndarray) -> np.ndarray:
        """What the last difference and storage explain."""
        working = WORK.get(working, working)
        u = unit_of(working)
        least = max(least_of(working), least_of(self.strand.dtype))
        half_ulp = unit_of(self.strand.dtype)
        before = np.abs(floats(self.prediction.observation.before))
        return np.asarray((FORMS * u + half_ulp) * np.abs(X_new) + FORMS * u * before + least)

    def moves(self, working: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Flat: the moves expected and found, and what rounding explains of the moves found.

        A momentum may be kept that the method does not know yet; what it explains is of the size
        of the moves found.
        """
        o = self.prediction.observation
        before, after = floats(o.before).ravel(), floats(o.after).ravel()
        with np.errstate(all="ignore"):
            expected = floats(self.prediction.X_new - np.asarray(o.before)).ravel()
            seen = after - before
            counted = self.counted(working) * np.abs(seen)
            stored = self.stored(working, after.reshape(self.error.shape)).ravel()
            kept = self.kept(working, seen.reshape(self.error.shape)).ravel()
            if self.prediction.kept is not None and np.any(expected):
                kept = kept * np.abs(seen).max() / np.abs(expected).max()
        return expected, seen, counted + stored + kept

    def explained(self, working: str) -> bool:
        """Whether every entry is within its bound.

        What is not finite never is, but where floats were asked to predict just that.
        """
        within = self.error <= self.allowed(working)
        if _is_float(self):
            expected, after = self.prediction.X_new, self.prediction.observation.after
            G = self.prediction.observation.G
            nothing = not np.all(np.isfinite(floats(after))) or not np.any(G)
            within |= ~np.isfinite(expected) & nothing
        return bool(np.all(within))

    def worst(self, working: str) -> tuple[int, ...]:
        """The index of the entry that is most beyond its bound."""
        with np.errstate(all="ignore"):
            excess = np.nan_to_num(self.error / self.allowed(working), nan=np.inf)
        return tuple(int(k) for k in np.unravel_index(np.argmax(excess), excess.shape))

    @cached_property
    def logarithm(self) -> float:
        """The greatest |ln x| of the rule's numbers x: each loses that much carried as ln x."""
        ends = np.abs(np.log(self.naturals))
        return float(np.max(ends, where=np.isfinite(ends), initial=0.0))

    @cached_property
    def naturals(self) -> tuple[float, float]:
        """The least and greatest nonzero magnitude among G^2, V, R, C, R C and sums of the rule.

        A square that is too small for a float stands for the least one.
        """
        values = self.prediction.values
        G = floats(values["G"])
        with np.errstate(all="ignore"):
            arrays = [np.where(G == 0, 0.0, np.maximum(G**2, np.nextafter(0.0, 1.0)))]
        named = [name for name in ("V", "R", "C", "S_R") if name in values]
        arrays += [np.abs(floats(values[name])) for name in named]
        if "R" in values:
            arrays.append(np.asarray(arrays[-1].max() * floats(values["C"]).max()))
            arrays.append(np.asarray(floats(values["R"]).min() * floats(values["C"]).min()))
        found = np.concatenate([a.ravel() for a in arrays])
        found = found[found > 0]
        return (float(found.min()), float(found.max())) if found.size else (1.0, 1.0)

    def leaves_range(self, working: str) -> bool:
        """Whether the rule's own numbers leave the exponents of `working`.

        A vector may be taken for a matrix of one row, and R C be formed of it.  Squares of X
        matter where RMS(X) is more than epsilon_2.  Zeros of G are excused only where the exponents
        of `working` leave nothing of epsilon_1.
        """
        limits = np.finfo(WORK.get(working, working))
        o, values = self.prediction.observation, self.prediction.values
        smallest_G = self.strand.least[o.t]
        if smallest_G == 0:
            return bool(values.get("epsilon_1", 1) < float(limits.smallest_subnormal) / 2)
        least, greatest = self.naturals
        if "R" not in values:
            greatest *= greatest
        squares = np.square(floats(o.before))
        if np.mean(squares) > float(values.get("epsilon_2", np.inf)) ** 2:
            least, greatest = min(least, np.mean(squares)), max(greatest, np.max(squares))
        eps = float(limits.eps)
        roomy = float(limits.tiny) / eps <= least and greatest <= float(limits.max) * eps
        storable = float(np.finfo(self.strand.dtype).tiny) <= smallest_G
        return not (roomy and storable)


def judgements(
    method: Method, found: Iterable[Strand], numbers: Numbers = BALL, **more: Any
) -> Iterator[Judgement]:
    """A judgement of every observation that the method has a value for."""
    for strand in found:
        for prediction in predictions(method, strand, numbers, **more):
            yield Judgement(method, prediction)


def is_in_order(j: Judgement, working: str) -> bool:
    """Explained, or beyond the range of the format in which the work is done."""
    return j.explained(working) or j.leaves_range(working)


def explained_up_to_factor(found: Sequence[Judgement], working: str) -> bool:
    """Whether one unknown factor makes the moves expected those found.

    The factor is read off the entry that should move most; its own error is allowed for.
    """
    within = [j.moves(working) for j in found if not j.leaves_range(working)]
    return not within or proportional(*map(np.concatenate, zip(*within, strict=True)))


def proportional(expected: np.ndarray, seen: np.ndarray, allowed: np.ndarray) -> bool:
    """Whether the moves seen are those expected times one factor, up to what is allowed."""
    if not np.any(expected):
        return not np.any(np.abs(seen) > allowed)
    if not (np.all(np.isfinite(expected)) and np.all(np.isfinite(seen))):
        return False
    pivot = int(np.argmax(np.abs(expected)))
    share = expected / expected[pivot]
    within = np.abs(seen - share * seen[pivot]) <= allowed + np.abs(share) * allowed[pivot]
    return bool(seen[pivot] != 0 and np.all(within))


def greatest_unit(working: str) -> float:
    """The unit roundoff of the coarsest of what is kept, scheduled and worked in a format."""
    return KEPT.get(working, unit_of(SCHEDULES.get(working, working)))


@cache
def unit_of(format_: str) -> float:
    """The unit roundoff of a format."""
    return float(np.finfo(format_).eps) / 2


@cache
def least_of(format_: str) -> float:
    """The least positive number of a format."""
    return float(np.finfo(format_).smallest_subnormal)


def _is_float(j: Judgement) -> bool:
    return bool(j.prediction.X_new.dtype != object)
