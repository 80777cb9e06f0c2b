"""`torch.optim.Adafactor` with foreach: all parameters of a kind at once."""

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
    groups: Groups = None,
) -> Step:
    """As `torch`, but for foreach; lr = 1e-2, the cap of rho_t, is its default."""
    X = parameters(params)
    optimizer = torch.optim.Adafactor(
        grouped(X, groups),
        eps=(None, epsilon_2),
        d=d,
        weight_decay=weight_decay,
        maximize=maximize,
        foreach=True,
    )
    return Step(X, optimizer)
