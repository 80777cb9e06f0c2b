"""`torch.optim.Adafactor` as it comes: it takes no epsilon_1, whose default is the dtype's eps."""

from collections.abc import Callable
from typing import Any

import torch

VERSION = torch.__version__


def build(
    params: list[Any], *, epsilon_2: float = 1e-3, d: float = 1.0
) -> Callable[[list[Any]], list[Any]]:
    """lr = 1e-2 is the cap of rho_t."""
    X = [torch.nn.Parameter(torch.tensor(param)) for param in params]
    optimizer = torch.optim.Adafactor(X, lr=1e-2, eps=(None, epsilon_2), d=d)

    def step(grads: list[Any]) -> list[Any]:
        for x, grad in zip(X, grads, strict=True):
            x.grad = None if grad is None else torch.tensor(grad)
        optimizer.step()
        return [x.detach().numpy().copy() for x in X]

    return step
