"""What all tests share: examples of Hypothesis, audits of implementations, builders as text.

HYPOTHESIS_PROFILE=deep draws many examples; so does ci, which is taken where CI is set, none twice.
"""

import itertools
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

import pytest
from hypothesis import settings

from adafactor_numba.audit.names import ADAPTERS, paths, target
from adafactor_numba.audit.properties import WORKING
from adafactor_numba.audit.verdict import DTYPES, audit
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
    """The tests that wait for audits come last: the audits go on during the others."""
    items.sort(key=lambda item: "report" in item.fixturenames)


@pytest.fixture(scope="session", autouse=True)
def reports(request):
    """The report on every implementation and its dtypes that the chosen tests need, as futures.

    As many are audited at a time as there are processors; what is tested meanwhile comes first.
    """
    arguments = [item.callspec.params for item in request.session.items if "callspec" in vars(item)]
    wanted = dict.fromkeys(map(asked, (a for a in arguments if "implementation" in a)))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, os.nice, (10,)) as pool:
        yield {
            (name, dtypes): pool.submit(audit, name, target(name), dtypes=dtypes, paths=paths(name))
            for name, dtypes in wanted
        }
        pool.shutdown(cancel_futures=True)


def asked(parameters):
    """The implementation that the parameters of a test name, and the dtypes to ask it about.

    Without any: all, if it is a library; our own small ones only where rounding is small.
    """
    name = parameters["implementation"]
    return name, parameters.get("dtypes", DTYPES if name in ADAPTERS else WORKING)


@pytest.fixture
def report(request, reports, implementation):
    """The report on `implementation`."""
    return reports[asked(request.node.callspec.params)].result()


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
