"""`transformers.Adafactor`, the step relative as in the paper."""

from typing import Any

import transformers
from transformers.optimization import Adafactor

from .builder import Builder
from .torch_like import Groups, Step, grouped, parameters

VERSION = transformers.__version__


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
    groups: Groups = None,
) -> Step:
    """relative_step=True and lr=None are its defaults; without them it needs an lr."""
    X = parameters(params)
    optimizer = Adafactor(
        grouped(X, groups),
        eps=(epsilon_1, epsilon_2),
        clip_threshold=d,
        beta1=beta_1,
        weight_decay=weight_decay,
        scale_parameter=scale_parameter,
        relative_step=relative_step,
        warmup_init=warmup_init,
        lr=None if relative_step else 1e-2,
    )
    return Step(X, optimizer)
