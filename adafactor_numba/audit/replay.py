"""A case as a script of ten lines that asks the implementation again."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .names import paths


def replayed(file: Path) -> str:
    """The script for a case, or for the first case of a report, written as JSON in `file`.

    Raises ValueError, in one line, for a file that holds neither.
    """
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"{file}: no case can be read: {error}") from None
    if not isinstance(found, Mapping):
        raise ValueError(f"{file}: no case: a JSON object is expected")
    if "verdict" in found and not found.get("differences"):
        raise ValueError(f"{file}: {found['implementation']} has no difference to replay")
    difference = found["differences"][0] if "verdict" in found else found
    case = difference.get("case", difference)
    if missing := {"builder", "params", "grads", "dtype", "hyperparameters"} - {*case}:
        raise ValueError(f"{file}: the case has no {', '.join(sorted(missing))}; too long a run")
    return script(case, difference, paths(str(found.get("implementation", ""))))


def script(
    case: Mapping[str, Any], difference: Mapping[str, Any], folders: Sequence[str] = ()
) -> str:
    """Python that builds the implementation, runs the case and prints both values.

    `folders` are those to import from before all others.
    """
    module, _, build = case["builder"].partition(":")
    options = "".join(f", {k}={_number(v)}" for k, v in case["hyperparameters"].items())
    params, *rows = (_arrays(row, case["dtype"]) for row in (case["params"], *case["grads"]))
    lines = [
        *(["import sys", f"sys.path[:0] = {[*folders]!r}"] if folders else []),
        "import numpy as np",
        f"from {module} import {build}",
        "",
        f"params = [{params}]",
        "gradients = [",
        *(f"    [{row}]," for row in rows),
        "]",
        f"step = {build}(params{options})",
        "for grads in gradients:",
        "    X_new = step(grads)",
    ]
    index = difference.get("index") or []
    if index:
        entry = "X_new" + "".join(f"[{k}]" for k in index[:1])
        place = ", ".join(map(str, index[1:])) or "()"
        lines.append(f'print("got     ", {entry}[{place}].item())')
        lines.append(f'print("expected", {_number(difference["expected"])})')
    else:
        lines.append("print(X_new)")
    return "\n".join(lines) + "\n"


def _arrays(row: list[Any], dtype: str | list[str]) -> str:
    """One array a parameter; `dtype` is that of all, or a list with that of each."""
    dtypes = [dtype] * len(row) if isinstance(dtype, str) else dtype
    return ", ".join(
        "None" if values is None else f"np.array({_number(values)}, {own!r})"
        for values, own in zip(row, dtypes, strict=True)
    )


def _number(value: Any) -> str:
    """A number, or nested lists of numbers, as Python writes them; infinity by name."""
    if isinstance(value, list):
        return f"[{', '.join(map(_number, value))}]"
    return f'float("{value}")' if str(value) in ("inf", "-inf", "nan") else repr(value)
