"""The optimizers that are measured: each makes, from weights and gradients, what does one step.

A peer is imported only when it is asked for.  All take steps so small, rho = 1e-6, that no number
of them moves the weights away from where they began.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple

from adafactor_numba import Adafactor

from .case import Array

RHO = 1e-6
OURS = "adafactor-numba"
UNCHANGED = f"{OURS}, X unchanged"
STRICT = f"{OURS}, strict"
OWN = (OURS, UNCHANGED, STRICT)


class Step(NamedTuple):
    """What does one step, and how many bytes are kept from step to step beside X and G."""

    call: Callable[[], object]
    kept: Callable[[], int]


Build = Callable[[Sequence[Array], Sequence[Array], int], Step]


@dataclass(frozen=True)
class Peer:
    """An optimizer: the module it needs, and how its step is made for so many threads.

    `most` is the number of parameters beyond which it is not asked.
    """

    module: str
    build: Build
    most: int = 10**6


def _ours(X: Sequence[Array], G: Sequence[Array], threads: int, **options: bool) -> Step:
    optimizer = Adafactor([x.copy("K") for x in X], rho=RHO, threads=threads, **options)
    grads = list(G)
    return Step(lambda: optimizer.step(grads), lambda: optimizer.nbytes)


def _torch(make: Callable[[Any, list[Any]], Any], X: Any, G: Any, threads: int) -> Step:
    """An optimizer of PyTorch's kind, which `make` makes from torch and its parameters."""
    import torch

    torch.set_num_threads(threads)
    params = [torch.nn.Parameter(torch.tensor(x)) for x in X]
    for param, gradient in zip(params, G, strict=True):
        param.grad = torch.from_numpy(gradient)
    optimizer = make(torch, params)

    def kept() -> int:
        states = optimizer.state.values()
        return sum(A.nbytes for state in states for A in state.values() if torch.is_tensor(A))

    return Step(optimizer.step, kept)


def _torch_adafactor(foreach: bool, torch: Any, params: list[Any]) -> Any:
    return torch.optim.Adafactor(params, lr=RHO, foreach=foreach)


def _torch_adamw(torch: Any, params: list[Any]) -> Any:
    return torch.optim.AdamW(params, lr=RHO, fused=True)


def _transformers(torch: Any, params: list[Any]) -> Any:
    from transformers.optimization import Adafactor as Theirs

    return Theirs(params, lr=RHO, relative_step=False, scale_parameter=True)


def _optax(X: Sequence[Array], G: Sequence[Array], threads: int) -> Step:
    """Compiled whole, with the memory of the old weights and state given to the new ones."""
    import jax
    import optax

    optimizer = optax.adafactor(RHO, min_dim_size_to_factor=0)

    @partial(jax.jit, donate_argnums=(0, 1))
    def stepped(X: Any, state: Any, G: Any) -> Any:
        updates, state = optimizer.update(G, state, X)
        return optax.apply_updates(X, updates), state

    jax.config.update("jax_enable_x64", X[0].dtype.itemsize == 8)
    params, grads = ([jax.numpy.array(A) for A in arrays] for arrays in (X, G))
    now = [(params, optimizer.init(params))]

    def step() -> None:
        now[0] = jax.block_until_ready(stepped(*now[0], grads))

    return Step(step, lambda: sum(A.nbytes for A in jax.tree.leaves(now[0][1])))


PEERS = {
    OURS: Peer("numba", _ours),
    UNCHANGED: Peer("numba", partial(_ours, params_unchanged_between_steps=True)),
    STRICT: Peer("numba", partial(_ours, strict=True)),
    "torch foreach": Peer("torch", partial(_torch, partial(_torch_adafactor, True))),
    "torch loop": Peer("torch", partial(_torch, partial(_torch_adafactor, False))),
    "transformers": Peer("transformers", partial(_torch, _transformers)),
    # compiling takes longer than all else where there are many parameters
    "optax jitted": Peer("optax", _optax, most=100),
    "torch AdamW": Peer("torch", partial(_torch, _torch_adamw)),
}
"""Ours first; the last, fused, is no Adafactor, and keeps two numbers for every one."""


def missing(names: Sequence[str]) -> list[str]:
    """Those of the peers whose library is not installed."""
    return [name for name in names if find_spec(PEERS[name].module) is None]
