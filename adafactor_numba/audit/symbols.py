"""From the proofs to the loops: their plain source, run on symbols, is the rule, on every way.

The rule is evaluated and the source is run on the same unknowns, of whose signs nothing is assumed:
SymPy's symbols, or numbers modulo a large prime, drawn, where symbols take too long.  The unknowns
are X, G, the rates and constants, and in place of the old statistics the new ones, of which the old
are made and the roots are taken.  The source has 1 - beta_2 for w.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from derivations.cases import choices
from derivations.evaluate import Numbers, Values, evaluate
from derivations.method import Shape
from derivations.rule import Input, UpdateRule

from .check import COMPILED, Implementation, observed
from .choices import Choices, UnlikeError
from .field import Field
from .formal import Symbols
from .scalar import Unwritten
from .source import interpreted, scope

Algebra: TypeAlias = Field | Symbols


@dataclass
class Point:
    """Inputs and what the rule makes of them on one way.

    Counted are the `squares` that were drawn, the `roots` that the rule takes, those that the
    source has `taken` last, and the largest `size` of a difference.
    """

    algebra: Algebra
    given: Mapping[str, Any]
    exact: Values
    way: Choices
    roots: int
    squares: int
    taken: int = 0
    size: int = 1

    @property
    def chance(self) -> float:
        """log2 of the probability that what was seen to be equal here differs."""
        return self.algebra.chance(self.roots + self.taken, self.squares, self.size)


def ways(rule: UpdateRule) -> Iterator[tuple[int, ...]]:
    """Every way through the Max and Min of the rule, which have two arguments each."""
    return product((0, 1), repeat=len(choices(rule)) // 2)


def points(
    rule: UpdateRule,
    sizes: Shape,
    algebra: Algebra,
    shared: Mapping[str, Any] = MappingProxyType({}),
) -> list[Point]:
    """For every way, what the rule gives for inputs of a shape, where there are all its roots.

    What is `shared` with other points is not drawn.
    """
    for tried in range(1, algebra.tries + 1):
        given, squares = _given(rule, sizes, algebra, shared)
        try:
            return [_point(rule, given, way, algebra, squares) for way in ways(rule)]
        except (UnlikeError, ZeroDivisionError):
            if tried == algebra.tries:
                raise
    raise AssertionError


def _given(
    rule: UpdateRule, sizes: Shape, algebra: Algebra, shared: Mapping[str, Any]
) -> tuple[dict[str, Any], int]:
    """The inputs and w, and how many of them make a square each."""
    known = dict(zip(rule.shape(rule.input("X")), sizes, strict=True))
    forms = {x: tuple(known[s] for s in rule.shape(x)) for x in rule.inputs}
    given = {x.name: _unknown(algebra.variable, x.name, form) for x, form in forms.items()}
    given |= shared
    statistics = {x: str(x.becomes) for x in rule.inputs if _is_statistic(rule, x)}
    zeros = {x.name: np.full(forms[x], algebra.number(0), object) for x in statistics}
    added = evaluate(rule, given | zeros, _numbers(algebra), [*statistics.values()])
    for x, new in statistics.items():
        squares = _unknown(algebra.square, new, forms[x])
        given[x.name] = (squares - added[new]) / given["beta_2"]
    given["w"] = 1 - given["beta_2"]
    return given, sum(math.prod(forms[x]) for x in statistics)


def _point(
    rule: UpdateRule,
    given: Mapping[str, Any],
    way: tuple[int, ...],
    algebra: Algebra,
    squares: int,
) -> Point:
    before = algebra.roots
    algebra.choices = Choices(way, algebra.equal)
    exact = evaluate(rule, given, _numbers(algebra))
    algebra.choices.settled = True
    return Point(algebra, given, exact, algebra.choices, algebra.roots - before, squares)


def _is_statistic(rule: UpdateRule, x: Input) -> bool:
    return x.becomes is not None and x.becomes != rule.steps[-1].name


def _unknown(kind: Any, name: str, form: Shape) -> Any:
    if not form:
        return kind(name)
    entries = [kind(name + "_".join(map(str, index))) for index in np.ndindex(form)]
    return np.array(entries, object).reshape(form)


@cache
def _numbers(algebra: Algebra) -> Numbers:
    """What `evaluate` has to know of the algebra."""
    return Numbers(
        type(algebra).__name__,
        object,
        algebra.number,
        np.frompyfunc(lambda x, q: _square_root(algebra, x, q), 2, 1),
        np.frompyfunc(lambda a, b: algebra.choices.larger(a, b), 2, 1),
        np.frompyfunc(lambda a, b: algebra.choices.smaller(a, b), 2, 1),
    )


def _square_root(algebra: Algebra, x: Any, q: int) -> Any:
    if q != 2:
        raise NotImplementedError(f"a root of degree {q}")
    return algebra.root(x)


def names(algebra: Algebra) -> dict[str, Any]:
    """What the source reads, on symbols."""
    return scope(
        number=algebra.number,
        sqrt=algebra.root,
        larger=lambda a, b: algebra.choices.larger(a, b),
        smaller=lambda a, b: algebra.choices.smaller(a, b),
        zero=algebra.number(0),
        unwritten=Unwritten(),
    )


def on_symbols(algebra: Algebra, loops: Implementation = COMPILED) -> Implementation:
    """The plain source of the loops on symbols; the schedules stay what they are."""
    own = names(algebra)
    return Implementation(
        loops.schedule, *(interpreted(m, **own) for m in (loops.vector, loops.matrix))
    )


def parted(at: Point, loops: Implementation) -> list[str]:
    """The steps where the source, as `on_symbols` makes it, is not the rule at this point.

    Raises UnlikeError where the source takes a root, a choice or a magnitude that the rule does
    not take.
    """
    at.algebra.choices, before = at.way, at.algebra.roots
    got = observed(loops, at.given)
    at.taken = at.algebra.roots - before
    return differing(at, got)


def differing(at: Point, got: Mapping[str, Any]) -> list[str]:
    """The steps of which not every entry is the rule's."""
    return [name for name, value in got.items() if not same(at, value, at.exact[name])]


def same(at: Point, value: Any, exact: Any) -> bool:
    """Whether every entry is the same; notes the size of their differences."""
    for a, b in zip(np.asarray(value).flat, np.asarray(exact).flat, strict=True):
        at.size = max(at.size, getattr(a - b, "size", 1))
        if not at.algebra.equal(a, b):
            return False
    return True
