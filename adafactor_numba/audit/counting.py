"""K, the roundings of a step and of what it carries on, for any rule, at given sizes and t."""

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

import numpy as np
import sympy as sp

from derivations.bounds import roundings
from derivations.evaluate import evaluate
from derivations.method import Method
from derivations.rule import Input, Step, UpdateRule


@cache
def _counters(rule: UpdateRule) -> tuple[tuple[str, ...], Mapping[str, Callable[..., int]]]:
    """K of every carried step and of the last, as functions of the sizes, beta_2 and known K."""
    names = [x.name for x in rule.inputs if x.becomes and x.name != "X"] + ["rho", "beta_2"]
    unknown = {name: sp.Symbol(f"K_{name}", nonnegative=True) for name in names}
    defaults = {x.target: x.default for x in rule.inputs if x.default is not None}
    constants = {str(name): 1 for name, default in defaults.items() if default != 1}
    counts = {name: K.subs(defaults) for name, K in roundings(rule, unknown | constants).items()}
    sizes = rule.shape(rule.input("X"))
    arguments = (*sizes, sp.Symbol("beta_2", positive=True), *unknown.values())
    wanted = {x.name: x.becomes for x in rule.inputs if x.becomes and x.name != "X"}
    expressions = {name: counts[step] for name, step in wanted.items()}
    expressions["X_new"] = counts["X_new"]
    return tuple(unknown), {
        name: sp.lambdify(arguments, e, "math", docstring_limit=0)
        for name, e in expressions.items()
    }


def step_counts(
    method: Method,
    sizes: tuple[int, ...],
    rule: UpdateRule,
    t: int,
    K: Mapping[str, int],
    scheduled: Mapping[str, int],
) -> dict[str, int]:
    """K of what is carried into the next step, and of this step's X_new, by name.

    `scheduled` are those of rho and beta_2, exact if they are left out.
    """
    names, _ = _counters(rule)
    known = {**K, **scheduled}
    beta_2 = float(scheduled_floats(method.schedule, t)["beta_2"])
    arguments = (*sizes, beta_2, *(known.get(name, 0) for name in names))
    return _counts(rule, arguments)


@lru_cache(maxsize=200_000)
def _counts(rule: UpdateRule, arguments: tuple[float, ...]) -> dict[str, int]:
    _, counters = _counters(rule)
    return {name: int(np.ceil(f(*arguments))) for name, f in counters.items()}


def schedule_counts(schedule: UpdateRule, t: int) -> dict[str, int]:
    return {step.name: _schedule_count(step, t) for step in schedule.steps}


@lru_cache(maxsize=200_000)
def _schedule_count(step: Step, t: int) -> int:
    """K of a step of a schedule, which reads t only."""
    return int(np.ceil(float(_schedule_counter(step)(t))))


@lru_cache(maxsize=1000)
def _schedule_counter(step: Step) -> Callable[[int], Any]:
    symbol = sp.Symbol("t", positive=True)
    alone = UpdateRule("schedule", step.source, {}, (Input(symbol, sp.S.Naturals, ""),), (step,))
    counter: Callable[[int], Any] = sp.lambdify(symbol, roundings(alone)[step.name], "math")
    return counter


@lru_cache(maxsize=200_000)
def scheduled_floats(
    schedule: UpdateRule, t: int, theta: float | None = None
) -> dict[str, np.float64]:
    values = evaluate(schedule, {"t": t} | ({} if theta is None else {"theta": theta}))
    return {step.name: values[step.name] for step in schedule.steps}
