"""How an implementation behaves beside its arithmetic: between parameters, and over time.

All but the size of what it keeps is decided by comparing runs of the implementation with one
another, up to rounding; no rule is asked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .company import GROUPINGS, ORDERS, independent, mixed, permuted, several
from .draw import Draw
from .flags import FLAGS, acting, foreach_apart, ignored
from .interview import BETWEEN, OVER_TIME, Finding, Interview, until
from .parting import Answer, parted
from .subject import Run, Subject

AGAIN = "a second run"
"""Begins what is said of one that depends on what ran before: no line can then be told wrong."""

NATIVE: Mapping[str, str] = {}
"""Work in the dtype of the parameter."""

SHAPES = ((64, 48), (48,), (2, 8, 6))
"""Of the parameters for which it is counted what is kept."""


@dataclass(frozen=True)
class Conduct:
    """What was found; `state` is the count of numbers kept, by shape, empty if it is not shown.

    `state_dtypes`: for parameters of each dtype, that of what is kept.
    `sublinear`: whether a matrix keeps no more than 2 (n + m) + 4 numbers, None if not shown.
    `flags`: whether each flag that was tried changes anything.  `not_run`: scenario and why.
    `meddling`: what came back unlike its parameter, or what of the caller's was changed.
    """

    state: Mapping[str, int]
    sublinear: bool | None
    findings: tuple[Finding, ...]
    flags: Mapping[str, bool]
    not_run: Mapping[str, str]
    dtype: str
    meddling: tuple[Finding, ...] = ()
    state_dtypes: Mapping[str, str] = field(default_factory=dict)


def conduct(
    subject: Subject, seed: int, dtype: str = "float64", working: Mapping[str, str] = NATIVE
) -> Conduct:
    """The conduct of an implementation, on parameters of `dtype`; `working` is Interview's."""
    interview = Interview(subject, seed, working)
    draw = Draw(np.random.default_rng((seed, 200)), dtype)
    findings = [f for check in CHECKS for f in _first(check(interview, draw))]
    flags = {
        name: acts
        for name in FLAGS
        if name in subject.takes and (acts := acting(interview, draw, name)) is not None
    }
    findings += [ignored(interview, draw, name) for name, acts in flags.items() if not acts]
    dtypes = dict.fromkeys((dtype, *working))
    states = {d: _state(interview, replace(draw, dtype=d)) for d in dtypes}
    state, _ = states[dtype]
    state_dtypes = {d: " and ".join(kept_in) for d, (_, kept_in) in states.items() if kept_in}
    n, m = SHAPES[0]
    kept = state.get(_name(SHAPES[0]))
    sublinear = None if kept is None else kept <= 2 * (n + m) + 4
    meddling = tuple(interview.meddling)
    return Conduct(
        state,
        sublinear,
        tuple(findings),
        flags,
        interview.not_run,
        dtype,
        meddling,
        state_dtypes,
    )


def _first(found: Iterator[Finding]) -> list[Finding]:
    """One finding of a kind is enough, and ends the asking."""
    return [first] if (first := next(found, None)) else []


def _state(interview: Interview, draw: Draw) -> tuple[dict[str, int], list[str]]:
    """The numbers kept for each shape after two steps, and in what, where that is shown."""
    params = tuple(draw.normal(shape) for shape in SHAPES)
    grads = tuple(tuple(draw.normal(shape) for shape in SHAPES) for _ in range(2))
    trace = interview.trace(Run("state", params, grads))
    counts = [] if trace.state is None else zip(map(_name, SHAPES), trace.state, strict=True)
    return dict(counts), trace.kept_in


