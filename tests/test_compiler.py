"""Loops are compiled where nothing can be written, and loaded when they are needed."""

import subprocess
import sys

import numpy as np

from adafactor_numba import Adafactor
from tests.arrays import bits, normal

STEP = """
import numpy as np
{before}
from adafactor_numba import Adafactor
X = np.ones((3, 4), np.float32)
Adafactor([X], threads=1).step([np.arange(12, dtype=np.float32).reshape(3, 4)])
print(X.tobytes().hex(), {after})
"""
NO_FOLDER = """
from numba.core import caching
for kind in vars(caching).values():
    if hasattr(kind, "_locator_classes"):
        kind._locator_classes = []
"""


def printed(source):
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_a_step_where_no_folder_can_be_written_to_has_the_same_bits():
    bare = "from adafactor_numba.loops import total"
    assert printed(f"{NO_FOLDER}\n{bare}\nprint(total._cache.cache_path)") == ["None"]
    assert printed(STEP.format(before=NO_FOLDER, after=0)) == printed(
        STEP.format(before="", after=0)
    )


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
