"""What doubles and pairs cannot decide: by whole numbers, by balls, and by algebra.

The exact value of the rule on what is stored: every statistic is a rational number, and so is the
square of every step, so that even a tie can be told from what is merely close to one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from .accumulator import LIMBS, add_each_square, value
from .memory import Array
from .nearest import between, nearest

COARSE = (2**8, 2**11)  # bits of a ball before algebra: neighbours of zero are apart by then
FINE = (2**12, 2**13)  # and after, where algebra was given up
LONGEST = 2**16  # bits of a denominator, beyond which it is


@dataclass
class Exact:
    """One step on G (p, n, m), from R_old (p, n) and C_old (p, m); for a vector R_old is None.

    All are read while they hold what they held before the step.  w and beta_2 are exact pairs, the
    squares of X are summed; `unclipped` says that RMS(U) is known to be below d.
    """

    G: Array
    R_old: Array | None
    C_old: Array
    w: tuple[float, float]
    beta_2: tuple[float, float]
    rho: float
    epsilon_1: float
    epsilon_2: float
    d: float
    square: Fraction
    unclipped: bool = False

    def __post_init__(self) -> None:
        self._rows: dict[tuple[int, int], Fraction] = {}
        self._columns: dict[tuple[int, int], Fraction] = {}
        self._sums: dict[int, Fraction] = {}
        self._clippings: dict[int, Any] = {}

    def R(self, b: int, i: int) -> Fraction:
        """R of row i of matrix b."""
        if (b, i) not in self._rows:
            assert self.R_old is not None
            self._rows[b, i] = self._statistic(self.R_old[b, i], self.G[b, i])
        return self._rows[b, i]

    def C(self, b: int, j: int) -> Fraction:
        """C of column j of matrix b, or V of entry j of a vector."""
        if (b, j) not in self._columns:
            self._columns[b, j] = self._statistic(self.C_old[b, j], self.G[b, :, j])
        return self._columns[b, j]

    def S(self, b: int) -> Fraction:
        """The mean of sum R and sum C of matrix b."""
        if b not in self._sums:
            _, n, m = self.G.shape
            rows = sum((self.R(b, i) for i in range(n)), Fraction(0))
            columns = sum((self.C(b, j) for j in range(m)), Fraction(0))
            self._sums[b] = (rows + columns) / 2
        return self._sums[b]

    def _statistic(self, old: float, g: Array) -> Fraction:
        """beta_2 old + w sum (g^2 + epsilon_1)."""
        total = np.zeros(LIMBS, np.int64)
        add_each_square(total, g.astype(np.float64))
        fresh = value(total) + g.size * Fraction(self.epsilon_1)
        return _sum(self.beta_2) * Fraction(float(old)) + _sum(self.w) * fresh

    def _inverse_V(self, b: int, i: int, j: int) -> Fraction:
        """S / (R C), or 1 / V."""
        if self.R_old is None:
            return 1 / self.C(b, j)
        return self.S(b) / (self.R(b, i) * self.C(b, j))

    @cached_property
    def _alpha_squared(self) -> Fraction:
        mean_square_X = self.square / self.G.size
        return Fraction(self.rho) ** 2 * max(Fraction(self.epsilon_2) ** 2, mean_square_X)

    def entry(self, b: int, i: int, j: int, x: float, dtype: np.dtype[Any]) -> tuple[float, str]:
        """X_new of an entry that was x, rounded to `dtype`, and the stage that decided it."""
        import flint

        g = float(self.G[b, i, j])
        unclipped = self._alpha_squared * Fraction(g) ** 2 * self._inverse_V(b, i, j)
        for bits in (*COARSE, *FINE):
            with flint.ctx.workprec(bits):
                move = (_ball(unclipped) / self._clipping_ball(bits)).sqrt()
                ends = _ends(_ball(x) - move if g > 0 else _ball(x) + move, bits)
                low, high = (nearest(end, dtype) for end in ends)
            if low == high:
                return low, "balls"
            if bits == COARSE[-1] and self._clipping is not None:
                return self._compared(x, g, unclipped / self._clipping, low, high, dtype)
        return nearest(between(low, high, dtype), dtype), "assumed"

    def _compared(
        self, x: float, g: float, square: Fraction, low: float, high: float, dtype: np.dtype[Any]
    ) -> tuple[float, str]:
        """Of two neighbours the one nearest to x - move, where move^2 is known."""
        halfway = between(low, high, dtype)
        left, right = _signed_square(Fraction(x) - halfway), square if g > 0 else -square
        if left == right:
            return nearest(halfway, dtype), "ties"
        return (high if left > right else low), "algebra"

    def _mean_square_U(self, number: Callable[[Fraction], Any]) -> Any:
        """The mean of U^2 in numbers of a kind; None if they become too long."""
        p, n, m = self.G.shape
        total = number(Fraction(0))
        for b in range(p):
            C = [number(self.C(b, j)) for j in range(m)]
            S = number(Fraction(1) if self.R_old is None else self.S(b))
            for i in range(n):
                row = number(Fraction(0))
                for j in np.flatnonzero(self.G[b, i]).tolist():
                    row += number(Fraction(float(self.G[b, i, j]))) ** 2 / C[j]
                    if _length(row) > LONGEST:
                        return None
                total += row * S if self.R_old is None else row * S / number(self.R(b, i))
                if _length(total) > LONGEST:
                    return None
        return total / self.G.size

    def _clipping_ball(self, bits: int) -> Any:
        """max(1, RMS(U) / d)^2, enclosed to so many bits, which are those of the context."""
        if self.unclipped:
            return _ball(Fraction(1))
        if bits not in self._clippings:
            mean = self._mean_square_U(_ball) / _ball(self.d) ** 2
            self._clippings[bits] = mean.max(_ball(Fraction(1)))
        return self._clippings[bits]

    @cached_property
    def _clipping(self) -> Fraction | None:
        """max(1, RMS(U) / d)^2, unless it is too long a fraction."""
        if self.unclipped:
            return Fraction(1)
        mean = self._mean_square_U(_quotient)
        if mean is None:
            return None
        return max(Fraction(1), Fraction(int(mean.p), int(mean.q)) / Fraction(self.d) ** 2)


def _quotient(x: Fraction) -> Any:
    """The number as one of flint, exactly."""
    import flint

    return flint.fmpq(x.numerator, x.denominator)


def _length(x: Any) -> int:
    """The bits of a denominator; a ball has none."""
    return int(x.q).bit_length() if hasattr(x, "q") else 0


def _sum(pair: tuple[float, float]) -> Fraction:
    return Fraction(pair[0]) + Fraction(pair[1])


def _signed_square(x: Fraction) -> Fraction:
    return x * abs(x)


def _ball(x: Fraction | float) -> Any:
    """The number, enclosed to the bits of the context."""
    import flint

    if isinstance(x, float):
        return flint.arb(x)
    return flint.arb(flint.fmpq(x.numerator, x.denominator))


def _ends(ball: Any, bits: int) -> tuple[Fraction, Fraction]:
    """Rational numbers that the ball lies between, a point too, so that no ball decides a tie."""
    low, high = _rational(ball.lower()), _rational(ball.upper())
    apart = max(abs(low), abs(high)) / 2**bits
    return low - apart, high + apart


def _rational(x: Any) -> Fraction:
    mantissa, exponent = x.mid().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
