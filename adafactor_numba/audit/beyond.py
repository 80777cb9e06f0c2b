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

from adafactor_numba import wide_matrix, wide_vector
from adafactor_numba.beyond import pair
from derivations.bounds import Counted, Weight, counted_max, counted_size, counted_sqrt, gamma
from derivations.evaluate import BALL, evaluate
from derivations.rule import UpdateRule

from .check import PRECISION, UNIT, Deviation, compared, deviation
from .source import interpreted

STATISTICS = ("R", "C", "V")


def _objects(shape: Any, *_: Any) -> Any:
    return np.full(shape, 0.0, object)


_COUNTING = {
    "np": types.SimpleNamespace(
        empty=_objects, zeros=_objects, empty_like=np.empty_like, int64=np.int64
    ),
    "math": types.SimpleNamespace(sqrt=counted_sqrt),
    "max": counted_max,
    "abs": counted_size,
}


def observed(x: Mapping[str, Any], matrix: Any = wide_matrix, vector: Any = wide_vector) -> Any:
    """alpha and the statistics as wide numbers, X_new as doubles, of the inputs of a rule and w.

    The statistics of the inputs are wide numbers.
    """
    scalars = [x[name] for name in ("w", "beta_2", "rho", "epsilon_1", "epsilon_2", "d")]
    X, G = x["X"].copy(), x["G"]
    old = {
        name: tuple(A.copy() for A in x[f"{name}_old"])
        for name in STATISTICS
        if f"{name}_old" in x
    }
    loops, given = (vector, old) if "V" in old else (matrix, old)
    if "R" in old and X.ndim == 2:
        X, G = X[None], G[None]
        given = {name: tuple(A[None] for A in a) for name, a in old.items()}
    alpha = loops.relative_step(loops.mean_square(X), x["rho"], x["epsilon_2"])
    loops.step(X, G, *given.values(), *scalars)
    return {"alpha": alpha, **old, "X_new": X.reshape(x["X"].shape)}


_COUNTED = interpreted(wide_matrix, **_COUNTING), interpreted(wide_vector, **_COUNTING)


@cache
def wide_roundings(shape: tuple[int, ...], factored: bool) -> Mapping[str, int]:
    """K of every step of the wide loops for these sizes; rho and beta_2 are exact doubles."""
    one = Counted(1.0)

    def full(shape: tuple[int, ...], value: Any = one) -> Any:
        return np.full(shape, value, object)

    def wides(shape: tuple[int, ...]) -> Any:
        return full(shape), np.zeros(shape, np.int64)

    x: dict[str, Any] = {"X": full(shape, Weight(1.0)), "G": full(shape)}
    x |= dict.fromkeys(("epsilon_1", "epsilon_2", "d", "rho"), one)
    x |= {"beta_2": Counted(0.5), "w": 1.0 - Counted(0.5)}
    if factored:
        x |= {"R_old": wides(shape[:-1]), "C_old": wides(shape[:-2] + shape[-1:])}
    else:
        x["V_old"] = wides(shape)
    found = observed(x, *_COUNTED)
    K = {name: max(a.K for a in found[name][0].flat) for name in STATISTICS if name in found}
    return {
        "alpha": found["alpha"][0].K,
        **K,
        "X_new": max(step.K for step in found["X_new"].flat),
    }


def exact(a: Any) -> Any:
    """Wide numbers as balls of no radius."""
    mantissas, exponents = a
    balls = np.empty(mantissas.shape, object)
    for index, mantissa in np.ndenumerate(mantissas):
        balls[index] = flint.arb(float(mantissa)) * flint.arb(2) ** int(exponents[index])
    return balls


def wide_deviations(
    rule: UpdateRule, x: Mapping[str, Any], got: Any = None, dtype: str = "float64"
) -> list[Deviation]:
    """Where the wide loops leave the reference by more than their rounding, on these inputs.

    The statistics of the inputs may be doubles or wide numbers; w is 1 - beta_2.
    """
    x = {
        name: pair(value, None) if _is_plain(name, value) else value for name, value in x.items()
    } | {"w": 1.0 - x["beta_2"]}
    K = wide_roundings(x["X"].shape, "R_old" in x)
    with np.errstate(all="ignore"):
        got = observed(x) if got is None else got
    balls = {name: exact(value) for name, value in x.items() if isinstance(value, tuple)}
    values = evaluate(rule, {**x, **balls}, BALL)
    found = [d for step in K if step != "X_new" for d in _outside(rule, step, got, values, K[step])]
    return found + compared(rule, {"X_new": got["X_new"]}, values, K, dtype)


def _is_plain(name: str, value: Any) -> bool:
    return name.removesuffix("_old") in STATISTICS and not isinstance(value, tuple)


def _outside(
    rule: UpdateRule, step: str, got: Any, values: Mapping[str, Any], K: int
) -> Iterator[Deviation]:
    """The entries of one step outside gamma_K of their value."""
    mantissas, exponents = (np.asarray(part) for part in got[step])
    expected: Any = np.asarray(values[step])
    bound = gamma(K, UNIT["float64"])
    with flint.ctx.workprec(PRECISION):
        for index, mantissa in np.ndenumerate(mantissas):
            unit = flint.arb(2) ** -int(exponents[index])
            value = expected[index] * unit
            allowed = abs(value) * flint.arb(flint.fmpq(bound.numerator, bound.denominator))
            if off := deviation(float(mantissa), value, allowed, "float64"):
                source = rule[step].source
                yield Deviation(step, source, index, float(mantissa), float(value), *off)
