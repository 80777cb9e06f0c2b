"""From the proofs to the loops: their plain source, run on balls, is the rule.

The theorems are about the rule and the compiled loops are what runs.  That the source of the loops
computes the rule is seen without any tolerance where it runs on Arb's balls: both enclose the same
number, to far more digits than any double has.  Which sizes take every way through the source is
for the caller to choose.
"""

import types
from collections.abc import Mapping
from functools import partial
from typing import Any

import flint
import numpy as np

from adafactor_numba import schedule
from derivations.cases import Case, inputs
from derivations.evaluate import BALL, evaluate
from derivations.rule import UpdateRule

from .check import COMPILED, Implementation, observed
from .source import interpreted

BITS = 256  # the precision in which the source runs
NARROW = -100  # a ball is narrow if its radius is below 2^NARROW of what was added up to it


def _choice(of_sizes: Any, of_balls: Any, a: Any, b: Any) -> Any:
    """The larger or smaller of two sizes, or a ball that encloses that of two numbers."""
    if isinstance(a, int) and isinstance(b, int):
        return of_sizes(a, b)
    return of_balls(flint.arb(a), flint.arb(b))


def _full(value: str, shape: Any) -> Any:
    return np.full(shape, flint.arb(value), object)


def _full_like(value: str, like: Any) -> Any:
    return _full(value, like.shape)


ON_BALLS: Mapping[str, Any] = {
    "math": types.SimpleNamespace(sqrt=lambda x: flint.arb(x).sqrt()),
    "max": partial(_choice, max, flint.arb.max),
    "min": partial(_choice, min, flint.arb.min),
    "float64": flint.arb,
    "np": types.SimpleNamespace(
        zeros=partial(_full, "0"),
        empty=partial(_full, "nan"),
        empty_like=partial(_full_like, "nan"),
        zeros_like=partial(_full_like, "0"),
    ),
}
"""What the source reads, on balls; memory that was never written is no number."""


def on_balls(loops: Implementation = COMPILED) -> Implementation:
    """The plain source of the loops on balls; the schedules stay what they are."""
    return Implementation(
        loops.schedule, *(interpreted(m, **ON_BALLS) for m in (loops.vector, loops.matrix))
    )


def parted(rule: UpdateRule, case: Case, loops: Implementation) -> list[str]:
    """The steps where the source, as `on_balls` makes it, gives another number than the rule.

    A step also counts where the source's ball is too wide to tell.  The rates are doubles.
    """
    with flint.ctx.workprec(BITS):
        given = inputs(case, rule)
        rates = {"rho": schedule.rho(case.t), "beta_2": schedule.beta_2(case.t)}
        exact = evaluate(rule, given | rates, BALL)
        x = {name: _balls(value) for name, value in (given | rates).items()}
        got = observed(loops, x | {"w": 1 - x["beta_2"]})
        scale = {"X_new": np.abs(x["X"]) + np.abs(exact["alpha"] * exact["U_hat"])}
        return [
            name for name, value in got.items() if not _same(value, exact[name], scale.get(name))
        ]


def _balls(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return np.array([flint.arb(float(v)) for v in value.flat], object).reshape(value.shape)
    return flint.arb(value)


def _same(value: Any, exact: Any, scale: Any) -> bool:
    pairs = zip(
        np.asarray(value, object).flat,
        np.asarray(exact, object).flat,
        np.asarray(exact if scale is None else scale, object).flat,
        strict=True,
    )
    return all(
        flint.arb(a).overlaps(b)
        and flint.arb(a).rad() <= abs(flint.arb(s)) * flint.arb(2) ** NARROW
        for a, b, s in pairs
    )
