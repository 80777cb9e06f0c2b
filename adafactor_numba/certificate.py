"""How the results of strict steps were decided, counted."""

from dataclasses import dataclass, fields
from operator import attrgetter


@dataclass(frozen=True, slots=True)
class Certificate:
    """So many entries of X_new were rounded after each stage, and so many of R, C and V.

    An interval proved to hold the exact value decides where all of it rounds to one number: one
    computed in doubles, or first in pairs of float32; in pairs of doubles; in balls.  `algebra`
    compares the squares of both sides as rational numbers; the `ties` among them lie exactly
    between two neighbours and go to the even one.  What is `assumed` to be a tie was too large for
    algebra, and no ball of 2^13 bits told it from one.  R, C and V are decided in pairs or as
    rational numbers, `exact`.
    """

    doubles: int = 0
    pairs: int = 0
    balls: int = 0
    algebra: int = 0
    ties: int = 0
    assumed: int = 0
    statistics_pairs: int = 0
    statistics_exact: int = 0

    def __add__(self, other: "Certificate") -> "Certificate":
        both = zip(counts(self), counts(other), strict=True)
        return Certificate(*(a + b for a, b in both))

    @property
    def entries(self) -> int:
        """All entries of X_new."""
        return self.doubles + self.pairs + self.balls + self.algebra + self.assumed


counts = attrgetter(*(field.name for field in fields(Certificate)))
