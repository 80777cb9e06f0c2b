"""Numbers modulo a large prime, with roots: where source and rule agree at a point, they agree.

For a prime p = 3 mod 4 the squares among 1, ..., p - 1 stand for the positive numbers: products and
quotients of them are squares, -1 is none, and each has one root that is a square itself.  So this
root is multiplicative, as that of positive numbers is, and of order nothing else is left.

The norm of an expression of k roots, the product of all 2^k that differ in the signs of roots, is
a quotient of polynomials in its variables.  Its numerator is 0 wherever the expression is, has a
degree of 2^k `size` at most and coefficients below 2^(2^k size).  So two expressions that differ,
whatever the signs of their roots, agree at 2^k size of p points at most, unless the prime divides
all coefficients (J. T. Schwartz, J. ACM 27 (1980) 701-717).  What differs for some signs only, as
sqrt(x^2) from x, shows at every second point.
"""

import math
import random
from functools import cache
from typing import Any

import flint

from .choices import Choices, UnlikeError
from .scalar import Plain, Scalar, Unwritten, exactly

BITS = 1024  # of the prime


class Element(Scalar):
    """A number modulo the prime, and the size of the expression that it comes from.

    Numerator and denominator, as polynomials in the variables and roots, have a degree and a
    logarithm of their norm of at most `size`: 1 for a variable, and for every operation one more
    than for both operands together.
    """

    __slots__ = ("size", "value")

    def __init__(self, value: flint.fmpz_mod, size: int) -> None:
        self.value, self.size = value, size

    def of(self, x: Plain | Unwritten) -> "Element":
        exact = exactly(x)
        top, bottom = exact.numerator, exact.denominator
        value = self.value * 0 + top
        size = max(abs(top), bottom).bit_length()
        return Element(value if bottom == 1 else value / bottom, size)

    def plus(self, y: "Element") -> "Element":
        return Element(self.value + y.value, self.size + y.size + 1)

    def negative(self) -> "Element":
        return Element(-self.value, self.size)

    def times(self, y: "Element") -> "Element":
        return Element(self.value * y.value, self.size + y.size + 1)

    def over(self, y: "Element") -> "Element":
        return Element(self.value / y.value, self.size + y.size + 1)


class Field:
    """The numbers modulo a prime that is drawn with `seed`; `roots` counts those that were taken.

    >>> field = Field(64)
    >>> x = field.square()
    >>> field.equal(field.root(x) * field.root(x), x)
    True
    """

    tries = 2**12
    """Points that may be drawn until one is found where the rule has all its roots."""

    def __init__(self, bits: int = BITS, seed: int = 0) -> None:
        self.bits, self._random = bits, random.Random(f"{bits} {seed}")
        self.p = self._prime()
        self._context = flint.fmpz_mod_ctx(self.p)
        self._known: dict[int, flint.fmpz_mod] = {}
        self.roots = 0
        self.choices = Choices((), self.equal)

    def _prime(self) -> flint.fmpz:
        while True:
            p = flint.fmpz(self._random.getrandbits(self.bits) | 1 << (self.bits - 1) | 3)
            if p.is_probable_prime():
                return p

    def number(self, x: Plain | Element) -> Element:
        """x, exactly."""
        return x if isinstance(x, Element) else Element(self._context(0), 0).of(x)

    def variable(self, name: str = "") -> Element:
        """Any number, drawn."""
        del name
        return Element(self._context(self._random.randrange(int(self.p))), 1)

    def square(self, name: str = "") -> Element:
        """Any square, drawn."""
        x = self.variable(name)
        return Element(x.value * x.value, 1)

    def root(self, x: Plain | Element) -> Element:
        """The root of x that is a square; raises UnlikeError if x is no square."""
        x = self.number(x)
        self.roots += 1
        key = int(x.value)
        if key not in self._known:
            if flint.fmpz(key).jacobi(self.p) != 1:
                raise UnlikeError("the root of what is no square")
            self._known[key] = x.value ** ((self.p + 1) // 4)
        return Element(self._known[key], x.size)

    @staticmethod
    def equal(a: Any, b: Any) -> bool:
        """Whether both are the same number."""
        difference = a - b
        value = difference.value if isinstance(difference, Element) else difference
        return bool(value == 0)

    def chance(self, roots: int, squares: int, size: int, points: int = 1) -> float:
        """log2 of a bound of the probability that different expressions agree where it was drawn.

        Of the norm, 2^roots size points of p are zeros, among those at which as many numbers as
        `squares` are, in 2^-squares of all; any that was tried may be one.  Of the primes, at least
        2^(bits - 12), at most 2^roots size / (bits - 1) divide all coefficients.
        """
        tried = math.log2(self.tries) * points + squares
        return roots + math.log2(size) + max(tried, 11) + 1 - (self.bits - 1)


@cache
def field(bits: int = BITS, seed: int = 0) -> Field:
    """The field of that seed."""
    return Field(bits, seed)
