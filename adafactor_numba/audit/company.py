"""Runs of several parameters: in other orders and groups, without a gradient, saved and loaded."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np

from .draw import BOTH, Draw, Shape
from .subject import Run

ORDERS = tuple(permutations(range(3)))
"""Of three parameters."""

ASKED = {"float64": ORDERS, "float32": (ORDERS[0], ORDERS[-1]), "float16": ORDERS[:1]}
"""Those asked in each dtype."""

GROUPINGS = (((0, 1, 2),), ((0,), (1,), (2,)), ((0, 2), (1,)), ((2, 1), (0,)))
"""Ways in which three parameters form groups."""

MISSING: tuple[tuple[tuple[Shape, ...], str], ...] = (
    *((((3,), (2, 3)), rows) for rows in ("11 01 10 11 01 11", "01 11 11", "01 01", "10 10")),
    (((3,), (3,), (2, 3), (2, 3)), "1111 0101 1010 0111 1111"),
)
"""Shapes of parameters, and which of them has a gradient, step by step."""

GAPS = "1101001"
"""Whether the only parameter has one."""


def together(draw: Draw) -> Iterator[Run]:
    """Six, forwards and backwards; three in every order; an empty one between two others.

    In other dtypes than float64 in fewer orders.
    """
    shapes: tuple[Shape, ...] = ((3,), (2, 3), (), (3, 2), (3,), (2, 3))
    for order in (shapes, shapes[::-1]):
        params = [draw.normal(s, 10.0**-k) for k, s in enumerate(order)]
        yield Run("several parameters", tuple(params), _uneven([draw] * len(order), order))
    three = several(draw)
    yield from (permuted(three, order) for order in ASKED[draw.dtype])
    yield from independent(three)
    yield from (_empty(draw, shape) for shape in ((0,), (0, 3)))


def several(draw: Draw) -> Run:
    """A vector and two matrices, whose sizes differ."""
    return _three([draw] * 3, (3, 2))


def mixed(draw: Draw) -> Run:
    """A vector and a matrix, and a scalar of float32."""
    other = Draw(draw.rng, "float32")
    return replace(_three([draw, draw, other], ()), scenario="parameters of two dtypes")


def _three(draws: Sequence[Draw], shape: Shape) -> Run:
    shapes: tuple[Shape, ...] = ((3,), (2, 3), shape)
    pairs = zip(draws, shapes, strict=True)
    params = tuple(d.normal(s, 10.0**-k) for k, (d, s) in enumerate(pairs))
    return Run("several parameters", params, _uneven(draws, shapes))


def _uneven(draws: Sequence[Draw], shapes: Sequence[Shape]) -> tuple[tuple[Any, ...], ...]:
    """Gradients for three steps."""
    pairs = list(zip(draws, shapes, strict=True))
    return tuple(tuple(d.uneven(s) for d, s in pairs) for _ in range(3))


def permuted(run: Run, order: Sequence[int]) -> Run:
    """The run with parameter `order[k]` in place k."""
    grads = tuple(tuple(row[k] for k in order) for row in run.grads)
    return replace(run, params=tuple(run.params[k] for k in order), grads=grads)


def independent(run: Run) -> Iterator[Run]:
    """The run with another X, other gradients, then one less, for its first parameter alone."""

    def other(A: Any) -> Any:
        return np.asarray(1 - 4 * A, A.dtype)

    yield replace(run, params=(other(run.params[0]), *run.params[1:]))
    yield replace(run, grads=tuple((other(row[0]), *row[1:]) for row in run.grads))
    first, second, *rest = run.grads
    gap = (first, (None, *second[1:]), *rest)
    yield replace(run, scenario="missing gradient", grads=gap)


def _empty(draw: Draw, shape: Shape) -> Run:
    """An empty parameter between two others."""
    shapes: tuple[Shape, ...] = ((3,), shape, (2, 3))
    params = tuple(draw.normal(s) for s in shapes)
    return Run("empty parameter", params, _uneven([draw] * 3, shapes))


def of_two_dtypes(draw: Draw) -> Iterator[Run]:
    """Parameters of both dtypes in one list, in every order."""
    if draw.dtype != "float64":
        return
    yield from (permuted(mixed(draw), order) for order in ORDERS)
    draws, shapes = (draw, Draw(draw.rng, "float32")), ((3,), (2, 3))
    for pair in (draws, draws[::-1]):
        params = tuple(d.normal(s) for d, s in zip(pair, shapes, strict=True))
        yield Run("parameters of two dtypes", params, _uneven(pair, shapes))


def missing(draw: Draw) -> Iterator[Run]:
    """Gradients that are missing of one among others, or of the only one."""
    for shapes, there in MISSING:
        grads = tuple(
            tuple(
                draw.uneven(s) if here == "1" else None for s, here in zip(shapes, row, strict=True)
            )
            for row in there.split()
        )
        yield Run("missing gradient", tuple(draw.normal(s) for s in shapes), grads)
    for shape in BOTH:
        gaps = tuple((draw.uneven(shape) if here == "1" else None,) for here in GAPS)
        yield Run("missing gradient", (draw.normal(shape),), gaps)


def skipping(dtype: str, seed: int, alone: bool) -> tuple[Run, Run]:
    """A run in which a parameter, one of two or alone, has no gradient once; one without that."""
    draw = Draw(np.random.default_rng((seed, 97)), dtype)
    shapes: tuple[Shape, ...] = ((3,),) if alone else ((3,), (2,))
    X = tuple(draw.normal(shape) for shape in shapes)
    first, other, last = (tuple(draw.uneven(shape) for shape in shapes) for _ in range(3))
    gap = Run("missing gradient", X, (first, (None, *other[1:]), last))
    return gap, Run("missing gradient", X, (first, last))


def grouped(draw: Draw, takes: Sequence[str]) -> Iterator[Run]:
    """Several parameters in one group, in three, and in two."""
    if "groups" in takes:
        for groups in GROUPINGS:
            yield replace(several(draw), scenario="groups", groups=groups)


def both_ways(draw: Draw, takes: Sequence[str]) -> Iterator[Run]:
    """Both ways through a list of parameters."""
    if "foreach" in takes:
        for foreach in (False, True):
            options = {"foreach": foreach}
            yield replace(several(draw), scenario="foreach", hyperparameters=options)


def saved(draw: Draw, can: Sequence[str]) -> Iterator[Run]:
    """Saved and loaded, before and after the first gradient of one of the parameters."""
    if "save" in can:
        run = several(draw)
        first = (None, *run.grads[0][1:])
        run = replace(run, scenario="save and load")
        yield replace(run, split=1)
        yield from (replace(run, grads=(first, *run.grads), split=split) for split in (1, 2))
