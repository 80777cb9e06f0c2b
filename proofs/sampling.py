"""An opinion on equations that shares no code with the calculus: exact values at random rationals.

Both sides are evaluated for small sizes, each entry and scalar a rational of either sign.  Where
there are roots the values are balls, which differ only if the exact values do.  An array that is
read as an index is a permutation.
"""

import random
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import flint
import sympy as sp
from sympy import Sum

from derivations.adafactor import TENSOR, m, n, p
from derivations.calculus import Given
from derivations.rule import base

EXTENTS = TENSOR.extents
SIZES = tuple(product((1, 2, 3), repeat=2))
MATRICES = 2  # of a batch
DRAWS = 3
BITS = 200


def difference(
    left: sp.Expr, right: sp.Expr, given: Iterable[Given] = (), positive: bool = False
) -> str:
    """Where left is not right, in words; empty if that was not found.

    What is given holds of what is drawn: an entry has its value, and of the entries of a vector
    whose sum is given the last makes it so.  `positive`: where a side has roots of what is drawn.
    """
    known = {
        sp.S(_array(target)): (target, value)
        for target, value in given
        if not _of_a_permutation(target)
    }
    for seed, (rows, columns) in enumerate(SIZES * DRAWS):
        drawn = _Drawn(random.Random(seed), {n: rows, m: columns, p: MATRICES}, known, positive)
        try:
            a, b = drawn.value(left, {}), drawn.value(right, {})
        except ZeroDivisionError:
            continue
        if not _agree(a, b):
            read = ", ".join(f"{name} = {x}" for name, x in sorted(drawn.known.items()))
            return f"n = {rows}, m = {columns}, {read}: {_shown(a)} is not {_shown(b)}"
    return ""


def _array(target: sp.Basic) -> sp.Symbol:
    """The name of what is given: of an entry, or of the vector that is summed."""
    return base(target.function if isinstance(target, Sum) else target)


def _of_a_permutation(target: sp.Basic) -> bool:
    """Whether it says that a sum over permuted indices is the sum: this holds of all drawn."""
    read = {x for e in target.atoms(sp.Indexed) for x in e.indices}
    return any(isinstance(x, sp.Indexed) for x in read)


class _Drawn:
    """Values of expressions for sizes and numbers that are drawn when they are first read."""

    def __init__(
        self,
        source: random.Random,
        sizes: Mapping[sp.Symbol, int],
        given: Mapping[sp.Symbol, tuple[sp.Basic, sp.Expr]],
        positive: bool,
    ) -> None:
        self.source, self.sizes, self.given, self.positive = source, sizes, given, positive
        self.known: dict[str, Any] = {}

    def value(self, e: sp.Basic, at: Mapping[sp.Symbol, Any]) -> Any:
        """The value of e, with the indices as they are in `at`."""
        if e in at:
            return flint.fmpq(at[e])
        if e in self.sizes:
            return flint.fmpq(self.sizes[e])
        if e in EXTENTS:
            return flint.fmpq(self.index(e))
        if isinstance(e, sp.Rational):
            return flint.fmpq(e.p, e.q)
        if isinstance(e, sp.Symbol | sp.Indexed):
            return self._entry(e, at)
        if isinstance(e, Sum):
            (index, low, high), *rest = reversed(e.limits)
            inner = Sum(e.function, *reversed(rest)) if rest else e.function
            first, last = (int(self.value(end, at).p) for end in (low, high))
            each = (self.value(inner, {**at, index: k}) for k in range(first, last + 1))
            return sum(each, flint.fmpq(0))
        parts = [self.value(part, at) for part in e.args]
        if isinstance(e, sp.Add):
            return sum(parts, flint.fmpq(0))
        if isinstance(e, sp.Mul):
            return _product(parts)
        if isinstance(e, sp.Max | sp.Min):
            return (max if isinstance(e, sp.Max) else min)(parts)
        if isinstance(e, sp.Pow):
            return _power(parts[0], e.exp)
        raise ValueError(f"{e} is not evaluated")

    def index(self, free: sp.Symbol) -> int:
        """An index that is not summed over: one for all of its appearances."""
        return self.known.setdefault(str(free), self.source.randrange(self.sizes[EXTENTS[free]]))

    def _place(self, index: sp.Basic, at: Mapping[sp.Symbol, Any]) -> int:
        """Where an entry stands along an axis."""
        if not isinstance(index, sp.Indexed):
            return int(self.value(index, at).p)
        (place,) = index.indices
        name = str(base(index))
        if name not in self.known:
            size = self.sizes[EXTENTS[place]]
            self.known[name] = self.source.sample(range(size), size)
        return int(self.known[name][self._place(place, at)])

    def _entry(self, e: sp.Basic, at: Mapping[sp.Symbol, Any]) -> Any:
        indices = [self._place(i, at) for i in getattr(e, "indices", ())]
        target, value = self.given.get(base(e), (None, None))
        if isinstance(target, Sum):
            ((index, _, last),) = target.limits
            if indices == [int(self.value(last, at).p)]:
                rest = Sum(target.function, (index, 0, last - 1))
                return self.value(value, {}) - self.value(rest, {})
        elif target is not None:
            return self.value(
                value, dict(zip(getattr(target, "indices", ()), indices, strict=True))
            )
        name = f"{base(e)}{indices or ''}"
        if name not in self.known:
            size = flint.fmpq(self.source.randint(1, 9), self.source.randint(1, 9))
            self.known[name] = size if self.positive else size * self.source.choice((-1, 1))
        return self.known[name]


def _product(parts: list[Any]) -> Any:
    total: Any = flint.fmpq(1)
    for part in parts:
        total *= part
    return total


def _power(x: Any, exponent: sp.Expr) -> Any:
    if not isinstance(exponent, sp.Rational):
        raise ValueError(f"a power {exponent} is not evaluated")
    if exponent.is_Integer:
        return x ** int(exponent)
    with flint.ctx.workprec(BITS):
        return flint.arb(x).root(int(exponent.q)) ** int(exponent.p)


def _agree(a: Any, b: Any) -> bool:
    if isinstance(a, flint.fmpq) and isinstance(b, flint.fmpq):
        return bool(a == b)
    with flint.ctx.workprec(BITS):
        return bool((flint.arb(a) - flint.arb(b)).contains(0))


def _shown(x: Any) -> str:
    return str(x) if isinstance(x, flint.fmpq) else x.str(10, radius=False)
