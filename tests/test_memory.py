"""Which arrays share memory is told exactly."""

import numpy as np
from hypothesis import event, given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided

from adafactor_numba.memory import intervals, overlapping, overlaps_itself, reaches


@given(
    shape=st.lists(st.integers(0, 4), max_size=3),
    data=st.data(),
)
def test_overlap_is_that_of_the_addresses(shape, data):
    memory = np.zeros(64, np.float32)
    strides = data.draw(st.lists(st.integers(0, 9), min_size=len(shape), max_size=len(shape)))
    X = as_strided(memory, shape, [4 * s for s in strides])
    addresses = [sum(map(int.__mul__, index, strides)) for index in np.ndindex(*shape)]
    itself = len(set(addresses)) < len(addresses)
    start = data.draw(st.integers(0, 40))
    Y = memory[start : start + data.draw(st.integers(0, 8)) : data.draw(st.integers(1, 3))]
    met = {(Y.__array_interface__["data"][0] - memory.ctypes.data) // 4 + k for k in _steps(Y)}
    event(f"overlaps itself: {itself}; overlaps the other: {bool(met & set(addresses))}")
    assert overlaps_itself(X) == itself
    expected = ("X", "X") if itself else ("X", "Y") if met & set(addresses) else None
    found = overlapping({"X": X, "Y": Y})
    assert (found and tuple(sorted(found))) == expected
    assert reaches(Y, intervals([X])) >= bool(met & set(addresses))


def _steps(Y):
    return range(0, Y.size * (Y.strides[0] // 4), Y.strides[0] // 4)


def test_intervals_tell_what_lies_between_them_from_what_lies_within():
    memory = np.zeros(100)
    occupied = intervals(
        [memory[60:80], memory[10:30:2], memory[11:31:2], memory[12:14], memory[:0]]
    )
    assert len(occupied) == 2
    assert [reaches(memory[k : k + 5], occupied) for k in (0, 5, 6, 28, 31, 55, 56, 79, 80)] == [
        False, False, True, True, False, False, True, True, False,
    ]  # fmt: skip
    assert not reaches(memory[70:70], occupied)
