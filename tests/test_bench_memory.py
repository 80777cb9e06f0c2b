"""What our optimizer keeps and what a step takes: some numbers for rows and columns, no matrix."""

import math

import numpy as np
import pytest

from adafactor_numba import Adafactor
from adafactor_numba.bench import memory
from adafactor_numba.bench.child import lines
from adafactor_numba.bench.memory import MIB, needed
from adafactor_numba.bench.peers import OURS
from adafactor_numba.loops import BLOCK, LEAST, STRIPS

SIDES = 2048, 2048
UNSEEN = 64 * 4096  # bytes: Linux counts the pages of a thread in batches of 64


def counted(n, m, strips):
    """R and C, as much again, and 16 m bytes and three sums for every strip."""
    return 16 * (n + m) + strips * (16 * m + 24)


def block(m, dtype, order):
    """What a thread takes to copy a block of X and of G to where the loops want it."""
    entries = max(BLOCK, LEAST * m)
    if dtype == "float16":  # G in float32, X in float64, the bits as they lie and rounded
        return entries * (4 + 8 + 2 + 2)
    return 0 if order == "C" else entries * (4 + 4)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("threads", [1, 2])
def test_of_ours_a_process_keeps_numbers_for_rows_and_columns_and_a_step_takes_blocks(
    threads, dtype, order
):
    n, m = SIDES
    found = needed(OURS, SIDES, threads, dtype=dtype, order=order)
    copies = threads * (block(m, dtype, order) + UNSEEN)
    assert found.weights == np.dtype(dtype).itemsize * n * m
    assert found.counted == counted(n, m, STRIPS)
    assert found.kept is None or abs(found.kept - found.counted) <= copies < found.weights // 3
    assert 0 <= found.raised <= copies


def test_of_few_and_long_rows_it_keeps_as_much_for_each_strip():
    n, m = 16, 131_072
    found = needed(OURS, (n, m))
    assert found.counted == counted(n, m, 2)
    assert found.kept is None or abs(found.kept - found.counted) <= UNSEEN
    assert 0 <= found.raised <= 8 * m + UNSEEN  # X^2 is added up by columns


def test_of_many_small_matrices_it_keeps_what_it_counts_and_takes_no_copy():
    count, side = 1000, 64
    found, least = (needed(OURS, (k, k), count=count) for k in (side, 1))
    assert found.counted == count * counted(side, side, 1)
    assert found.raised <= UNSEEN
    if found.kept is not None:
        objects = least.kept - least.counted
        first = count * 8 * 2 * side  # each has R and C of its own before all have them in one
        assert found.kept <= found.counted + first + objects + UNSEEN


@pytest.mark.parametrize("shape", [(7, 5), (1, 300), (3, 4, 5), (2, 3, 4, 5)])
def test_the_statistics_of_a_matrix_take_8_bytes_for_each_row_and_column(shape):
    *leading, n, m = shape
    (state,) = Adafactor([np.ones(shape, np.float32)]).state_dict().values()
    assert sum(state[name].nbytes for name in ("R", "C")) == 8 * math.prod(leading) * (n + m)


def test_what_is_kept_and_what_a_step_allocates_shows_in_the_process():
    source = """
import numpy as np
from adafactor_numba.bench.memory import MIB, full, peak, resident
spent = np.ones(8 * MIB)
del spent
held, before, now = full(), peak(), resident()
small = np.ones(1000)
print(peak() - before, resident() - now)
large = np.ones(2 * MIB)
print(peak() - before, resident() - now)
print(bool(now))
"""
    little, much, seen = lines(["-c", source])
    columns = zip(map(int, little.split()), map(int, much.split()), strict=True)
    for less, more in [*columns][: 1 + (seen == "True\n")]:
        assert less < MIB < 15 * MIB < more


WASTEFUL = """
import numpy as np
from adafactor_numba.bench import memory, peers

def keeps(X, G, threads):
    made = []
    return peers.Step(lambda: made or made.extend(x.copy() for x in (*X, *G)), lambda: 0)

def takes(X, G, threads):
    given = [*X, *G]
    return peers.Step(lambda: [2 * x for x in given] and None, lambda: 0)

peers.PEERS |= {"keeps": peers.Peer("numba", keeps), "takes": peers.Peer("numba", takes)}
memory.main()
"""


@pytest.mark.parametrize(("name", "kept", "raised"), [("keeps", 2, 0), ("takes", 0, 2)])
def test_a_matrix_that_is_kept_without_being_counted_and_one_that_is_taken_are_seen(
    name, kept, raised, monkeypatch
):
    monkeypatch.setattr(memory, "PROGRAM", ("-c", WASTEFUL))
    found = memory.needed(name, SIDES)
    assert found.counted == 0
    assert found.kept is None or abs(found.kept - kept * found.weights) <= UNSEEN
    assert abs(found.raised - raised * found.weights) <= UNSEEN
