"""How laws are asked that are no change of all inputs: what is drawn, and what is compared."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .asking import MATRICES, VECTOR, Asking, larger, unchanged, under
from .draw import Shape
from .moves import Comparison, Map, Move, same_bits

SMALL = (*VECTOR, MATRICES[0])
ONE_ENTRY: tuple[Shape, ...] = ((), (1,), (1, 1))
SUDDENLY = 1024.0
GROWTHS = ((2, 1), (20, 10))
"""Steps of steady gradients, then of large ones: an average over both needs some to show."""

TURNS = (1.0, -1 / 64, 2.0, -1.0)
"""Gradients that turn, at first against much larger ones: an average would not."""

BATCH: tuple[Map, ...] = (
    unchanged,
    lambda G: 4 * np.roll(G, 1, axis=0),
    lambda G: np.roll(G, 1, axis=1) / 2,
)
"""The matrices of a batch, of size 2 x 2 so that its largest axis is the first."""

APART = ((1.0, 0.25, 2.0), (8.0, 1.0, 0.5), (0.5, 4.0, 0.25))
"""The sizes of three parameters' gradients."""


def bounded(asking: Asking) -> Iterator[Comparison]:
    """Moves at gradients that grew suddenly are no longer than at steady ones."""
    more: dict[str, Any] = {"hyperparameters": {"d": 1.0}} if "d" in asking.subject.takes else {}
    for before, after in GROWTHS:
        watch = tuple(range(before, before + after + 1))
        for shape in SMALL:
            X, one, large = np.zeros(shape), np.ones(shape), asking.magnitudes(shape, SUDDENLY)
            steady = asking.moves(X, [one] * (before + after), watch=watch, **more)
            grads = [one] * before + [large] * after
            sudden = asking.moves(X, grads, watch=watch, **more)
            yield from map(_no_longer, sudden, steady)


def _no_longer(move: Move, other: Move) -> Comparison:
    """The norm of the move is at most that of the other, within the rounding of both."""

    def allowed(working: str) -> Any:
        return np.asarray(sum(math.hypot(*m.allowed(working).flat) for m in (move, other)))

    found, most = (np.asarray(math.hypot(*m.moved.flat)) for m in (move, other))
    tells = other.is_seen
    what = "the norm of the move"
    return Comparison(what, move, found, np.minimum(found, most), allowed, other, tells=tells)


def proportional(asking: Asking) -> Iterator[Comparison]:
    """X_new doubles to the bit with X; X = 0 moves."""
    doubled = under(larger(0, X=1), larger(0, X=7), compared=same_bits, X=(1.0,))
    yield from doubled(asking)
    for shape in SMALL:
        for move in asking.moves(np.zeros(shape), asking.grads(shape)):
            moved = np.asarray(float(move.is_seen))
            yield Comparison("whether X = 0 moves", move, moved, np.ones(()))


def still(asking: Asking) -> Iterator[Comparison]:
    """X_new = X at zero gradients, before another one and after it."""
    for shape in SMALL:
        for size in (0.0, 1.0):
            zero, (G,) = np.zeros(shape), asking.grads(shape, [1.0])
            for move in asking.moves(asking.X(shape, size), [zero, zero, G, zero]):
                if move.t != 3:
                    yield Comparison("the move", move, move.moved, zero)


def against(asking: Asking) -> Iterator[Comparison]:
    """The sign of every move is not that of its G, which changes at every step."""
    for shape in VECTOR + MATRICES:
        grads = asking.grads(shape, TURNS)
        for move in asking.moves(np.zeros(shape), grads):
            found, expected = np.sign(move.moved), -np.sign(move.observation.G)
            yield Comparison("the sign of the move", move, found, expected)


def batch(asking: Asking) -> Iterator[Comparison]:
    """A tensor moves as its matrices do, each alone.

    They are the first one with rows or columns in another order, times powers of two: what is a
    mean over all of the tensor, such as RMS(U), is the same for each of them.
    """
    first = asking.grads((2, 2))
    matrices = [[change(G) for G in first] for change in BATCH]
    grads = [np.stack(together) for together in zip(*matrices, strict=True)]
    tensor = asking.moves(np.zeros_like(grads[0]), grads)
    alone = [asking.moves(np.zeros_like(own[0]), own) for own in matrices]
    for move, *others in zip(tensor, *alone, strict=False):
        yield _in_proportion(move, others)


def _in_proportion(move: Move, slices: list[Move]) -> Comparison:
    """The move is that of its slices, times one factor: that of the entry that moves most."""
    apart = np.stack([s.moved for s in slices])
    most = np.unravel_index(np.argmax(np.abs(apart)), apart.shape)
    tells = bool(np.all(np.isfinite(apart)) and apart[most] != 0)
    factor = move.moved[most] / apart[most] if tells else 1.0
    share = np.abs(apart / apart[most]) if tells else 0.0

    def allowed(working: str) -> Any:
        own = np.stack([s.allowed(working) for s in slices])
        both = move.allowed(working) + abs(factor) * own
        return both + share * both[most]

    found, expected = move.moved, factor * apart
    return Comparison("the move", move, found, expected, allowed, slices[0], tells=tells)


def finite(asking: Asking) -> Iterator[Comparison]:
    """X_new has no NaN and no infinity."""
    for size, grads in _extremes(asking):
        for move in asking.moves(np.zeros_like(grads[0]), grads):
            is_finite = np.isfinite(move.after).astype(float)
            ones = np.ones_like(is_finite)
            yield Comparison("whether X_new is finite", move, is_finite, ones, G=size)


def _extremes(asking: Asking) -> Iterator[tuple[float, list[Any]]]:
    """Zero gradients, |G| from 1e-15 to 1e15, zero rows and columns; with about what |G| is."""
    for shape in (*SMALL, *ONE_ENTRY):
        yield 1.0, [np.zeros(shape), asking.magnitudes(shape), np.zeros(shape)]
        for k in range(-15, 16, 3):
            yield 10.0**k, [10.0**k * np.float64(asking.magnitudes(shape)) for _ in range(2)]
    for axis in (0, 1):
        grads = asking.grads((3, 2))
        for G in grads:
            np.moveaxis(G, axis, 0)[1] = 0
        yield 1.0, grads


def independent(asking: Asking) -> Iterator[Comparison]:
    """Parameters together move as each of them alone."""
    shapes: tuple[Shape, ...] = ((3,), (2, 3), (3,))
    params = [asking.X(shape, size) for shape, size in zip(shapes, (1.0, 8.0, 0.0), strict=True)]
    grads = [asking.grads(shape, sizes) for shape, sizes in zip(shapes, APART, strict=True)]
    together = asking.all_moves(params, [*zip(*grads, strict=True)])
    for X, G, found in zip(params, grads, together, strict=True):
        alone = asking.moves(X, G)
        for move, other in zip(found, alone, strict=False):
            yield same_bits(move, other, unchanged)
