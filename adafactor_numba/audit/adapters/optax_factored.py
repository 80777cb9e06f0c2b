"""The parts of `optax.adafactor` chained by hand, so that matrices of any size are factored."""

from functools import cache
from typing import Any

import optax

from .builder import Builder
from .optax_like import Step, rho

VERSION = optax.__version__


@cache
def _optimizer(epsilon_1: float, epsilon_2: float, d: float) -> Any:
    return optax.chain(
        optax.scale_by_factored_rms(min_dim_size_to_factor=0, epsilon=epsilon_1),
        optax.clip_by_block_rms(d),
        optax.scale_by_param_block_rms(epsilon_2),
        optax.scale_by_schedule(rho),
        optax.scale(-1),
    )


@Builder
def build(
    params: list[Any], *, epsilon_1: float = 1e-30, epsilon_2: float = 1e-3, d: float = 1.0
) -> Step:
    """It has no relative step: its schedule is the rho_t of the paper."""
    return Step(params, _optimizer(epsilon_1, epsilon_2, d))
