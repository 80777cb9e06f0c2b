"""The plain source of the compiled loops, run on numbers of another kind."""

import types
from typing import Any


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


def _plain(value: object, module: types.ModuleType) -> types.FunctionType | None:
    """The plain function behind `value`, if it is one of the package of the module."""
    plain = getattr(value, "py_func", value)
    package = module.__name__.partition(".")[0]
    if isinstance(plain, types.FunctionType) and plain.__module__.startswith(package):
        return plain
    return None
