"""A case as it is read from a file: each field that a script needs is there, and of its kind."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

NOT_FINITE = ("inf", "-inf", "nan")
NAME = r"(?!\d)\w+"


class Stored(NamedTuple):
    """A case, the difference or law that it belongs to, and the name of the implementation."""

    case: Mapping[str, Any]
    difference: Mapping[str, Any]
    implementation: str


def stored(file: Path) -> Stored:
    """The case, or the first case of a report, that is written as JSON in `file`.

    Raises ValueError, in one line, for a file that holds neither.
    """
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{file}: no case can be read: {error}") from None
    try:
        return _stored(found)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def _stored(found: Any) -> Stored:
    """The case of what was read, all of whose fields are of their kind."""
    if not isinstance(found, Mapping):
        raise ValueError("no case: a JSON object is expected")
    name, difference = str(found.get("implementation", "")), found
    if "verdict" in found:
        if not found.get("differences"):
            raise ValueError(f"{name or 'the report'} has no difference to replay")
        _fit(found, {"differences": (_is_list, "a list")})
        difference = _object(found["differences"][0], "differences[0]")
    case = difference.get("case", difference)
    _fit_case(case, "case")
    if "other" in case:
        _fit_case({"builder": case["builder"]} | _object(case["other"], "other"), "other")
    if difference.get("index"):
        _fit(difference, {"index": (_is_index, "a list of numbers from 0")})
        _fit(difference, {"expected": (_is_number, "a number")})
    return Stored(case, difference, name)


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} is {_short(value)}, not an object")
    return dict(value)


def _fit_case(case: Any, name: str) -> None:
    """Raise ValueError for the first field that is absent or of another kind."""
    found = _object(case, name)
    if missing := {*NEEDED} - {*found}:
        raise ValueError(f"the {name} has no {', '.join(sorted(missing))}; too long a run")
    _fit(found, NEEDED)
    _fit(found, {field: kind for field, kind in POSSIBLE.items() if found.get(field) is not None})
    count = len(found["params"])
    for k, row in enumerate(found["grads"]):
        if len(row) != count:
            raise ValueError(f"grads[{k}] has {len(row)} entries, params {count}")
    if not isinstance(found["dtype"], str) and len(found["dtype"]) != count:
        raise ValueError(f"dtype has {len(found['dtype'])} entries, params {count}")


def _fit(found: Mapping[str, Any], kinds: Mapping[str, "Kind"]) -> None:
    for field, (fits, kind) in kinds.items():
        if not fits(found.get(field)):
            raise ValueError(f"{field} is {_short(found.get(field))}, not {kind}")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_index(value: Any) -> bool:
    return _is_list(value) and all(map(_is_count, value))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) or value in NOT_FINITE


def _is_array(value: Any) -> bool:
    return all(map(_is_array, value)) if _is_list(value) else _is_number(value)


def _is_dtype(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"float\d+", value))


def _is_row(value: Any) -> bool:
    return _is_list(value) and all(G is None or _is_array(G) for G in value)


def _is_builder(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(rf"{NAME}(\.{NAME})*:{NAME}", value))


def _are_options(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        re.fullmatch(NAME, name) and _is_number(option) for name, option in value.items()
    )


Kind = tuple[Callable[[Any], bool], str]

NEEDED: Mapping[str, Kind] = {
    "builder": (_is_builder, "module:builder"),
    "params": (lambda v: _is_list(v) and all(map(_is_array, v)), "a list of arrays"),
    "grads": (lambda v: _is_list(v) and all(map(_is_row, v)), "a list of lists of arrays"),
    "dtype": (
        lambda v: all(map(_is_dtype, v)) if _is_list(v) else _is_dtype(v),
        "a dtype, or a list of them",
    ),
    "hyperparameters": (_are_options, "an object of numbers"),
}
POSSIBLE: Mapping[str, Kind] = {
    "groups": (lambda v: _is_list(v) and all(map(_is_index, v)), "a list of lists of numbers"),
    "jump": (_is_count, "a number of steps"),
    "split": (_is_count, "a number of steps"),
    "parameter": (_is_count, "a number of a parameter"),
}
