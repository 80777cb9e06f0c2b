"""From the proofs to the loops: their plain source, run on balls, is the rule.

The theorems are about the rule and the compiled loops are what runs.  That the source of the loops
computes the rule is seen without any tolerance where it runs on Arb's balls: both enclose the same
number, to far more digits than any double has.  Which sizes take every way through the source is
for the caller to choose.
"""

from collections.abc import Mapping
from typing import Any

import flint
import numpy as np

from adafactor_numba import schedule
from derivations.cases import Case, inputs
from derivations.evaluate import BALL, evaluate
from derivations.rule import UpdateRule

from .check import COMPILED, Implementation, observed
from .source import interpreted, scope

BITS = 256  # the precision in which the source runs
NARROW = -100  # a ball is narrow if its radius is below 2^NARROW of what was added up to it


ON_BALLS: Mapping[str, Any] = scope(
    number=flint.arb,
    sqrt=lambda x: flint.arb(x).sqrt(),
    larger=lambda a, b: flint.arb(a).max(flint.arb(b)),
    smaller=lambda a, b: flint.arb(a).min(flint.arb(b)),
    zero=flint.arb("0"),
    unwritten=flint.arb("nan"),
)
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
