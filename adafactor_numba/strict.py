"""Steps that are correctly rounded: what is stored is what the paper's rule gives exactly.

X_new and R, C or V are the exact values of the rule on what was stored before, each rounded once
to its type, and where two numbers are equally near to the even one.  So no order of summation,
machine, layout or number of threads can show, and a permutation of rows or columns only permutes.

Exact are X, G, R_old, C_old, V_old, epsilon_1, epsilon_2, d and any number that rho or beta_2 is
or returns, with w = 1 - beta_2.  By the paper's schedules rho and w are the doubles nearest to
min(1e-2, 1 / sqrt t) and t^-0.8, and beta_2 = 1 - w.  X_new follows from R and C before these are
rounded.  In the paper sum R = sum C; where R_old and C_old were rounded they differ in the last
digits, and S_R is the mean of both, so that a transposed matrix takes the transposed step.  A
zero is stored as +0.

An entry is computed in doubles with a counted bound, and is decided where all that is within the
bound rounds to the same number; what is not is computed in pairs of doubles, then in balls, then
compared by algebra.  Float64 begins with pairs.
"""

import math
from collections import Counter
from functools import cached_property
from typing import NamedTuple

import numpy as np

from . import nearest, passes, schedule
from .accumulator import LIMBS, pair, value
from .bounds import Bounds
from .certificate import Certificate
from .doubledouble import PAIR, Pair, divide, two_sum
from .exact import Exact
from .hyperparameters import Hyperparameters
from .loops import height, strip
from .memory import Array
from .pairsums import gather, measure, quotients, roots
from .scale import LEAST, clipping, largest, mean_square_U, relative_step_size, renew, scaled
from .survey import worthwhile
from .ziv import TINY, again, settled

ROOM = 2**12  # undecided entries that are looked at together, or more
SHARED = 2**16  # entries from which on threads are worth their start
LARGEST = 2.0**490  # the square of which, summed over 2^44 entries, is a double
OUTSIDE = (
    "or its gradient, statistics or constants are beyond what strict steps take: |G| up to 2^420 "
    "sqrt(epsilon_1), all else up to 2^490, epsilon_1 from 2^-900 and d from 2^-500 on"
)


class Rates(NamedTuple):
    """What changes from step to step: w and beta_2, whose sum is exactly 1, as exact pairs."""

    w: Pair
    beta_2: Pair
    rho: float


def rates(constants: Hyperparameters, t: int) -> Rates:
    """The rates of step t."""
    given = constants.at(t)
    rho = nearest.rho(t) if constants.rho is schedule.rho else given.rho
    if constants.beta_2 is schedule.beta_2:
        w = nearest.weight(t)
        return Rates((w, 0.0), two_sum(1.0, -w), rho)
    return Rates(two_sum(1.0, -given.beta_2), (given.beta_2, 0.0), rho)


