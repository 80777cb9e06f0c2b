"""Asking an implementation about a law: its moves for inputs, and for the same inputs changed.

Gradients are of few digits, so that multiples of them are exact, and keep their signs where moves
are compared within rounding, so that no average of them cancels.  G^2 is far above epsilon_1 but
where its size is what is asked about.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from .draw import Draw, Shape
from .moves import Comparison, Map, Move, alike, moves
from .subject import Run, Subject

VECTOR: tuple[Shape, ...] = ((3,),)
MATRICES: tuple[Shape, ...] = ((2, 3), (3, 2))
SIZES = (1.0, 0.25, 2.0)
"""Of G at t = 1, 2, 3: a step that may be clipped, one that is not, one that is."""


@dataclass
class Asking:
    """The asking of one law in one dtype: it draws, it runs, and keeps what was refused."""

    law: str
    subject: Subject
    draw: Draw
    refused: list[str] = field(default_factory=list)

    def X(self, shape: Shape, size: float) -> Any:
        """Weights of about that size, which is a power of two or 0."""
        return self.signs(shape) * self.magnitudes(shape, size)

    def grads(self, shape: Shape, sizes: Sequence[float] = SIZES) -> list[Any]:
        """A gradient for every size; the signs stay, but for those of the sizes."""
        signs = self.signs(shape)
        return [signs * self.magnitudes(shape, size) for size in sizes]

    def magnitudes(self, shape: Shape, size: float = 1.0) -> Any:
        """Numbers of 11 bits within a factor 4."""
        numbers = self.draw.rng.integers(512, 2048, shape) / 1024
        return np.asarray(size * numbers, self.draw.dtype)

    def signs(self, shape: Shape) -> Any:
        return np.asarray(self.draw.rng.choice([-1.0, 1.0], shape), self.draw.dtype)

    def moves(self, X: Any, grads: Sequence[Any], **more: Any) -> list[Move]:
        """The moves of one parameter."""
        given = [np.asarray(G, self.draw.dtype) for G in grads]
        return self.all_moves([np.asarray(X, self.draw.dtype)], [[G] for G in given], **more)[0]

    def all_moves(
        self, params: Sequence[Any], grads: Sequence[Sequence[Any]], **more: Any
    ) -> list[list[Move]]:
        """The moves of every parameter: those that were seen before it refused."""
        run = Run(self.law, tuple(params), tuple(map(tuple, grads)), **more)
        trace = self.subject.run(run)
        if trace.error and trace.error not in self.refused:
            self.refused.append(trace.error)
        return [[*moves(run, trace, number)] for number in range(len(params))]


Ask: TypeAlias = Callable[[Asking], Iterator[Comparison]]


def unchanged(array: Any) -> Any:
    """The array itself."""
    return array


@dataclass(frozen=True)
class Change:
    """What is done to X and to every G, and what takes it back from X_new."""

    X: Map = unchanged
    G: Map = unchanged
    back: Map = unchanged
    size: float = 1.0


def under(
    *changes: Change,
    compared: Callable[..., Comparison] = alike,
    shapes: Sequence[Shape] = VECTOR + MATRICES,
    X: Sequence[float] = (0.0, 1.0),
) -> Ask:
    """The law that a change of X and G changes X_new as it should; X of each of these sizes."""

    def ask(asking: Asking) -> Iterator[Comparison]:
        for shape in shapes:
            for size in X:
                start, grads = asking.X(shape, size), asking.grads(shape)
                plain = asking.moves(start, grads)
                for change in changes:
                    changed = asking.moves(change.X(start), [change.G(G) for G in grads])
                    for move, other in zip(changed, plain, strict=False):
                        yield compared(move, other, change.back, change.size)

    return ask


def rolled(axis: int) -> Change:
    """Every row, or column, goes where the next one was; the last is the first."""
    there, back = (partial(np.roll, shift=shift, axis=axis) for shift in (1, -1))
    return Change(there, there, back)


def larger(exponent: int, X: int = 0) -> Change:
    """G times 2^exponent, and X times 2^X."""
    return Change(
        lambda A: np.ldexp(A, X), lambda A: np.ldexp(A, exponent), lambda A: np.ldexp(A, -X)
    )


def decade(k: int) -> Change:
    """G times about 10^k: three times a power of two, so that it is exact."""
    factor = 3 * 2.0 ** round(math.log2(10.0**k / 3))
    return Change(G=lambda A: A * A.dtype.type(factor), size=10.0**k)


def flipped(array: Any) -> Any:
    """The array with the sign of its first entry changed."""
    changed = array.copy()
    changed.flat[0] = -changed.flat[0]
    return changed
