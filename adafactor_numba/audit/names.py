"""The short names of implementations that an audit knows, and what a name stands for."""

import difflib
from collections.abc import Iterable

ADAPTERS = {
    "numba": ("ours", "this package"),
    "torch": ("torch", "torch.optim.Adafactor with its own defaults; extra: torch"),
}
"""name: the module in `adapters` whose `build` is the builder, and what it builds."""


def target(name: str) -> str:
    """`module:builder` behind a name; a name with a colon stands for itself."""
    if ":" in name:
        return name
    if name not in ADAPTERS:
        known = near(name, ADAPTERS)
        raise ValueError(
            f"no implementation is called {name!r}; known are {known}; "
            f"your own is named package.module:builder"
        )
    return f"adafactor_numba.audit.adapters.{ADAPTERS[name][0]}:build"


def near(name: str, names: Iterable[str]) -> str:
    """The known names, those near to `name` alone if there are any."""
    known = list(names)
    return ", ".join(difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known)
