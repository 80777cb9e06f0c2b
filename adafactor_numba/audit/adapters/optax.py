"""`optax.adafactor` with its defaults: it factors axes of 128 and more."""

from functools import cache
from typing import Any

import optax

from .builder import Builder
from .optax_like import Step, rho

VERSION = optax.__version__
adafactor = cache(optax.adafactor)


@Builder
def build(
    params: list[Any],
    *,
    epsilon_1: float = 1e-30,
    d: float = 1.0,
    beta_1: float | None = None,
    weight_decay: float = 0.0,
    scale_parameter: bool = True,
) -> Step:
    """It has no relative step: its learning rate is the rho_t of the paper, as a schedule."""
    optimizer = adafactor(
        rho,
        clipping_threshold=d,
        eps=epsilon_1,
        momentum=beta_1,
        weight_decay_rate=weight_decay or None,
        multiply_by_parameter_scale=scale_parameter,
    )
    return Step(params, optimizer)
