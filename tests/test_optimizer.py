"""The optimizer changes what it says it changes, by the loops' own steps, and nothing else."""

import copy
import math
import pickle
import subprocess
import sys

import numpy as np
import pytest

from adafactor_numba import Adafactor, matrix, schedule, vector
from tests.arrays import DTYPES, bits, normal, snapshot, trained

SHAPES = [(), (1,), (5,), (2, 3), (1, 4), (4, 1), (2, 3, 4), (2, 1, 3, 2), (0,), (3, 0), (0, 2, 3)]
LARGE = [(70_001,), (300, 701), (2, 300, 701), (145, 8193), (1_100_001,)]
"""Of several strips; in the last two a strip has two blocks."""
CONSTANTS = (1e-30, 1e-3, 1.0)


# What one step is


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [*(s for s in SHAPES if 0 not in s), *LARGE])
def test_a_step_is_that_of_the_loops_with_the_schedules_of_the_paper(shape, dtype):
    X, expected = normal(shape, dtype), normal(shape, dtype)
    optimizer = Adafactor([X])
    V, *factored = np.zeros(math.prod(shape)), None, None
    if len(shape) > 1:
        p, n, m = math.prod(shape[:-2]), *shape[-2:]
        factored = np.zeros((p, n)), np.zeros((p, m))
    for t in range(1, 5):
        G = normal(shape, dtype, t)
        scalars = (schedule.weight(t), schedule.beta_2(t), schedule.rho(t), *CONSTANTS)
        optimizer.step([G])
        if len(shape) > 1:
            matrix.step(expected.reshape(p, n, m), G.reshape(p, n, m), *factored, *scalars)
        else:
            vector.step(expected.reshape(-1), G.reshape(-1), V, *scalars)
        assert bits(X) == bits(expected)
    state = optimizer.state_dict()[0]
    assert state.pop("t") == 4
    if len(shape) > 1:
        assert [(k, A.shape) for k, A in state.items()] == [
            ("R", shape[:-1]),
            ("C", (*shape[:-2], shape[-1])),
        ]
        assert [A.tobytes() for A in state.values()] == [A.tobytes() for A in factored]
    else:
        assert bits(state["V"]) == bits(V.reshape(shape))


def strided(form, A):
    """The entries of A in an array of other strides, and all of the memory it lies in."""
    if form == "Fortran":
        return A.copy(order="F"), None
    if form == "reversed":
        backwards = (..., *(slice(None, None, -1),) * A.ndim)
        memory = A[backwards].copy()
        return memory[backwards], memory
    if form == "sliced":
        memory = np.full([2 * extent + 1 for extent in A.shape], 7, A.dtype)
        view = memory[(..., *(slice(1, None, 2),) * A.ndim)]
    elif form == "turned":
        memory = np.full(A.shape[::-1], 7, A.dtype)
        view = memory.T
    else:
        memory = np.zeros(A.shape, [("skipped", "i1"), ("x", A.dtype)])
        view = memory["x"]
    view[...] = A
    return view, memory


FORMS = ["Fortran", "reversed", "sliced", "turned", "unaligned"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (2, 3, 4), (2, 3, 2, 2)])
def test_strides_do_not_change_a_bit(form, shape):
    X, optimizer = trained(shape, np.float32)
    other, memory = strided(form, normal(shape, np.float32))
    same = Adafactor([other])
    for t in range(1, 4):
        same.step([strided(form, normal(shape, np.float32, t))[0]])
    assert bits(other) == bits(X)
    assert snapshot(same, []) == snapshot(optimizer, [])
    if form == "sliced" and shape:
        assert np.count_nonzero(memory == 7) == memory.size - other.size  # the gaps are untouched


def test_strides_that_cannot_be_three_axes_are_written_back():
    X = strided("sliced", normal((2, 3, 2, 2)))[0]
    assert not np.may_share_memory(X.reshape(6, 2, 2), X)
    Adafactor([X]).step([normal(X.shape, seed=1)])
    assert bits(X) == bits(trained(X.shape, steps=1)[0])


@pytest.mark.parametrize("readonly", [normal((2, 3), seed=1), np.broadcast_to(1.0, (2, 3))])
def test_a_gradient_may_be_read_only_and_is_not_changed(readonly):
    readonly.flags.writeable = False
    before = readonly.tobytes()
    X, Y = normal((2, 3)), normal((2, 3))
    Adafactor([X]).step([readonly])
    Adafactor([Y]).step([readonly.copy()])
    assert bits(X) == bits(Y) != bits(normal((2, 3)))
    assert readonly.tobytes() == before


