"""The loops against the derivation: every step within its counted rounding, on every case.

The loops are observed as they are run; the reference is a ball; the tolerance is K, counted by
running the loops' own plain source on `Counted` numbers.
"""

import math
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import flint
import numpy as np

from adafactor_numba import matrix, schedule, vector
from derivations.adafactor import SCHEDULE
from derivations.bounds import (
    Counted,
    Weight,
    counted_max,
    counted_min,
    counted_pow,
    counted_sqrt,
    gamma,
)
from derivations.cases import TIMES, Case, inputs, scheduled
from derivations.evaluate import BALL, UndecidedError, Values, evaluate
from derivations.rule import Step, UpdateRule

from .source import interpreted, scope

PRECISION = 192  # bits for differences and bounds, far beyond what the balls are narrow to
DIGITS = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}
LARGEST = {"float64": 1023, "float32": 127, "float16": 15, "bfloat16": 127}  # exponents
UNIT = {name: Fraction(1, 2**digits) for name, digits in DIGITS.items()}
LEAST = {name: Fraction(1, 2 ** (LARGEST[name] + DIGITS[name] - 2)) for name in DIGITS}
BEYOND = {name: Fraction(2 ** (exponent + 1)) for name, exponent in LARGEST.items()}
SPREAD = sorted({*TIMES, *(round(10 ** (k / 8)) for k in range(49))})

Loops = types.SimpleNamespace | types.ModuleType


@dataclass(frozen=True)
class Implementation:
    """The loops that are examined: the compiled ones, their plain source, or a mutant of it."""

    schedule: Any
    vector: Any
    matrix: Any


COMPILED = Implementation(schedule, vector, matrix)

_COUNTING = scope(
    number=lambda x: x,
    sqrt=counted_sqrt,
    pow=counted_pow,
    larger=counted_max,
    smaller=counted_min,
    zero=0.0,
    unwritten=None,
)


@dataclass(frozen=True)
class Deviation:
    """A value outside what rounding explains; `off` and `explained` in ulps of the value's type."""

    step: str
    source: str
    index: tuple[int, ...]
    got: float
    expected: float
    off: float
    explained: float

    def __str__(self) -> str:
        return (
            f"{self.step}{list(self.index)} is {self.got!r}; {self.source} gives "
            f"{self.expected!r}: off by {self.off:.3g} ulp, of which rounding explains "
            f"{self.explained:.3g}"
        )


def observed(loops: Implementation, x: Mapping[str, Any]) -> dict[str, Any]:
    """The steps as the loops compute them, from the inputs of VECTOR, MATRIX or TENSOR and w.

    U_hat is what the loops move a zero parameter by at alpha = -1.
    """
    moments = (x["w"], x["beta_2"], x["epsilon_1"])
    scalars = (x["w"], x["beta_2"], x["rho"], x["epsilon_1"], x["epsilon_2"], x["d"])
    factored = "R_old" in x
    module = loops.matrix if factored else loops.vector
    statistics = [x[name].copy() for name in (("R_old", "C_old") if factored else ("V_old",))]
    X, G = x["X"].copy(), x["G"]
    shapes = [X.shape, *(s.shape for s in statistics)]
    if factored and X.ndim == 2:
        X, G, *statistics = (a[None] for a in (X, G, *statistics))
    old = [s.copy() for s in statistics]
    U_hat = np.zeros_like(X, dtype=statistics[0].dtype)
    alpha = module.relative_step(module.mean_square(X), x["rho"], x["epsilon_2"])
    if factored:
        scale, ratios = [np.empty_like(s) for s in statistics], np.empty_like(old[1])
        for b in range(len(X)):
            module.second_moment(old[0][b], old[1][b], G[b], ratios[b], *moments)
            module.scales(scale[0][b], scale[1][b], old[0][b], old[1][b])
        clip = module.clipping(module.mean_square_of_U(ratios, *old), x["d"])
        module.descend(U_hat, G, *scale, -1.0 / clip)
    else:
        clip = module.clipping(module.mean_square_of_U(G, *old, *moments), x["d"])
        module.descend(U_hat, G, *old, -1.0 / clip, *moments)
    module.step(X, G, *statistics, *scalars)
    found = dict(zip(("R", "C") if factored else ("V",), statistics, strict=True))
    arrays = {"U_hat": U_hat, "X_new": X} | found
    shape = dict(zip(found, shapes[1:], strict=True))
    return {"alpha": np.asarray(alpha)} | {
        name: array.reshape(shape.get(name, shapes[0])) for name, array in arrays.items()
    }


