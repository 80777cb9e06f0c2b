"""Whether each flag that a builder takes does anything, and whether `foreach` does nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .company import several
from .draw import Draw
from .interview import ARGUMENTS, BETWEEN, Finding, Interview
from .parting import changes
from .strand import Strand, strands
from .subject import Run, Trace

FLAGS: Mapping[str, tuple[Any, ...]] = {
    "beta_1": (0.5, 0.8),
    "weight_decay": (0.1, 0.3),
    "maximize": (True, False),
    "scale_parameter": (False, True),
    "relative_step": (False, True),
    "warmup_init": (True, False),
    "d": (0.5, 2.0),
    "epsilon_1": (1.0, 0.5),
    "epsilon_2": (10.0, 5.0),
}
"""The values tried of each flag: two, as one may be the default or be refused."""

COMPANIONS: Mapping[str, Mapping[str, Any]] = {
    "warmup_init": {"relative_step": True},
    "scale_parameter": {"relative_step": True},
}
"""Without which a flag need not act."""

LATE = 10_500
"""A step at which rho_t is below 1e-2, which a step size that is not relative may be, too."""

FAR = 10**7
"""A step at which rho_t is below 1e-3, too."""


def acting(interview: Interview, draw: Draw, name: str) -> bool | None:
    """Whether a value of the flag changes any bit; None if none does and some were refused.

    The runs have X of another RMS than 1, |G| about 1 that grows, and RMS(U) beyond 1.
    """
    refusals: list[str] = []
    for run in (*_runs(interview, draw, name), *_late_runs(interview, draw, name)):
        if next(_showing(interview, run, name, refusals), None):
            return True
    if name == "relative_step" and not refusals and "jump" not in interview.subject.can:
        refusals = [f"changes nothing up to t = {LATE}, and it cannot jump beyond"]
    if refusals:
        interview.not_run.setdefault(f"flag {name}", refusals[0])
    return None if refusals else False


@dataclass(frozen=True, eq=False)
class Shown:
    """A run with a flag set, and the plain one, which moves otherwise; each with its trace."""

    run: Run
    trace: Trace
    plain: Run
    before: Trace

    @property
    def flagged(self) -> list[Strand]:
        """The strands with the flag set."""
        return [*strands(self.run, self.trace)]

    @property
    def unflagged(self) -> list[Strand]:
        """Those of the plain run."""
        return [*strands(self.plain, self.before)]


def shown(interview: Interview, draw: Draw, name: str) -> Iterator[Shown]:
    """Every short run that a value of the flag changes; also past t = 10^4, where it can jump."""
    runs = [*_runs(interview, draw, name)]
    if "jump" in interview.subject.can:
        runs += [replace(run, jump=2 * LATE) for run in runs]
    for run in runs:
        yield from _showing(interview, run, name, [])


def shown_late(interview: Interview, draw: Draw, name: str) -> Iterator[Shown]:
    """The same of a run of more than 10^4 steps."""
    return _showing(interview, _late(draw, name), name, [])


def _late_runs(interview: Interview, draw: Draw, name: str) -> Iterator[Run]:
    """A run in which a step size that is not relative should show, beside one that is."""
    if name == "relative_step":
        can = "jump" in interview.subject.can
        run = replace(_short(draw, name), jump=FAR) if can else _late(draw, name)
        yield replace(run, hyperparameters={name: True})


def _runs(interview: Interview, draw: Draw, name: str) -> Iterator[Run]:
    """Short runs in which the flag should act."""
    run = _short(draw, name)
    yield run
    companions = COMPANIONS.get(name, {})
    if {*companions} & {*interview.subject.takes}:
        yield replace(run, hyperparameters=companions)


def _showing(interview: Interview, run: Run, name: str, refusals: list[str]) -> Iterator[Shown]:
    """The run with each value of the flag that changes it; what is refused is added to a list."""
    before = interview.run(run)
    for value in FLAGS[name]:
        if run.hyperparameters.get(name) == value:
            continue
        flagged = replace(run, hyperparameters={**run.hyperparameters, name: value})
        trace = interview.run(flagged)
        if why := before.error or trace.error:
            refusals.append(why)
        elif changes(trace, before):
            yield Shown(flagged, trace, run, before)


def _short(draw: Draw, name: str) -> Run:
    shapes: tuple[tuple[int, ...], ...] = ((3,), (2, 3))
    params = tuple(draw.uneven(shape, 0.25) for shape in shapes)
    grads = tuple(tuple(draw.uneven(shape, 4.0**t) for shape in shapes) for t in range(3))
    return Run(f"flag {name}", params, grads)


def _late(draw: Draw, name: str) -> Run:
    X, G = draw.uneven((1,), 0.25), draw.uneven((1,))
    grads = tuple((np.asarray(G * (-1) ** t),) for t in range(LATE))
    return Run(f"flag {name} past t = 10^4", (X,), grads, watch=(LATE - 1, LATE))


def foreach_apart(interview: Interview, draw: Draw) -> Iterator[Finding]:
    """Both ways through a list give the same; from X = 0, so that alpha shows no rounding."""
    if "foreach" not in interview.subject.takes:
        return
    run = several(draw)
    run = replace(run, scenario="foreach", params=tuple(np.zeros_like(X) for X in run.params))
    ways = [replace(run, hyperparameters={"foreach": way}) for way in (False, True)]
    what = "foreach moves parameter {} otherwise, beyond rounding"
    yield from interview.compared(BETWEEN, what, ways[1], ways[0])


def ignored(interview: Interview, draw: Draw, name: str) -> Finding:
    """The finding that a flag changes nothing."""
    run = _short(draw, name)
    flagged = replace(run, hyperparameters={name: FLAGS[name][0]})
    what = f"{name} changes nothing"
    return interview.finding(ARGUMENTS, what, flagged, run)
