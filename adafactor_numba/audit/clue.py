"""What one judgement shows of the step that is wrong: how its entries move, and where."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .judgement import Judgement, explained_up_to_factor, is_in_order, proportional


@dataclass(frozen=True, eq=False)
class Clue:
    """One judgement by the rounding of `working`, and what is particular to its case."""

    judgement: Judgement
    working: str

    @cached_property
    def fails(self) -> bool:
        return not is_in_order(self.judgement, self.working)

    @property
    def rank(self) -> int:
        return self.judgement.strand.rank

    @property
    def t(self) -> int:
        return self.judgement.prediction.observation.t

    @property
    def alone(self) -> bool:
        """Whether its run has no other parameter."""
        return len(self.judgement.strand.run.params) == 1

    @cached_property
    def finite(self) -> bool:
        return bool(np.all(np.isfinite(self.judgement.error)))

    @cached_property
    def moves(self) -> tuple[np.ndarray, np.ndarray]:
        """The moves expected and found, in the parameter's shape."""
        expected, seen, _ = self.judgement.moves(self.working)
        shape = self.judgement.error.shape
        return expected.reshape(shape), seen.reshape(shape)

    @cached_property
    def ratios(self) -> np.ndarray:
        """found / expected move, of every entry that should move."""
        expected, seen = self.moves
        with np.errstate(all="ignore"):
            return np.asarray((seen / expected)[expected != 0])

    @property
    def factor(self) -> float:
        """The ratio of the entry that should move most, 1 if none should."""
        expected, seen = (a.ravel() for a in self.moves)
        k = int(np.argmax(np.abs(expected)))
        return float(seen[k] / expected[k]) if expected[k] else 1.0

    @cached_property
    def moved(self) -> bool:
        """Whether more of a move was found than its own rounding may be."""
        _, seen, allowed = self.judgement.moves(self.working)
        return bool(np.any(np.abs(seen) > allowed))

    @cached_property
    def common(self) -> bool:
        """Whether one factor explains all entries."""
        return self.finite and explained_up_to_factor([self.judgement], self.working)

    @cached_property
    def bands(self) -> bool:
        """Whether the entries of every row, or of every column, are off by one factor each."""
        shape = self.judgement.error.shape
        moves = [a.reshape(shape) for a in self.judgement.moves(self.working)]
        return self.rank == 2 and any(
            all(
                proportional(*line)
                for line in zip(*(a.swapaxes(0, axis) for a in moves), strict=True)
            )
            for axis in (0, 1)
        )

    def value(self, name: str, otherwise: float) -> float:
        """A scalar that the rule has here, or what stands for one that a variant lacks."""
        values = self.judgement.prediction.values
        return float(values[name]) if name in values else otherwise

    @property
    def clipped(self) -> bool:
        return self.value("mean_square_U", 0.0) > self.value("d", np.inf) ** 2

    @cached_property
    def height(self) -> float:
        """The greatest |U|, in units of 1 or d: whichever is smaller."""
        U = np.abs(np.asarray(self.judgement.prediction.values["U"]).astype(float))
        return float(U.max(initial=0.0)) / min(self.value("d", 1.0), 1.0)

    @property
    def steep(self) -> bool:
        """Whether some |U| is beyond 1 or d, so that any kind of clipping may act."""
        return self.clipped or self.height > 1 + 1e-9

    @property
    def touching(self) -> bool:
        """Whether rounding decides if it is clipped, or it is."""
        return self.clipped or self.height > 1 - 1e-9

    @property
    def interrupted(self) -> bool:
        """Whether the run was saved and loaded, or a gradient is missing or zero before."""
        run, k = self.judgement.strand.run, self.judgement.strand.parameter
        before = (o.G for o in self.judgement.strand.observations if o.t < self.t)
        return (
            run.split is not None
            or any(row[k] is None for row in run.grads)
            or any(not np.any(G) for G in before)
        )

    @cached_property
    def stale(self) -> bool:
        """Whether the move is that of the V of the step before, up to a factor."""
        values = self.judgement.prediction.values
        if self.rank > 1 or "V_old" not in values or self.t == 1:
            return False
        V_old = np.asarray(values["V_old"]).astype(float)
        with np.errstate(all="ignore"):
            U = np.asarray(values["G"]).astype(float) / np.sqrt(V_old)
        _, seen, allowed = self.judgement.moves(self.working)
        return bool(np.all(np.isfinite(U))) and proportional(U.ravel(), -seen, allowed)

    @cached_property
    def level(self) -> bool:
        """Whether all entries that move move as far, up to rounding."""
        _, seen, allowed = self.judgement.moves(self.working)
        return self.finite and bool(np.ptp(np.abs(seen[seen != 0])) <= 2 * np.max(allowed))

    @property
    def hard(self) -> bool:
        """Whether it is clipped however U is scaled, within a factor 2."""
        return self.value("mean_square_U", 0.0) > 4 * self.value("d", np.inf) ** 2

    @property
    def still(self) -> bool:
        """Whether the gradient is zero."""
        return not np.any(self.judgement.prediction.observation.G)

    @property
    def turning(self) -> bool:
        """Whether the method has a momentum, which moves X without a gradient."""
        return "M" in self.judgement.prediction.values

    @property
    def resting(self) -> bool:
        """Whether X is zero."""
        return not np.any(self.judgement.prediction.observation.before)

    @property
    def small(self) -> bool:
        """Whether X is so small that alpha does not depend on it."""
        least = self.value("epsilon_2", 0.0) ** 2
        return self.resting or self.value("mean_square_X", 1.0) < least / 4

    @property
    def tiny(self) -> bool:
        """Whether epsilon_1 may show."""
        G = np.abs(self.judgement.prediction.observation.G).max(initial=0.0)
        return bool(G < 1e-3) or "epsilon_1" in self.judgement.strand.run.hyperparameters

    @cached_property
    def remembers(self) -> bool:
        """Whether the second moment depends on beta_2 here: |G| is not what it was before."""
        strand = self.judgement.strand
        later = zip(strand.observations[1:], strand.repeats[1:], strict=True)
        return not self.still and not all(same for o, (same, _) in later if o.t <= self.t)

    @property
    def several(self) -> bool:
        """Whether it has more than one entry."""
        return self.judgement.error.size > 1
