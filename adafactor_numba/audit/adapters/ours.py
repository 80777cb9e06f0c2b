"""The loops of this package."""

from collections.abc import Callable
from typing import Any

import adafactor_numba


def build(
    params: list[Any], *, epsilon_1: float = 1e-30, epsilon_2: float = 1e-3, d: float = 1.0
) -> Callable[[list[Any]], list[Any]]:
    """`adafactor_numba.Adafactor` with the paper's schedules."""
    X = [param.copy() for param in params]
    optimizer = adafactor_numba.Adafactor(X, epsilon_1=epsilon_1, epsilon_2=epsilon_2, d=d)

    def step(grads: list[Any]) -> list[Any]:
        optimizer.step(grads)
        return [x.copy() for x in X]

    return step
