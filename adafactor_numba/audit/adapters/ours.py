"""The loops of this package."""

from typing import Any, Self

import numpy as np

import adafactor_numba


class Loops:
    """`adafactor_numba.Adafactor` with the paper's schedules: called with gradients, a step."""

    def __init__(
        self,
        params: list[Any],
        *,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        d: float = 1.0,
    ) -> None:
        self.options: dict[str, Any] = {"epsilon_1": epsilon_1, "epsilon_2": epsilon_2, "d": d}
        self.X = [param.copy() for param in params]
        self.optimizer = adafactor_numba.Adafactor(self.X, **self.options)

    def __call__(self, grads: list[Any]) -> list[Any]:
        self.optimizer.step(grads)
        return [X.copy() for X in self.X]

    def state(self) -> list[dict[str, Any]]:
        return [*self.optimizer.state_dict().values()]

    def jump(self, t: int) -> None:
        """Statistics of zero are refused at t > 1; the least number is lost in the first sum."""
        state = self.optimizer.state_dict()
        for entry in state.values():
            for name in entry.keys() - {"t"} if t > 1 else ():
                entry[name] = np.maximum(entry[name], 5e-324)
            entry["t"] = t - 1
        self.optimizer.load_state_dict(state)

    def save(self) -> tuple[Any, ...]:
        return [X.copy() for X in self.X], self.options, self.optimizer.state_dict()

    @classmethod
    def load(cls, saved: tuple[Any, ...]) -> Self:
        params, options, state = saved
        step = cls(params, **options)
        step.optimizer.load_state_dict(state)
        return step


build = Loops
