"""The process in which a builder runs: `python -m adafactor_numba.audit.worker MODULE:BUILDER`.

It reads a question a line and answers it a line, both JSON: "can", or a run, whose answer is a
trace.  What the builder prints goes to stderr, and there is nothing for it to read.  Whatever it
raises becomes an answer; only a crash ends the process.
"""

import contextlib
import importlib
import importlib.metadata
import inspect
import json
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

import numpy as np

from .course import Course
from .wire import packed, unpacked

ACTING = {"epsilon_1": 1.0, "epsilon_2": 10.0, "d": 0.5}
"""The paper's hyperparameters, each with a value that shows from X = 1, G = (1, -3)."""

HYPERPARAMETERS = (*ACTING,)
OPTIONS = (
    *HYPERPARAMETERS,
    *("beta_1", "weight_decay", "maximize", "scale_parameter", "relative_step", "warmup_init"),
    *("foreach", "groups"),
)


def main(target: str) -> None:
    """Answer every question that comes on stdin."""
    questions, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.path.insert(0, os.getcwd())
    try:
        module, build = builder(target)
        answer = {"version": version(module), "takes": taken(build)}
    except BaseException as error:
        _say(answers, {"error": _message(error)})
        return
    _say(answers, answer)
    for line in questions:
        question = unpacked(json.loads(line))
        _say(answers, {"can": able(build)} if question == "can" else packed(trace(build, question)))


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
    """The known options that the builder's signature takes by name.

    One that takes any name is taken to mean those of the paper's hyperparameters that act.
    """
    parameters = inspect.signature(build).parameters.values()
    named = [p.name for p in parameters if p.name in OPTIONS]
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        named += [x for x in HYPERPARAMETERS if x not in named and _acts(build, x)]
    return named


def _acts(build: Callable[..., Any], name: str) -> bool:
    """Whether the hyperparameter changes a step that shows each of them."""
    with contextlib.suppress(Exception, SystemExit):
        G = np.array([1.0, -3.0])
        plain = build([np.ones(2)])([G])[0]
        return not np.array_equal(build([np.ones(2)], **{name: ACTING[name]})([G])[0], plain)
    return False


def able(build: Callable[..., Any]) -> list[str]:
    """Which of state, jump and save the builder has, found on a parameter of one entry."""
    found: list[str] = []
    with contextlib.suppress(Exception, SystemExit):
        step = build([np.zeros(1)])
        found = [name for name in ("state", "jump", "save") if callable(getattr(step, name, None))]
    if "save" in found and not callable(getattr(build, "load", None)):
        found.remove("save")
    return found


def trace(build: Callable[..., Any], run: dict[str, Any]) -> dict[str, Any]:
    """What the builder does with a run, up to where it raises."""
    course = Course(build, run)
    error = None
    try:
        course.go()
    except BaseException as raised:
        error = _message(raised)
    return course.answer() | {"error": error}


def _message(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def _say(stream: TextIO, answer: dict[str, Any]) -> None:
    stream.write(json.dumps(answer) + "\n")
    stream.flush()


if __name__ == "__main__":
    main(sys.argv[1])
