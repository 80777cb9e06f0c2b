"""The step to look at when no single symbol explains what was observed: by elimination.

A wrong number (rho, alpha, the clipping) moves all entries of a parameter by one common ratio; a
wrong array does not.  What the failing cases share, and the passing ones lack, names the step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .judgement import Judgement


@dataclass(frozen=True, eq=False)
class Finding:
    """One judgement, and the ratio of the step found to the step expected, where that is not 0."""

    judgement: Judgement
    fails: bool

    @property
    def rank(self) -> int:
        strand = self.judgement.strand
        return strand.run.params[strand.parameter].ndim

    @property
    def t(self) -> int:
        return self.judgement.prediction.observation.t

    @property
    def alone(self) -> bool:
        """Whether its run has no other parameter."""
        return len(self.judgement.strand.run.params) == 1

    @cached_property
    def ratios(self) -> np.ndarray:
        """found / expected step, of every entry that should move."""
        o, p = self.judgement.prediction.observation, self.judgement.prediction
        assert o.before is not None
        assert o.after is not None
        with np.errstate(all="ignore"):
            step = o.before.astype(float) - o.after.astype(float)
            expected = o.before.astype(float) - np.asarray(p.X_new).astype(float)
            return np.asarray((step / expected)[expected != 0])

    @cached_property
    def finite(self) -> bool:
        return bool(np.all(np.isfinite(self.judgement.error)))

    @property
    def common(self) -> bool:
        """Whether all entries are off by one ratio, as far as the bound can tell."""
        if not self.finite or not self.ratios.size:
            return False
        slack = self.judgement.allowed("float32").max() / self.judgement.prediction.move.max()
        return bool(np.ptp(self.ratios) <= 8 * slack * np.abs(self.ratios).max())

    @property
    def clipped(self) -> bool:
        values = self.judgement.prediction.values
        d = float(values["d"]) if "d" in values else np.inf
        return bool(float(values["mean_square_U"]) > d * d)

    @property
    def steep(self) -> bool:
        """Whether some |U| is beyond 1 or d, so that any kind of clipping may act."""
        values = self.judgement.prediction.values
        d = float(values["d"]) if "d" in values else 1.0
        U = np.abs(np.asarray(values["U"]).astype(float))
        return self.clipped or bool(U.max() > min(d, 1.0) * (1 + 1e-9))

    @property
    def still(self) -> bool:
        """Whether the gradient is zero."""
        return not np.any(self.judgement.prediction.observation.G)

    @property
    def from_zero(self) -> bool:
        return not np.any(self.judgement.prediction.observation.before)

    @property
    def tiny(self) -> bool:
        return bool(np.abs(self.judgement.prediction.observation.G).max() < 1e-5)


def suspect(found: Sequence[Judgement], in_order: Callable[[Judgement], bool]) -> str:
    """The step of the rule, or `between parameters`, that the failing judgements point to."""
    findings = [Finding(j, not in_order(j)) for j in found]
    failing = [f for f in findings if f.fails]
    passing = [f for f in findings if not f.fails]
    if all(not f.alone for f in failing):
        return "between parameters"
    failing = [f for f in failing if f.alone]
    passing = [f for f in passing if f.alone]
    if all(not f.finite for f in failing):
        return "V"
    if any(f.still and f.finite for f in failing) or _reversed(failing):
        return "X_new"
    if all(f.rank > 2 for f in failing):
        return "V"
    failing = [f for f in failing if f.finite and f.rank <= 2]
    first = [f for f in failing if f.t == 1]
    if first and not any(f.from_zero for f in first):
        return "alpha" if all(f.common for f in failing) else "X_new"
    if all(f.common for f in failing):
        return _number(failing, passing)
    if all(f.steep for f in failing) and not all(f.steep for f in passing):
        return "U_hat"
    return _array(failing, passing)


def _reversed(failing: Sequence[Finding]) -> bool:
    return any(f.finite and f.ratios.size and bool(np.all(f.ratios < 0)) for f in failing)


def _number(failing: Sequence[Finding], passing: Sequence[Finding]) -> str:
    """One of rho, alpha, U_hat, by what else the common ratio depends on."""
    uneven = [f for f in failing if f.ratios.size > 1]
    if uneven and all(f.clipped for f in uneven) and any(not f.clipped for f in passing):
        return "U_hat"
    by_t: dict[int, list[float]] = {}
    for f in failing:
        by_t.setdefault(f.t, []).append(float(f.ratios[0]))
    spread = max(np.ptp(ratios) / np.abs(ratios).max() for ratios in by_t.values())
    if spread < 1e-4 and not {f.t for f in passing if not f.still} & {*by_t}:
        return "rho"
    zero = [float(f.ratios[0]) for f in (*failing, *passing) if f.from_zero and f.ratios.size]
    other = [float(f.ratios[0]) for f in (*failing, *passing) if not f.from_zero and f.ratios.size]
    if zero and other and np.ptp(zero) < 1e-4 < np.ptp(other):
        return "alpha"
    return "U_hat" if len({f.rank for f in failing}) > 1 else "V"


def _array(failing: Sequence[Finding], passing: Sequence[Finding]) -> str:
    """One of beta_2, R, C, V, U, by the ranks and times that fail."""
    vectors = [f for f in failing if f.rank < 2]
    matrices = [f for f in failing if f.rank == 2]
    if vectors and matrices:
        if all(f.tiny for f in failing):
            return "R"
        return "U" if any(f.t == 1 for f in vectors) else "beta_2"
    if vectors:
        return "V"
    return _factor(matrices)


def _factor(matrices: Sequence[Finding]) -> str:
    """R, C or V, by which way log V found / V expected varies in matrices that are not clipped."""
    rows = columns = rest = 0.0
    for f in matrices:
        shape = f.judgement.error.shape
        if f.ratios.size != np.prod(shape) or np.any(f.ratios <= 0):
            continue
        logarithm = -2 * np.log(f.ratios).reshape(shape)
        logarithm -= logarithm.mean()
        by_row = logarithm.mean(axis=1, keepdims=True)
        by_column = logarithm.mean(axis=0, keepdims=True)
        rows += float(np.sum(by_row**2)) * shape[1]
        columns += float(np.sum(by_column**2)) * shape[0]
        rest += float(np.sum((logarithm - by_row - by_column) ** 2))
    total = rows + columns + rest
    if total and rows > 0.95 * total:
        return "R"
    if total and columns > 0.95 * total:
        return "C"
    return "V"
