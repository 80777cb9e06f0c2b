"""The rounding that a correct floating-point computation may show: counted, never chosen.

N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., sections 2.2 and 3.1: a value
built with K rounded operations, none of them a cancelling difference, satisfies
|computed - exact| <= gamma(K) |exact|.  K is counted twice: on the rule as it is written
(`roundings`), and on any plain source by running it on `Counted` numbers.  The last step, X minus a
step, may cancel: its K is that of the step, and the rounding of the difference is added apart.
"""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

import sympy as sp

from .rule import Input, UpdateRule, base, entries

POW = 2
"""Assumption: `pow` of the C library is within 1 ulp, that is 2 u, of x^y for the doubles x, y."""

Number: TypeAlias = "Counted | float"


def gamma(K: int, u: Fraction) -> Fraction:
    """K u / (1 - K u), u the unit roundoff, such as 2^-53.

    >>> gamma(1, Fraction(1, 9))
    Fraction(1, 8)
    """
    if K * u >= 1:
        raise ArithmeticError(f"{K} roundings of unit {float(u)} leave no digit")
    return K * u / (1 - K * u)


def roundings(rule: UpdateRule, known: Mapping[str, Any] | None = None) -> dict[str, sp.Expr]:
    """K for every step of the rule as written, in the sizes and inputs; `known` is K of inputs.

    A sum of N terms counts N - 1, which covers any order of N nonnegative terms.

    >>> from derivations.adafactor import MATRIX
    >>> roundings(MATRIX)["R"]
    m + 4
    """
    count = _Count(rule, {sp.Symbol(name): K for name, K in (known or {}).items()})
    for step in rule.steps:
        signed = {x.name for x in rule.inputs if x.becomes == step.name and _is_signed(x)}
        terms = [
            term
            for term in sp.Add.make_args(step.value)
            if not (isinstance(term, sp.Indexed) and base(term).name in signed)
        ]
        count.known[sp.Symbol(step.name)] = count.of(sp.Add(*terms))
    return {step.name: count.known[sp.Symbol(step.name)] for step in rule.steps}


def _is_signed(x: Input) -> bool:
    return bool(x.domain.inf < 0)


class _Count:
    """K of expressions, given K of the names they read."""

    def __init__(self, rule: UpdateRule, known: dict[sp.Symbol, Any]) -> None:
        self.known = known
        self.extents = rule.extents
        self.sizes = {*rule.extents.values()}

    def of(self, e: sp.Expr) -> sp.Expr:
        if not {*entries(e)} - self.sizes and not e.has(sp.Pow):
            return sp.S.Zero if e.is_integer else sp.S.One
        match e:
            case sp.Indexed() | sp.Symbol():
                return sp.S.Zero + self.known.get(sp.Symbol(base(e).name), 0)
            case sp.Add():
                return self._addition(e) + len(e.args) - 1
            case sp.Mul():
                return self._product(e)
            case sp.Pow(args=(x, sp.Rational() as power)):
                return self._power(x, power)
            case sp.Pow(args=(x, y)):
                return sp.Abs(y) * self.of(x) + POW
            case sp.Max() | sp.Min():
                return sp.Max(*map(self.of, e.args))
            case sp.Sum():
                terms = sp.prod(self.extents[limit[0]] for limit in e.limits)
                return self.of(e.function) + terms - 1
        raise NotImplementedError(f"no rounding count for {type(e).__name__}: {e}")

    def _addition(self, e: sp.Add) -> sp.Expr:
        """The terms' K, weighted by their share in the sum where a difference may enlarge it.

        Where the sum is 0 every K allows 0 only, as is right for beta_2 = 1 - 1 at t = 1.
        """
        counts = [self.of(term) for term in e.args]
        if any(term.could_extract_minus_sign() for term in e.args) and any(counts):
            rounded = sum(K * abs(term) for K, term in zip(counts, e.args, strict=True))
            return sp.Piecewise((0, sp.Eq(e, 0)), (rounded / abs(e), True))
        return sp.Max(*counts)

    def _product(self, e: sp.Mul) -> sp.Expr:
        top, bottom = sp.fraction(e)
        if bottom != 1:
            return self.of(top) + self.of(bottom) + 1
        factors = [f for f in e.args if f != -1]
        return sum(map(self.of, factors)) + len(factors) - 1

    def _power(self, x: sp.Expr, power: sp.Rational) -> sp.Expr:
        K = self.of(x)
        if power < 0 and power.q <= 2:
            return self._power(x, -power) + 1
        if power.q == 1:
            return power.p * K + power.p - 1
        if power.q == 2:
            return sp.ceiling(power.p * K / 2) + power.p
        return abs(power) * K + POW + sp.ceiling(abs(power) * sp.log(x))


