"""What a rule gives for given inputs, step by step, in a number system of your choice.

An expression is read as arrays: every index is an axis, an entry such as `R[k]` an array along
its axes, a sum over an index a sum along that axis.  It is read once, as a function of the values
known, and then called for many.  A number system is what it does with constants, roots, Max and
Min; no constant is rounded before it gets there.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, reduce
from operator import add, itemgetter, mul, neg
from typing import Any, Literal, TypeAlias

import flint
import numpy as np
import sympy as sp

from .rule import Input, Step, UpdateRule, base

Values: TypeAlias = dict[str, Any]
Known: TypeAlias = dict[sp.Symbol, Any]  # sizes, inputs and earlier steps
Reading: TypeAlias = Callable[[Known], Any]
Axes: TypeAlias = tuple[sp.Symbol | None, ...]  # an index for each, None where no entry has it

BITS = 80  # a ball is narrow when its radius is below 2^-BITS of the value
PRECISIONS = tuple(2**k for k in range(7, 14))  # 128 to 8192 bits


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


def _rational(x: Any) -> Any:
    return x if isinstance(x, flint.arb) or x == math.inf else Fraction(x)


def _rational_root(x: Fraction, q: int) -> Fraction:
    parts = [sp.integer_nthroot(part, q) for part in (x.numerator, x.denominator)]
    if not all(exact for _, exact in parts):
        raise ArithmeticError(f"the {q}-th root of {x} is irrational; use floats or balls")
    return Fraction(*(root for root, _ in parts))


def _ball(x: Any) -> flint.arb:
    if isinstance(x, (float, flint.arb)):  # most are, and to rule out a Fraction takes longer
        return flint.arb(x)
    if isinstance(x, Fraction):
        return flint.arb(flint.fmpq(x.numerator, x.denominator))
    return flint.arb(x.item() if isinstance(x, np.generic) else x)


def _ball_root(x: flint.arb, q: int) -> flint.arb:
    return x.sqrt() if q == 2 else x.root(q)


def _floats(array: Any) -> Any:
    return array.astype(np.float64)[()]


def _each(f: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return np.frompyfunc(f, 2, 1)


FLOAT = Numbers("float64", np.float64, np.float64, _real_root, np.maximum, np.minimum)
EXACT = Numbers("exact", object, _rational, _each(_rational_root), _each(max), _each(min))
BALL = Numbers("ball", object, _ball, _each(_ball_root), _each(flint.arb.max), _each(flint.arb.min))


def evaluate(
    rule: UpdateRule, inputs: Mapping[str, Any], numbers: Numbers = FLOAT, want: Iterable[str] = ()
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
    read = _program(rule, numbers, tuple(want))
    if numbers is not BALL:
        return read(inputs)[0]
    for precision in PRECISIONS:
        with flint.ctx.workprec(precision):
            values, wide = read(inputs)
        if wide is None:
            return values
    raise UndecidedError(f"{rule.name}: {wide} is not narrow at {precision} bits")


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


class _Program:
    """A rule as a number system reads it: its inputs, and the steps that `want` needs."""

    def __init__(self, rule: UpdateRule, numbers: Numbers, want: tuple[str, ...]) -> None:
        self.rule, self.numbers = rule, numbers
        self.copied = np.frompyfunc(numbers.number, 1, 1) if numbers.dtype is object else _floats
        self.inputs = [(x, x.name, base(x.target), rule.shape(x)) for x in rule.inputs]
        steps = rule.leading_to(*want) if want else rule.steps
        self.steps = [(s, base(s.target), rule.shape(s), _terms(s, numbers)) for s in steps]
        self.names = {base(q.target): q.name for q in (*rule.inputs, *steps)}

    def __call__(self, inputs: Mapping[str, Any]) -> tuple[Values, str | None]:
        """All values by name; or none, and the first step whose ball is wide."""
        known, sizes = self._given(inputs)
        errors = self.numbers.errors
        with np.errstate(divide=errors, over=errors, invalid=errors):
            for step, symbol, shape, terms in self.steps:
                try:
                    parts = [term(known) for term in terms]
                    value = reduce(add, parts)
                except ArithmeticError as error:
                    error.add_note(f"{self.rule.name}: step {step.target} ({step.source})")
                    raise
                if np.shape(value) != (full := tuple([sizes[s] for s in shape])):
                    value = np.broadcast_to(np.asarray(value, self.numbers.dtype), full)
                if self.numbers is BALL and not _narrow(value, parts):
                    return {}, f"step {step.target} ({step.source})"
                known[symbol] = value
        return {name: known[symbol] for symbol, name in self.names.items()}, None

    def _given(self, inputs: Mapping[str, Any]) -> tuple[Known, dict[sp.Symbol, int]]:
        """The inputs and sizes as numbers of the system, and the sizes."""
        known, sizes = {}, dict[sp.Symbol, int]()
        for x, name, symbol, shape in self.inputs:
            if name not in inputs and x.default is None:
                raise ValueError(f"{self.rule.name}: no value for the input {name} ({x.meaning})")
            array = np.asarray(inputs[name] if name in inputs else exact(x.default))
            if shape or array.shape:
                self._learn_sizes(sizes, x, shape, array.shape)
            known[symbol] = self.copied(array)
        return known | {s: self.numbers.number(size) for s, size in sizes.items()}, sizes

    def _learn_sizes(
        self,
        sizes: dict[sp.Symbol, int],
        x: Input,
        shape: tuple[sp.Symbol, ...],
        found: tuple[int, ...],
    ) -> None:
        if len(found) != len(shape) or any(
            sizes.get(s, size) != size for s, size in zip(shape, found, strict=True)
        ):
            known = "".join(f" with {s} = {sizes[s]}" for s in dict.fromkeys(shape) if s in sizes)
            raise ValueError(
                f"{self.rule.name}: {x.name} ({x.meaning}) has shape {shape}{known}, got {found}"
            )
        sizes.update(zip(shape, found, strict=True))


_program = lru_cache(maxsize=1000)(_Program)


def _terms(step: Step, numbers: Numbers) -> list[Reading]:
    return [_reading(term, step.indices, numbers) for term in sp.Add.make_args(step.value)]


@lru_cache(maxsize=10_000)
def _reading(e: sp.Expr, axes: Axes, numbers: Numbers) -> Reading:
    """`e` as a function of what is known: an array that broadcasts along `axes`, or a scalar."""

    def read(*parts: sp.Expr) -> list[Reading]:
        return [_reading(part, axes, numbers) for part in parts]

    match e:
        case sp.Symbol():
            return itemgetter(e)
        case sp.Indexed() if len({*e.indices}) == len(e.indices):
            return _entry(e, axes)
        case sp.Rational():
            return _constant(exact(e), numbers)
        case sp.Add():
            return _folded(add, read(*e.args))
        case sp.Mul():
            top, bottom = sp.fraction(e)
            if bottom != 1:
                return _folded(_quotient, read(top, bottom))
            product = _folded(mul, read(*(factor for factor in e.args if factor != -1)))
            return _applied(neg, product) if -1 in e.args else product
        case sp.Pow(args=(x, sp.Rational() as power)):
            return _power(read(x)[0], power, numbers)
        case sp.Pow() if numbers is not EXACT:
            return _folded(pow, read(*e.args))
        case sp.Abs():
            return _applied(abs, *read(*e.args))
        case sp.Max():
            return _folded(numbers.maximum, read(*e.args))
        case sp.Min():
            return _folded(numbers.minimum, read(*e.args))
        case sp.Sum():
            return _sum(e, axes, numbers)
    raise NotImplementedError(f"no value for {type(e).__name__}: {e}")


def _applied(f: Callable[[Any], Any], x: Reading) -> Reading:
    return lambda known: f(x(known))


def _folded(f: Callable[[Any, Any], Any], readings: list[Reading]) -> Reading:
    return lambda known: reduce(f, [read(known) for read in readings])


def _constant(value: Any, numbers: Numbers) -> Reading:
    if numbers is BALL:  # its radius depends on the precision of the moment
        return lambda known: numbers.number(value)
    number = numbers.number(value)
    return lambda known: number


def _entry(e: sp.Indexed, axes: Axes) -> Reading:
    symbol, indices = base(e), e.indices
    if indices == axes:
        return itemgetter(symbol)
    order = sorted(range(len(indices)), key=lambda a: axes.index(indices[a]))
    key = tuple(slice(None) if index in indices else None for index in axes)
    return lambda known: known[symbol].transpose(order)[key]


def _quotient(x: Any, y: Any) -> Any:
    """x / y, which is 0 for y = infinity in every number system."""
    return x * 0 if not isinstance(y, np.ndarray) and y == math.inf else x / y


def _power(x: Reading, power: sp.Rational, numbers: Numbers) -> Reading:
    p, q = abs(power.p), power.q
    root = x if q == 1 else _applied(lambda value: numbers.root(value, q), x)
    product = _applied(lambda value: reduce(mul, [value] * p), root)
    return product if power > 0 else _folded(_quotient, [_constant(Fraction(1), numbers), product])


def _sum(e: sp.Sum, axes: Axes, numbers: Numbers) -> Reading:
    """Indices summed over are axes behind the others; one that the term has not multiplies it."""
    varying = [limit[0] for limit in e.limits if limit[0] in e.function.free_symbols]
    outer = (None if index in varying else index for index in axes)
    term = _reading(e.function, (*outer, *reversed(varying)), numbers)
    sizes = [None if index in varying else last + 1 for index, _, last in e.limits]

    def total(known: Known) -> Any:
        value = term(known)
        for size in sizes:
            value = np.add.reduce(value, axis=-1) if size is None else value * known[size]
        return value

    return total


def exact(constant: sp.Expr) -> Any:
    """A rational or infinite SymPy constant as a Fraction or infinity, unrounded."""
    if constant == sp.oo:
        return math.inf
    return Fraction(int(constant.p), int(constant.q))


def _narrow(value: Any, terms: list[Any]) -> bool:
    """Whether every ball's radius is below 2^-BITS of the sum of its terms' magnitudes."""
    balls = np.asarray(value, object).flat
    wide = [k for k, ball in enumerate(balls) if ball.rel_accuracy_bits() < BITS]
    if not wide:
        return True
    sizes = np.broadcast_to(sum(map(abs, terms)), np.shape(value)).flat
    return all(balls[k].rad() * 2**BITS <= sizes[k] for k in wide)
