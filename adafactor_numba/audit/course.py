"""One run of a builder, step by step: what it returns, and what it does to what it was given."""

import contextlib
import copy
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

LEFT_OUT: dict[str, Any] = {"groups": None, "jump": None, "split": None}
"""What a question that does not say so means."""


class Course:
    """The run that a question describes, as far as it has come.

    Its keys are the fields of `subject.Run`.  `watch` lists the steps (from 1) whose parameters
    are wanted; without it, all are.
    """

    def __init__(self, build: Any, run: dict[str, Any]) -> None:
        self.build, self.run = build, LEFT_OUT | run
        self.watch = set(run["watch"] or range(1, len(run["grads"]) + 1))
        self.given = [np.array(p) for p in run["params"]]
        self.groups = copy.deepcopy(self.run["groups"])
        self.last: list[tuple[Any, Any]] = []
        self.after: list[list[Any]] = []
        self.changed: list[str] = []
        self.unlike: list[str] = []
        self.parted: list[dict[str, Any]] = []
        self.state: list[int] | None = None
        self.kept_in: list[str] = []

    def answer(self) -> dict[str, Any]:
        """What there is to tell, but for an error."""
        return {
            "after": self.after,
            "changed": self.changed,
            "unlike": self.unlike,
            "parted": self.parted,
            "state": self.state,
            "kept_in": self.kept_in,
        }

    def go(self) -> None:
        """Run to the end; `split` is the step after which a second end begins, from what is saved.

        The first goes on before the second begins, so that it may spoil what was saved.
        """
        step, end = self._begun(), len(self.run["grads"])
        split = end if self.run["split"] is None else self.run["split"]
        self.after.extend(self._steps(step, 0, split))
        if split < end:
            saved = step.save()
            first = list(self._steps(step, split, end))
            known = len(self.after)
            step = _callable(self.build.load(saved), "build.load")
            self.after.extend(self._steps(step, split, end))
            self.parted = self._parted(first, self.after[known:], split)
        self.state, self.kept_in = kept(step)

    def _begun(self) -> Any:
        options = dict(self.run["hyperparameters"])
        if self.groups is not None:
            options["groups"] = self.groups
        step = _callable(self.build(self.given, **options), "the builder")
        if self.run["jump"] is not None:
            step.jump(self.run["jump"])
        return step

    def _steps(self, step: Any, start: int, end: int) -> Iterator[list[Any]]:
        """Take the steps after number `start` up to number `end`; yields those that are watched."""
        for number, grads in enumerate(self.run["grads"][start:end], start + 1):
            own = [None if g is None else np.array(g) for g in grads]
            returned = self._checked(step(own))
            if number in self.watch:
                after = [np.array(array) for array in returned]
                self.changed += self._changes(number, grads, own)
                self.last = [(array.copy(), array) for array in returned]
                yield after

    def _checked(self, returned: Any) -> list[Any]:
        """The returned arrays, if there is one like every parameter; the run ends if not."""
        if not isinstance(returned, (list, tuple)):
            raise TypeError(f"step returned {type(returned).__name__}, not a list of arrays")
        arrays = [np.asarray(array) for array in returned]
        self.unlike = [*_unlike(arrays, self.run["params"])]
        if self.unlike:
            raise ValueError(self.unlike[0])
        return arrays

    def _changes(self, number: int, grads: Sequence[Any], own: Sequence[Any]) -> Iterator[str]:
        yield from _changes("gradient", number, grads, own)
        yield from _changes("parameter", number, self.run["params"], self.given)
        yield from _changes(
            "returned array", number, [a for a, _ in self.last], [b for _, b in self.last]
        )
        if self.groups != self.run["groups"]:
            yield f"the list of groups was changed by step {number}"

    def _parted(self, first: list[Any], second: list[Any], split: int) -> list[dict[str, Any]]:
        """Where the two ends of a split run differ in a bit: the first entry of each array."""
        numbers = [n for n in sorted(self.watch) if n > split]
        return [
            {"what": f"parameter {k} at step {number} is another one after save and load"}
            | _first_apart(k, y, x)
            for number, a, b in zip(numbers, first, second, strict=True)
            for k, (x, y) in enumerate(zip(a, b, strict=True))
            if x.tobytes() != y.tobytes()
        ]


def kept(step: Any) -> tuple[list[int] | None, list[str]]:
    """How many numbers are kept for each parameter, if the step can show it, and in which dtypes.

    Scalars are not counted.  What it raises is no answer, and no fault in the steps it took.
    """
    with contextlib.suppress(Exception):
        arrays = [[np.asarray(a) for a in k.values() if np.ndim(a)] for k in step.state()]
        counts = [sum(int(a.size) for a in own) for own in arrays]
        return counts, sorted({str(a.dtype) for own in arrays for a in own})
    return None, []


def _first_apart(number: int, got: Any, expected: Any) -> dict[str, Any]:
    """The first entry of parameter `number` in which two arrays differ in a bit."""
    bits = (np.ascontiguousarray(a).reshape(-1, 1).view(np.uint8) for a in (got, expected))
    place = int(np.argmax(np.any(np.not_equal(*bits), axis=1)))
    entry = [int(i) for i in np.unravel_index(place, got.shape)]
    numbers = {"got": float(got.flat[place]), "expected": float(expected.flat[place])}
    return {"index": [number, *entry], **numbers}


def _callable(step: Any, source: str) -> Any:
    if not callable(step):
        raise TypeError(f"{source} returned {type(step).__name__}, not a function step(grads)")
    return step


def _unlike(arrays: Sequence[Any], params: Sequence[Any]) -> Iterator[str]:
    """Where there is no array of the same shape and dtype for every parameter."""
    if len(arrays) != len(params):
        yield f"the list returned has length {len(arrays)}, that of parameters {len(params)}"
        return
    for number, (array, param) in enumerate(zip(arrays, params, strict=True)):
        for what in ("shape", "dtype"):
            found, wanted = getattr(array, what), getattr(param, what)
            if found != wanted:
                yield f"returned array {number} has {what} {found}, the parameter {wanted}"


def _changes(what: str, number: int, before: Sequence[Any], after: Sequence[Any]) -> Iterator[str]:
    """What of a list of the caller's is another after a step: its length, an entry, a number."""
    if len(before) != len(after):
        yield f"the list of {what}s was changed by step {number}"
        return
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        if not _same(old, new):
            yield f"{what} {index} was changed by step {number}"


def _same(old: Any, new: Any) -> bool:
    if old is None or not isinstance(new, np.ndarray):
        return old is new
    return bool(old.shape == new.shape and old.tobytes() == new.tobytes())
