"""Which two axes are factored, and how a parameter is laid out for its rule and back."""

from dataclasses import replace

import numpy as np
import pytest

from derivations.method import ADAFACTOR, at_least, first_two, last_two, none, two_largest


def factored(axes):
    """The paper's method with that choice of axes."""
    return replace(ADAFACTOR, axes=axes)


@pytest.mark.parametrize(
    ("shape", "last", "largest", "first"),
    [
        ((), None, None, None),
        ((3,), None, None, None),
        ((2, 3), (0, 1), (0, 1), None),
        ((3, 2), (0, 1), (1, 0), None),
        ((2, 2), (0, 1), (0, 1), None),
        ((2, 3, 4), (1, 2), (1, 2), (0, 1)),
        ((4, 3, 2), (1, 2), (1, 0), (0, 1)),
        ((4, 2, 4), (1, 2), (0, 2), (0, 1)),
        ((5, 2, 3, 5), (2, 3), (0, 3), (0, 1)),
    ],
)
def test_the_factored_axes(shape, last, largest, first):
    assert last_two(shape) == last
    assert two_largest(shape) == largest
    assert first_two(shape) == first
    assert none(shape) is None


@pytest.mark.parametrize(
    ("axes", "shape", "found"),
    [
        (at_least(3, two_largest), (3, 2), None),
        (at_least(3, two_largest), (3, 3), (0, 1)),
        (at_least(3, two_largest), (4, 2, 3), (2, 0)),
        (at_least(3, last_two), (4, 2, 3), None),
        (at_least(3, first_two, last_two), (3, 4, 2), (0, 1)),
        (at_least(3, first_two, last_two), (2, 3, 4), (1, 2)),
        (at_least(3, first_two, last_two), (3, 4, 5), (0, 1)),
        (at_least(3, first_two, last_two), (3, 2, 4), None),
        (at_least(3, first_two, last_two), (4, 3), (0, 1)),
        (at_least(3, first_two, last_two), (4,), None),
        (at_least(0, two_largest), (0, 3), (0, 1)),
        (at_least(1), (4, 3), None),
    ],
)
def test_a_least_size_is_that_of_the_smaller_of_the_two_axes(axes, shape, found):
    assert axes(shape) == found


@pytest.mark.parametrize("shape", [(3, 2), (4, 3, 2), (4, 2, 4), (5, 2, 3, 5)])
def test_the_largest_axis_becomes_the_columns_and_all_find_their_way_back(shape):
    layout = factored(two_largest).layout(shape)
    array = np.arange(np.prod(shape)).reshape(shape)
    assert layout.sizes[-2:] == tuple(sorted(shape)[-2:])
    assert np.array_equal(layout.restored(layout.arranged(array)), array)
    whole = factored(none).layout(shape)
    assert np.array_equal(whole.restored(whole.arranged(array)), array)
    assert whole.sizes == (array.size,)


def test_the_first_two_axes_of_a_convolution_become_the_matrix_of_a_batch():
    layout = factored(at_least(17, first_two, last_two)).layout((17, 18, 3))
    array = np.arange(17 * 18 * 3).reshape(17, 18, 3)
    assert layout.sizes == (3, 17, 18)
    assert np.array_equal(layout.arranged(array)[2], array[:, :, 2])
    assert np.array_equal(layout.restored(layout.arranged(array)), array)