# Many parameters


def test_order_grouping_and_form_of_the_parameters_do_not_matter():
    shapes = dict(enumerate(SHAPES))
    apart = {k: trained(shape, DTYPES[k % 2], steps=2) for k, shape in shapes.items()}
    for keys in (list(shapes), list(shapes)[::-1]):
        params = {f"{k}": normal(shapes[k], DTYPES[k % 2]) for k in keys}
        listed = tuple(A.copy() for A in params.values())
        mapped, sequence = Adafactor(params), Adafactor(listed)
        for t in (1, 2):
            grads = {f"{k}": normal(shapes[k], DTYPES[k % 2], t) for k in keys}
            mapped.step(dict(reversed(grads.items())))
            sequence.step(list(grads.values()))
        assert bits(*params.values()) == bits(*listed) == bits(*(apart[k][0] for k in keys))
        alone = [snapshot(apart[k][1], [])[1][0] for k in keys]
        assert list(snapshot(mapped, [])[1].values()) == alone
        assert list(snapshot(sequence, [])[1].values()) == alone


def test_a_skipped_parameter_keeps_its_weights_its_statistics_and_its_t():
    X, Y = normal((2, 3)), normal((5,))
    optimizer = Adafactor({"X": X, "Y": Y})
    for t in range(1, 6):
        skips = t in (2, 3)
        before = snapshot(optimizer, [Y])
        optimizer.step({"X": normal((2, 3), seed=t), "Y": None if skips else Y * 0 + t})
        assert (snapshot(optimizer, [Y])[0] == before[0]) == skips
    assert [entry["t"] for entry in optimizer.state_dict().values()] == [5, 3]
    alone = normal((5,))
    other = Adafactor([alone])
    for t in (1, 4, 5):
        other.step([alone * 0 + t])
    assert bits(Y) == bits(alone)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 2, 3)])
def test_a_parameter_of_size_0_stays_as_it_is(shape):
    X, optimizer = np.zeros(shape), None
    optimizer = Adafactor([X])
    before = snapshot(optimizer, [X])
    optimizer.step([np.zeros(shape)])
    assert snapshot(optimizer, [X]) == before
    optimizer.load_state_dict(optimizer.state_dict())
    with pytest.raises(ValueError, match="shape"):
        optimizer.step([np.zeros((*shape, 1))])


def test_interleaved_views_of_one_array_are_apart():
    memory, apart = normal((6, 4)), [normal((6, 4))[k::3].copy() for k in range(3)]
    Adafactor([memory[0::3], memory[1::3], memory[2::3]]).step([normal((2, 4), seed=1)] * 3)
    Adafactor(apart).step([normal((2, 4), seed=1)] * 3)
    assert bits(*(memory[k::3] for k in range(3))) == bits(*apart)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("n", [3, 20])
def test_a_gradient_in_the_memory_of_a_parameter_is_read_before_it_is_written(strict, n, dtype):
    def arrays():
        shapes = (n, n), (n * n,), (n, n), (n * n,), (n, n)
        return [normal(shape, dtype, seed) for seed, shape in enumerate(shapes)]

    def in_memory(A):
        """An earlier parameter, a later one, one transposed, and twice the parameter itself."""
        return [A[0].T, A[2].reshape(-1), A[0], A[3], A[4]]

    def after(params, grads):
        optimizer = Adafactor(params, strict=strict)
        optimizer.step(grads)
        return snapshot(optimizer, params)

    kept, params = arrays(), arrays()
    assert after(params, in_memory(params)) == after(arrays(), in_memory(kept))
    assert bits(*params) != bits(*arrays())


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("copied", [False, True])
def test_the_caller_may_change_the_weights_between_steps(strict, copied):
    X = np.zeros((2, 7, 2, 3))[:, ::3] if copied else np.zeros((2, 3, 2, 3))
    assert np.may_share_memory(X.reshape(6, 2, 3), X) is not copied
    X[...] = normal(X.shape)
    optimizer = Adafactor([X], strict=strict)
    optimizer.step([normal(X.shape, seed=8)])
    X *= -2
    Y = X.copy()
    other = Adafactor([Y], strict=strict)
    other.load_state_dict(optimizer.state_dict())
    for pair in ((optimizer, X), (other, Y)):
        pair[0].step([normal(X.shape, seed=9)])
    assert bits(np.ascontiguousarray(X)) == bits(Y)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda A: pickle.loads(pickle.dumps(A))])
