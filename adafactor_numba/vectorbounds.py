"""How far a strict step on a vector may be from the exact value: counted as in `bounds`."""

import math
from dataclasses import dataclass

from .bounds import LEAST, SLACK, compensated
from .doubledouble import PAIR, U
from .vectorpairs import PIECE


@dataclass(frozen=True)
class VectorBounds:
    """Those of a vector of n entries, a part of them for each thread."""

    n: int
    threads: int = 1

    @property
    def C(self) -> float:
        """V: 4 operations on a square."""
        return (4 * PAIR + LEAST) * SLACK

    def mean_square_U(self, pairs: bool) -> float:
        """Squares over V, PIECE sums of them for each thread, and the sum of these.

        In doubles, if not in pairs, V is 4 roundings off: each product is of two factors that are
        rounded, of which one is a sum, and they are added.  A division is another, one is to spare.
        """
        terms = self.C + 2 * PAIR + (0.0 if pairs else 6 * U)
        sums = compensated(-(-self.n // PIECE)) + (PIECE + self.threads + 1) * PAIR
        return (terms + sums) * SLACK

    def move(self, scale: float) -> tuple[float, float, float]:
        """In pairs of float32, which are not tried, in doubles and in pairs.

        The root of 1 / V times a factor, two products; in doubles, V rounded, 6 roundings.
        """
        factors = self.C / 2 + scale + 6 * PAIR
        return math.inf, (factors + 6 * U) * SLACK, factors * SLACK
