"""A whole optimizer: a schedule, a rule for what is factored and one for what is not.

`METHOD.layout(shape)` answers which rule a parameter of that shape takes, and how its axes become
those of the rule.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import sympy as sp

from .adafactor import MATRIX, SCHEDULE, TENSOR, VECTOR, batched
from .rule import UpdateRule

Shape: TypeAlias = tuple[int, ...]
Axes: TypeAlias = Callable[[Shape], tuple[int, int] | None]
"""Which two axes of a shape are factored, if any."""

machine_epsilon = sp.Symbol("machine_epsilon", positive=True)
"""In a default, the distance from 1 to the next number of the parameter's dtype."""


def last_two(shape: Shape) -> tuple[int, int] | None:
    """The last two axes.  Rank 2: [S]; rank > 2, where [S] is silent: [T2T]."""
    return (len(shape) - 2, len(shape) - 1) if len(shape) >= 2 else None


def two_largest(shape: Shape) -> tuple[int, int] | None:
    """The second largest and the largest axis, the later one where sizes are equal."""
    if len(shape) < 2:
        return None
    *_, second, first = np.argsort(shape, kind="stable")
    return int(second), int(first)


def first_two(shape: Shape) -> tuple[int, int] | None:
    """The first two axes of what has more than two: those of a convolution's channels."""
    return (0, 1) if len(shape) > 2 else None


def none(shape: Shape) -> None:
    """No axis: every parameter keeps a full second moment."""


def at_least(size: int, *choices: Axes) -> Axes:
    """The first of `choices` whose two axes have that size at least; none, if none has."""

    def chosen(shape: Shape) -> tuple[int, int] | None:
        found = (axes for choice in choices if (axes := choice(shape)) is not None)
        return next((axes for axes in found if min(shape[a] for a in axes) >= size), None)

    return chosen


@dataclass(frozen=True)
class Layout:
    """How a parameter of `shape` is laid out for `rule`: its axes permuted, then reshaped."""

    rule: UpdateRule
    shape: Shape
    permutation: tuple[int, ...]
    sizes: Shape

    def arranged(self, array: Any) -> Any:
        """`array`, of the parameter's shape, in the shape of the rule."""
        return np.asarray(array).transpose(self.permutation).reshape(self.sizes)

    def restored(self, array: Any) -> Any:
        """`array`, of the rule's shape, in the parameter's."""
        permuted = np.reshape(array, [self.shape[a] for a in self.permutation])
        return permuted.transpose(self._inverse)

    @cached_property
    def _inverse(self) -> tuple[int, ...]:
        return tuple(sorted(range(len(self.shape)), key=self.permutation.__getitem__))


@dataclass(frozen=True, eq=False)
class Method:
    """An optimizer by its rules; `axes` tells which two axes of a shape are factored, if any."""

    name: str
    source: str
    schedule: UpdateRule
    vector: UpdateRule
    matrix: UpdateRule
    axes: Axes

    @cached_property
    def tensor(self) -> UpdateRule:
        """The matrix rule over a batch of matrices."""
        return TENSOR if self.matrix is MATRIX else batched(self.matrix)

    def rules(self) -> Iterator[UpdateRule]:
        """Every rule of the method."""
        yield from (self.schedule, self.vector, self.matrix, self.tensor)

    def layout(self, shape: Shape) -> Layout:
        """The rule for a parameter of `shape`, and the way there and back.

        >>> ADAFACTOR.layout((2, 3, 4)).rule.name
        'tensor'
        """
        factored = self.axes(shape)
        if factored is None:
            return Layout(self.vector, shape, tuple(range(len(shape))), (math.prod(shape),))
        leading = tuple(a for a in range(len(shape)) if a not in factored)
        sizes = tuple(shape[a] for a in factored)
        if not leading:
            return Layout(self.matrix, shape, factored, sizes)
        batch = math.prod(shape[a] for a in leading)
        return Layout(self.tensor, shape, leading + factored, (batch, *sizes))


ADAFACTOR = Method("paper", "[S] Algorithms 4, 5, 6", SCHEDULE, VECTOR, MATRIX, last_two)
