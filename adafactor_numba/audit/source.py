"""The plain source of the compiled loops, run on numbers of another kind."""

import types
from typing import Any

from numba.core.dispatcher import Dispatcher


def interpreted(module: types.ModuleType, **names: Any) -> types.SimpleNamespace:
    """The plain functions behind every loop that `module` uses, none compiled, as a namespace.

    `names` replaces what the source reads, such as `math` or `max`.
    """
    scope: dict[str, Any] = {}
    reached = [vars(module)]
    for own in reached:
        scope = own | scope
        inner = (x.py_func.__globals__ for x in own.values() if isinstance(x, Dispatcher))
        reached += [x for x in inner if all(x is not known for known in reached)]
    scope |= names
    for name, value in scope.items():
        plain = getattr(value, "py_func", value)
        if isinstance(plain, types.FunctionType) and plain.__module__.startswith(_package(module)):
            scope[name] = types.FunctionType(plain.__code__, scope, plain.__name__)
    return types.SimpleNamespace(**scope)


def _package(module: types.ModuleType) -> str:
    return module.__name__.partition(".")[0]
