"""The modules that a step runs through as plain source, changed or not, for as long as needed."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.mutants import SOURCE, changed, modules, sources

STRICT = "nearest", "fused", "doubledouble", "singles", "bounds", "pairsums"
STRICT += "whole", "threefold", "survey"
SMALLER = {
    "whole": ("SUMMANDS = 2**11 ", "SUMMANDS = 24 "),
    "survey": ("PART = 2**11 ", "PART = 4 "),
}


def originals() -> dict[str, str]:
    """Those of the loops, with smaller blocks, and of the sums of strict steps."""
    texts = {name: (SOURCE / f"{name}.py").read_text() for name in STRICT}
    for name, sizes in SMALLER.items():
        texts[name] = changed(texts[name], "smaller blocks", *sizes)
    return sources() | texts


@contextmanager
def written(texts: Mapping[str, str]) -> Iterator[SimpleNamespace]:
    """The modules of a package with these texts, nothing in them compiled; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="mutant"))
    package = folder.name
    sys.path.insert(0, str(folder))
    try:
        yield SimpleNamespace(**uncompiled(modules(folder, package, texts)))
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]
        shutil.rmtree(folder)


def uncompiled(found: dict[str, Any]) -> dict[str, Any]:
    for module in found.values():
        for name, f in list(vars(module).items()):
            setattr(module, name, getattr(f, "py_func", f))
    return found
