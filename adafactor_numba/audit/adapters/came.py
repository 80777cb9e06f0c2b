"""CAME, another algorithm: Adafactor with a constant beta_2 and a second factored average."""

from importlib.metadata import version
from typing import Any

from came_pytorch import CAME

from adafactor_numba.schedule import rho

from .builder import Builder
from .torch_like import Groups, Step, grouped, parameters

VERSION = version("came-pytorch")


@Builder
def build(
    params: list[Any],
    *,
    epsilon_1: float = 1e-30,
    d: float = 1.0,
    beta_1: float = 0.9,
    weight_decay: float = 0.0,
    groups: Groups = None,
) -> Step:
    """It has no relative step: before each, lr is set to the rho_t of the paper."""
    X = parameters(params)
    optimizer = CAME(
        grouped(X, groups),
        lr=rho(1),
        eps=(epsilon_1, 1e-16),
        clip_threshold=d,
        betas=(beta_1, 0.999, 0.9999),
        weight_decay=weight_decay,
    )
    return Step(X, optimizer, lr=rho)
