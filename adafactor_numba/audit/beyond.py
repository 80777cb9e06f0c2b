"""The wide loops against the derivation, over the whole range of the doubles.

As in `check` a step is observed as it runs, the reference is a ball and the tolerance counted.
What is no double is compared as mantissas, both sides scaled by the same power of two.
"""

import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import flint
import numpy as np

from adafactor_numba import schedule, wide_matrix, wide_vector
from adafactor_numba.beyond import pair
from derivations.bounds import (
    Counted,
    Weight,
    counted_max,
    counted_min,
    counted_pow,
    counted_size,
    counted_sqrt,
    gamma,
)
from derivations.evaluate import BALL, evaluate
from derivations.rule import Step, UpdateRule

from .check import PRECISION, UNIT, Deviation, compared, deviation, scheduled_doubles
from .source import interpreted

STATISTICS = ("R", "C", "V")


def _objects(shape: Any, *_: Any) -> Any:
    return np.full(shape, 0.0, object)


_COUNTING = {
    "np": types.SimpleNamespace(
        empty=_objects, zeros=_objects, empty_like=np.empty_like, int64=np.int64
    ),
    "math": types.SimpleNamespace(sqrt=counted_sqrt, pow=counted_pow),
    "max": counted_max,
    "min": counted_min,
    "abs": counted_size,
}


def observed(x: Mapping[str, Any], loops: tuple[Any, Any] = (wide_matrix, wide_vector)) -> Any:
    """alpha and the statistics as wide numbers, X_new as doubles, from the inputs of a rule.

    The statistics of the inputs are wide numbers; those observed keep their shapes.
    """
    rates = (x.get("w", 1.0 - x["beta_2"]), x["beta_2"], x["rho"])
    X, G = x["X"].copy(), x["G"]
    new = {k: tuple(A.copy() for A in x[f"{k}_old"]) for k in STATISTICS if f"{k}_old" in x}
    given, own = new, loops[1 if "V" in new else 0]
    if "R" in new and X.ndim == 2:
        X, G = X[None], G[None]
        given = {name: tuple(A[None] for A in a) for name, a in new.items()}
    alpha = own.relative_step(own.mean_square(X), x["rho"], x["epsilon_2"])
    own.step(X, G, *given.values(), *rates, x["epsilon_1"], x["epsilon_2"], x["d"])
    return {"alpha": alpha, **new, "X_new": X.reshape(x["X"].shape)}


_COUNTED = interpreted(wide_matrix, **_COUNTING), interpreted(wide_vector, **_COUNTING)
_SCHEDULE: Any = types.SimpleNamespace(schedule=interpreted(schedule, **_COUNTING))


@cache
def wide_roundings(
    shape: tuple[int, ...], factored: bool, t: int | None = None
) -> Mapping[str, int]:
    """K of every step of the wide loops for these sizes, with that of the schedules at t.

    Without t, rho and beta_2 are exact doubles.
    """
    one = Counted(1.0)

    def full(shape: tuple[int, ...], value: Any = one) -> Any:
        return np.full(shape, value, object)

    def wides(shape: tuple[int, ...]) -> Any:
        return full(shape), np.zeros(shape, np.int64)

    x: dict[str, Any] = {"X": full(shape, Weight(1.0)), "G": full(shape)}
    x |= dict.fromkeys(("epsilon_1", "epsilon_2", "d", "rho"), one)
    x |= {"beta_2": Counted(0.5), "w": 1.0 - Counted(0.5)}
    if t is not None:
        x |= scheduled_doubles(_SCHEDULE, Counted(t))
    if factored:
        x |= {"R_old": wides(shape[:-1]), "C_old": wides(shape[:-2] + shape[-1:])}
    else:
        x["V_old"] = wides(shape)
    found = observed(x, _COUNTED)
    K = {name: max(a.K for a in found[name][0].flat) for name in STATISTICS if name in found}
    return {
        "alpha": found["alpha"][0].K,
        **K,
        "X_new": max(step.K for step in found["X_new"].flat),
    }


def wide_deviations(
    rule: UpdateRule, x: Mapping[str, Any], loops: tuple[Any, Any] = (wide_matrix, wide_vector)
) -> list[Deviation]:
    """Where the wide loops leave the reference by more than their rounding, on these inputs.

    The statistics of the inputs may be doubles or wide numbers.
    """
    x = {name: _paired(name, value) for name, value in x.items()}
    with np.errstate(all="ignore"):
        got = observed(x, loops)
    return wide_compared(rule, x, got, wide_roundings(x["X"].shape, "R_old" in x), "float64")


def _paired(name: str, value: Any) -> Any:
    plain = name.removesuffix("_old") in STATISTICS and not isinstance(value, tuple)
    return pair(value, None) if plain else value


def wide_compared(
    rule: UpdateRule,
    x: Mapping[str, Any],
    got: Mapping[str, Any],
    K: Mapping[str, int],
    dtype: str,
) -> list[Deviation]:
    """Every entry of `got` outside its bound: of wide numbers, and of X_new, stored as `dtype`."""
    balls = {name: _exact(value) for name, value in x.items() if isinstance(value, tuple)}
    values = evaluate(rule, {**x, **balls}, BALL)
    wides = [step for step in got if step != "X_new"]
    with flint.ctx.workprec(PRECISION):
        found = [d for step in wides for d in _outside(rule[step], got[step], values, K[step])]
    return found + compared(rule, {"X_new": got["X_new"]}, values, K, dtype)


def _exact(a: Any) -> Any:
    """Wide numbers as balls of no radius."""
    mantissas, exponents = a
    balls = np.empty(mantissas.shape, object)
    for index, mantissa in np.ndenumerate(mantissas):
        balls[index] = flint.arb(float(mantissa)) * flint.arb(2) ** int(exponents[index])
    return balls


def _outside(step: Step, got: Any, values: Mapping[str, Any], K: int) -> Iterator[Deviation]:
    """The entries of one step outside gamma_K of their value, as mantissas."""
    bound = gamma(K, UNIT["float64"])
    mantissas, exponents = map(np.asarray, got)
    expected: Any = np.asarray(values[step.name])
    for index, mantissa in np.ndenumerate(mantissas):
        value = expected[index] * flint.arb(2) ** -int(exponents[index])
        allowed = abs(value) * flint.arb(flint.fmpq(bound.numerator, bound.denominator))
        if off := deviation(float(mantissa), value, allowed, "float64"):
            yield Deviation(step.name, step.source, index, float(mantissa), float(value), *off)