class Counted:
    """A number that knows its K: the roundings that went into it.

    Run a plain source on these to count the form and the order it really uses.  A literal that is
    no integer counts as rounded once; an exact 0 that is added counts nothing.
    """

    __slots__ = ("K", "value")

    def __init__(self, value: float, K: int = 0) -> None:
        self.value, self.K = float(value), K

    @staticmethod
    def of(x: Number) -> "Counted":
        """`x` itself, or the literal `x` with its K."""
        return x if isinstance(x, Counted) else Counted(x, 0 if float(x).is_integer() else 1)

    def __add__(self, other: Number) -> "Counted":
        x, y = self, Counted.of(other)
        for zero, rest in ((x, y), (y, x)):
            if zero.value == 0 and zero.K == 0:
                return rest
        return x._sum(x.value + y.value, y)

    __radd__ = __add__

    def __neg__(self) -> "Counted":
        return Counted(-self.value, self.K)

    def __sub__(self, other: Number) -> "Counted":
        return self + -Counted.of(other)

    def __rsub__(self, other: Number) -> "Counted":
        return Counted.of(other) - self

    def _sum(self, value: float, other: "Counted") -> "Counted":
        if value == 0:
            return Counted(0.0, max(self.K, other.K))
        share = (self.K * abs(self.value) + other.K * abs(other.value)) / abs(value)
        larger = max(self.K, other.K)
        same_sign = abs(value) >= max(abs(self.value), abs(other.value))
        return Counted(value, 1 + (larger if same_sign else math.ceil(share)))

    def __mul__(self, other: Number) -> "Counted":
        y = Counted.of(other)
        return Counted(self.value * y.value, self.K + y.K + 1)

    __rmul__ = __mul__

    def __truediv__(self, other: Number) -> "Counted":
        y = Counted.of(other)
        return Counted(self.value / y.value, self.K + y.K + 1)

    def __rtruediv__(self, other: Number) -> "Counted":
        return Counted.of(other) / self


class Weight(Counted):
    """An entry of X: what is subtracted from it is the step, whose K is what is asked for."""

    __slots__ = ()

    def __sub__(self, step: Number) -> Counted:
        return Counted.of(step)


def counted_sqrt(x: Counted) -> Counted:
    """sqrt(x (1 + theta_K)) = sqrt(x) (1 + theta_ceil(K/2)), rounded once."""
    return Counted(math.sqrt(x.value), -(-x.K // 2) + 1)


def counted_pow(x: Number, y: float) -> Counted:
    """x^y: POW for the function, |y| ln x for the rounded literal y, |y| K for x."""
    x = Counted.of(x)
    literal = Counted.of(y).K * abs(y) * abs(math.log(x.value))
    return Counted(math.pow(x.value, y), POW + math.ceil(literal) + math.ceil(abs(y) * x.K))


def counted_size(x: Number) -> float:
    """|x| as it is compared with a bound, of which nothing comes but a choice."""
    return abs(x.value if isinstance(x, Counted) else x)


def _chosen(choose: Callable[..., Any]) -> Callable[..., Any]:
    def chosen(*xs: Any) -> Any:
        if not any(isinstance(x, Counted) for x in xs):
            return choose(xs)
        counted = [Counted.of(x) for x in xs]
        return Counted(choose(x.value for x in counted), max(x.K for x in counted))

    return chosen


counted_max, counted_min = _chosen(max), _chosen(min)
