"""Strict steps on vectors."""

import math
from collections import Counter

import numpy as np

from .accumulator import LIMBS, Long, add_strips
from .doubledouble import Pair, divide
from .hyperparameters import Hyperparameters
from .memory import Array
from .strict_step import Rates, Step, largest_gradient
from .vectorbounds import VectorBounds
from .vectorpairs import Renewal, again, descend, fits, measure, settle


class VectorStep(Step):
    """One step on a vector X (1, n, 1), by one thread: vectors are short."""

    bounds: VectorBounds
    V: Array  # the new one, rounded (n,)

    def __init__(
        self,
        X: Array,
        G: Array,
        statistics: dict[str, Array],
        rates: Rates,
        constants: Hyperparameters,
    ) -> None:
        V, self.bounds = statistics["V"].reshape(1, -1), VectorBounds(X.size)
        self.of = Renewal(V[0], rates.w, rates.beta_2, constants.epsilon_1)
        self.R = np.array([[[1.0]], [[0.0]]])
        X, G = X.transpose(0, 2, 1), G.transpose(0, 2, 1)
        super().__init__(X, G, None, V, rates, constants, 1)

    def _read(self) -> tuple[Long, bool]:
        total = np.zeros((1, LIMBS), np.int64)
        taken = add_strips(total[0], self.X, 0, 1)
        return total, taken and fits(self.G[0, 0], largest_gradient(self.constants))

    def _statistics(self) -> tuple[list[tuple[Array, Array]], int]:
        V, found = np.empty_like(self.C_old), np.empty(self.m, np.int64)
        left = settle(self.G[0, 0], self.of, self.bounds.C, V[0], found)
        self._settle("C", found[:left], V)
        self.V = V[0]
        return [(self.C_old, V)], left

    def _invert(self) -> None:
        ends = self.V.max(), self.V.min()
        self.c = np.array([[[1.0 / math.sqrt(x) for x in ends]], [[0.0, 0.0]]])

    def _mean_square_U(self, pairs: bool) -> tuple[Pair, float, float]:
        pairs = pairs or not self.doubles
        total = measure(self.G[0, 0], self.of, pairs)
        lost = 2.0**-1060 * (1.0 + self.c.max() ** 2)
        return divide(*total, float(self.m), 0.0), self.bounds.mean_square_U(pairs), lost

    def _descend(self, f: Array, bounds: Array) -> tuple[int, int, Counter[str]]:
        found = np.empty(self.m, np.int64)
        x, g, scale = self.X[0, 0], self.G[0, 0], (f[0, 0, 0], f[1, 0, 0])
        undecided, in_pairs = descend(x, g, self.of, self.V, scale, bounds, found)
        stages = self._decide(found[:undecided]) if undecided else Counter[str]()
        return undecided, in_pairs, stages

    def _again(self, which: Array) -> Array:
        f, bounds = self._in_pairs
        scale = f[0, 0, 0], f[1, 0, 0]
        return again(self.X[0, 0], self.G[0, 0], self.of, scale, bounds, which)
