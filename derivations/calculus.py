"""Equality of finite sums for all sizes, by linearity and cancellation alone; proofs build on it.

An equation is decided as one of rational functions: what linearity leaves of a sum, every entry and
every logarithm is an unknown of which nothing is known.  What needs more than that is not equal.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TypeAlias

import sympy as sp
from sympy import Derivative, Sum, log

from .rule import Target, base, entries, rewrite

Given: TypeAlias = tuple[Target | Sum, sp.Expr]


def equal(left: sp.Expr, right: sp.Expr, given: Iterable[Given] = ()) -> bool:
    """Whether left = right for all sizes, wherever both have a value; False if it is not decided.

    What is given holds for every value of its indices: an (entry, value) is put in wherever the
    array is read, in order, then a (sum over one axis, value) wherever that very sum comes up.
    Raises ValueError where an index would be captured, or a slope needs more than linearity.

    >>> from derivations.adafactor import R, S_R, k, rows
    >>> equal(Sum(2 * R[k], rows), 2 * S_R, [(Sum(R[k], rows), S_R)])
    True
    """
    given = (*given,)
    known = {e: value for e, value in given if isinstance(e, Sum)}
    unknowns: dict[sp.Basic, sp.Dummy] = {}

    def opaque(e: sp.Basic) -> sp.Basic | None:
        if isinstance(e, Sum | Target | log):
            return unknowns.setdefault(e, sp.Dummy())
        return None

    _check(given, _summed(left, right, *(value for _, value in given)))
    sides = (rewrite(_reduced(_written(side, given), known), opaque) for side in (left, right))
    return sp.cancel(next(sides) - next(sides)) == 0


def _check(given: tuple[Given, ...], summed: set[sp.Symbol]) -> None:
    for target, value in given:
        indices = _indices(target)
        if len({*indices}) < len(indices) or not all(isinstance(i, sp.Symbol) for i in indices):
            raise ValueError(f"{target} = {value} is not said of every entry")
        if captured := (value.free_symbols - target.free_symbols) & summed:
            raise ValueError(f"{target} = {value} reads {captured}, which a sum may capture")


def _summed(*expressions: sp.Basic) -> set[sp.Symbol]:
    """Every index that is summed over."""
    return {limit[0] for e in expressions for z in e.atoms(Sum) for limit in z.limits}


def _indices(e: sp.Basic) -> tuple[sp.Expr, ...]:
    return e.indices if isinstance(e, sp.Indexed) else ()


def _written(e: sp.Basic, given: tuple[Given, ...]) -> sp.Basic:
    """`e` with derivatives taken, then with the given entries put in, in order."""
    e = rewrite(e, _slope)
    for target, value in given:
        if not isinstance(target, Sum):
            e = rewrite(e, partial(_put, target, value))
    return e


def _slope(e: sp.Basic) -> sp.Basic | None:
    """The value of a derivative: by y = r_i, of a sum that reads r at an index it runs over."""
    if not isinstance(e, Derivative):
        return None
    (y,), f = e.variables, e.expr
    if not f.has(Sum):
        return sp.diff(f, y)
    read = {z for z in entries(f) if base(z) == base(y)}
    to = {k: i for z in read for k, i in zip(_indices(z), _indices(y), strict=True)}
    plain = isinstance(f, Sum) and not f.function.has(Sum) and {*to} <= _summed(f)
    if not plain or len(read) != 1 or len(to) != len(_indices(y)) or _summed(f) & {*to.values()}:
        raise ValueError(f"the slope in {y} of {f} is not that of one entry of a plain sum")
    slope = sp.diff(f.function, *read).xreplace(to)
    rest = [z for z in _axes(f) if z[0] not in to]
    return Sum(slope, *rest) if rest else slope


def _put(target: Target, value: sp.Expr, e: sp.Basic) -> sp.Basic | None:
    """`value` at the indices of `e`, if `e` is an entry of the array of `target`."""
    if not isinstance(e, Target) or base(e) != base(target):
        return None
    to = dict(zip(_indices(target), _indices(e), strict=True))
    read = {i for x in (*to, *to.values()) for i in x.free_symbols}
    if captured := read & _summed(value):
        raise ValueError(f"{target} = {value} cannot be read at {e}: it sums over {captured}")
    return value.xreplace(to)


def _axes(e: Sum) -> list[sp.Tuple]:
    """The limits of a sum, each over an axis of its own."""
    summed = {limit[0] for limit in e.limits}
    if len(summed) < len(e.limits) or any(summed & z.free_symbols for _, *z in e.limits for z in z):
        raise ValueError(f"{e} sums over an index twice, or up to another index")
    return [*e.limits]


def _reduced(e: sp.Basic, known: Mapping[sp.Basic, sp.Expr]) -> sp.Basic:
    """`e` with logarithms expanded, and sums split into sums of products and as short as can be."""
    if isinstance(e, Sum):
        body = sp.expand(_reduced(e.function, known))
        return sp.Add(*(_sum(term, _axes(e), known) for term in sp.Add.make_args(body)))
    if isinstance(e, log):
        return _log(_reduced(e.args[0], known))
    if isinstance(e, sp.Indexed) or not e.args:
        return e
    return e.func(*(_reduced(part, known) for part in e.args))


def _log(e: sp.Expr) -> sp.Expr:
    """log e: of a product of nonnegative factors, which are positive wherever it has a value."""
    powers = [factor.as_base_exp() for factor in sp.Mul.make_args(e)]
    if not all(x.is_nonnegative and y.is_real for x, y in powers):
        return log(e)
    return sp.Add(*(y * log(x) for x, y in powers))


def _sum(term: sp.Expr, axes: list[sp.Tuple], known: Mapping[sp.Basic, sp.Expr]) -> sp.Expr:
    """The sum of a product: along one axis at a time, the factors free of its index go outside."""
    for axis in axes:
        index, low, high = axis
        outside, inside = term.as_independent(index, as_Add=False)
        rest = [z for z in axes if z != axis]
        if inside == 1:
            return _sum(outside * (high - low + 1), rest, known)
        total = _ordered(Sum(inside, axis))
        if total in known or not inside.free_symbols & {z[0] for z in rest}:
            return _sum(outside * known.get(total, total), rest, known)
    return _ordered(Sum(term, *axes)) if axes else term


def _ordered(e: Sum) -> Sum:
    """The sum with its axes in one order, whichever way it was nested: finite sums commute."""
    return Sum(e.function, *sorted(_axes(e), key=str))
