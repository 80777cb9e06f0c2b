"""The process in which a builder runs: `python -m adafactor_numba.audit.worker MODULE:BUILDER`.

It reads a run a line and answers a trace a line, both JSON.  What the builder prints goes to
stderr.  Whatever the builder raises becomes an answer; only a crash ends the process.
"""

import importlib
import importlib.metadata
import inspect
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TextIO

import numpy as np

from .wire import packed, unpacked

HYPERPARAMETERS = ("epsilon_1", "epsilon_2", "d")


def main(target: str) -> None:
    """Answer every run that stdin asks for."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path.insert(0, os.getcwd())
    try:
        module, build = builder(target)
        answer = {"version": version(module), "takes": taken(build)}
    except BaseException as error:
        _say(answers, {"error": _message(error)})
        return
    _say(answers, answer)
    for line in sys.stdin:
        _say(answers, packed(trace(build, unpacked(json.loads(line)))))


def builder(target: str) -> tuple[Any, Callable[..., Any]]:
    """The module and the function that MODULE:BUILDER names."""
    name, _, attribute = target.partition(":")
    module = importlib.import_module(name)
    build = getattr(module, attribute, None)
    if build is None:
        raise AttributeError(f"module {name} has no builder {attribute!r}")
    if not callable(build):
        raise TypeError(f"{target} is not a builder: {type(build).__name__} is not callable")
    return module, build


def version(module: Any) -> str:
    """What the module calls its version, or its distribution does."""
    own = getattr(module, "VERSION", getattr(module, "__version__", None))
    if own is not None:
        return str(own)
    top = module.__name__.partition(".")[0]
    try:
        return importlib.metadata.version(top)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def taken(build: Callable[..., Any]) -> list[str]:
    """The paper's hyperparameters that the builder's signature takes by name."""
    parameters = inspect.signature(build).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return [*HYPERPARAMETERS]
    return [p.name for p in parameters if p.name in HYPERPARAMETERS]


def trace(build: Callable[..., Any], run: dict[str, Any]) -> dict[str, Any]:
    """What the builder does with a run: parameters after each step, and what it did to its input.

    `watch` lists the steps (from 1) whose parameters are wanted; without it, all are.
    """
    watch = set(run["watch"] or range(1, len(run["grads"]) + 1))
    after: list[Any] = []
    changed: list[str] = []
    try:
        given = [np.array(p) for p in run["params"]]
        step = build(given, **run["hyperparameters"])
        if not callable(step):
            kind = type(step).__name__
            raise TypeError(f"the builder returned {kind}, not a function step(grads)")
        last: list[tuple[Any, Any]] = []
        for number, grads in enumerate(run["grads"], 1):
            own = [None if g is None else np.array(g) for g in grads]
            returned = _checked(step(own), run["params"])
            if number in watch:
                after.append([np.array(array) for array in returned])
                changed += _changes("gradient", number, grads, own)
                changed += _changes("parameter", number, run["params"], given)
                changed += _changes(
                    "returned array", number, [a for a, _ in last], [b for _, b in last]
                )
                last = [(array.copy(), array) for array in returned]
    except BaseException as error:
        return {"after": after, "changed": changed, "error": _message(error)}
    return {"after": after, "changed": changed, "error": None}


def _checked(returned: Any, params: Sequence[Any]) -> list[Any]:
    """The returned arrays, if there is one of the same shape and dtype for every parameter."""
    if not isinstance(returned, (list, tuple)):
        raise TypeError(f"step returned {type(returned).__name__}, not a list of arrays")
    if len(returned) != len(params):
        raise ValueError(f"step returned {len(returned)} arrays for {len(params)} parameters")
    arrays = [np.asarray(array) for array in returned]
    for number, (array, param) in enumerate(zip(arrays, params, strict=True)):
        if array.shape != param.shape:
            raise ValueError(f"parameter {number} of shape {param.shape} came back {array.shape}")
        if array.dtype != param.dtype:
            raise TypeError(f"parameter {number} of {param.dtype} came back as {array.dtype}")
    return arrays


def _changes(what: str, number: int, before: Sequence[Any], after: Sequence[Any]) -> list[str]:
    return [
        f"{what} {index} was changed by step {number}"
        for index, (old, new) in enumerate(zip(before, after, strict=True))
        if old is not None and (old.shape != new.shape or old.tobytes() != new.tobytes())
    ]


def _message(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def _say(stream: TextIO, answer: dict[str, Any]) -> None:
    stream.write(json.dumps(answer) + "\n")
    stream.flush()


if __name__ == "__main__":
    main(sys.argv[1])
