"""Strict steps on vectors."""

from collections import Counter

import numpy as np

from . import vectorpasses
from .accumulator import LIMBS, Long
from .doubledouble import Pair
from .hyperparameters import Hyperparameters
from .memory import Array
from .strict_step import SHARED, Rates, Step, largest_gradient
from .vectorbounds import VectorBounds
from .vectorpairs import Renewal, again, descend, ends, mean_square_U, measure, settle


class VectorStep(Step):
    """One step on a vector X (1, n, 1)."""

    bounds: VectorBounds
    V: Array  # the new one, rounded (n,)

    def __init__(
        self,
        X: Array,
        G: Array,
        statistics: dict[str, Array],
        rates: Rates,
        constants: Hyperparameters,
        threads: int = 1,
    ) -> None:
        threads = threads if X.size >= SHARED else 1
        V, self.bounds = statistics["V"].reshape(1, -1), VectorBounds(X.size, threads)
        self.of = Renewal(V[0], np.array([*rates.w, *rates.beta_2, constants.epsilon_1]))
        self.R = np.array([[[1.0]], [[0.0]]])
        X, G = X.transpose(0, 2, 1), G.transpose(0, 2, 1)
        super().__init__(X, G, None, V, rates, constants, threads)

    def _read(self) -> tuple[Long, bool]:
        totals = np.zeros((self.threads, LIMBS), np.int64)
        self.cuts = self._cuts(self.m)
        given = self.X[0, 0], self.G[0, 0], largest_gradient(self.constants)
        if self.threads == 1:
            return totals, vectorpasses.read_share(*given, totals[0], 0, self.m)
        return totals, vectorpasses.read(*given, totals, self.cuts)

    def _found(self, found: Array, counts: list[int]) -> Array:
        """So many of the positions that each thread has found."""
        starts = self.cuts[:-1].tolist()
        return np.concatenate([found[i : i + k] for i, k in zip(starts, counts, strict=True)])

    def _statistics(self) -> tuple[list[tuple[Array, Array]], int]:
        V, found = np.empty_like(self.C_old), np.empty(self.m, np.int64)
        given = self.G[0, 0], self.of, self.bounds.C, V[0], found
        if self.threads == 1:
            counts = [settle(*given, 0, self.m)]
        else:
            counts = vectorpasses.settle(*given, self.cuts).tolist()
        which = self._found(found, counts)
        self._settle("C", which, V)
        self.V = V[0]
        return [(self.C_old, V)], len(which)

    def _invert(self) -> None:
        self.c = ends(self.V)

    def _mean_square_U(self, pairs: bool) -> tuple[Pair, float, float]:
        pairs = pairs or not self.doubles
        given = self.G[0, 0], self.of, pairs
        if self.threads == 1:
            total = measure(*given, 0, self.m)
        else:
            total = vectorpasses.measure(*given, self.cuts)
        square, lost = mean_square_U(total, self.c, self.m)
        return square, self.bounds.mean_square_U(pairs), lost

    def _descend(self, f: Array, bounds: Array) -> tuple[int, int, Counter[str]]:
        found = np.empty(self.m, np.int64)
        given, more = (self.X[0, 0], self.G[0, 0], self.of, self.V), (bounds, found)
        if self.threads == 1:
            left, in_pairs = descend(*given, (f[0, 0, 0], f[1, 0, 0]), *more, 0, self.m)
            counts = [left]
        else:
            counts, decided = vectorpasses.descend(*given, f[:, 0, 0], *more, self.cuts).tolist()
            in_pairs = sum(decided)
        which = self._found(found, counts)
        stages = self._decide(which) if len(which) else Counter[str]()
        return len(which), in_pairs, stages

    def _again(self, which: Array) -> Array:
        f, bounds = self._in_pairs
        scale = f[0, 0, 0], f[1, 0, 0]
        return again(self.X[0, 0], self.G[0, 0], self.of, scale, bounds, which)