@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("options", [{}, {"strict": True, "d": 0.5}, {"beta_2": 0.5, "threads": 1}])
@pytest.mark.parametrize("steps", [0, 2])
def test_a_copy_has_weights_and_a_state_of_its_own_and_goes_on_alike(copied, named, options, steps):
    X = [normal((3, 4), np.float32), normal((5,))]
    X = dict(zip("ab", X, strict=True)) if named else X
    arrays = list(X.values()) if named else X
    optimizer = Adafactor(X, **options)

    def gradients(t):
        found = [normal(A.shape, A.dtype, t) for A in arrays]
        return dict(zip("ab", found, strict=True)) if named else found

    for t in range(steps):
        optimizer.step(gradients(t))
    before = snapshot(optimizer, arrays)
    other, Y = copied((optimizer, X))
    others = list(Y.values()) if named else Y
    assert snapshot(other, others) == before
    other.step(gradients(9))
    assert snapshot(optimizer, arrays) == before
    optimizer.step(gradients(9))
    assert snapshot(optimizer, arrays) == snapshot(other, others) != before


def test_a_copy_keeps_how_it_rounds_and_a_shallow_one_has_the_same_weights():
    X = normal((40,), np.float16)
    optimizer = Adafactor([X], stochastic_rounding=3, rho=1e-3)
    optimizer.step([normal((40,), np.float16, 1)])
    (other, (Y,)), shallow = copy.deepcopy((optimizer, (X,))), copy.copy(optimizer)
    for pair in (optimizer, other):
        pair.step([normal((40,), np.float16, 2)])
    assert bits(X) == bits(Y)
    shallow.step([normal((40,), np.float16, 3)])
    assert bits(X) != bits(Y)
    assert optimizer.state_dict()[0]["t"] == shallow.state_dict()[0]["t"] == 2


def test_a_parameter_made_read_only_later_is_refused_and_left_as_it_is():
    X, Y = normal((2, 3)), normal((3,))
    before = bits(X), bits(Y)
    optimizer = Adafactor([Y, X])
    X.flags.writeable = False
    with pytest.raises(ValueError, match=r"params\[1\]: X \(weights\) has become read-only"):
        optimizer.step([normal((3,)), normal((2, 3))])
    assert (bits(X), bits(Y)) == before


def test_a_schedule_is_asked_before_the_gradients_are_looked_at():
    """What a function does to the arrays it can reach is found by the scan that follows."""
    X, G = normal((2, 3)), normal((2, 3), seed=1)

    def rho(t):
        G[0, 0] = np.nan
        return 0.01

    before = bits(X)
    with pytest.raises(ValueError, match="is nan"):
        Adafactor([X], rho=rho).step([G])
    assert bits(X) == before


# Types of gradients


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("other", [">f4", "f2", "f4", "f8", ">f8", "g"])
def test_a_gradient_of_another_type_of_float_counts_as_it_is(dtype, other):
    G = np.array([[1.5, -0.25, 0.0], [2.0**-14, 1024.0, -3.0]])
    X, Y = normal((2, 3), dtype), normal((2, 3), dtype)
    Adafactor([X]).step([G.astype(other)])
    Adafactor([Y]).step([G.astype(dtype)])
    assert bits(X) == bits(Y)


def test_a_scalar_counts_as_an_array_without_axes():
    X, Y = np.array(2.0), np.array(2.0)
    Adafactor([X]).step([np.float32(0.5)])
    Adafactor([Y]).step([np.array(0.5)])
    assert X == Y < 2


# Save and load


@pytest.mark.parametrize("shape", SHAPES)
def test_a_loaded_state_goes_on_with_the_same_bits(shape):
    X, optimizer = trained(shape)
    Y = X.copy()
    other = Adafactor([Y])
    state = optimizer.state_dict()
    other.load_state_dict(state)
    for A in (A for A in state[0].values() if isinstance(A, np.ndarray)):
        A[...] = -1  # neither optimizer holds these arrays
    for t in range(4, 7):
        optimizer.step([normal(shape, seed=t)])
        other.step([normal(shape, seed=t)])
    assert snapshot(other, [Y]) == snapshot(optimizer, [X])


# What it needs


def test_the_optimizer_runs_on_numpy_and_numba_alone():
    code = (
        "import sys, numpy, adafactor_numba as a\n"
        "a.Adafactor([numpy.zeros((2, 2)), numpy.zeros(2)]).step([numpy.ones((2, 2)), None])\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"numpy", "numba", "adafactor_numba"} <= set(loaded)
    assert not {"sympy", "mpmath", "flint", "derivations", "proofs", "torch"} & set(loaded)
