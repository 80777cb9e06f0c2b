"""Modules of packages that import more than is needed here, or than can be installed."""

import importlib.util
import itertools
import sys
from typing import Any


def alone(name: str) -> Any:
    """The module of this name, without what the __init__ of its packages imports."""
    *packages, _ = name.split(".")
    for package in itertools.accumulate(packages, "{}.{}".format):
        spec = importlib.util.find_spec(package)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
        sys.modules[package] = importlib.util.module_from_spec(spec)
    return importlib.import_module(name)
