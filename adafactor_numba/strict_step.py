"""What strict steps on matrices and on vectors have in common, as `strict` tells it."""

import math
from abc import ABC, abstractmethod
from collections import Counter
from functools import cached_property
from typing import NamedTuple

import numpy as np

from . import nearest
from .accumulator import Long, pair, value
from .bounds import Bounds
from .certificate import Certificate
from .doubledouble import Pair
from .exact import Exact
from .hyperparameters import Hyperparameters
from .memory import Array
from .scale import LEAST, factor, scaled
from .vectorbounds import VectorBounds
from .ziv import TINY

LARGEST = 2.0**490  # the square of which, summed over 2^44 entries, is a double
SHARED = 2**16  # entries from which on threads are worth their start
TAKEN = {
    "epsilon_1": (LEAST, LARGEST, "2^-900 to 2^490"),
    "epsilon_2": (0.0, LARGEST, "up to 2^490"),
    "d": (2.0**-500, math.inf, "from 2^-500 on"),
    "rho": (0.0, LARGEST, "up to 2^490"),
}
"""What strict steps take of the hyperparameters: the least, the largest, and this in words."""


class Rates(NamedTuple):
    """What changes from step to step: w and beta_2, whose sum is exactly 1, as exact pairs."""

    w: Pair
    beta_2: Pair
    rho: float


