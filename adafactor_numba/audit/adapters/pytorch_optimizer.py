"""`pytorch_optimizer.AdaFactor`: momentum of 0.9 in bfloat16 by default."""

from importlib.metadata import version
from typing import Any

from pytorch_optimizer import AdaFactor

from .builder import Builder
from .torch_like import Groups, Step, grouped, parameters

VERSION = version("pytorch_optimizer")


@Builder
def build(
    params: list[Any],
    *,
    epsilon_1: float = 1e-30,
    epsilon_2: float = 1e-3,
    d: float = 1.0,
    beta_1: float | None = 0.9,
    weight_decay: float = 0.0,
    maximize: bool = False,
    scale_parameter: bool = True,
    relative_step: bool = True,
    warmup_init: bool = False,
    groups: Groups = None,
) -> Step:
    """0.999, the second of betas by default, is beside beta_2t; lr counts if it is not relative."""
    X = parameters(params)
    optimizer = AdaFactor(
        grouped(X, groups),
        lr=1e-3 if relative_step else 1e-2,
        betas=(beta_1, 0.999),
        clip_threshold=d,
        weight_decay=weight_decay,
        scale_parameter=scale_parameter,
        relative_step=relative_step,
        warmup_init=warmup_init,
        eps1=epsilon_1,
        eps2=epsilon_2,
        maximize=maximize,
    )
    return Step(X, optimizer)
