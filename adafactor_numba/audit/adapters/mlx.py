"""`mlx.optimizers.Adafactor` on the CPU, where MLX has float64."""

from importlib.metadata import version
from typing import Any

import mlx.core as mx
import numpy as np
from mlx.optimizers import Adafactor
from mlx.utils import tree_flatten, tree_unflatten

from .builder import Builder

VERSION = version("mlx")
mx.set_default_device(mx.cpu)


def array(x: Any) -> Any:
    """MLX's array of the same dtype; without it, float64 would become float32."""
    return mx.array(x, dtype=getattr(mx, str(x.dtype)))


class Step:
    """A step of `optimizer`; the parameters are a tree with leaves "0", "1", ..."""

    def __init__(self, params: list[Any], optimizer: Any) -> None:
        self.X = {str(k): array(param) for k, param in enumerate(params)}
        self.optimizer = optimizer
        optimizer.init(self.X)

    def __call__(self, grads: list[Any]) -> list[np.ndarray]:
        given = {str(k): array(grad) for k, grad in enumerate(grads) if grad is not None}
        self.X |= self.optimizer.apply_gradients(given, self.X)
        mx.eval(self.X, self.optimizer.state)
        return [np.array(x) for x in self.X.values()]

    def save(self) -> dict[str, Any]:
        """The parameters and the state, flat."""
        flat = {name: np.array(x) for name, x in tree_flatten(self.optimizer.state)}
        return {"params": [np.array(x) for x in self.X.values()], "optimizer": flat}

    def load(self, saved: dict[str, Any]) -> None:
        """Go on from what was saved."""
        flat = [(name, array(x)) for name, x in saved["optimizer"].items()]
        self.optimizer.state = tree_unflatten(flat)

    def state(self) -> list[dict[str, np.ndarray]]:
        """What is stored for each parameter, by the library's names."""
        own = (self.optimizer.state[name] for name in self.X)
        return [{name: np.array(x) for name, x in stored.items()} for stored in own]


@Builder
def build(
    params: list[Any],
    *,
    epsilon_1: float = 1e-30,
    epsilon_2: float = 1e-3,
    d: float = 1.0,
    beta_1: float | None = None,
    weight_decay: float = 0.0,
    scale_parameter: bool = True,
    relative_step: bool = True,
    warmup_init: bool = False,
) -> Step:
    """relative_step=True is its default; without it, it needs a learning rate."""
    optimizer = Adafactor(
        eps=(epsilon_1, epsilon_2),
        clip_threshold=d,
        beta_1=beta_1,
        weight_decay=weight_decay,
        learning_rate=None if relative_step else 1e-2,
        scale_parameter=scale_parameter,
        relative_step=relative_step,
        warmup_init=warmup_init,
    )
    return Step(params, optimizer)
