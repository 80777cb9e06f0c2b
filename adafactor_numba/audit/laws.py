"""Laws that need no reference: what a rule's moves say of each other and of the gradients."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .asking import MATRICES, VECTOR, Ask, Asking, Change, decade, flipped, larger, rolled, under
from .moves import Comparison, Move, same_bits
from .scenarios import Shape

SMALL = (*VECTOR, MATRICES[0])
BATCH: Shape = (3, 2, 2)  # the two largest axes are not the last two
ONE_ENTRY: tuple[Shape, ...] = ((), (1,), (1, 1))
SUDDENLY = 1024.0
GROWTHS = ((2, 1), (20, 10))
"""Steps of steady gradients, then of large ones: averages of both need some to show."""


@dataclass(frozen=True)
class Law:
    """A law: its name, what it says in the paper's letters, and how it is asked."""

    name: str
    says: str
    ask: Ask


def _bounded(asking: Asking) -> Iterator[Comparison]:
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


def _proportional(asking: Asking) -> Iterator[Comparison]:
    doubled = under(larger(0, X=1), larger(0, X=7), compared=same_bits, X=(1.0,))
    yield from doubled(asking)
    for shape in SMALL:
        for move in asking.moves(np.zeros(shape), asking.grads(shape)):
            moved = np.asarray(float(move.is_seen))
            yield Comparison("whether X = 0 moves", move, moved, np.ones(()))


def _still(asking: Asking) -> Iterator[Comparison]:
    for shape in SMALL:
        for size in (0.0, 1.0):
            zero, (G,) = np.zeros(shape), asking.grads(shape, [1.0])
            for move in asking.moves(asking.X(shape, size), [zero, zero, G, zero]):
                if move.t != 3:
                    yield Comparison("the move", move, move.moved, zero)


def _against(asking: Asking) -> Iterator[Comparison]:
    for shape in VECTOR + MATRICES:
        grads = [asking.X(shape, size) for size in (1.0, 0.25, 2.0, 1.0)]
        for move in asking.moves(np.zeros(shape), grads):
            signs = np.sign(move.moved), -np.sign(move.observation.G)
            yield Comparison("the sign of the move", move, *map(np.asarray, signs))


def _batch(asking: Asking) -> Iterator[Comparison]:
    """The first gradients are of rank one and the next ones smaller, so that no U is clipped."""
    first = asking.magnitudes((*BATCH[:-1], 1)) * asking.magnitudes((BATCH[0], 1, BATCH[-1]))
    signs = asking.signs(BATCH)
    grads = [signs * A for A in (8 * first, asking.magnitudes(BATCH), asking.magnitudes(BATCH) / 2)]
    tensor = asking.moves(np.zeros(BATCH), grads)
    slices = [asking.moves(np.zeros(BATCH[1:]), [G[b] for G in grads]) for b in range(BATCH[0])]
    for move, *others in zip(tensor, *slices, strict=False):
        yield _in_proportion(move, others)


def _in_proportion(move: Move, slices: list[Move]) -> Comparison:
    """The move is that of its slices, times one factor: that of the entry that moves most."""
    apart = np.stack([s.moved for s in slices])
    most = np.unravel_index(np.argmax(np.abs(apart)), apart.shape)
    with np.errstate(all="ignore"):
        factor = move.moved[most] / apart[most]

    def allowed(working: str) -> Any:
        own = np.stack([s.allowed(working) for s in slices])
        both = move.allowed(working) + abs(factor) * own
        return both + np.abs(apart / apart[most]) * both[most]

    tells = move.is_seen and all(s.is_seen for s in slices)
    expected = factor * apart
    return Comparison("the move", move, move.moved, expected, allowed, slices[0], tells=tells)


