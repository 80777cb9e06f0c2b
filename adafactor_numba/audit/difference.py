"""A difference as it is reported: the step, the case as data, the two values."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from derivations.method import ADAFACTOR, Method

from .judgement import WILD, Judgement
from .report import Difference
from .strand import predictions
from .subject import Run

VISIBLE = 8 * float(np.finfo("float32").eps)
"""The relative change of a step by a variant from which on it is the step that differs."""

SHORT = 50
"""Steps up to which a case holds all its numbers, so that it can be asked again."""


ABOUT = ("builder", "scenario", "t", "seed")
"""What a case says of itself, beside what is asked."""


def difference(
    j: Judgement,
    step: str,
    case: Mapping[str, Any],
    working: Mapping[str, str],
    what: str,
    equivalent: tuple[str, ...] = (),
) -> Difference:
    """`step` differs: shown at the worst entry of a failing judgement.

    `working` tells the format in which each dtype's work is done.
    """
    format_ = working[j.strand.dtype]
    index = j.worst(format_)
    o, p = j.prediction.observation, j.prediction
    assert o.after is not None
    expected = float(np.asarray(p.X_new)[index])
    ulp = float(np.spacing(np.abs(np.asarray(expected, j.strand.dtype))))
    return Difference(
        step,
        case,
        (j.strand.parameter, *index),
        _number(o.after[index]),
        expected,
        float(j.error[index]) / ulp,
        float(j.allowed(format_)[index]) / ulp,
        equivalent or (step,),
        what,
        _source(step, j),
    )


def _source(step: str, j: Judgement) -> str:
    """Where the paper has the step, for a parameter of this shape."""
    rules = (ADAFACTOR.layout(j.error.shape).rule, ADAFACTOR.schedule, ADAFACTOR.matrix)
    found = (s.source for rule in rules for s in rule.steps if s.name == step)
    return next(found, "")


def first_different(variant: Method, j: Judgement, otherwise: str) -> str:
    """The first line of the paper whose value at this case is another one by the variant."""
    layout = ADAFACTOR.layout(j.error.shape)
    if variant.layout(j.error.shape).sizes != j.method.layout(j.error.shape).sizes:
        return "V"
    t = j.prediction.observation.t
    found = [p for p in predictions(variant, j.strand.until(t), WILD) if p.observation.t == t]
    expected = j.prediction.values
    for name in ("rho", "beta_2", *(s.name for s in layout.rule.steps)):
        if found and name in found[0].values and name in expected:
            a, b = (np.asarray(v[name]).astype(float) for v in (expected, found[0].values))
            if not np.all(np.abs(a - b) <= VISIBLE * np.abs(a)):
                return name if name in ("rho", "beta_2") else layout.rule.line(name)
    return otherwise


def extremity(j: Judgement) -> tuple[float, ...]:
    """How far from ordinary a case is: first by its parameters and |G|, then by its size."""
    G = float(np.abs(j.prediction.observation.G).max(initial=0.0))
    decades = round(abs(np.log10(G))) if G > 0 else 0
    return (len(j.strand.run.params), decades, *j.size)


def case_of(builder: str, run: Run, t: int, seed: int) -> dict[str, Any]:
    """The run as data: with all its numbers, if it is short, and what only some runs have."""
    shapes = [list(X.shape) for X in run.params]
    dtypes = [str(X.dtype) for X in run.params]
    case: dict[str, Any] = {
        "builder": builder,
        "scenario": run.scenario,
        "shape": shapes if len(shapes) > 1 else shapes[0],
        "dtype": dtypes[0] if len(set(dtypes)) == 1 else dtypes,
        "t": t,
        "hyperparameters": dict(run.hyperparameters),
        "seed": seed,
    }
    more = {"groups": run.groups, "jump": run.jump, "split": run.split}
    case |= {name: value for name, value in more.items() if value is not None}
    if len(run.grads) <= SHORT:
        case["params"] = [_numbers(X) for X in run.params]
        case["grads"] = [[None if g is None else _numbers(g) for g in row] for row in run.grads]
    return case


def beside(run: Run) -> dict[str, Any]:
    """What a case holds of a run that its own is compared with."""
    case = case_of("", run, len(run.grads), 0)
    return {name: value for name, value in case.items() if name not in ABOUT}


def _numbers(array: np.ndarray) -> Any:
    """Nested lists of the shortest decimals that give the array back in its own dtype."""
    return [_numbers(part) for part in array] if array.ndim else _number(array[()])


def _number(x: Any) -> float:
    return float(str(x))