def counting(loops: Implementation) -> Implementation:
    """The plain source of the loops on numbers that count their roundings."""
    return Implementation(
        *(interpreted(module, **_COUNTING) for module in vars(loops).values()),
    )


_COUNTED = counting(COMPILED)


def scheduled_doubles(loops: Implementation, t: Any) -> dict[str, Any]:
    """rho_t, beta_2t and w_t = 1 - beta_2t as the loops compute them."""
    own = loops.schedule
    return {"rho": own.rho(t), "beta_2": own.beta_2(t), "w": own.weight(t)}


@cache
def loop_roundings(
    shape: tuple[int, ...], factored: bool, t: int | None = None
) -> Mapping[str, int]:
    """K of every step of the loops: of the form and the order they use, for these sizes.

    With t, the roundings of the schedules at t are included; without, rho and beta_2 are exact
    doubles, and w = 1 - beta_2 is rounded.
    """
    return next(run_roundings(shape, factored, (t,)))


def run_roundings(
    shape: tuple[int, ...],
    factored: bool,
    times: Iterable[int | None],
    loops: Implementation = _COUNTED,
) -> Iterator[Mapping[str, int]]:
    """`loop_roundings` of each step of a run that carries its statistics; X is what was stored.

    `loops` is what `counting` made of an implementation.
    """
    one = Counted(1.0)
    x: dict[str, Any] = {"X": _full(shape, Weight(1.0)), "G": _full(shape, one)}
    x |= dict.fromkeys(("epsilon_1", "epsilon_2", "d"), one)
    if factored:
        x["R_old"] = _full(shape[:-1], one)
        x["C_old"] = _full(shape[:-2] + shape[-1:], one)
    else:
        x["V_old"] = _full(shape, one)
    given = {"rho": one, "beta_2": Counted(0.5), "w": 1.0 - Counted(0.5)}
    for t in times:
        rates = given if t is None else scheduled_doubles(loops, Counted(t))
        steps = observed(loops, x | rates)
        yield {name: max(v.K for v in np.asarray(value).flat) for name, value in steps.items()}
        x |= {f"{name}_old": steps[name] for name in ("R", "C", "V") if name in steps}


def _full(shape: tuple[int, ...], value: Any) -> Any:
    return np.full(shape, value, dtype=object)


def deviations(loops: Implementation, rule: UpdateRule, case: Case) -> list[Deviation]:
    """Where the loops leave the reference by more than their rounding, on one case.

    The reference takes the paper's real rho_t and beta_2t; K includes the schedules' roundings.
    """
    x = inputs(case, rule)
    exact = evaluate(rule, x | scheduled(SCHEDULE, case.t), BALL)
    with np.errstate(all="ignore"):
        got = observed(loops, x | scheduled_doubles(loops, case.t))
    K = loop_roundings(x["X"].shape, "R_old" in x, case.t)
    return compared(rule, got, exact, K, case.dtype)


def schedule_deviations(loops: Implementation) -> list[Deviation]:
    """Where the loops' rho_t, beta_2t or 1 - beta_2t leave the paper's by more than rounding."""
    with flint.ctx.workprec(PRECISION):
        return [found for t in SPREAD for found in _rates_outside(loops, t)]


