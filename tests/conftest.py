"""What all tests share: examples of Hypothesis, audits of implementations, builders as text.

HYPOTHESIS_PROFILE=deep draws many examples; so does ci, which is taken where CI is set, none twice.
"""

import fcntl
import itertools
import os
import pickle
from functools import cache, partial

import pytest
from hypothesis import settings

from adafactor_numba.audit.names import ADAPTERS, paths, target
from adafactor_numba.audit.properties import WORKING
from adafactor_numba.audit.verdict import DTYPES, audit
from proofs.catalogue import THEOREMS
from proofs.prove import proofs
from tests.arrays import LOOPS

settings.register_profile("dev", max_examples=50, deadline=None)  # compiling takes seconds
settings.register_profile(
    "ci", settings.get_profile("dev"), derandomize=True, print_blob=True, database=None
)
settings.register_profile("deep", settings.get_profile("dev"), max_examples=5000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)

NUMBERS = itertools.count()


def pytest_addoption(parser):
    parser.addoption("--write", action="store_true", help="write the pages of docs anew")


def pytest_collection_modifyitems(items):
    """Tests of the same audit follow each other, so that one process makes it and tests it."""
    items.sort(key=lambda item: str(asked(item)) if "report" in item.fixturenames else "")


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """Makes what has a name once for all processes of pytest: others wait for the first one's."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder

    def found(name, make):
        with (folder / name).open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if file.seek(0, os.SEEK_END):
                file.seek(0)
                return pickle.load(file)
            made = make()
            file.write(pickle.dumps(made))
            return made

    return found


@pytest.fixture(scope="session")
def reports(once):
    """The report on an implementation and its dtypes, as a function of them."""

    @cache
    def report(name, dtypes):
        make = partial(audit, name, target(name), dtypes=dtypes, paths=paths(name))
        return once(f"{name}, {' '.join(dtypes)}", make)

    return report


@pytest.fixture(scope="session")
def put(once):
    """All theorems, put to the checkers at once."""
    return once("theorems", lambda: [*proofs(THEOREMS)])


def asked(item):
    """The implementation that the parameters of a test name, and the dtypes to ask it about.

    Without any: all, if it is a library; our own small ones only where rounding is small.
    """
    parameters = item.callspec.params
    name = parameters["implementation"]
    return name, parameters.get("dtypes", DTYPES if name in ADAPTERS else WORKING)


@pytest.fixture
def report(request, reports, implementation):
    """The report on `implementation`."""
    return reports(*asked(request.node))


@pytest.fixture
def builder(tmp_path, monkeypatch):
    """Writes a module into an importable folder; returns `module:build`."""
    monkeypatch.syspath_prepend(tmp_path)

    def written(text):
        name = f"subject_{next(NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(text)
        return f"{name}:build"

    return written


@pytest.fixture
def interpreted(monkeypatch):
    """Every compiled loop replaced by its plain source."""
    replaced = 0
    for module in LOOPS:
        for name, f in list(vars(module).items()):
            if hasattr(f, "py_func"):
                monkeypatch.setattr(module, name, f.py_func)
                replaced += 1
    return replaced
