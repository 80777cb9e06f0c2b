"""What stands for a number where a plain source is run on symbols: a field, and nothing else."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias, TypeVar

import numpy as np

from .choices import UnlikeError

S = TypeVar("S", bound="Scalar")
Plain: TypeAlias = int | float | Fraction


class Unwritten:
    """What stands in memory that was never written: to make anything of it is an UnlikeError."""

    def read(self, *_: Any) -> Any:
        raise UnlikeError("reads memory that was never written")

    __add__ = __radd__ = __sub__ = __rsub__ = __neg__ = __abs__ = read
    __mul__ = __rmul__ = __truediv__ = __rtruediv__ = read


def exactly(x: Any) -> Fraction:
    """The number x, exactly."""
    if isinstance(x, Unwritten):
        x.read()
    return Fraction(x.item() if isinstance(x, np.generic) else x)


def _operation(f: Callable[[Any, Any], Any], reflected: bool = False) -> Callable[[Any, Any], Any]:
    """`f` of two scalars as an operator; an array applies it to each of its entries itself."""

    def operate(self: Any, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        y = other if isinstance(other, Scalar) else self.of(other)
        return f(y, self) if reflected else f(self, y)

    return operate


class Scalar:
    """Sums, products and quotients; what else an expression may have is an UnlikeError."""

    __slots__ = ()

    def of(self: S, x: Plain | Unwritten) -> S:
        """x, exactly."""
        raise NotImplementedError

    def plus(self: S, y: S) -> S:
        raise NotImplementedError

    def negative(self: S) -> S:
        raise NotImplementedError

    def times(self: S, y: S) -> S:
        raise NotImplementedError

    def over(self: S, y: S) -> S:
        raise NotImplementedError

    __add__ = _operation(lambda x, y: x.plus(y))
    __radd__ = _operation(lambda x, y: x.plus(y), reflected=True)
    __sub__ = _operation(lambda x, y: x.plus(y.negative()))
    __rsub__ = _operation(lambda x, y: x.plus(y.negative()), reflected=True)
    __mul__ = _operation(lambda x, y: x.times(y))
    __rmul__ = _operation(lambda x, y: x.times(y), reflected=True)
    __truediv__ = _operation(lambda x, y: x.over(y))
    __rtruediv__ = _operation(lambda x, y: x.over(y), reflected=True)

    def __neg__(self: S) -> S:
        return self.negative()

    def __abs__(self: S) -> S:
        raise UnlikeError("the rule has no magnitude")

    def __pow__(self: S, power: Any) -> S:
        raise UnlikeError("the rule has no power but squares and roots")
