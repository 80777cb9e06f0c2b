"""What a rule gives for given inputs, step by step, in a number system of your choice.

An expression is read as arrays: every index is an axis, an entry such as `R[k]` an array along
its axes, a sum over an index a sum along that axis.  A number system is what it does with
constants, roots, Max and Min; no constant is rounded before it gets there.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, reduce
from typing import Any, Literal, TypeAlias

import flint
import numpy as np
import sympy as sp

from .rule import Input, UpdateRule, base

Values: TypeAlias = dict[str, Any]

BITS = 80  # a ball is narrow when its radius is below 2^-BITS of the value
FIRST_PRECISION, LAST_PRECISION = 128, 8192


class UndecidedError(ArithmeticError):
    """A ball is still too wide, at the highest precision, to say what was asked."""


@dataclass(frozen=True)
class Numbers:
    """A number system: `number` takes an int, float or Fraction exactly.

    `errors` is what floats do where there is no finite value: "raise", or "ignore" for NaN.
    """

    name: str
    dtype: type
    number: Callable[[Any], Any]
    root: Callable[[Any, int], Any]
    maximum: Callable[[Any, Any], Any]
    minimum: Callable[[Any, Any], Any]
    errors: Literal["raise", "ignore"] = "raise"


def _real_root(x: Any, q: int) -> Any:
    return np.sqrt(x) if q == 2 else np.power(x, 1.0 / q)


def _rational_root(x: Fraction, q: int) -> Fraction:
    parts = [sp.integer_nthroot(part, q) for part in (x.numerator, x.denominator)]
    if not all(exact for _, exact in parts):
        raise ArithmeticError(f"the {q}-th root of {x} is irrational; use floats or balls")
    return Fraction(*(root for root, _ in parts))


def _ball(x: Any) -> flint.arb:
    if isinstance(x, Fraction):
        return flint.arb(flint.fmpq(x.numerator, x.denominator))
    return flint.arb(x.item() if isinstance(x, np.generic) else x)


def _ball_root(x: flint.arb, q: int) -> flint.arb:
    return x.sqrt() if q == 2 else x.root(q)


def _elementwise(f: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return np.frompyfunc(f, 2, 1)


FLOAT = Numbers("float64", np.float64, np.float64, _real_root, np.maximum, np.minimum)
EXACT = Numbers(
    "exact",
    object,
    lambda x: x if x == math.inf else Fraction(x),
    _elementwise(_rational_root),
    _elementwise(max),
    _elementwise(min),
)
BALL = Numbers(
    "ball",
    object,
    _ball,
    _elementwise(_ball_root),
    _elementwise(flint.arb.max),
    _elementwise(flint.arb.min),
)


def evaluate(
    rule: UpdateRule,
    inputs: Mapping[str, Any],
    numbers: Numbers = FLOAT,
    want: Iterable[str] = (),
) -> Values:
    """The values of the steps that `want` needs (of all by default), by name, inputs included.

    An input that is not given takes the paper's value, if it has one.  Arrays come back in the
    shape of the step's indices: float64 for FLOAT, objects (Fraction, arb) otherwise.  Balls are
    evaluated at rising precision until all are narrow.  Raises ValueError for inputs of a wrong
    shape, ArithmeticError (with a note that names the step) where a step has no value, and
    UndecidedError where a ball stays wide.

    >>> from derivations.adafactor import SCHEDULE
    >>> evaluate(SCHEDULE, {"t": 1})["beta_2"]
    np.float64(0.0)
    """
    if numbers is not BALL:
        return _Reading(rule, inputs, numbers).steps(want)[0]
    precision = FIRST_PRECISION
    while True:
        with flint.ctx.workprec(precision):
            values, wide = _Reading(rule, inputs, numbers).steps(want)
        if wide is None:
            return values
        if precision >= LAST_PRECISION:
            raise UndecidedError(f"{rule.name}: {wide} is not narrow at {precision} bits")
        precision *= 2


def trajectory(
    rule: UpdateRule,
    inputs: Mapping[str, Any],
    each: Iterable[Mapping[str, Any]],
    numbers: Numbers = FLOAT,
) -> Iterator[Values]:
    """The values of every step of a run: what `becomes` says is carried on, `each` is added.

    An input in `each` replaces what was carried, so that X may be taken from elsewhere.
    """
    carried = dict(inputs)
    for given in each:
        values = evaluate(rule, carried | dict(given), numbers)
        yield values
        carried |= {x.name: values[x.becomes] for x in rule.inputs if x.becomes is not None}


class _Reading:
    """One reading of a rule: the sizes and values known so far."""

    def __init__(self, rule: UpdateRule, inputs: Mapping[str, Any], numbers: Numbers) -> None:
        self.rule, self.numbers = rule, numbers
        self.axis = {index: axis for axis, index in enumerate(rule.extents)}
        self.sizes: dict[sp.Symbol, int] = {}
        self.values: dict[sp.Symbol, Any] = {}
        for x in rule.inputs:
            self.values[base(x.target)] = self._given(x, inputs)

    def _given(self, x: Input, inputs: Mapping[str, Any]) -> Any:
        rule = self.rule
        if x.name not in inputs and x.default is None:
            raise ValueError(f"{rule.name}: no value for the input {x.name} ({x.meaning})")
        given = inputs[x.name] if x.name in inputs else exact(x.default)
        array = np.asarray(given)
        self._learn_sizes(x, array.shape)
        if self.numbers.dtype is not object:
            return array.astype(self.numbers.dtype)
        result: Any = np.empty(array.shape, object)
        result.flat = [
            v if isinstance(v, flint.arb) else self.numbers.number(v)
            for v in array.astype(object).flat  # a NumPy integer would overflow in a Fraction
        ]
        return result

    def _learn_sizes(self, x: Input, found: tuple[int, ...]) -> None:
        shape = self.rule.shape(x)
        if len(found) != len(shape) or any(
            self.sizes.get(s, size) != size for s, size in zip(shape, found, strict=True)
        ):
            known = "".join(
                f" with {s} = {self.sizes[s]}" for s in dict.fromkeys(shape) if s in self.sizes
            )
            raise ValueError(
                f"{self.rule.name}: {x.name} ({x.meaning}) has shape {shape}{known}, got {found}"
            )
        self.sizes |= dict(zip(shape, found, strict=True))

    def steps(self, want: Iterable[str]) -> tuple[Values, str | None]:
        """All values by name, and the first step whose ball is wide, if any."""
        wide, errors = None, self.numbers.errors
        wanted = tuple(want)
        for step in self.rule.leading_to(*wanted) if wanted else self.rule.steps:
            terms = sp.Add.make_args(step.value)
            try:
                with np.errstate(divide=errors, over=errors, invalid=errors):
                    parts = [self._shaped(self._value(term), step.indices) for term in terms]
                    result: Any = np.asarray(reduce(lambda x, y: x + y, parts), self.numbers.dtype)
            except ArithmeticError as error:
                error.add_note(f"{self.rule.name}: step {step.target} ({step.source})")
                raise
            if self.numbers is BALL and wide is None and not _narrow(result, parts):
                wide = f"step {step.target} ({step.source})"
            self.values[base(step.target)] = result
        return {name.name: v if v.shape else v[()] for name, v in self.values.items()}, wide

    def _shaped(self, value: Any, indices: tuple[sp.Symbol, ...]) -> Any:
        """`value` with the axes of `indices`, in their order, and no others."""
        value = self._full(value)
        order = [self.axis[i] for i in indices]
        rest = [a for a in range(value.ndim) if a not in order]
        value = value.transpose(order + rest).reshape([value.shape[a] for a in order])
        return np.broadcast_to(value, [self.sizes[self.rule.extents[i]] for i in indices])

    def _full(self, value: Any) -> Any:
        """`value` with an axis for every index of the rule, also if it is a scalar."""
        array: Any = np.asarray(value, self.numbers.dtype)
        return array if array.ndim else array.reshape((1,) * len(self.axis))

    def _value(self, e: sp.Expr) -> Any:
        numbers = self.numbers
        match e:
            case sp.Indexed() | sp.Symbol():
                return self._entry(e)
            case sp.Rational():
                return numbers.number(exact(e))
            case sp.Add():
                return reduce(lambda x, y: x + y, map(self._value, e.args))
            case sp.Mul():
                top, bottom = _fraction(e)
                if bottom != 1:
                    return self._quotient(self._value(top), self._value(bottom))
                factors = [self._value(f) for f in e.args if f != -1]
                product = reduce(lambda x, y: x * y, factors)
                return -product if -1 in e.args else product
            case sp.Pow(args=(x, sp.Rational() as power)):
                return self._power(x, power)
            case sp.Pow(args=(x, y)) if numbers is not EXACT:
                return self._value(x) ** self._value(y)
            case sp.Abs(args=(x,)):
                return abs(self._value(x))
            case sp.Max():
                return reduce(numbers.maximum, map(self._value, e.args))
            case sp.Min():
                return reduce(numbers.minimum, map(self._value, e.args))
            case sp.Sum():
                return self._sum(e)
        raise NotImplementedError(f"no value for {type(e).__name__}: {e}")

    def _entry(self, e: sp.Indexed | sp.Symbol) -> Any:
        if e in self.sizes:
            return self.numbers.number(self.sizes[e])
        array = self.values[base(e)]
        indices = getattr(e, "indices", ())
        order = sorted(range(len(indices)), key=lambda a: self.axis[indices[a]])
        shape = [1] * len(self.axis)
        for index, size in zip(indices, array.shape, strict=True):
            shape[self.axis[index]] = size
        return array.transpose(order).reshape(shape) if indices else array[()]

    def _power(self, x: sp.Expr, power: sp.Rational) -> Any:
        value = self._value(x)
        if power.q != 1:
            value = self.numbers.root(value, power.q)
        result = reduce(lambda u, v: u * v, [value] * abs(power.p))
        return self._quotient(self.numbers.number(1), result) if power.p < 0 else result

    def _quotient(self, x: Any, y: Any) -> Any:
        """x / y, which is 0 for y = infinity in every number system."""
        if np.ndim(y) == 0 and y == math.inf:
            return x * self.numbers.number(0)
        return x / y

    def _sum(self, e: sp.Sum) -> Any:
        value = self._full(self._value(e.function))
        for index, *_ in e.limits:
            axis, size = self.axis[index], self.sizes[self.rule.extents[index]]
            if value.shape[axis] == size:
                value = np.add.reduce(value, axis=axis, keepdims=True)
            else:  # the same term for every value of the index
                value = value * self.numbers.number(size)
        return value


_fraction = lru_cache(maxsize=None)(sp.fraction)


def exact(constant: sp.Expr) -> Any:
    """A rational or infinite SymPy constant as a Fraction or infinity, unrounded."""
    if constant == sp.oo:
        return math.inf
    return Fraction(int(constant.p), int(constant.q))


def _narrow(values: Any, terms: list[Any]) -> bool:
    """Whether every ball's radius is below 2^-BITS of the sum of its terms' magnitudes."""
    for index, value in np.ndenumerate(values):
        if value.rel_accuracy_bits() < BITS:
            size = sum(abs(term[index]) for term in terms)
            if not value.rad() * 2**BITS <= size:
                return False
    return True
