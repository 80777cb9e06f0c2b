"""`torch.optim.Adafactor` as it comes: it takes no epsilon_1, whose default is the dtype's eps."""

from typing import Any

import torch

from .builder import Builder
from .torch_like import Groups, Step, grouped, parameters

VERSION = torch.__version__


@Builder
def build(
    params: list[Any],
    *,
    epsilon_2: float = 1e-3,
    d: float = 1.0,
    weight_decay: float = 0.0,
    maximize: bool = False,
    foreach: bool = False,
    groups: Groups = None,
) -> Step:
    """One parameter after another by default; so is lr = 1e-2, the cap of rho_t."""
    X = parameters(params)
    optimizer = torch.optim.Adafactor(
        grouped(X, groups),
        eps=(None, epsilon_2),
        d=d,
        weight_decay=weight_decay,
        maximize=maximize,
        foreach=foreach,
    )
    return Step(X, optimizer)
