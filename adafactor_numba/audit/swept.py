"""The sweep over all parameters and threads, run on symbols as plain source, is the rule as well.

It is what the optimizer calls.  Its tables are those that `Batch` makes; in place of an address a
parameter has the arrays of symbols themselves, and the range that doubles must be in is not asked
for, as symbols have none.
"""

import types
from collections.abc import Sequence
from typing import Any

import numpy as np

from adafactor_numba import batch as compiled

from .choices import Choices
from .scalar import Unwritten
from .source import interpreted
from .symbols import Point, differing, names, same

SHARED = "epsilon_1", "epsilon_2", "d"
"""The constants that all parameters of a sweep have."""


class Anything:
    """A bound of which every number is on the right side."""

    def __ge__(self, other: object) -> bool:
        return True

    def __le__(self, other: object) -> bool:
        return True


def parted(
    points: Sequence[Point],
    *,
    threads: int = 1,
    known: bool = False,
    batch: types.ModuleType = compiled,
) -> list[tuple[int, str]]:
    """Which steps of which points the sweep of all of them at once computes otherwise.

    The points share their algebra and constants.  If `known`, sum X^2 is carried from before, and
    "carried" is what is handed on.  Raises what the source raises on symbols.
    """
    algebra = points[0].algebra
    met = [choice for at in points for choice in at.way.met]
    algebra.choices = Choices((), algebra.equal, settled=True, met=met)
    before, source = algebra.roots, _source(batch.sweep, names(algebra))
    work = _work(points, batch, threads)
    for k, at in enumerate(points):
        _fill(work, k, at, source, known)
    given, bound = points[0].given, Anything()
    constants = batch.sweep.Constants(*(given[x] for x in SHARED), -1, True)
    bounds = types.SimpleNamespace(gradient=bound, weights=bound, least_weights=bound)
    step = source.step if threads == 1 else source.step_together
    step(work, constants, bounds, source.READ + source.WRITE, source.PLAIN, None)
    wrong = []
    for k, at in enumerate(points):
        at.taken = algebra.roots - before
        wrong += [(k, name) for name in differing(at, _found(work, k, at, source))]
        if not _carried(work, k, at):
            wrong.append((k, "carried"))
    return wrong


def chance(points: Sequence[Point]) -> float:
    """log2 of the probability that what `parted` saw to be equal differs, in whatever it reads."""
    roots = max(at.roots + at.taken for at in points)
    squares, size = sum(at.squares for at in points), max(at.size for at in points)
    return points[0].algebra.chance(roots, squares, size, len(points))


def _weights(p: Any, like: Any) -> Any:
    return p.X


def _gradient(p: Any, like: Any) -> Any:
    return p.G


def _source(sweep: Any, own: dict[str, Any]) -> types.SimpleNamespace:
    modules = {name: interpreted(getattr(sweep, name), **own) for name in ("matrix", "vector")}
    return interpreted(sweep, **own, **modules, weights=_weights, gradient=_gradient)


def _work(points: Sequence[Point], batch: Any, threads: int) -> Any:
    """The tables of a batch of such parameters, for numbers of any kind."""
    parameters = [
        batch.Parameter(f"params[{k}]", np.zeros(at.exact["X"].shape), k)
        for k, at in enumerate(points)
    ]
    made = batch.Batch(parameters)
    made.take([parameter.X for parameter in parameters])
    work = made.tables(threads)
    rows, unwritten = [_rows(table) for table in (work.table, work.pieces)], Unwritten()
    room = [np.full(a.shape, unwritten) for a in (work.statistics, work.scratch, work.sums)]
    return batch.sweep.Work(*rows, work.cuts, *room)


def _rows(table: Any) -> Any:
    """The rows of a table as objects, whose fields can be of any type."""
    rows = [dict(zip(table.dtype.names, row, strict=True)) for row in table.tolist()]
    return np.array([types.SimpleNamespace(**row) for row in rows], object)


def _fill(work: Any, k: int, at: Point, source: Any, known: bool) -> None:
    """Write what is given to the tables."""
    p, given = work.table[k], at.given
    form = p.p, p.n, p.m
    p.X, p.G = (given[name].copy().reshape(form) for name in ("X", "G"))
    p.w, p.beta_2, p.rho, p.known = given["w"], given["beta_2"], given["rho"], known
    for name, statistic in _statistics(work, k, source).items():
        statistic[...] = given[f"{name}_old"].reshape(statistic.shape)
    if known:
        work.sums[0, p.first : p.first + p.strips] = at.algebra.number(0)
        work.sums[0, p.first] = (given["X"] * given["X"]).sum()


def _statistics(work: Any, k: int, source: Any) -> dict[str, Any]:
    p = work.table[k]
    if p.factored:
        return dict(zip("RC", source.factors(p, work.statistics, p.statistics), strict=True))
    return {"V": source.moments(p, work)}


def _found(work: Any, k: int, at: Point, source: Any) -> dict[str, Any]:
    X_new = work.table[k].X.reshape(at.exact["X"].shape)
    return _statistics(work, k, source) | {"X_new": X_new}


def _carried(work: Any, k: int, at: Point) -> bool:
    """Whether the sums of the strips are sum X_new^2."""
    p, X_new = work.table[k], at.exact["X_new"]
    own = work.sums[0, p.first : p.first + p.strips].sum()
    return same(at, own, (X_new * X_new).sum())