class Step(ABC):
    """One step on X (p, n, m), of which a vector is a row, from G and the statistics, in place.

    All is read at once, and whether it `fits`, if it is surely finite and within the range of the
    optimizer; nothing is written before `write`.  Arrays that do not lie row after row, or are not
    to be written, are copied.
    """

    bounds: Bounds | VectorBounds
    R_old: Array | None
    R: Array  # S / R, pairs (2, p, n); of a vector 1
    c: Array  # 1 / sqrt C, pairs (2, p, m); of a vector the least and the largest of them

    def __init__(
        self,
        X: Array,
        G: Array,
        R_old: Array | None,
        C_old: Array,
        rates: Rates,
        constants: Hyperparameters,
        threads: int,
    ) -> None:
        self.given, self.X, self.G = X, plain(X), plain(G)
        self.p, self.n, self.m = X.shape
        self.R_old, self.C_old, self.threads = R_old, C_old, threads
        self.rates, self.constants, self.unclipped = rates, constants, False
        self.totals, taken = self._read()
        self.square = pair(self.totals)
        fit = not misfits(constants, rates.rho)
        self.fits = taken and self.square[0] <= LARGEST**2 and fit

    @abstractmethod
    def _read(self) -> tuple[Long, bool]:
        """The sum of the squares of X, in parts; whether these and those of G are in range."""

    @abstractmethod
    def _statistics(self) -> tuple[list[tuple[Array, Array]], int]:
        """The old and the new statistics, and how many of their entries pairs did not decide."""

    @abstractmethod
    def _invert(self) -> None:
        """Find R and c."""

    @abstractmethod
    def _mean_square_U(self, pairs: bool) -> tuple[Pair, float, float]:
        """The mean of U^2, its bound, and what may be lost below the range of doubles besides."""

    @abstractmethod
    def _descend(self, f: Array, bounds: Array) -> tuple[int, int, Counter[str]]:
        """Move X by f c G.

        How many entries this left undecided, how many of the others pairs decided, and which
        stages decided what was left.
        """

    @abstractmethod
    def _again(self, which: Array) -> Array:
        """Move the entries at these positions by pairs alone; the positions that stay undecided."""

    def beyond(self, weights: str, gradient: str) -> str:
        """What does not fit, so called, of a step of which all that is read is finite."""
        if wrong := misfits(self.constants, self.rates.rho):
            return wrong[0]
        if self.square[0] > LARGEST**2 or float(abs(self.X).max()) > LARGEST:
            return f"{weights} has a norm above 2^490, which strict steps do not take"
        which = "a row or column of a norm" if self.R_old is not None else "an entry"
        return f"{gradient} has {which} above 2^420 sqrt(epsilon_1), which strict steps do not take"

    @property
    def doubles(self) -> bool:
        """Whether entries are moved in doubles first."""
        return self.X.itemsize < 8

    def _cuts(self, pieces: int) -> Array:
        """The first of so many pieces that each thread has, and their end."""
        return np.array([pieces * k // self.threads for k in range(self.threads + 1)])

    def write(self) -> Certificate:
        """Change X and the statistics; how each of their entries was decided."""
        new, left = self._statistics()
        self._invert()
        undecided, in_pairs, stages = self._descend(*self._factors(pairs=not self.doubles))
        first = self.X.size - undecided
        if self.doubles:
            stages["doubles"], first = first - in_pairs, in_pairs
        stages["pairs"] += first
        stages["algebra"] += stages["ties"]
        if self.X is not self.given:
            self.given[...] = self.X
        for old, rounded in new:
            old[...] = rounded
        entries = sum(old.size for old, _ in new)
        return Certificate(**stages, statistics_pairs=entries - left, statistics_exact=left)

    def _decide(self, which: Array) -> Counter[str]:
        """Move the entries at these positions, in pairs if that was only tried after doubles."""
        size = len(which)
        if self.doubles:
            which = self._again(which)
        stages = Counter(pairs=size - len(which))
        self.exact.unclipped = self.unclipped
        for k in which.tolist():
            b, i, j = (int(x) for x in np.unravel_index(k, self.X.shape))
            x, stage = self.exact.entry(b, i, j, float(self.X[b, i, j]), self.X.dtype)
            self.X[b, i, j] = x
            stages[stage] += 1
        return stages

    def _settle(self, name: str, which: Array, rounded: Array) -> None:
        """Round these entries of the statistic exactly, to the array (p, n) or (p, m)."""
        for k in which.tolist():
            b, i = divmod(k, rounded.shape[1])
            exactly = getattr(self.exact, name)(b, i)
            rounded[b, i] = nearest.nearest(exactly, rounded.dtype)

    @cached_property
    def _in_pairs(self) -> tuple[Array, Array]:
        """What an entry is moved by in pairs alone."""
        return self._factors(pairs=True)

    def _factors(self, pairs: bool) -> tuple[Array, Array]:
        """sqrt(S / R) alpha / max(1, RMS(U) / d), and the bounds of the moves that come of it."""
        d, mean = self.constants.d, ((0.0, 0.0), 0.0, 0.0)
        if d < math.inf:
            mean = self._mean_square_U(pairs)
        of_X = self.square, self.X.size, self.rates.rho, self.constants.epsilon_2
        scale, bound, self.unclipped = factor(*of_X, *mean, d)
        if scale[0] == bound == 0.0:
            return np.zeros_like(self.R), np.zeros(4)
        f, bound = scaled(self.R, self.c, scale, bound)
        return f, np.array([*self.bounds.move(bound), TINY])

    @cached_property
    def exact(self) -> Exact:
        given, constants = (self.G, self.R_old, self.C_old, *self.rates), self.constants
        epsilons = constants.epsilon_1, constants.epsilon_2
        return Exact(*given, *epsilons, constants.d, value(self.totals.sum(0)))


def misfits(given: Hyperparameters, rho: float) -> list[str]:
    """Those of the constants, and this rho, that strict steps do not take, each in words."""
    values = {"epsilon_1": given.epsilon_1, "epsilon_2": given.epsilon_2, "d": given.d, "rho": rho}
    return [
        f"{name} is {values[name]}; strict steps take one {words}"
        for name, (least, largest, words) in TAKEN.items()
        if not least <= values[name] <= largest
    ]


def largest_gradient(given: Hyperparameters) -> float:
    """The magnitude up to which no square, quotient or sum of a step leaves the doubles.

    R_i >= w G_ij^2 and C_j >= w n epsilon_1, so sum U^2 <= m S_R / (w^2 epsilon_1), in which
    w >= 2^-53 and S_R <= n m (max G^2 + epsilon_1): below 2^1024 up to n m^2 = 2^70.
    """
    return min(LARGEST, 2.0**420 * math.sqrt(given.epsilon_1))


def plain(A: Array) -> Array:
    """A, or a copy, as the loops want it."""
    return A if A.flags.carray else A.copy()
