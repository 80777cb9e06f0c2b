"""The paper's hyperparameters, [S] Algorithm 6, checked."""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from . import schedule

Schedule: TypeAlias = float | Callable[[int], float]

LEAST, LARGEST = math.ulp(0.0), math.nextafter(math.inf, 0)

# Name: what it is, the least and the largest value, the range in words.
RANGES = {
    "rho": ("relative step size", 0.0, LARGEST, "0 <= rho, finite"),
    "beta_2": ("decay of the second moment", 0.0, math.nextafter(1, 0), "0 <= beta_2 < 1"),
    "epsilon_1": ("added to every squared gradient", LEAST, LARGEST, "0 < epsilon_1, finite"),
    "epsilon_2": ("least parameter scale", 0.0, LARGEST, "0 <= epsilon_2, finite"),
    "d": ("clipping threshold", LEAST, math.inf, "0 < d"),
}


class Rates(NamedTuple):
    """What changes from step to step; w = 1 - beta_2 is the weight of the newest gradient."""

    w: float
    beta_2: float
    rho: float


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """rho and beta_2, numbers or functions of t = 1, 2, ..., and the constants of every step.

    A ValueError or TypeError names what is out of its range, which is the paper's; that of a
    function is checked at each t.
    """

    rho: Schedule = schedule.rho
    beta_2: Schedule = schedule.beta_2
    epsilon_1: float = 1e-30
    epsilon_2: float = 1e-3
    d: float = 1.0

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if not (callable(value) and name in Rates._fields):
                object.__setattr__(self, name, number(name, value))

    def at(self, t: int) -> Rates:
        """1 - beta_2, beta_2 and rho for step t; the doubles given are taken as exact."""
        rho = schedule.rho(t) if self.rho is schedule.rho else self._value("rho", t)
        if self.beta_2 is schedule.beta_2:
            return Rates(schedule.weight(t), schedule.beta_2(t), rho)
        beta_2 = self._value("beta_2", t)
        return Rates(1.0 - beta_2, beta_2, rho)

    def _value(self, name: str, t: int) -> float:
        """What was given, or what a function gives for step t."""
        given = getattr(self, name)
        return number(name, given(t), t) if callable(given) else given


def number(name: str, value: Any, t: int | None = None) -> float:
    """`value` as the double it is, in the range of the hyperparameter `name`."""
    meaning, least, largest, words = RANGES[name]
    where = f"{name} ({meaning})" if t is None else f"{name} ({meaning}) at t = {t}"
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        either = " or a function of t" if t is None and name in Rates._fields else ""
        raise TypeError(f"{where} is {value!r}; give a real number{either}, {words}")
    exact: Any = value.item() if isinstance(value, np.generic) else value  # a float32 overflows
    if not least <= exact <= largest:
        raise ValueError(f"{where} is {value}; give one with {words}")
    if float(exact) != exact:
        raise ValueError(f"{where} is {value!r}, which is no double; give float({name})")
    return float(exact)
