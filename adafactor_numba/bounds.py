"""How far what a strict step computes may be from the exact value: counted, all relative.

The sums count by the depth of their own trees: a row of m entries is read in LANES partial sums,
a column within a strip one entry, or the sum of four, after the other; strips, lanes and columns
are added as pairs.  The numbers added are never negative, so that no sum amplifies an error.
Where the squares of float32 are added as whole numbers, fewer pairs are added.
"""

from dataclasses import dataclass
from functools import cached_property

from .doubledouble import PAIR, U
from .loops import LANES, ROWS, strip
from .singles import MOVE
from .survey import rows_of_block

LEAST = 2.0**-110  # more than all products of a statistic lose below the range of doubles
SLACK = 1.0 + 2.0**-20  # for the terms of second order, and the roundings of the bounds themselves


def compensated(k: int) -> float:
    """A sum of k numbers in two: losses within 2 k u in all, each added within u of their sum."""
    return 4.0 * (k * U) * (k * U)


@dataclass(frozen=True)
class Bounds:
    """Those of p matrices of n rows and m columns."""

    p: int
    n: int
    m: int

    @cached_property
    def R(self) -> float:
        """Sums in lanes, the lanes, less than LANES entries besides, 4 operations on the sum."""
        additions = self.m // LANES
        return (compensated(additions) + (LANES + 12) * PAIR + LEAST) * SLACK

    @cached_property
    def C(self) -> float:
        """Sums of strips, the strips, and 4 operations on the sum."""
        return (compensated(self._height) + (self._strips + 4) * PAIR + LEAST) * SLACK

    @cached_property
    def inverse_R(self) -> float:
        """S_R / R: the sum of R and C one after the other, and a division."""
        return (max(self.R, self.C) + self.R + (self.n + self.m + 2) * PAIR) * SLACK

    @cached_property
    def inverse_C(self) -> float:
        """1 / C."""
        return (self.C + PAIR) * SLACK

    def mean_square_U(self, pairs: bool) -> float:
        """Sums of products with R^-1 by column, the sums of blocks, and then of all columns.

        In doubles, if not in pairs, R^-1 is six roundings off: R is a sum of two products, each of
        two factors that are rounded, of which one is a sum.  Four rows are four, and then every
        four rows of a block are one.
        """
        rows = rows_of_block(self.n, self.m)
        terms = PAIR if pairs else (6 + 4 - (-rows // ROWS)) * U
        columns = (self._strips + self.p * self.m + 4) * PAIR
        return (
            terms + compensated(self._height) + columns + self.inverse_R + self.inverse_C
        ) * SLACK

    def move(self, scale: float) -> tuple[float, float, float]:
        """In pairs of float32, in doubles and in pairs.

        Roots of S_R / R and 1 / C, each times a factor, two products; 4 roundings in doubles.
        """
        factors = (self.inverse_R + self.inverse_C) / 2 + scale + 6 * PAIR
        return (factors + MOVE) * SLACK, (factors + 4 * U) * SLACK, factors * SLACK

    @cached_property
    def _height(self) -> int:
        return min(self.n, strip(self.n, self.m))

    @cached_property
    def _strips(self) -> int:
        return -(-self.n // strip(self.n, self.m))