def _finite(asking: Asking) -> Iterator[Comparison]:
    for k in (0, *range(-15, 16, 3)):
        for shape in (*SMALL, *ONE_ENTRY):
            grads = [10.0**k * asking.magnitudes(shape).astype(float) for _ in range(2)]
            yield from map(_is_finite(10.0**k), asking.moves(np.zeros(shape), grads))
    for shape in (*SMALL, *ONE_ENTRY):
        grads = [np.zeros(shape), asking.magnitudes(shape), np.zeros(shape)]
        yield from map(_is_finite(1.0), asking.moves(np.zeros(shape), grads))
    for axis in (0, 1):
        grads = asking.grads((3, 2))
        for G in grads:
            np.moveaxis(G, axis, 0)[1] = 0
        yield from map(_is_finite(1.0), asking.moves(np.zeros((3, 2)), grads))


def _is_finite(size: float) -> Any:
    def asked(move: Move) -> Comparison:
        finite = np.isfinite(move.after).astype(float)
        return Comparison("whether X_new is finite", move, finite, np.ones_like(finite), G=size)

    return asked


def _independent(asking: Asking) -> Iterator[Comparison]:
    shapes: tuple[Shape, ...] = ((3,), (2, 3), (3,))
    params = [asking.X(shape, size) for shape, size in zip(shapes, (1.0, 8.0, 0.0), strict=True)]
    grads = [asking.grads(shape, sizes) for shape, sizes in zip(shapes, APART, strict=True)]
    together = asking.all_moves(params, [*zip(*grads, strict=True)])
    for X, G, found in zip(params, grads, together, strict=True):
        alone = asking.moves(X, G)
        for move, other in zip(found, alone, strict=False):
            yield same_bits(move, other, lambda A: A)


APART = ((1.0, 0.25, 2.0), (8.0, 1.0, 0.5), (0.5, 4.0, 0.25))
"""The sizes of three parameters' gradients."""

_TRANSPOSED = Change(lambda A: A.T, lambda A: A.T, lambda A: A.T)
_AS_ROW = Change(lambda A: A[None], lambda A: A[None], lambda A: A[0])
_FLIPPED = Change(G=flipped, back=flipped)
_POWERS = (larger(1), larger(3), larger(-3))

LAWS: tuple[Law, ...] = (
    Law(
        "transposition",
        "the step for G^T and X^T is the step for G and X, transposed",
        under(_TRANSPOSED, shapes=MATRICES),
    ),
    Law(
        "permutation",
        "if rows or columns of G and X change places, those of X_new do",
        under(rolled(0), rolled(-1)),
    ),
    Law(
        "scale",
        "X_new is the same if every G is multiplied by s",
        under(*map(decade, range(-8, 9)), shapes=SMALL, X=(0.0,)),
    ),
    Law(
        "bounded",
        "RMS(X_new - X) is at most what it is for |G| = 1 always (d = 1), however G grows",
        _bounded,
    ),
    Law(
        "parameter scale",
        "X_new doubles exactly if X, far above epsilon_2, is doubled; X = 0 moves",
        _proportional,
    ),
    Law("zero gradient", "X_new = X where G = 0, at first and later", _still),
    Law("descent", "every entry with G != 0 moves against its G", _against),
    Law(
        "batch",
        "for X = 0 and no U clipped, a batch of matrices moves as each matrix does, times a factor",
        _batch,
    ),
    Law(
        "powers of two",
        "X_new is the same to the bit if every G, far above sqrt(epsilon_1), is multiplied by 2^k",
        under(*_POWERS, compared=same_bits),
    ),
    Law(
        "signs",
        "for X = 0, if the sign of an entry of G changes, that of the same entry of X_new does",
        under(_FLIPPED, compared=same_bits, X=(0.0,)),
    ),
    Law(
        "finite",
        "X_new is finite for zero G, zero rows or columns, one entry, and |G| from 1e-15 to 1e15",
        _finite,
    ),
    Law(
        "one row",
        "a matrix of one row moves as the vector does",
        under(_AS_ROW, shapes=VECTOR),
    ),
    Law("independence", "X_new of one parameter is the same without the others", _independent),
    Law(
        "repetition",
        "X_new is the same if all is done again",
        under(Change(), compared=same_bits),
    ),
)
