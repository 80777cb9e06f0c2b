"""Whether each flag that a builder takes does anything, and whether `foreach` does nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from derivations.method import ADAFACTOR

from .interview import Finding, Interview, parted
from .judgement import FORMS, PLAINLY
from .scenarios import Draw, several
from .strand import Prediction, predictions, strands
from .subject import Run

FLAGS: Mapping[str, tuple[Any, ...]] = {
    "beta_1": (0.5,),
    "weight_decay": (0.1,),
    "maximize": (True, False),
    "scale_parameter": (False, True),
    "relative_step": (False, True),
    "warmup_init": (True, False),
    "d": (0.5, 2.0),
    "epsilon_1": (1.0,),
    "epsilon_2": (10.0,),
}
"""The values tried of each flag: of those that may be a default or be refused, two."""

COMPANIONS: Mapping[str, Mapping[str, Any]] = {
    "warmup_init": {"relative_step": True},
    "scale_parameter": {"relative_step": True},
}
"""Without which a flag need not act."""

LATE = 10_010
"""A step at which rho_t is below 1e-2, which a step size that is not relative may be, too."""


def acting(interview: Interview, draw: Draw, name: str) -> bool | None:
    """Whether a value of the flag changes any bit; None if none does and some were refused.

    The runs have X of another RMS than 1, |G| about 1 that grows, and RMS(U) beyond 1.
    """
    refusals: dict[str, str] = {}
    for run in _runs(interview, draw, name):
        for value in FLAGS[name]:
            try:
                if _acts(interview, run, name, value):
                    return True
            except ValueError as error:
                refusals.setdefault(run.scenario, str(error))
    interview.not_run.update(refusals)
    return None if refusals else False


def _runs(interview: Interview, draw: Draw, name: str) -> Iterator[Run]:
    """Runs in which the flag should act, the short ones first."""
    run = replace(_short(draw), scenario=f"flag {name}")
    yield run
    companions = COMPANIONS.get(name, {})
    if {*companions} & {*interview.subject.takes}:
        yield replace(run, hyperparameters=companions)
    if name == "relative_step":
        yield replace(_late(draw), scenario=run.scenario)


def _acts(interview: Interview, run: Run, name: str, value: Any) -> bool:
    """Whether the value changes the run; raises a ValueError if one of both is refused."""
    with_it = replace(run, hyperparameters={**run.hyperparameters, name: value})
    first, second = interview.subject.run(run), interview.subject.run(with_it)
    if why := first.error or second.error:
        raise ValueError(why)
    return any(True for _ in parted(first, second))


def _short(draw: Draw) -> Run:
    shapes: tuple[tuple[int, ...], ...] = ((3,), (2, 3))
    params = tuple(draw.uneven(shape, 0.25) for shape in shapes)
    grads = tuple(tuple(draw.uneven(shape, 4.0**t) for shape in shapes) for t in range(3))
    return Run("flags", params, grads)


def _late(draw: Draw) -> Run:
    X, G = draw.zeros((1,)), draw.uneven((1,))
    grads = tuple((G * (-1) ** t,) for t in range(LATE))
    return Run("flags", (np.asarray(X),), grads, watch=(LATE,))


def foreach_apart(interview: Interview, draw: Draw) -> Iterator[Finding]:
    """Both ways through a list give the same up to rounding.

    As many roundings of float32 as the paper's rule has are granted to each; from X = 0, so that
    alpha does not carry on what was rounded before.
    """
    if "foreach" not in interview.subject.takes:
        return
    run = several(draw)
    run = replace(run, scenario="foreach", params=tuple(np.zeros_like(X) for X in run.params))
    ways = [replace(run, hyperparameters={"foreach": way}) for way in (False, True)]
    slow, fast = (interview.trace(way) for way in ways)
    for strand in strands(ways[0], slow):
        k, allowed = strand.parameter, np.asarray(0.0)
        for t, (p, after) in enumerate(
            zip(predictions(ADAFACTOR, strand), fast.after, strict=False), 1
        ):
            allowed = allowed + _granted(p)
            if not np.all(np.abs(after[k] - slow.after[t - 1][k]) <= allowed):
                what = f"foreach moves parameter {k} otherwise, beyond rounding"
                yield interview.parting("between parameters", what, ways[1], ways[0], t, (k, k))


def _granted(p: Prediction) -> np.ndarray:
    """By how much two steps may differ that are rounded in float32, as large as the one seen."""
    before, after = p.observation.before, p.observation.after
    assert before is not None
    assert after is not None
    u = float(np.finfo(PLAINLY).eps) / 2
    move = np.abs(after - before).max()
    return np.asarray(2 * FORMS * u * (p.K * move + np.abs(after)))


def ignored(interview: Interview, draw: Draw, name: str) -> Finding:
    """The finding that a flag changes nothing."""
    run = replace(_short(draw), scenario=f"flag {name}")
    flagged = replace(run, hyperparameters={name: FLAGS[name][0]})
    what = f"{name} changes nothing"
    return interview.parting("arguments", what, flagged, run, len(run.grads))
