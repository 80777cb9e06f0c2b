"""Loops are compiled where nothing can be written, and loaded when they are needed."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numba.core.caching import IndexDataCacheFile

from adafactor_numba import Adafactor
from adafactor_numba.compiler import Kept
from tests.arrays import bits, normal
from tests.mutants import SOURCE, changed

STEPS = """
{before}
import hashlib
import numpy as np
from adafactor_numba import Adafactor, sweep
for threads in (1, 2):
    X = np.ones((256, 256), np.float32)  # enough for two threads
    Adafactor([X], threads=threads).step([np.arange(X.size, dtype=X.dtype).reshape(X.shape)])
    print(hashlib.sha256(X).hexdigest())
for loop in (sweep.step, sweep.step_together):
    print(loop.stats.cache_hits.total(), loop.stats.cache_misses.total())
"""
NO_FOLDER = """
from numba.core import caching
for kind in vars(caching).values():
    if hasattr(kind, "_locator_classes"):
        kind._locator_classes = []
"""


def printed(source, **environment):
    done = subprocess.run(
        [sys.executable, "-c", source],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_a_second_process_compiles_nothing_but_where_no_folder_can_be_written_to():
    first, second, without = (printed(STEPS.format(before=x)) for x in ("", "", NO_FOLDER))
    assert first[:2] == second[:2] == without[:2]
    assert second[2:] == ["1", "0"] * 2
    assert without[2:] == ["0", "1"] * 2


CALLS = """
from .compiler import loop
from .called import called
def _calls(x):
    return called(x)
calls = loop(_calls)
"""
CALLED = """
from .compiler import loop
def _called(x):
    return -x
called = loop(_called)
"""


@pytest.mark.parametrize(("stamp", "seen"), [("stamp", "1.0"), ("stamp[0]", "-1.0")])
def test_a_change_of_what_a_loop_calls_is_seen_by_the_next_process(stamp, seen, tmp_path):
    """Not so by Numba's own stamp, that of the file of the loop."""
    package = tmp_path / "package"
    package.mkdir()
    compiler = changed((SOURCE / "compiler.py").read_text(), stamp, "name, stamp", f"name, {stamp}")
    for name, text in {"compiler": compiler, "calls": CALLS, "called": CALLED}.items():
        (package / f"{name}.py").write_text(text)
    source = "from package.calls import calls; print(calls(1.0))"
    places = {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path)}
    assert printed(source, **places, PYTHONDONTWRITEBYTECODE="1") == ["-1.0"]
    (package / "called.py").write_text(changed(CALLED, "sign", "-x", "+x"))
    assert printed(source, **places, PYTHONDONTWRITEBYTECODE="1") == [seen]


@pytest.mark.parametrize(("kind", "found"), [(Kept, ["a", "b"]), (IndexDataCacheFile, ["a", None])])
def test_what_two_processes_keep_at_once_is_kept_of_both(kind, found, tmp_path, monkeypatch):
    """Numba's own files lose what is kept between the reading of their index and its writing."""
    one, other = (kind(str(tmp_path), "loop", "stamp") for _ in range(2))
    write = IndexDataCacheFile._open_for_write

    def interrupted(self, path):
        monkeypatch.undo()
        other.save("second", "b")
        return write(self, path)

    monkeypatch.setattr(IndexDataCacheFile, "_open_for_write", interrupted)
    one.save("first", "a")
    assert [other.load(key) for key in ("first", "second")] == found


@pytest.mark.parametrize(("stamp", "found"), [("stamp", "a"), ("another", None)])
def test_what_was_kept_of_other_sources_is_not_served(stamp, found, tmp_path):
    Kept(str(tmp_path), "loop", "stamp").save("first", "a")
    assert Kept(str(tmp_path), "loop", stamp).load("first") == found


def test_the_import_loads_no_loop_and_the_first_optimizer_does():
    loaded = "'adafactor_numba.loops' in sys.modules"
    source = f"import sys, adafactor_numba; print({loaded}); {{}}print({loaded})"
    assert printed(source.format("adafactor_numba.Adafactor([]); ")) == ["False", "True"]
    assert printed(source.format("")) == ["False", "False"]


def test_a_process_may_fork_after_steps_and_its_child_step_by_one_thread():
    """OpenMP ends a child that uses it after its parent did."""
    source = """
import numpy as np, os
from adafactor_numba import Adafactor
def stepped(threads):
    X = np.ones((600, 700))
    Adafactor([X], threads=threads).step([X.copy()])
stepped(2)
if child := os.fork():
    print(os.waitpid(child, 0)[1])
else:
    stepped(1)
    os._exit(0)
"""
    assert printed(source) == ["0"]


def test_what_is_kept_compiled_is_the_loop_that_it_is_the_name_of():
    """Numba keeps one function under each name: serial and parallel loops need two."""
    X, Y = normal((600, 700)), normal((600, 700))
    Adafactor([X], threads=1).step([np.ones_like(X)])
    Adafactor([Y], threads=2).step([np.ones_like(Y)])
    assert bits(X) == bits(Y)
