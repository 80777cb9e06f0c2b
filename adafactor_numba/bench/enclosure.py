"""What a step comes to when it is rounded once: from the rule, decided by doubles where these can.

`evaluate` computes the rule in doubles and `roundings` counts how far each may be from the exact
value; both read the rule as the paper has it and know no loop.  Where all numbers within that
distance round to the same one, that is the outcome.  Of the few other entries a ball decides.
No double leaves the normal range here: the inputs have the range of float32.
"""

import math
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import flint
import numpy as np
import sympy as sp

from derivations.adafactor import MATRIX, SCHEDULE, TENSOR, VECTOR
from derivations.bounds import gamma, roundings
from derivations.cases import scheduled
from derivations.evaluate import BALL, FLOAT, evaluate
from derivations.rule import UpdateRule

from .format import Doubles, Format

UNIT = Fraction(1, 2**53)
SIZES = {1: ("n",), 2: ("n", "m"), 3: ("p", "n", "m")}
BITS = 192  # for what is said of the schedules' balls


class Expected(NamedTuple):
    """The exact X_new is within `error` of `near`; rounded it is `outcome`, or also `other`.

    `other` differs where not even a ball can tell: at a tie.
    """

    near: Doubles
    error: Doubles
    outcome: Doubles
    other: Doubles
    by_balls: int


def expected(inputs: Mapping[str, Any], t: int, format: Format) -> Expected:
    """X_new from X, G, the old statistics and the constants, with rho and beta_2 of step t."""
    rule, (rates, K) = rule_for(inputs), _rates(t)
    values = evaluate(rule, {**inputs, **rates}, FLOAT, ("alpha", "U_hat"))
    step = values["alpha"] * values["U_hat"]
    near: Doubles = inputs["X"] - step
    K_step = _step_roundings(rule, np.shape(step), tuple(K.items()), rates["beta_2"])
    error = abs(step) * _relative(K_step) + abs(near) * _relative(1)
    low = format.rounded(np.nextafter(near - error, -np.inf))
    high = format.rounded(np.nextafter(near + error, np.inf))
    found = Expected(near, error, low, high, int((low != high).sum()))
    if found.by_balls:
        balls = evaluate(rule, {**inputs, **scheduled(SCHEDULE, t)}, BALL)["X_new"]
        for index in np.argwhere(low != high):
            _decide(found, tuple(index), balls[tuple(index)], format)
    return found


def rule_for(inputs: Mapping[str, Any]) -> UpdateRule:
    """The rule that reads these inputs."""
    if "R_old" not in inputs:
        return VECTOR
    return MATRIX if np.ndim(inputs["R_old"]) == 1 else TENSOR


def _decide(found: Expected, index: tuple[int, ...], ball: flint.arb, format: Format) -> None:
    """Write what the ball says of one entry."""
    found.near[index] = float(ball)
    found.error[index] = float(abs(ball).upper()) * 2.0**-52 + float(ball.rad())
    found.outcome[index], found.other[index] = format.nearest(ball)


def _relative(K: int) -> float:
    """How far, over what was computed, K roundings may have led; rounded up.

    |computed - exact| <= gamma |exact| is at most gamma / (1 - gamma) |computed|.
    """
    away = gamma(K, UNIT)
    return float(away / (1 - away)) * (1 + 2.0**-50)


@cache
def _rates(t: int) -> tuple[dict[str, float], dict[str, int]]:
    """rho and beta_2 of step t as doubles, and how many roundings each may be off."""
    balls = scheduled(SCHEDULE, t)
    rates = {name: float(ball) for name, ball in balls.items()}
    with flint.ctx.workprec(BITS):
        K = {name: _roundings(rates[name], ball) for name, ball in balls.items()}
    return rates, K


def _roundings(x: float, exact: flint.arb) -> int:
    """The least K with |x - exact| <= K u |exact|, for sure."""
    if x == 0 and exact == 0:
        return 0
    off = abs(flint.arb(x) - exact) / abs(exact) * 2**53
    return math.ceil(float(off.upper()))


@cache
def _step_roundings(
    rule: UpdateRule, shape: tuple[int, ...], K: tuple[tuple[str, int], ...], beta_2: float
) -> int:
    """K of alpha U_hat as `evaluate` computes it."""
    sizes = dict(zip(SIZES[len(shape)], shape, strict=True))
    known = {"beta_2": sp.Rational(Fraction(beta_2)), **sizes}
    count = _counts(rule, K)
    values = {symbol: known[symbol.name] for symbol in count.free_symbols}
    return int(sp.ceiling(count.subs(values)))


@cache
def _counts(rule: UpdateRule, K: tuple[tuple[str, int], ...]) -> sp.Expr:
    return roundings(rule, dict(K))["X_new"]
