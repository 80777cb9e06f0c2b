"""A case as a script of a few lines that asks the implementation again."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .case import stored
from .names import paths


def replayed(file: Path) -> str:
    """The script for a case, or for the first case of a report, written as JSON in `file`.

    Raises ValueError, in one line, for a file that holds neither.
    """
    case, difference, name = stored(file)
    return script(case, difference, paths(name))


def script(
    case: Mapping[str, Any], difference: Mapping[str, Any], folders: Sequence[str] = ()
) -> str:
    """Python that builds the implementation, runs the case and prints what differs.

    `folders` are those to import from before all others.
    """
    module, _, build = case["builder"].partition(":")
    meddling = difference.get("step") == "arguments" and "other" not in case
    lines = [
        *(["import sys", f"sys.path[:0] = {[*folders]!r}"] if folders else []),
        *(["from copy import deepcopy"] if meddling else []),
        "import numpy as np",
        f"from {module} import {build}",
        "",
        *(_given(build, case) if meddling else _compared(build, case, difference)),
    ]
    return "\n".join(lines) + "\n"


def _compared(build: str, case: Mapping[str, Any], difference: Mapping[str, Any]) -> Iterator[str]:
    """The run, and beside what was found there what is expected, or what another run gives."""
    index, other = difference.get("index"), case.get("other")
    alone = not index and other is None
    yield from (*_inputs(case), *_asked(build, case, alone))
    here = _entry(index) if index else _shown(case.get("parameter"))
    yield f'print("got     ", {here})'
    if index and other is None:
        yield f'print("expected", {_number(difference["expected"])})'
    if other is not None:
        yield from (*_inputs(other), *_asked(build, other, False))
        place = other.get("parameter")
        there = _entry([place, *index[1:]]) if index else _shown(place)
        yield f'print("other   ", {there})'


def _given(build: str, case: Mapping[str, Any]) -> Iterator[str]:
    """The run, and what was given and came back, each as it was and as it is at the end."""
    groups = case.get("groups")
    yield from _inputs(case)
    if groups is not None:
        yield f"groups = {_number(groups)}"
    names = "[params, gradients" + (", groups]" if groups is not None else "]")
    yield f"given, returned, copies = deepcopy({names}), [], []"
    keep = ("    returned.append(step(grads))", "    copies.append(deepcopy(returned[-1]))")
    yield from _ended(build, case, "groups", keep, False)
    yield 'np.set_printoptions(floatmode="unique")'
    yield 'print("given   ", given)'
    yield f'print("now     ", {names})'
    yield 'print("returned", copies)'
    yield 'print("now     ", returned)'


def _inputs(case: Mapping[str, Any]) -> Iterator[str]:
    params, *rows = (_arrays(row, case["dtype"]) for row in (case["params"], *case["grads"]))
    yield f"params = [{params}]"
    yield "gradients = ["
    yield from (f"    [{row}]," for row in rows)
    yield "]"


def _asked(build: str, case: Mapping[str, Any], both_ends: bool) -> Iterator[str]:
    """The steps of a run; of one that is saved, the end that goes on from there, or both."""
    keep = ("    X_new = step(grads)",)
    yield from _ended(build, case, _number(case.get("groups")), keep, both_ends)


def _ended(
    build: str, case: Mapping[str, Any], groups: str, keep: tuple[str, ...], both_ends: bool
) -> Iterator[str]:
    """The steps, with the lines that `keep` what each returns."""
    yield f"step = {build}(params{_options(case, groups)})"
    if case.get("jump") is not None:
        yield f"step.jump({case['jump']})"
    split = case.get("split")
    if split is None:
        yield from ("for grads in gradients:", *keep)
        return
    yield from (f"for grads in gradients[:{split}]:", *keep, "saved = step.save()")
    yield from (f"for grads in gradients[{split}:]:", *keep)
    if both_ends:
        yield f'print("went on ", {_shown(None)})'
    yield f"step = {build}.load(saved)"
    yield from (f"for grads in gradients[{split}:]:", *keep)


def _options(case: Mapping[str, Any], groups: str) -> str:
    """What the builder is given beside the parameters; `groups` as they are to be written."""
    options = {name: _number(value) for name, value in case["hyperparameters"].items()}
    if case.get("groups") is not None:
        options["groups"] = groups
    return "".join(f", {name}={value}" for name, value in options.items())


def _entry(index: Sequence[int]) -> str:
    return f"X_new[{index[0]}][{', '.join(map(str, index[1:])) or '()'}].item()"


def _shown(parameter: int | None) -> str:
    """One parameter, or all, with all their digits."""
    return "[X.tolist() for X in X_new]" if parameter is None else f"X_new[{parameter}].tolist()"


def _arrays(row: list[Any], dtype: str | list[str]) -> str:
    """One array a parameter; `dtype` is that of all, or a list with that of each."""
    dtypes = [dtype] * len(row) if isinstance(dtype, str) else dtype
    return ", ".join(
        "None" if values is None else f"np.array({_number(values)}, {own!r})"
        for values, own in zip(row, dtypes, strict=True)
    )


def _number(value: Any) -> str:
    """A number, or nested lists of numbers, as Python writes them; infinity by name."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_number, value))}]"
    return f'float("{value}")' if str(value) in ("inf", "-inf", "nan") else repr(value)