def _name(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _several(draw: Draw, scenario: str) -> Run:
    """A run of its own scenario: what is lost elsewhere is not lost here."""
    return replace(several(draw), scenario=scenario)


def _determinism(interview: Interview, draw: Draw) -> Iterator[Finding]:
    """The same run twice, with another one between."""
    run, other = (_several(draw, "the same again") for _ in range(2))
    first, _, second = (Answer(r, interview.trace(r)) for r in (run, other, run))
    for at in parted(second, first, interview.working):
        yield interview.shown(OVER_TIME, f"{AGAIN} moves parameter {{}} otherwise", run, run, at)


def _orders(interview: Interview, draw: Draw) -> Iterator[Finding]:
    """Each parameter in every order of the list."""
    what = "parameter {} moves otherwise where the order of parameters is another"
    for known in (_several(draw, "orders"), *([mixed(draw)] if draw.dtype == "float64" else [])):
        for order in ORDERS[1:]:
            run = permuted(known, order)
            yield from interview.compared(BETWEEN, what, run, known, order, raising=True)


def _groups(interview: Interview, draw: Draw) -> Iterator[Finding]:
    """Each parameter in every grouping."""
    if "groups" not in interview.subject.takes:
        return
    known = _several(draw, "groups")
    what = "parameter {} moves otherwise where the groups are others"
    for groups in GROUPINGS:
        yield from interview.compared(BETWEEN, what, replace(known, groups=groups), known)


def _independence(interview: Interview, draw: Draw) -> Iterator[Finding]:
    """Another X, G, or none, of the first parameter moves no other one, nor its twin."""
    twins = permuted(_several(draw, "another X or G"), (1, 1, 0))
    takes = "groups" in interview.subject.takes
    for known in (twins, *([replace(twins, groups=GROUPINGS[0])] if takes else [])):
        for name, run in zip(("another X", "another G", "no G"), independent(known), strict=True):
            what = f"{name} of parameter 0 moves parameter {{}} otherwise"
            yield from interview.compared(BETWEEN, what, run, known, but=0)


def _missing(interview: Interview, draw: Draw) -> Iterator[Finding]:
    """A parameter without a gradient stays."""
    run = _several(draw, "missing gradient")
    row = run.grads[0]
    grads = (row, (None, *row[1:]), (None, None, None), (*row[:2], None), row)
    run = replace(run, grads=grads)
    before: Sequence[Any] = run.params
    for t, (gradients, after) in enumerate(zip(grads, interview.trace(run).after, strict=False), 1):
        for k, (G, old, new) in enumerate(zip(gradients, before, after, strict=True)):
            if G is None and not np.array_equal(new, old, equal_nan=True):
                what = f"parameter {k} was moved at a step without a gradient for it"
                found = interview.finding(BETWEEN, what, until(run, t))
                entry = tuple(
                    int(i) for i in np.argwhere((new != old) & ~(np.isnan(new) & np.isnan(old)))[0]
                )
                got, expected = float(new[entry]), float(old[entry])
                yield replace(found, index=(k, *entry), got=got, expected=expected)
        before = after


def _split(interview: Interview, draw: Draw) -> Iterator[Finding]:
    """A run that is saved and loaded ends as the one that goes on, and as the one never saved."""
    run = _several(draw, "save and load")
    first = (None, *run.grads[0][1:])
    known = replace(run, grads=(first, *run.grads, *run.grads))
    what = "parameter {} moves otherwise once it was saved"
    for split in (1, 3) if "save" in interview.subject.can else ():
        run = replace(known, split=split)
        if interview.trace(run).parted:
            yield from _ends_apart(interview, run, split)
        yield from interview.compared(OVER_TIME, what, run, known, raising=True)


def _ends_apart(interview: Interview, run: Run, split: int) -> Iterator[Finding]:
    """The two ends of a saved run, at the first step at which they differ."""
    for t in range(split + 1, len(run.grads) + 1):
        short = until(run, t)
        for at in interview.trace(short).parted:
            found = interview.finding(OVER_TIME, at["what"], short)
            numbers = {name: at[name] for name in ("got", "expected")}
            yield replace(found, index=tuple(at["index"]), **numbers)


def _jump(interview: Interview, draw: Draw) -> Iterator[Finding]:
    """A jump to where a new optimizer is changes nothing."""
    if "jump" in interview.subject.can:
        known = _several(draw, "jump")
        run = replace(known, jump=1)
        what = "parameter {} moves otherwise after a jump to t = 1"
        yield from interview.compared(OVER_TIME, what, run, known)


Check = Callable[[Interview, Draw], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    _determinism,
    _orders,
    _groups,
    _independence,
    _missing,
    _split,
    _jump,
    foreach_apart,
)
