"""The loops of this package."""

from typing import Any

import numpy as np

import adafactor_numba

from .builder import Builder


class Step:
    """A step of `optimizer` on X, in place; what is returned is copied."""

    def __init__(self, X: list[Any], optimizer: adafactor_numba.Adafactor) -> None:
        self.X, self.optimizer = X, optimizer

    def __call__(self, grads: list[Any]) -> list[Any]:
        self.optimizer.step(grads)
        return [x.copy() for x in self.X]

    def save(self) -> dict[str, Any]:
        """The parameters and what the optimizer saves."""
        return {"params": [x.copy() for x in self.X], "optimizer": self._stored()}

    def load(self, saved: dict[str, Any]) -> None:
        """Go on from what was saved."""
        self.optimizer.load_state_dict(dict(enumerate(saved["optimizer"])))

    def state(self) -> list[dict[str, np.ndarray]]:
        """What is stored for each parameter."""
        return [{name: np.array(x) for name, x in own.items()} for own in self._stored()]

    def jump(self, t: int) -> None:
        """Count as if t steps had been made."""
        own = [stored | {"t": t} for stored in self._stored()]
        self.optimizer.load_state_dict(dict(enumerate(own)))

    def _stored(self) -> list[Any]:
        return [*self.optimizer.state_dict().values()]


@Builder
def build(
    params: list[Any], *, epsilon_1: float = 1e-30, epsilon_2: float = 1e-3, d: float = 1.0
) -> Step:
    """`adafactor_numba.Adafactor` with the paper's schedules."""
    X = [param.copy() for param in params]
    return Step(X, adafactor_numba.Adafactor(X, epsilon_1=epsilon_1, epsilon_2=epsilon_2, d=d))
