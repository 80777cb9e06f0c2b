"""What optax's transformations share: parameters and state go in, new ones come out."""

import os
from functools import partial
from typing import Any

# Compiles in half the time, and every shape and setting is compiled anew.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false")

import jax
import jax.numpy as jnp
import numpy as np
import optax
from optax import tree_utils

jax.config.update("jax_enable_x64", True)
STORED = ("v_row", "v_col", "v", "ema")


def rho(count: Any) -> Any:
    """The rho_t of the paper as a schedule: count is t - 1."""
    return jnp.minimum(1e-2, 1 / jnp.sqrt(count + 1.0))


@partial(jax.jit, static_argnums=0)
def _stepped(optimizer: Any, X: Any, memory: Any, grads: Any) -> Any:
    updates, memory = optimizer.update(grads, memory, X)
    return optax.apply_updates(X, updates), memory


class Step:
    """A step of `optimizer`, which is compiled once for all parameters of the same shapes."""

    def __init__(self, params: list[Any], optimizer: Any) -> None:
        self.X, self.optimizer = [jnp.array(param) for param in params], optimizer
        self.memory = optimizer.init(self.X)

    def __call__(self, grads: list[Any]) -> list[np.ndarray]:
        if any(grad is None for grad in grads):
            raise NotImplementedError("optax has no step without a gradient for each parameter")
        self.X, self.memory = _stepped(self.optimizer, self.X, self.memory, grads)
        return [np.array(x) for x in self.X]

    def jump(self, t: int) -> None:
        """Whatever is an integer in the state counts the steps."""
        self.memory = jax.tree.map(
            lambda x: jnp.full_like(x, t - 1) if jnp.issubdtype(x.dtype, jnp.integer) else x,
            self.memory,
        )

    def save(self) -> dict[str, Any]:
        """The parameters and the leaves of the state."""
        leaves = [np.array(leaf) for leaf in jax.tree.leaves(self.memory)]
        return {"params": [np.array(x) for x in self.X], "optimizer": leaves}

    def load(self, saved: dict[str, Any]) -> None:
        """Go on from what was saved."""
        structure = jax.tree.structure(self.memory)
        self.memory = jax.tree.unflatten(structure, map(jnp.array, saved["optimizer"]))

    def state(self) -> list[dict[str, np.ndarray]]:
        """What is stored for each parameter, by the library's names."""
        trees = {name: tree_utils.tree_get(self.memory, name) for name in STORED}
        return [
            {name: np.array(tree[k]) for name, tree in trees.items() if tree is not None}
            for k in range(len(self.X))
        ]
