"""Arrays of numbers for what is asked, drawn from a seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .subject import Run

Shape = tuple[int, ...]

BOTH: tuple[Shape, ...] = ((3,), (1, 3), (3, 1), (2, 3), (3, 2))
"""Vectors and matrices, thin ones too."""


@dataclass
class Draw:
    """Seeded arrays of one dtype; `uneven` entries lie within a factor 4 and differ in sign."""

    rng: np.random.Generator
    dtype: str

    def uneven(self, shape: Shape, size: float = 1.0) -> Any:
        magnitudes = size * self.rng.uniform(0.5, 2.0, shape)
        return np.asarray(magnitudes * self.rng.choice([-1.0, 1.0], shape), self.dtype)

    def normal(self, shape: Shape, size: float = 1.0) -> Any:
        return np.asarray(size * self.rng.standard_normal(shape), self.dtype)

    def zeros(self, shape: Shape) -> Any:
        return np.zeros(shape, self.dtype)

    def single(self, scenario: str, X: Any, grads: Sequence[Any], **more: Any) -> Run:
        """A run of one parameter."""
        return Run(scenario, (X,), tuple((np.asarray(g, self.dtype),) for g in grads), **more)
