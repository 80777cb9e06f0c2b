"""The tests nearest to the module that was changed in this copy of the sources, which are run.

A test is near that imports the module; nearer than one that imports what imports it.  Run in a
copy by cosmic-ray, of which the sources beside it are those that were copied.
"""

import ast
import filecmp
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
WITHOUT_LOOPS = "derivations.", "adafactor_numba.audit.", "adafactor_numba.bench."
FEW = 3  # files of tests at least, so that what no test imports by name is tested, too


def changed(copy: Path, original: Path) -> list[str]:
    """The names of the modules whose texts differ."""
    files = [path.relative_to(copy) for path in copy.rglob("*.py")]
    return [
        named(path)
        for path in files
        if (original / path).is_file() and not filecmp.cmp(copy / path, original / path, False)
    ]


def named(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def readers(folder: Path) -> dict[str, set[str]]:
    """Of every module that is imported, those that import it."""
    found: dict[str, set[str]] = {}
    for path in folder.rglob("*.py"):
        own = path.relative_to(folder)
        for name in imported(own, ast.parse(path.read_text())):
            found.setdefault(name, set()).add(named(own))
    return found


def imported(path: Path, tree: ast.AST) -> Iterator[str]:
    """All names that a file imports, of modules and of what is in them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = path.parts[: len(path.parts) - node.level] if node.level else ()
            source = ".".join([*parent, *filter(None, [node.module])])
            yield from (source, *(f"{source}.{alias.name}" for alias in node.names))


def nearest(module: str, imports: Mapping[str, set[str]]) -> list[str]:
    """The tests that import the module, and those that import these importers, until there are FEW.

    The test of the same name comes first.
    """
    own = f"tests.test_{module.rpartition('.')[2]}"
    seen, front = {module}, {module}
    tests: list[str] = []
    while front and len(tests) < FEW:
        front = {reader for name in front for reader in imports.get(name, ())} - seen
        seen |= front
        tests += sorted(name for name in front if name.startswith("tests.test_"))
    return sorted(tests, key=lambda name: name != own)


def main() -> int:
    """Run the tests that are nearest to what was changed; stop at the first that fails."""
    modules = changed(ROOT, Path(sys.argv[1]))
    tests = dict.fromkeys(t for module in modules for t in nearest(module, readers(ROOT)))
    files = [f"{name.replace('.', '/')}.py" for name in tests]
    options = ["-x", "-q", "--no-header", "-m", "not slow and not peers"]
    own = {"PYTHONPATH": str(ROOT), "HYPOTHESIS_PROFILE": "ci"}
    with tempfile.TemporaryDirectory() as folder:
        # Numba keeps what was compiled from a loop though another that it calls has changed
        if not all(module.startswith(WITHOUT_LOOPS) for module in modules):
            own["NUMBA_CACHE_DIR"] = folder
        return subprocess.run(
            [sys.executable, "-m", "pytest", *options, *files],
            env=os.environ | own,
            cwd=ROOT,
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
