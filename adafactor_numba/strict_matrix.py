"""Strict steps on matrices, and on tensors as many of them."""

import math
from collections import Counter

import numpy as np

from . import passes
from .accumulator import LIMBS, Long
from .bounds import Bounds
from .doubledouble import Pair
from .hyperparameters import Hyperparameters
from .loops import height, strip
from .memory import Array
from .pairsums import gather, measure, quotients, roots, update
from .scale import largest, mean_square_U
from .singles import fit, halves
from .strict_step import SHARED, Rates, Step, largest_gradient
from .survey import worthwhile
from .ziv import again, settled

ROOM = 2**12  # undecided entries that are looked at together, or more


class MatrixStep(Step):
    """One step on p matrices X (p, n, m)."""

    bounds: Bounds
    R_old: Array

    def __init__(
        self,
        X: Array,
        G: Array,
        statistics: dict[str, Array],
        rates: Rates,
        constants: Hyperparameters,
        threads: int = 1,
    ) -> None:
        p, n, m = X.shape
        self.bounds, self.strips = Bounds(p, n, m), p * -(-n // strip(n, m))
        self.R, self.C, self.S = np.empty((2, p, n)), np.empty((2, p, m)), np.empty((2, p))
        R_old, C_old = statistics["R"].reshape(p, n), statistics["C"].reshape(p, m)
        threads = min(threads, self.strips) if X.size >= SHARED else 1
        super().__init__(X, G, R_old, C_old, rates, constants, threads)

    def _read(self) -> tuple[Long, bool]:
        parts, self.ratios = np.empty((2, 2, self.strips, self.m))
        totals = np.zeros((self.threads, LIMBS), np.int64)
        taken = np.empty(self.threads, np.int64)
        epsilon_1 = self.constants.epsilon_1
        rates = np.array([self.rates.w[0], self.rates.beta_2[0], epsilon_1])
        sums = passes.Sums(self.R_old, rates, self.R, parts, self.ratios, totals, taken)
        if self.threads == 1:
            passes.read_share(self.X, self.G, sums, self._cuts(self.strips), 0)
        else:
            passes.read(self.X, self.G, sums, self._cuts(self.strips))
        gather(parts, self.C)
        within = largest(self.R, self.C) <= largest_gradient(self.constants) ** 2
        return totals, within and all(taken.tolist())

    def _statistics(self) -> tuple[list[tuple[Array, Array]], int]:
        w, beta_2, _ = self.rates
        epsilon_1, new, undecided = self.constants.epsilon_1, [], 0
        for name, old, pairs, bound, terms in (
            ("R", self.R_old, self.R, self.bounds.R, self.m),
            ("C", self.C_old, self.C, self.bounds.C, self.n),
        ):
            rounded = np.empty_like(old)
            update(old, pairs, terms, w, beta_2, epsilon_1)
            which = settled(pairs.reshape(2, -1), bound, rounded.reshape(-1))
            self._settle(name, which, rounded)
            undecided += len(which)
            new.append((old, rounded))
        return new, undecided

    def _invert(self) -> None:
        quotients(self.R, self.C, self.S)
        self.c = roots(self.C, (1.0, 0.0))

    def _mean_square_U(self, pairs: bool) -> tuple[Pair, float, float]:
        weights, pairs = self.S, pairs or not worthwhile(self.G)
        if pairs:
            weights = np.stack([np.ones(self.p), np.zeros(self.p)])
            if self.threads == 1:
                measure(self.G, self.R, self.ratios, 0, self.strips)
            else:
                passes.measure(self.G, self.R, self.ratios, self._cuts(self.strips))
        sums = self.ratios, self.R, self.C, self.S
        square, lost = mean_square_U(*sums, weights, self.X.size)
        return square, self.bounds.mean_square_U(pairs), lost

    def _descend(self, f: Array, bounds: Array) -> tuple[int, int, Counter[str]]:
        most = min(self.n, height(self.m))
        cuts = self._cuts(self.p * -(-self.n // most))
        left, counts = cuts[1:] - cuts[:-1], np.empty((2, self.threads), np.int64)
        found = np.empty((self.threads, max(most * self.m, ROOM)), np.int64)
        f32, c32 = halves(f[0]), halves(self.c[0])
        if not fit(f[0], self.c[0]):
            bounds[0] = math.inf
        move = passes.Move(f, self.c, f32, c32, bounds, left, found, counts)
        undecided, in_pairs, stages = 0, 0, Counter[str]()
        while any(left.tolist()):
            if self.threads == 1:
                passes.descend_share(self.X, self.G, move, cuts, 0)
            else:
                passes.descend(self.X, self.G, move, cuts)
            sizes, decided = counts.tolist()
            undecided, in_pairs = undecided + sum(sizes), in_pairs + sum(decided)
            for own, k in zip(found, sizes, strict=True):
                if k:
                    stages += self._decide(own[:k])
        return undecided, in_pairs, stages

    def _again(self, which: Array) -> Array:
        f, bounds = self._in_pairs
        return again(self.X, self.G, f, self.c, bounds, which)
