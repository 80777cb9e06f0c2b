"""The smallest run that still shows a difference, found by asking the implementation again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from .judgement import Judgement
from .subject import Run

ATTEMPTS = 120

Check = Callable[[Run], list[Judgement]]
"""Runs and judges: the judgements that fail."""


@dataclass(frozen=True, eq=False)
class Smallest:
    """A failing run, and its failing judgement."""

    run: Run
    judgement: Judgement


def smallest(start: Judgement, check: Check) -> Smallest:
    """Greedily: one parameter, fewer steps, fewer rows and columns, plainer numbers."""
    best = Smallest(start.strand.run, start)
    attempts = 0
    progress = True
    while progress and attempts < ATTEMPTS:
        progress = False
        for run in _simpler(best):
            attempts += 1
            failing = check(run)
            if failing:
                best = Smallest(run, min(failing, key=lambda j: j.size))
                progress = True
                break
            if attempts >= ATTEMPTS:
                break
    return best


def _simpler(best: Smallest) -> Iterator[Run]:
    """Runs a little simpler than the best so far, the greatest simplification first."""
    run, steps = best.run, range(len(best.run.grads))
    if len(run.params) > 1:
        yield _alone(run, best.judgement.strand.parameter)
        return
    if run.watch or len(run.grads) > 50:
        return
    if run.split is not None:
        yield replace(run, split=None)
    last = best.judgement.prediction.observation.t - (run.jump or 1) + 1
    if len(run.grads) > last:
        yield _with_steps(run, steps[:last])
    for number in steps[:-1]:
        yield _with_steps(run, [k for k in steps if k != number])
    (X,) = run.params
    for axis, size in enumerate(X.shape):
        if size > 1:
            for place in (size - 1, 0):
                yield _mapped(run, partial(np.delete, obj=place, axis=axis))
    if X.ndim > 1 and min(X.shape[-2:]) > 1:
        yield _mapped(run, lambda a: a[..., :-1, :-1].copy())
    if np.any(X):
        yield replace(run, params=(np.zeros_like(X),))
    for digits in (1, 2):
        for plainer in (_rounded(run, digits), _plain_weights(run, digits)):
            if not _same(plainer, run):
                yield plainer


def _alone(run: Run, k: int) -> Run:
    """Parameter k without the others, and without the steps that have no gradient for it."""
    own = _with_steps(run, [number for number, g in enumerate(run.grads) if g[k] is not None])
    grads = tuple((g[k],) for g in own.grads)
    return replace(own, params=(run.params[k],), grads=grads, groups=None)


def _with_steps(run: Run, kept: Sequence[int]) -> Run:
    """These steps of the run, saved where it was, if a step is left after that."""
    grads = tuple(run.grads[number] for number in kept)
    if run.split is None:
        return replace(run, grads=grads)
    before = sum(number < run.split for number in kept)
    return replace(run, grads=grads, split=before if before < len(kept) else None)


def _mapped(run: Run, f: Callable[[Any], Any]) -> Run:
    grads = tuple(tuple(None if g is None else f(g) for g in row) for row in run.grads)
    return replace(run, params=tuple(map(f, run.params)), grads=grads)


def _rounded(run: Run, digits: int) -> Run:
    """Every gradient to a few decimal digits."""
    grads = tuple(tuple(None if g is None else _to(g, digits) for g in row) for row in run.grads)
    return replace(run, grads=grads)


def _plain_weights(run: Run, digits: int) -> Run:
    return replace(run, params=tuple(_to(X, digits) for X in run.params))


def _to(array: Any, digits: int) -> Any:
    text = np.vectorize(lambda x: float(f"{x:.{digits - 1}e}"), otypes=[float])
    return np.asarray(text(array) if array.size else array).astype(array.dtype)


def _same(a: Run, b: Run) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(_arrays(a), _arrays(b), strict=True))


def _arrays(run: Run) -> Iterator[Any]:
    yield from run.params
    for row in run.grads:
        yield from (g for g in row if g is not None)
