"""The same bits for any threads, grouping, order of the parameters and layout."""

from functools import cache

import numpy as np
import pytest

from adafactor_numba import Adafactor, batch, loops
from tests.arrays import HALVES, STORED, bits, normal, snapshot, stored

SMALL = [(), (1,), (40_000,), (70_001,), (3, 5), (300, 701), (2, 65, 130), (5, 30_001), (9, 0)]
LARGE = [(145, 8193), (2, 300, 701), (1_100_001,)]
"""Of several strips for each matrix; in the first and the last a strip has several blocks."""
SHAPES = [*SMALL, *LARGE]
LAYOUTS = {
    "C": lambda X: X.copy(),
    "Fortran": lambda X: np.asfortranarray(X),
    "every other": lambda X: np.repeat(X, 2, axis=-1)[..., ::2],
    "backwards": lambda X: X[::-1].copy()[::-1],
}


def run(shapes, layout=LAYOUTS["C"], steps=2, dtype=np.float32, **options):
    """What some steps make of arrays of these shapes: every bit that they may change."""
    X = [layout(normal(shape, dtype)) for shape in shapes]
    optimizer = Adafactor(X, **options)
    for t in range(1, steps + 1):
        optimizer.step([layout(normal(shape, dtype, t)) for shape in shapes])
    return [
        snapshot_of(x, state) for x, state in zip(X, optimizer.state_dict().values(), strict=True)
    ]


def snapshot_of(X, state):
    return bits(np.ascontiguousarray(X), *(A for name, A in state.items() if name != "t")), state[
        "t"
    ]


@cache
def expected(name):
    """What one thread makes of all shapes in the type of this name, by shape."""
    return dict(zip(SHAPES, run(SHAPES, dtype=stored(name), threads=1), strict=True))


@pytest.mark.parametrize("name", STORED)
@pytest.mark.parametrize("threads", [2, 3, 7])
def test_any_number_of_threads_gives_the_same_bits(threads, name):
    found = run(SHAPES, dtype=stored(name), threads=threads)
    assert found == [*expected(name).values()]


def test_more_threads_than_strips_give_the_same_bits():
    found = run(SMALL, threads=100)
    assert found == [expected("float32")[shape] for shape in SMALL]


def test_other_gradients_give_other_bits():
    assert run(SMALL, steps=1) != run(SMALL, steps=2)


def test_a_step_again_gives_the_same_bits():
    assert run(SMALL) == run(SMALL)


def test_threads_share_what_is_large():
    work = batch.Batch(Adafactor([normal((300, 701))])._batches[0][1]._parameters)
    first, middle, last = work._shared(2)[0].cuts
    assert first < middle < last == len(work._pieces)


@pytest.mark.parametrize("name", STORED)
def test_grouping_and_order_of_the_parameters_change_no_bit(name):
    together, dtype = expected(name), stored(name)
    assert [run([shape], dtype=dtype)[0] for shape in SHAPES] == [*together.values()]
    assert run(SHAPES[::-1], dtype=dtype) == [*together.values()][::-1]


@pytest.mark.parametrize("name", STORED)
@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "C"])
def test_how_an_array_lies_in_memory_changes_no_bit(layout, name):
    shapes = [shape for shape in SHAPES if shape]
    threads = 1 if name in HALVES else 2
    found = run(shapes, LAYOUTS[layout], dtype=stored(name), threads=threads)
    assert found == [expected(name)[shape] for shape in shapes]


def test_types_and_layouts_together_change_no_bit():
    shapes = [shape for shape in SMALL if shape]
    kinds = [(name, lay) for name in ("float32", "float64") for lay in LAYOUTS.values()]
    X = [lay(normal(shape, name)) for name, lay in kinds for shape in shapes]
    optimizer = Adafactor(X, threads=2)
    for t in (1, 2):
        optimizer.step([lay(normal(shape, name, t)) for name, lay in kinds for shape in shapes])
    states = optimizer.state_dict().values()
    found = [snapshot_of(x, state) for x, state in zip(X, states, strict=True)]
    assert found == [expected(name)[shape] for name, _ in kinds for shape in shapes]


def test_blocks_and_strips_are_those_of_the_shape():
    for n, m in ((1, 1), (9, 70_000), (4096, 4096), (10**6, 3), (70_001, 1)):
        assert loops.height(m) % loops.LEAST == 0
        assert loops.strip(n, m) % loops.height(m) == 0
        assert 1 <= -(-n // loops.strip(n, m)) <= loops.STRIPS


def written_between(options, written):
    """A step after which the caller writes to the weights, or not, and another."""
    X = normal((300, 701), np.float32)
    optimizer = Adafactor([X], **options)
    optimizer.step([normal((300, 701), np.float32, 1)])
    X *= np.float32(4 if written else 1)
    optimizer.step([normal((300, 701), np.float32, 2)])
    return snapshot(optimizer, [X])


@pytest.mark.parametrize("threads", [1, 2])
def test_a_carried_mean_square_is_that_of_the_weights_to_the_bit(threads):
    carried = {"params_unchanged_between_steps": True, "threads": threads}
    assert written_between(carried, written=False) == written_between({}, written=False)
    assert run(SMALL, **carried) == run(SMALL)


def test_a_write_of_the_caller_is_noticed_unless_it_was_promised_that_there_is_none():
    carried = {"params_unchanged_between_steps": True}
    assert written_between({}, written=True) != written_between(carried, written=True)


def test_a_parameter_that_was_skipped_is_carried_too():
    found = []
    for carried in (False, True):
        X = [normal((5, 7)), normal((4,))]
        optimizer = Adafactor(X, params_unchanged_between_steps=carried)
        for grads in ([normal((5, 7), seed=1), None], [None, normal((4,))]) * 2:
            optimizer.step(grads)
        found.append(snapshot(optimizer, X))
    assert found[0] == found[1]


@pytest.mark.parametrize("beta_2", [0.0, 0.9])  # with 0 the step after is ordinary again
@pytest.mark.parametrize("shape", [(3, 5), (300, 701), (7,)])
def test_a_mean_square_is_carried_through_steps_in_wide_numbers(shape, beta_2):
    found = []
    for carried in (False, True):
        X = normal(shape)
        optimizer = Adafactor([X], beta_2=beta_2, params_unchanged_between_steps=carried)
        for t, size in enumerate((1.0, 1e200, 1.0, 1.0)):
            optimizer.step([normal(shape, seed=t + 1) * size])
        found.append(snapshot(optimizer, [X]))
    assert found[0] == found[1]


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", True])
def test_a_number_of_threads_that_is_none_is_an_error(threads):
    with pytest.raises((TypeError, ValueError), match="threads is"):
        Adafactor([np.zeros(2)], threads=threads)


@pytest.mark.parametrize("name", ["strict", "params_unchanged_between_steps"])
@pytest.mark.parametrize("given", [None, 1, "no"])
def test_a_flag_is_true_or_false(name, given):
    with pytest.raises(ValueError, match=f"{name} is {given!r}"):
        Adafactor([np.zeros(2)], **{name: given})
