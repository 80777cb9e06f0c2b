"""`timm.optim.AdafactorBigVision`: no parameter scale, momentum in bfloat16, beta_2 capped."""

from importlib.metadata import version
from typing import Any

from adafactor_numba.schedule import rho

from .alone import alone
from .builder import Builder
from .torch_like import Groups, Step, grouped, parameters

VERSION = version("timm")
AdafactorBigVision = alone("timm.optim.adafactor_bv").AdafactorBigVision  # as for `timm`


@Builder
def build(
    params: list[Any],
    *,
    epsilon_1: float | None = None,
    beta_1: float | None = 0.9,
    weight_decay: float = 0.0,
    groups: Groups = None,
) -> Step:
    """It has no relative step: before each, lr is set to the rho_t of the paper.

    It clips nothing unless it is told to, which it is not here.
    """
    X = parameters(params)
    optimizer = AdafactorBigVision(
        grouped(X, groups),
        eps=epsilon_1,
        momentum=beta_1,
        weight_decay=weight_decay,
    )
    return Step(X, optimizer, lr=rho)