class Step:
    """One step on X (p, n, m), a vector as (1, n, 1), from G and the statistics, all in place.

    All is read at once, and whether it `fits`, if it is surely finite and within the range of the
    optimizer; nothing is written before `write`.  Arrays that do not lie row after row, or are not
    to be written, are copied.
    """

    def __init__(
        self,
        X: Array,
        G: Array,
        statistics: dict[str, Array],
        rates: Rates,
        constants: Hyperparameters,
        threads: int = 1,
    ) -> None:
        self.factored = "R" in statistics
        if not self.factored:
            X, G = X.transpose(0, 2, 1), G.transpose(0, 2, 1)
        self.given, self.X, self.G = X, _plain(X), _plain(G)
        self.rates, self.constants, self.unclipped = rates, constants, False
        self.p, self.n, self.m = p, n, m = X.shape
        self.R_old = statistics["R"].reshape(p, n) if self.factored else np.zeros((p, n))
        self.C_old = statistics["C" if self.factored else "V"].reshape(p, m)
        self.strips = p * -(-n // strip(n, m))
        self.threads = min(threads, self.strips) if X.size >= SHARED else 1
        self.R, self.C, self.S = np.empty((2, p, n)), np.empty((2, p, m)), np.empty((2, p))
        self.read()

    def read(self) -> None:
        """Sum all squares: of G by row and column, over R if float32 needs it, and of X exactly."""
        parts, self.ratios = np.empty((2, 2, self.strips, self.m))
        self.totals = np.zeros((self.threads, LIMBS), np.int64)
        taken = np.empty(self.threads, np.int64)
        rates = np.array([self.rates.w[0], self.rates.beta_2[0], self.constants.epsilon_1])
        sums = passes.Sums(self.R_old, rates, self.R, parts, self.ratios, self.totals, taken)
        if self.threads == 1:
            passes.read_share(self.X, self.G, sums, self._cuts(self.strips), 0)
        else:
            passes.read(self.X, self.G, sums, self._cuts(self.strips))
        gather(parts, self.C)
        self.square = pair(self.totals)
        self.fits = (
            constants_fit(self.constants, self.rates.rho)
            and largest(self.R, self.C) <= largest_gradient(self.constants) ** 2
            and self.square[0] <= LARGEST**2
            and all(taken.tolist())
        )

    def _cuts(self, pieces: int) -> Array:
        """The first of so many pieces that each thread has, and their end."""
        return np.array([pieces * k // self.threads for k in range(self.threads + 1)])

    def write(self) -> Certificate:
        """Change X and the statistics; how each of their entries was decided."""
        new, left = self._statistics()
        quotients(self.R, self.C, self.S, self.factored)
        self.c = roots(self.C, (1.0, 0.0))
        stages = self._descend()
        if self.X is not self.given:
            self.given[...] = self.X
        for old, rounded in new:
            old[...] = rounded
        entries = sum(old.size for old, _ in new)
        return Certificate(**stages, statistics_pairs=entries - left, statistics_exact=left)

    def _statistics(self) -> tuple[list[tuple[Array, Array]], int]:
        """The old and the new statistics, made of the sums, and how many pairs did not decide."""
        w, beta_2, _ = self.rates
        epsilon_1 = self.constants.epsilon_1
        kinds = [("C", self.C_old, self.C, self.bounds.C, self.n)]
        if self.factored:
            kinds.append(("R", self.R_old, self.R, self.bounds.R, self.m))
        new, undecided = [], 0
        for name, old, pairs, bound, terms in kinds:
            rounded = np.empty_like(old)
            left = renew(old, pairs, terms, w, beta_2, epsilon_1, bound, rounded)
            if left:
                exactly = getattr(self.exact, name)
                for k in settled(pairs.reshape(2, -1), bound, rounded.reshape(-1)).tolist():
                    b, i = divmod(k, old.shape[1])
                    rounded[b, i] = nearest.nearest(exactly(b, i), rounded.dtype)
            undecided += left
            new.append((old, rounded))
        return new, undecided

    def _descend(self) -> Counter[str]:
        """Move X, by the cheaper scale first; what that leaves undecided again, then exactly."""
        doubles = self.X.itemsize < 8
        f, bounds = self._factors(pairs=not doubles)
        most = min(self.n, height(self.m))
        cuts = self._cuts(self.p * -(-self.n // most))
        left, counts = cuts[1:] - cuts[:-1], np.empty((2, self.threads), np.int64)
        found = np.empty((self.threads, max(most * self.m, ROOM)), np.int64)
        move = passes.Move(f, self.c, bounds, left, found, counts)
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
                    stages += self._decide(own[:k], doubles)
        first = self.X.size - undecided
        if doubles:
            stages["doubles"], first = first - in_pairs, in_pairs
        stages["pairs"] += first
        stages["algebra"] += stages["ties"]
        return stages

    def _decide(self, which: Array, doubles: bool) -> Counter[str]:
        """Move the entries at these positions, in pairs if that was only tried after doubles."""
        size = len(which)
        if doubles:
            which = again(self.X, self.G, *self._in_pairs, which)
        stages = Counter(pairs=size - len(which))
        self.exact.unclipped = self.unclipped
        for k in which.tolist():
            b, i, j = (int(x) for x in np.unravel_index(k, self.X.shape))
            x, stage = self.exact.entry(b, i, j, float(self.X[b, i, j]), self.X.dtype)
            self.X[b, i, j] = x
            stages[stage] += 1
        return stages

    @cached_property
    def _in_pairs(self) -> tuple[Array, Array, Array]:
        """What `again` needs, of pairs alone."""
        f, bounds = self._factors(pairs=True)
        return f, self.c, bounds

    def _factors(self, pairs: bool) -> tuple[Array, Array]:
        """sqrt(S / R) alpha / max(1, RMS(U) / d), and the bounds of the moves that come of it."""
        epsilon_2, size = self.constants.epsilon_2, self.X.size
        alpha, bound = relative_step_size(self.square, size, self.rates.rho, epsilon_2)
        if alpha[0] == bound == 0.0:
            return np.zeros_like(self.R), np.zeros(3)
        divisor, other = self._clipping(pairs)
        f, bound = scaled(self.R, self.c, divide(*alpha, *divisor), bound + other + PAIR)
        moves = self.bounds.move(bound, False), self.bounds.move(bound, True)
        return f, np.array([*moves, TINY])

    def _clipping(self, pairs: bool) -> tuple[Pair, float]:
        """max(1, RMS(U) / d) and its bound, 0 where RMS(U) is surely below d."""
        self.unclipped = self.constants.d == math.inf
        if self.unclipped:
            return (1.0, 0.0), 0.0
        pairs = pairs or not worthwhile(self.G)
        if pairs:
            if self.threads == 1:
                measure(self.G, self.R, self.ratios, 0, self.strips)
            else:
                passes.measure(self.G, self.R, self.ratios, self._cuts(self.strips))
        weights = np.stack([np.ones(self.p), np.zeros(self.p)]) if pairs else self.S
        sums = self.ratios, self.R, self.C, self.S
        square, lost = mean_square_U(*sums, weights, self.X.size)
        divisor, bound = clipping(square, self.bounds.mean_square_U(pairs), lost, self.constants.d)
        self.unclipped = bound == 0.0
        return divisor, bound

    @cached_property
    def bounds(self) -> Bounds:
        return Bounds(self.p, self.n, self.m, self.factored)

    @cached_property
    def exact(self) -> Exact:
        w, beta_2, rho = self.rates
        constants = self.constants
        return Exact(
            self.G,
            self.R_old if self.factored else None,
            self.C_old,
            w,
            beta_2,
            rho,
            constants.epsilon_1,
            constants.epsilon_2,
            constants.d,
            value(self.totals.sum(0)),
        )


def constants_fit(given: Hyperparameters, rho: float) -> bool:
    """Whether no constant makes a step leave the doubles."""
    small = max(given.epsilon_1, given.epsilon_2, rho) <= LARGEST
    return small and given.epsilon_1 >= LEAST and given.d >= 2.0**-500


def largest_gradient(given: Hyperparameters) -> float:
    """The magnitude up to which no square, quotient or sum of a step leaves the doubles.

    R_i >= w G_ij^2 and C_j >= w n epsilon_1, so sum U^2 <= m S_R / (w^2 epsilon_1), in which
    w >= 2^-53 and S_R <= n m (max G^2 + epsilon_1): below 2^1024 up to n m^2 = 2^70.
    """
    return min(LARGEST, 2.0**420 * math.sqrt(given.epsilon_1))


def _plain(A: Array) -> Array:
    """A, or a copy, as the loops want it."""
    return A if A.flags.carray else A.copy()
