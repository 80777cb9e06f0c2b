"""`keras.optimizers.Adafactor`, on the backend that KERAS_BACKEND names."""

from functools import cache
from typing import Any

import keras
import numpy as np

from .builder import Builder

VERSION = keras.__version__
keras.config.set_floatx("float64")  # a step size of double precision; each variable keeps its dtype
Shapes = tuple[tuple[tuple[int, ...], str], ...]


@cache
def _optimizer(shapes: Shapes, options: tuple[tuple[str, Any], ...]) -> tuple[Any, Any]:
    """An optimizer for variables of these shapes and dtypes, and its step without side effects."""
    optimizer = keras.optimizers.Adafactor(**dict(options))
    optimizer.build([keras.Variable(np.zeros(shape), dtype=dtype) for shape, dtype in shapes])
    step = optimizer.stateless_apply
    if keras.backend.backend() == "jax":
        import jax

        step = jax.jit(step)
    return optimizer, step


class Step:
    """A step in the style of JAX: variables and state go in, new ones come out."""

    def __init__(self, params: list[Any], **options: Any) -> None:
        shapes = tuple((param.shape, str(param.dtype)) for param in params)
        self.optimizer, self.stepped = _optimizer(shapes, tuple(options.items()))
        self.X = [keras.ops.copy(keras.ops.convert_to_tensor(param)) for param in params]
        self.memory = [keras.ops.copy(x.value) for x in self.optimizer.variables]

    def __call__(self, grads: list[Any]) -> list[np.ndarray]:
        tensors = [g if g is None else keras.ops.convert_to_tensor(g) for g in grads]
        self.X, self.memory = self.stepped(self.memory, tensors, self.X)
        return [np.array(x) for x in self.X]

    def jump(self, t: int) -> None:
        """The first of the variables counts the steps."""
        self.memory[0] = keras.ops.full_like(self.memory[0], t - 1)

    def save(self) -> dict[str, Any]:
        """The parameters and the variables of the optimizer."""
        return {"params": [*map(np.array, self.X)], "optimizer": [*map(np.array, self.memory)]}

    def load(self, saved: dict[str, Any]) -> None:
        """Go on from what was saved."""
        self.memory = [*map(keras.ops.convert_to_tensor, saved["optimizer"])]

    def state(self) -> list[dict[str, np.ndarray]]:
        """What is stored for each parameter, by the library's names."""
        pairs = zip(self.optimizer.variables, self.memory, strict=True)
        own = {id(x): np.array(now) for x, now in pairs}
        stored = zip(self.optimizer._r, self.optimizer._c, self.optimizer._v, strict=True)
        return [
            {name: own[id(x)] for name, x in zip("rcv", rcv, strict=True) if id(x) in own}
            for rcv in stored
        ]


@Builder
def build(
    params: list[Any],
    *,
    epsilon_1: float = 1e-30,
    epsilon_2: float = 1e-3,
    d: float = 1.0,
    weight_decay: float = 0.0,
    relative_step: bool = True,
) -> Step:
    """Its learning rate is 0.001 unless set otherwise."""
    return Step(
        params,
        epsilon_1=epsilon_1,
        epsilon_2=epsilon_2,
        clip_threshold=d,
        weight_decay=weight_decay or None,
        relative_step=relative_step,
    )
