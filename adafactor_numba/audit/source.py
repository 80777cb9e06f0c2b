"""The plain source of the compiled loops, run on numbers of another kind."""

import types
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np


def interpreted(module: types.ModuleType, **names: Any) -> types.SimpleNamespace:
    """The plain functions behind every loop that `module` uses, none compiled, as a namespace.

    `names` replaces what the source reads, such as `math` or `max`.
    """
    scope: dict[str, Any] = {}
    reached = [vars(module)]
    for own in reached:
        scope = own | scope
        inner = (plain.__globals__ for x in own.values() if (plain := _plain(x, module)))
        reached += [x for x in inner if all(x is not known for known in reached)]
    scope |= names
    for name, value in scope.items():
        if plain := _plain(value, module):
            code, defaults = plain.__code__, plain.__defaults__
            scope[name] = types.FunctionType(code, scope, plain.__name__, defaults)
    return types.SimpleNamespace(**scope)


def scope(
    *,
    number: Callable[[Any], Any],
    larger: Callable[..., Any],
    smaller: Callable[..., Any],
    zero: object,
    unwritten: object,
    **functions: Callable[..., Any],
) -> dict[str, Any]:
    """What the source reads, for numbers of another kind; `functions` are those of `math`.

    Sizes are compared as ever; `unwritten` is what memory holds that was never written.
    """
    return {
        "math": types.SimpleNamespace(**functions),
        "max": partial(_choice, max, larger),
        "min": partial(_choice, min, smaller),
        "float64": number,
        "np": types.SimpleNamespace(
            zeros=partial(_full, zero),
            empty=partial(_full, unwritten),
            empty_like=lambda like: _full(unwritten, like.shape),
            zeros_like=lambda like: _full(zero, like.shape),
        ),
    }


def _choice(of_sizes: Callable[..., Any], of_numbers: Callable[..., Any], a: Any, b: Any) -> Any:
    both = isinstance(a, int | np.integer) and isinstance(b, int | np.integer)
    return of_sizes(a, b) if both else of_numbers(a, b)


def _full(value: object, shape: Any) -> Any:
    return np.full(shape, value, object)


def _plain(value: object, module: types.ModuleType) -> types.FunctionType | None:
    """The plain function behind `value`, if it is one of the package of the module."""
    plain = getattr(value, "py_func", value)
    package = module.__name__.partition(".")[0]
    if isinstance(plain, types.FunctionType) and plain.__module__.startswith(package):
        return plain
    return None
