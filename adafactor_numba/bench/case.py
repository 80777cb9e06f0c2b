"""What is measured: parameters of some shapes, of one type, on so many threads."""

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .title import title
from .transformer import Shape

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Case:
    """One step of all parameters of these shapes; `alone` without the peers."""

    shapes: tuple[Shape, ...]
    threads: int
    dtype: str = "float32"
    alone: bool = False

    @property
    def name(self) -> str:
        """What is measured, in words."""
        return f"{title(self.shapes)}, {self.dtype}, on {self.threads}"

    @property
    def size(self) -> int:
        """How many numbers are updated."""
        return sum(map(math.prod, self.shapes))

    @property
    def most_bytes(self) -> int:
        """The memory that all optimizers together may need: each its own X, its state and more."""
        return 26 * np.dtype(self.dtype).itemsize * self.size

    def bytes_of_the_rule(self, carried: bool = False) -> int:
        """What a step moves between memory and processor that takes the rule line by line.

        A matrix: G is read for R and C, for RMS(U) and for X_new; X for RMS(X) and for X_new, and
        is written; with RMS(X) carried over from the last step, X is read once.  (The loops have
        RMS(U) from the reading for R and C, as long as some rows of G fit into a cache.)  A vector
        needs G but twice, since V and RMS(U) come from one reading; its V, kept in float64, is read
        twice and written once.
        """
        entry = np.dtype(self.dtype).itemsize
        moved = 0
        for shape in self.shapes:
            one = 6 * entry if len(shape) > 1 else 5 * entry + 3 * 8
            moved += math.prod(shape) * (one - (entry if carried else 0))
        return moved

    def arrays(self) -> tuple[list[Array], list[Array]]:
        """Weights and gradients as training has them, the same at every call."""
        rng = np.random.default_rng(0)
        return self._drawn(rng, 0.02), self._drawn(rng, 1e-3)

    def _drawn(self, rng: np.random.Generator, scale: float) -> list[Array]:
        return [
            np.asarray(scale * rng.standard_normal(shape, np.float32)).astype(self.dtype)
            for shape in self.shapes
        ]
