"""`timm.optim.Adafactor`: by default it factors matrices of more than 16 rows and columns."""

from importlib.metadata import version
from typing import Any

from .alone import alone
from .builder import Builder
from .torch_like import Groups, Step, grouped, parameters

VERSION = version("timm")
Adafactor = alone("timm.optim.adafactor").Adafactor  # all of it needs torchvision


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
    warmup_init: bool = False,
    groups: Groups = None,
) -> Step:
    """lr=None, its default, is the relative step; of betas it reads the first."""
    X = parameters(params)
    optimizer = Adafactor(
        grouped(X, groups),
        eps=epsilon_1,
        eps_scale=epsilon_2,
        clip_threshold=d,
        betas=None if beta_1 is None else (beta_1, 0.0),
        weight_decay=weight_decay,
        scale_parameter=scale_parameter,
        warmup_init=warmup_init,
    )
    return Step(X, optimizer)
