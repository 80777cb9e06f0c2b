"""What holds of the sources themselves: who may import whom, and what may not be written.

A checker reads one file, its syntax tree or its text, and yields line and fault for what is wrong.
Each is tested on sources that are wrong and on their right neighbours.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePath

import pytest

from tests.rooms import AUDIT, BENEATH, ROOMS, SEQUENCE

ROOT = Path(__file__).parent.parent
PACKAGES = ("derivations", "proofs", "adafactor_numba")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
Found = Iterator[tuple[int, str]]


def imports(path: PurePath, tree: ast.AST) -> Iterator[tuple[int, str, bool]]:
    """Line, full name and whether inside a function, of all that the file at `path` imports."""
    inside = {
        id(node)
        for f in ast.walk(tree)
        if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(f)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parent = path.parts[: len(path.parts) - node.level] if node.level else ()
            source = ".".join([*parent, *([node.module] if node.module else [])])
            # `from package import module` reads the module; `from module import name`, the module
            names = [f"{source}.{a.name}" if is_package(source) else source for a in node.names]
        else:
            continue
        yield from ((node.lineno, name, id(node) in inside) for name in names)


def is_package(name: str) -> bool:
    return (ROOT / name.replace(".", "/") / "__init__.py").is_file()


def room(name: str) -> str:
    """The innermost room that a module is in, or its package if it is not ours."""
    inside = [r for r in ROOMS if name == r or name.startswith(r + ".")]
    return max(inside, key=len, default=name.split(".")[0])


def module(path: PurePath) -> str:
    return ".".join(path.with_suffix("").parts)


def direction(path: PurePath, tree: ast.AST) -> Found:
    """Each room imports what it may."""
    here = room(module(path))
    for line, name, inside in imports(path, tree):
        allowed = ROOMS[here].top | (ROOMS[here].on_demand if inside else set())
        if room(name) not in allowed | sys.stdlib_module_names:
            where = "" if inside else " at the top of a module"
            yield line, f"imports {name}; {here} may import {', '.join(sorted(allowed))}{where}"


def order(path: PurePath, tree: ast.AST) -> Found:
    """What is named in BENEATH reads no other module of ours than those."""
    here = module(path)
    if here in BENEATH:
        for line, name, _ in imports(path, tree):
            if name.startswith(PACKAGES) and name not in BENEATH[here]:
                yield line, f"imports {name}, which stands above {here}"


def sequence(path: PurePath, tree: ast.AST) -> Found:
    """A module of the audit has its place, and reads none that has no place before it."""
    room_of, _, here = module(path).rpartition(".")
    if room_of != AUDIT or here == "__init__":
        return
    if here not in SEQUENCE:
        yield 1, "has no place in SEQUENCE"
        return
    before = SEQUENCE[: SEQUENCE.index(here)]
    for line, name, _ in imports(path, tree):
        if name.startswith(f"{AUDIT}.") and name.removeprefix(f"{AUDIT}.") not in before:
            yield line, f"imports {name}, which has no place before {here}"


def stars(path: PurePath, tree: ast.AST) -> Found:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            yield node.lineno, "imports *"


def dangers(path: PurePath, tree: ast.AST) -> Found:
    """No text becomes code."""
    for node in ast.walk(tree):
        name = getattr(node, "id", None) or getattr(node, "attr", None)
        if isinstance(node, ast.Name) and name in {"exec", "eval", "compile", "__import__"}:
            yield node.lineno, f"uses {name}"
        for part in ("name", "arg", "module"):  # of an import or a keyword
            name = getattr(node, part, None) or name
        if name in {"sympify", "parse_expr", "pickle", "allow_pickle", "marshal"}:
            yield node.lineno, f"uses {name}"


def plain_sources(path: PurePath, tree: ast.Module) -> Found:
    """What is compiled is `name = loop(_name)`, so that `_name` can be read and run as it is.

    Or `inlined(_name)` or `together(_name)`, the other ways of `compiler.py`.
    """
    compilers = {"loop", "inlined", "together"}
    if any(room(name) == "sympy" for _, name, _ in imports(path, tree)):
        compilers.remove("together")  # SymPy has a together, too
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    good = {
        id(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and f"_{node.targets[0].id}" in functions
        and ast.unparse(node.value) in {f"{x}(_{node.targets[0].id})" for x in compilers}
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in compilers and id(node) not in good:
            yield node.lineno, f"compiles {ast.unparse(node)}; write name = {called(node)}(_name)"
        for decorator in getattr(node, "decorator_list", ()):
            if called(decorator) in {*compilers, "njit", "jit", "vectorize", "guvectorize"}:
                yield node.lineno, f"decorates {node.name}; write name = loop(_name)"
        elsewhere = not {"compiler.py", "adapters", "peers.py"} & {
            *path.parts
        }  # JAX has a jit, too
        if called(node) in {"njit", "jit"} and elsewhere:
            yield node.lineno, f"uses {called(node)}; compiler.py says how loops are compiled"


def called(node: ast.AST) -> str | None:
    """The last name of what `node` calls or is: `njit` for `numba.njit(cache=True)`."""
    node = node.func if isinstance(node, ast.Call) else node
    return getattr(node, "id", None) or getattr(node, "attr", None)


def reexports(path: PurePath, tree: ast.Module) -> Found:
    """An __init__.py has a docstring, imports and __all__."""
    if path.name != "__init__.py":
        return
    for node in tree.body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        names = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        if not (docstring or names or isinstance(node, ast.Import | ast.ImportFrom)):
            yield node.lineno, f"is code in an __init__.py: {ast.unparse(node).splitlines()[0]}"


CHECKERS = (direction, order, sequence, stars, dangers, plain_sources, reexports)
SOURCES = sorted(p.relative_to(ROOT) for x in PACKAGES for p in (ROOT / x).rglob("*.py"))


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda c: c.__name__)
def test_the_sources_keep_the_contract(checker):
    assert len(SOURCES) > 10
    trees = ((path, ast.parse((ROOT / path).read_text())) for path in SOURCES)
    wrong = [f"{p}:{line} {what}" for p, tree in trees for line, what in checker(p, tree)]
    assert not wrong, "\n".join(wrong)


FALSE = [
    (direction, "derivations/cases.py", "import adafactor_numba.matrix"),
    (direction, "derivations/cases.py", "from proofs import calculus"),
    (direction, "derivations/cases.py", "from ..adafactor_numba import matrix"),
    (direction, "derivations/cases.py", "def f():\n    import torch"),
    (direction, "proofs/sums.py", "from adafactor_numba import loops"),
    (direction, "adafactor_numba/matrix.py", "import sympy"),
    (direction, "adafactor_numba/matrix.py", "def f():\n    from derivations.rule import Step"),
    (direction, "adafactor_numba/exact.py", "import flint"),
    (direction, "adafactor_numba/strict.py", "def f():\n    import flint"),
    (direction, "adafactor_numba/optimizer.py", "from .audit import protocol"),
    (direction, "adafactor_numba/optimizer.py", "from . import audit"),
    (direction, "adafactor_numba/audit/check.py", "import torch"),
    (direction, "adafactor_numba/audit/check.py", "from .adapters import torch"),
    (direction, "adafactor_numba/audit/adapters/torch.py", "from derivations import adafactor"),
    (direction, "adafactor_numba/audit/adapters/torch.py", "import tests"),
    (direction, "adafactor_numba/cli.py", "from derivations import rule"),
    (direction, "adafactor_numba/cli.py", "import numpy"),
    (order, "derivations/rule.py", "from .adafactor import MATRIX"),
    (order, "derivations/rule.py", "from . import evaluate"),
    (order, "derivations/adafactor.py", "def f():\n    from derivations.evaluate import BALL"),
    (order, "derivations/evaluate.py", "from .adafactor import MATRIX"),
    (order, "derivations/calculus.py", "from .factorization import TOTALS"),
    (order, "derivations/method.py", "from .changes import both"),
    (order, "derivations/changes.py", "from .variants import VARIANTS"),
    (order, "adafactor_numba/audit/worker.py", "from .subject import Run"),
    (order, "adafactor_numba/audit/worker.py", "from derivations.method import ADAFACTOR"),
    (order, "adafactor_numba/audit/subject.py", "from .worker import trace"),
    (order, "adafactor_numba/audit/scenarios.py", "def f():\n    from .judgement import FORMATS"),
    (order, "adafactor_numba/audit/screen.py", "from .verdict import audit"),
    (order, "adafactor_numba/audit/edits.py", "from derivations.variants import VARIANTS"),
    (sequence, "adafactor_numba/audit/novelty.py", "import math"),
    (sequence, "adafactor_numba/audit/precision.py", "def f():\n    from . import search"),
    (sequence, "adafactor_numba/audit/suspect.py", "from .findings import STEPS"),
    (sequence, "adafactor_numba/audit/flags.py", "from .conduct import conduct"),
    (sequence, "adafactor_numba/audit/moves.py", "from adafactor_numba.audit.asking import Asking"),
    (sequence, "adafactor_numba/audit/laws.py", "from .properties import Property"),
    (sequence, "adafactor_numba/audit/besides.py", "from .novelty import f"),
    (stars, "derivations/rule.py", "from sympy import *"),
    (dangers, "derivations/rule.py", "eval('1')"),
    (dangers, "derivations/rule.py", "run = exec"),
    (dangers, "derivations/rule.py", "import pickle"),
    (dangers, "derivations/rule.py", "from pickle import loads"),
    (dangers, "derivations/rule.py", "sp.sympify('1')"),
    (dangers, "derivations/rule.py", "from sympy import sympify as read"),
    (dangers, "derivations/rule.py", "np.load(f, allow_pickle=True)"),
    (plain_sources, "adafactor_numba/matrix.py", "@loop\ndef step(X): pass"),
    (plain_sources, "adafactor_numba/matrix.py", "@numba.njit(cache=True)\ndef step(X): pass"),
    (plain_sources, "adafactor_numba/matrix.py", "def _step(X): pass\nstep = njit(_step)"),
    (plain_sources, "adafactor_numba/matrix.py", "def _step(X): pass\nstap = loop(_step)"),
    (plain_sources, "adafactor_numba/matrix.py", "step = loop(_step)"),
    (plain_sources, "adafactor_numba/matrix.py", "def _add(x): pass\nadds = inlined(_add)"),
    (plain_sources, "adafactor_numba/matrix.py", "@inlined\ndef add(x): pass"),
    (plain_sources, "adafactor_numba/sweep.py", "read_together = together(_read)"),
    (plain_sources, "adafactor_numba/sweep.py", "def _f(): pass\nread = loops.together(_f)"),
    (plain_sources, "adafactor_numba/matrix.py", "step = loop(lambda x: x)"),
    (reexports, "proofs/__init__.py", "def f(): pass"),
    (reexports, "proofs/__init__.py", "VERSION = 1"),
]
TRUE = [
    (direction, "derivations/cases.py", "import math\nimport sympy.core\nfrom .rule import Step"),
    (direction, "proofs/sums.py", "from derivations import rule\nfrom .calculus import equal"),
    (direction, "adafactor_numba/optimizer.py", "from . import matrix\nfrom .vector import step"),
    (direction, "adafactor_numba/exact.py", "def f():\n    import flint"),
    (direction, "adafactor_numba/strict.py", "from .exact import Exact"),
    (direction, "adafactor_numba/audit/adapters/torch.py", "import torch.optim"),
    (direction, "adafactor_numba/audit/check.py", "from ..optimizer import Adafactor"),
    (direction, "adafactor_numba/bench/time.py", "def f():\n    import torch"),
    (direction, "adafactor_numba/cli.py", "import typer\ndef f():\n    from .audit import audit"),
    (order, "derivations/adafactor.py", "from .rule import Step"),
    (order, "derivations/variants.py", "from . import adafactor, evaluate"),
    (order, "derivations/changes.py", "import sympy\nfrom .method import Axes"),
    (order, "adafactor_numba/audit/worker.py", "import json\nfrom .course import Course"),
    (order, "adafactor_numba/audit/search.py", "from .judgement import WILD"),
    (sequence, "adafactor_numba/audit/findings.py", "from . import search, suspect"),
    (sequence, "adafactor_numba/audit/adapters/new.py", "from .builder import built"),
    (sequence, "adafactor_numba/cli.py", "from .audit.verdict import audit"),
    (stars, "derivations/rule.py", "from sympy import Mul"),
    (dangers, "derivations/rule.py", "re.compile('x')\nmodel.eval()\nnp.load(f)"),
    (plain_sources, "adafactor_numba/matrix.py", "def _step(X): pass\nstep = loop(_step)"),
    (plain_sources, "adafactor_numba/matrix.py", "def _add(x): pass\nadd = inlined(_add)"),
    (plain_sources, "adafactor_numba/sweep.py", "def _read(): pass\nread = together(_read)"),
    (plain_sources, "proofs/sums.py", "from sympy import together\nx = together(y)"),
    (plain_sources, "adafactor_numba/compiler.py", "loop = njit(cache=True)"),
    (plain_sources, "adafactor_numba/audit/adapters/optax.py", "step = jax.jit(_step)"),
    (plain_sources, "adafactor_numba/bench/peers.py", "step = jax.jit(_step)"),
    (reexports, "proofs/__init__.py", "'''Proofs.'''\nfrom .sums import f\n__all__ = ['f']"),
    (reexports, "proofs/sums.py", "VERSION = 1"),
]


@pytest.mark.parametrize(("checker", "path", "source"), FALSE)
def test_a_checker_refuses_what_is_false(checker, path, source):
    assert [*checker(PurePath(path), ast.parse(source))]


@pytest.mark.parametrize(("checker", "path", "source"), TRUE)
def test_a_checker_accepts_the_true_neighbour(checker, path, source):
    assert not [*checker(PurePath(path), ast.parse(source))]


def test_each_checker_has_something_false_to_refuse():
    assert {checker for checker, _, _ in FALSE} == {*CHECKERS}


def test_what_is_named_in_the_order_exists():
    named = {*BENEATH, *(name for beneath in BENEATH.values() for name in beneath)}
    named |= {f"{AUDIT}.{name}" for name in SEQUENCE}
    assert named <= {module(path) for path in SOURCES}
    assert len({*SEQUENCE}) == len(SEQUENCE)


def cycle(read: dict[str, set[str]]) -> list[str]:
    """Modules that import one another in a circle, if there are any."""
    try:
        TopologicalSorter(read).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_no_modules_import_one_another():
    read = {
        module(path): {m for _, m, _ in imports(path, ast.parse((ROOT / path).read_text()))}
        for path in SOURCES
    }
    assert not cycle(read)
    assert cycle({"rule": {"adafactor"}, "adafactor": {"rule"}})


def strays(text: str) -> Found:
    """Places that exist on one machine only, or outside the project."""
    pattern = r"(?<![\w.])/(home|root|work|tmp|opt|Users)/|\.\./shared|pypi\.org|pythonhosted\.org"
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.search(pattern, line):
            yield number, f"names a place that others do not have: {found[0]}"


def texts() -> Iterator[Path]:
    """Every file of the project that can be read; what .gitignore names is no part of it."""
    ignored = [".git", *(line.rstrip("/") for line in (ROOT / ".gitignore").read_text().split())]

    def walk(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if not any(fnmatch(path.name, pattern) for pattern in ignored):
                yield from walk(path) if path.is_dir() else [path]

    yield from walk(ROOT)


WRITTEN = {ROOT / "docs" / "theorems.md"}
"""By a program, in as many lines as there are theorems; divided by its headings."""


def length(text: str) -> Found:
    if (lines := len(text.splitlines())) > 400:
        yield lines, "has more than 400 lines; divide it by its nouns"


@pytest.mark.parametrize("checker", [strays, length], ids=lambda c: c.__name__)
def test_every_file_keeps_the_contract(checker):
    paths = [*texts()]
    assert {ROOT / "Makefile", ROOT / ".ci" / "run", Path(__file__)} <= {*paths}
    wrong = [
        f"{path.relative_to(ROOT)}:{line} {what}"
        for path in paths
        if checker is not length or path not in WRITTEN
        for line, what in checker(path.read_text("utf-8", "replace"))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("parts", [("", "home", "x"), ("", "work", "x"), ("..", "shared")])
def test_a_place_that_others_do_not_have_is_found(parts):
    assert [*strays("see " + "/".join(parts))]


def test_the_name_of_a_registry_is_found():
    assert [*strays("see " + ".".join(("https://pypi", "org")))]


@pytest.mark.parametrize("text", ["a/work/b", "#!/usr/bin/env bash", "./tmp/x", "shared/x"])
def test_other_places_are_let_be(text):
    assert not [*strays(text)]


def test_a_file_of_401_lines_is_too_long():
    assert [*length("x\n" * 401)]
    assert not [*length("x\n" * 400)]


def unexplained(project: dict, contributing: str) -> set[str]:
    """The dependencies for which CONTRIBUTING gives no reason of three words or more."""
    extras = project["project"]["optional-dependencies"].values()
    wanted = [*project["project"]["dependencies"], *(x for extra in extras for x in extra)]
    names = {re.match(r"[\w-]+", x)[0] for x in [*wanted, *project["build-system"]["requires"]]}
    names.discard(project["project"]["name"])  # an extra that names others
    reasons = re.findall(r"^\* `([\w-]+)`: (?:\S+\s+){2}\S+", contributing, re.MULTILINE)
    return names - {*reasons}


def test_each_dependency_has_its_reason():
    assert not unexplained(PROJECT, (ROOT / "CONTRIBUTING.md").read_text())


def test_a_dependency_without_its_reason_is_found():
    project = {
        "build-system": {"requires": ["hatchling>=1"]},
        "project": {
            "name": "own",
            "dependencies": ["numpy>=2"],
            "optional-dependencies": {"a": ["x-y==1"], "b": ["own[a]"]},
        },
    }
    contributing = "* `numpy`: arrays of numbers\n* `x-y`: short\n"
    assert unexplained(project, contributing) == {"hatchling", "x-y"}