def _rates_outside(loops: Implementation, t: int) -> Iterator[Deviation]:
    exact = dict(scheduled(SCHEDULE, t))
    exact["w"] = 1 - exact["beta_2"]
    K = scheduled_doubles(_COUNTED, Counted(t))
    for name, got in scheduled_doubles(loops, t).items():
        expected, line = exact[name], SCHEDULE["beta_2" if name == "w" else name]
        if found := deviation(got, expected, _bound(K[name].K, abs(expected)), "float64"):
            yield Deviation(line.name, line.source, (t,), got, float(expected), *found)


def compared(
    rule: UpdateRule, got: Mapping[str, Any], exact: Values, K: Mapping[str, int], dtype: str
) -> list[Deviation]:
    """Every entry of `got` outside its bound, in the order of the rule's steps.

    A step but the last: gamma_K of its value.  The last, X_new = X - step: gamma_K of the step,
    and the rounding of the difference: in float64 u of X_new; in the other types, where it is
    rounded twice, half an ulp and 2^-53 of X_new.
    """
    last = rule.steps[-1]
    with flint.ctx.workprec(PRECISION):
        return [
            found
            for step in rule.steps
            if step.name in got
            for found in _outside(
                step, got[step.name], exact, K[step.name], dtype if step is last else None
            )
        ]


def _outside(
    step: Step, got: Any, exact: Values, K: int, stored: str | None
) -> Iterator[Deviation]:
    """The entries of one step outside their bound; `stored` is the type of X_new, else None."""
    values: Any = np.asarray(exact[step.name])
    for index, value in np.ndenumerate(np.asarray(got)):
        expected = values[index]
        if stored is None:
            allowed = _bound(K, abs(expected))
        else:
            counted = _bound(K, abs(exact["alpha"] * exact["U_hat"][index]))
            allowed = counted + _difference(abs(expected), counted, stored)
        if found := deviation(value, expected, allowed, stored or "float64"):
            yield Deviation(step.name, step.source, index, float(value), float(expected), *found)


def deviation(
    got: float, expected: flint.arb, allowed: flint.arb, dtype: str
) -> tuple[float, float] | None:
    """None within the bound; otherwise how many ulps off, and how many are explained.

    An infinity is right where rounding may lead beyond the largest number of its sign.  Raises
    UndecidedError if the ball is too wide to say.
    """
    if math.isinf(got) and math.copysign(1, got) * expected + allowed >= _real(BEYOND[dtype]):
        return None
    if not math.isfinite(got):
        return math.inf, 0.0
    error = abs(flint.arb(float(got)) - expected)
    if error <= allowed:
        return None
    if not error > allowed:
        raise UndecidedError(f"whether {error} is within {allowed} is undecided")
    ulp = 2 * half_ulp(expected, dtype)
    return float(error / ulp), float(allowed / ulp)


def half_ulp(x: flint.arb, dtype: str) -> flint.arb:
    """Half the distance between neighbours of `dtype` at |x|, the larger one at a power of two."""
    upper = abs(x).upper()
    if upper == 0:
        return _real(LEAST[dtype] / 2)
    exponent = math.frexp(float(upper.mid()))[1] - 1
    spacing = max(UNIT[dtype] * 2 * Fraction(2) ** exponent, LEAST[dtype])
    return _real(spacing / 2)


def _bound(K: int, size: flint.arb) -> flint.arb:
    return _real(gamma(K, UNIT["float64"])) * size


def _difference(X_new: flint.arb, counted: flint.arb, dtype: str) -> flint.arb:
    """The rounding of the last subtraction, done in float64, and of storing it as `dtype`."""
    in_float64 = _real(UNIT["float64"]) * X_new + _real(LEAST["float64"])
    if dtype == "float64":
        return in_float64
    return in_float64 + half_ulp(X_new + in_float64 + counted, dtype)


def _real(x: Fraction) -> flint.arb:
    return flint.arb(flint.fmpq(x.numerator, x.denominator))
