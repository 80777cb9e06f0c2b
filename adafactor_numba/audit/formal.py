"""SymPy's symbols, of whose signs nothing is assumed, with roots that are symbols too.

What a root is taken of is positive, by that alone.  The root of a product of powers, all else being
factored into what is irreducible, is the product of roots: sqrt(f) is a symbol whose square is f,
and sqrt(f^2) another, |f|, whose square is f^2.
"""

import math
from typing import Any

import sympy as sp

from .choices import Choices, UnlikeError
from .scalar import Plain, Scalar, Unwritten, exactly


class Expression(Scalar):
    """A SymPy expression that knows the symbols for roots in it; sums are reduced at once."""

    __slots__ = ("symbols", "value")

    def __init__(self, value: sp.Expr, symbols: "Symbols") -> None:
        self.value, self.symbols = value, symbols

    def of(self, x: Plain | Unwritten) -> "Expression":
        exact = exactly(x)
        return Expression(sp.Rational(exact.numerator, exact.denominator), self.symbols)

    def plus(self, y: "Expression") -> "Expression":
        return self.symbols.reduced(self.value + y.value)

    def negative(self) -> "Expression":
        return Expression(-self.value, self.symbols)

    def times(self, y: "Expression") -> "Expression":
        return Expression(self.value * y.value, self.symbols)

    def over(self, y: "Expression") -> "Expression":
        if y.value == 0:
            raise ZeroDivisionError("division by 0")
        return Expression(self.value / y.value, self.symbols)


class Symbols:
    """Symbols, and the roots that were taken of expressions in them.

    >>> symbols = Symbols()
    >>> x, y = symbols.variable("x"), symbols.variable("y")
    >>> symbols.equal(symbols.root(x * y) / symbols.root(y), symbols.root(x))
    True
    >>> symbols.equal(symbols.root(x * x), x)
    False
    """

    tries = 1
    """How often symbols are made: others are no better."""

    def __init__(self) -> None:
        self._squares: dict[sp.Symbol, sp.Expr] = {}
        self.roots = 0
        self.choices = Choices((), self.equal)

    def number(self, x: Plain | Expression) -> Expression:
        """x, exactly."""
        if isinstance(x, Expression):
            return x
        return Expression(sp.Integer(0), self).of(x)

    def chance(self, roots: int, squares: int, size: int, points: int = 1) -> float:
        """log2 of the probability that different expressions are seen to be equal: none are."""
        return -math.inf

    def variable(self, name: str) -> Expression:
        """A symbol."""
        return Expression(sp.Symbol(name), self)

    square = variable
    """A symbol may stand for a square as well."""

    def root(self, x: Plain | Expression) -> Expression:
        """The root of x, factor by factor; raises UnlikeError if x is a negative multiple."""
        self.roots += 1
        value = self.reduced(self.number(x).value).value
        root = sp.Integer(1)
        for part, sign in zip(sp.fraction(value), (1, -1), strict=True):
            number, factors = sp.factor_list(part)
            if number <= 0:
                raise UnlikeError(f"the root of {number} times what is positive")
            for factor, power in [*sp.factorrat(number).items(), *factors]:
                root *= self._root(sp.Integer(1) * factor, power) ** sign
        return Expression(root, self)

    def _root(self, factor: sp.Expr, power: int) -> sp.Expr:
        half, odd = divmod(power, 2)
        if odd:
            return factor**half * self._symbol(f"sqrt({factor})", factor)
        magnitude = factor if factor.is_number else self._symbol(f"|{factor}|", factor**2)
        return magnitude**half

    def _symbol(self, name: str, square: sp.Expr) -> sp.Symbol:
        symbol = sp.Symbol(name)
        self._squares[symbol] = square
        return symbol

    def reduced(self, value: sp.Expr) -> Expression:
        """The same as a quotient in lowest terms, linear in every root."""
        parts = [self._linear(part) for part in sp.fraction(sp.together(value))]
        return Expression(sp.cancel(parts[0] / parts[1]), self)

    def _linear(self, part: sp.Expr) -> sp.Expr:
        """A polynomial with every square of a root in it put in, the last root first."""
        for root, square in reversed(self._squares.items()):
            if part.has(root):
                part = sp.rem(part, root**2 - square, root)
        return sp.expand(part)

    def equal(self, a: Any, b: Any) -> bool:
        """Whether both are the same, as their difference is reduced to 0."""
        difference = (self.number(a) - self.number(b)).value
        return bool(self._linear(sp.fraction(difference)[0]) == 0)
