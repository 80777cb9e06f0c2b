"""The optimizer changes what it says it changes, by the loops' own steps, and nothing else."""

import math
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided

from adafactor_numba import Adafactor, matrix, schedule, vector
from adafactor_numba.hyperparameters import Hyperparameters
from adafactor_numba.memory import intervals, overlapping, overlaps_itself, reaches

SHAPES = [(), (1,), (5,), (2, 3), (1, 4), (4, 1), (2, 3, 4), (2, 1, 3, 2), (0,), (3, 0), (0, 2, 3)]
DTYPES = [np.float32, np.float64]
CONSTANTS = (1e-30, 1e-3, 1.0)


def bits(*arrays):
    return [(A.dtype, A.shape, A.tobytes()) for A in arrays]


def normal(shape, dtype=np.float64, seed=0):
    rng = np.random.default_rng([seed, *shape])
    return np.asarray(rng.standard_normal(shape), dtype)


def snapshot(optimizer, arrays):
    """Every bit a step may change."""
    state = {
        name: (entry.pop("t"), bits(*entry.values()), list(entry))
        for name, entry in optimizer.state_dict().items()
    }
    return bits(*arrays), state


def trained(shape, dtype=np.float64, steps=3, seed=0, **options):
    """An array after a few steps, and its optimizer."""
    X = normal(shape, dtype, seed)
    optimizer = Adafactor([X], **options)
    for t in range(1, steps + 1):
        optimizer.step([normal(shape, dtype, seed + t)])
    return X, optimizer


# What one step is


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [s for s in SHAPES if 0 not in s])
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


def test_a_gradient_in_the_memory_of_a_parameter_is_read_before_it_is_written():
    def arrays():
        return [normal((3, 3)), normal((9,), seed=1), normal((3, 3), seed=2)]

    expected = arrays()
    grads = [A.copy() for A in (expected[0], expected[2].reshape(-1), expected[0].T)]
    Adafactor(expected).step(grads)
    params = arrays()
    Adafactor(params).step([params[0], params[2].reshape(-1), params[0].T])
    assert bits(*params) == bits(*expected) != bits(*arrays())


def test_the_caller_may_change_the_weights_between_steps():
    X, optimizer = trained((2, 3))
    state = optimizer.state_dict()
    X *= -2
    Y = X.copy()
    other = Adafactor([Y])
    other.load_state_dict(state)
    for pair in ((optimizer, X), (other, Y)):
        pair[0].step([normal((2, 3), seed=9)])
    assert bits(X) == bits(Y)


def test_a_parameter_made_read_only_or_reshaped_later_is_still_the_same_weights():
    X, Y = normal((2, 3)), normal((2, 3))
    optimizer, other = Adafactor([X]), Adafactor([Y])
    X.flags.writeable = False
    optimizer.step([normal((2, 3), seed=1)])
    other.step([normal((2, 3), seed=1)])
    assert bits(X) == bits(Y)


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


# Hyperparameters


def test_numbers_and_functions_that_give_them_are_the_same():
    seen = []

    def rho(t):
        seen.append(t)
        return 0.25 / t

    X, _ = trained((2, 3), rho=0.125, beta_2=0.75)
    Y, _ = trained((2, 3), rho=lambda t: np.float32(0.125), beta_2=lambda t: 0.75)
    Z, _ = trained((2, 3), rho=rho, beta_2=0)
    assert bits(X) == bits(Y) != bits(Z)
    assert seen == [1, 2, 3]
    assert all(type(t) is int for t in seen)


def test_each_parameter_reads_the_functions_at_its_own_t():
    params = {"X": np.zeros(1), "Y": np.zeros(1)}
    optimizer = Adafactor(params, rho=lambda t: 1.0 / t, beta_2=lambda t: 0.0, epsilon_2=1.0)
    optimizer.step({"X": np.ones(1), "Y": None})
    optimizer.step({"X": np.ones(1), "Y": np.ones(1)})
    assert params["X"] == -1.0 - 0.5
    assert params["Y"] == -1.0


def test_the_schedules_of_the_paper_lose_no_digit_in_w():
    t = 900
    rates = Hyperparameters().at(t)
    assert rates == (schedule.weight(t), 1.0 - schedule.weight(t), schedule.rho(t))
    assert rates.w != 1.0 - rates.beta_2
    given = Hyperparameters(beta_2=lambda t: schedule.beta_2(t)).at(t)
    assert given.w == 1.0 - given.beta_2


def test_the_state_starts_at_zero_whatever_beta_2_is():
    X = np.zeros(1)
    optimizer = Adafactor([X], rho=1.0, beta_2=0.75, epsilon_2=1.0, d=math.inf)
    optimizer.step([np.ones(1)])
    assert optimizer.state_dict()[0]["V"] == 0.25
    assert X == -2.0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("beta_2", [0.0, math.nextafter(1, 0)])
@pytest.mark.parametrize("epsilon_1", [2.0**-900, 2.0**-500, 1e-30, 2.0**490])
@pytest.mark.parametrize("shape", [(130,), (130, 3), (3, 130)])
def test_the_largest_gradient_beside_zeros_leaves_finite_numbers(shape, epsilon_1, beta_2, dtype):
    largest = Hyperparameters(epsilon_1=epsilon_1).largest_gradient
    X = normal(shape, dtype)
    G = np.zeros(shape, dtype)
    largest = min(largest, float(np.finfo(dtype).max))
    G.flat[0] = largest
    small = np.full_like(G, min(largest, math.sqrt(epsilon_1)))
    optimizer = Adafactor([X], rho=2.0**-520, epsilon_1=epsilon_1, beta_2=beta_2, d=math.inf)
    for gradient in (G, -np.flip(G), small, G):
        optimizer.step([gradient])
    optimizer.load_state_dict(optimizer.state_dict())  # which checks that all is finite
    assert np.isfinite(X).all()


def test_every_float32_is_in_range_at_the_epsilon_1_of_the_paper():
    X = np.full((2, 2), np.finfo(np.float32).max)
    Adafactor([X]).step([X])
    assert np.isfinite(X).all()


HYPERPARAMETERS = [
    ({"rho": -0.1}, ValueError, "rho (relative step size) is -0.1; give one with 0 <= rho"),
    ({"rho": math.nan}, ValueError, "rho (relative step size) is nan"),
    ({"rho": math.inf}, ValueError, "rho (relative step size) is inf"),
    ({"rho": True}, TypeError, "is True; give a real number or a function of t"),
    ({"rho": np.True_}, TypeError, "give a real number"),
    ({"rho": "0.1"}, TypeError, "rho (relative step size) is '0.1'"),
    ({"rho": None}, TypeError, "is None"),
    ({"rho": 1j}, TypeError, "is 1j"),
    ({"rho": Decimal("0.1")}, TypeError, "is Decimal('0.1')"),
    ({"rho": Fraction(1, 10)}, TypeError, "is Fraction(1, 10)"),
    ({"rho": np.array([0.1])}, TypeError, "is array([0.1])"),
    ({"rho": 2**53 + 1}, ValueError, "which is no double; give float(rho)"),
    ({"rho": 10**400}, ValueError, "0 <= rho <= 2^490"),
    ({"beta_2": 1.0}, ValueError, "beta_2 (decay of the second moment) is 1.0"),
    ({"beta_2": -1e-9}, ValueError, "0 <= beta_2 < 1"),
    ({"beta_2": math.nan}, ValueError, "is nan"),
    ({"epsilon_1": 0.0}, ValueError, "epsilon_1 (added to every squared gradient) is 0.0"),
    ({"epsilon_1": 5e-324}, ValueError, "from 2^-900"),
    ({"epsilon_1": math.inf}, ValueError, "is inf"),
    ({"epsilon_1": (1e-30, 1e-3)}, TypeError, "is (1e-30, 0.001); give a real number, 0 <"),
    ({"epsilon_1": lambda t: 1e-30}, TypeError, "epsilon_1"),
    ({"epsilon_2": -1e-3}, ValueError, "epsilon_2 (least parameter scale) is -0.001"),
    ({"epsilon_2": math.inf}, ValueError, "is inf"),
    ({"d": 0}, ValueError, "d (clipping threshold) is 0; give one with 0 < d"),
    ({"d": math.nan}, ValueError, "is nan"),
    ({"d": False}, TypeError, "is False"),
]


@pytest.mark.parametrize(("options", "error", "text"), HYPERPARAMETERS)
def test_a_hyperparameter_out_of_its_range_is_named(options, error, text):
    with pytest.raises(error) as raised:
        Adafactor([np.zeros(2)], **options)
    assert text in str(raised.value)


@pytest.mark.parametrize(
    "options",
    [
        {"rho": 0, "beta_2": 0, "epsilon_2": 0, "d": math.inf},
        {"rho": np.float32(0.5), "beta_2": math.nextafter(1, 0), "epsilon_1": 1},
        {"rho": np.int64(1), "d": 2.0**-500, "epsilon_1": 2.0**-800},
    ],
)
def test_the_ends_of_the_ranges_are_in_range(options):
    X, _ = trained((2, 3), **options)
    assert np.isfinite(X).all()


# Refused before anything is written

CONSTRUCTIONS = [
    (lambda X: X, TypeError, "params is a ndarray; give a list or a dict"),
    (lambda X: (A for A in [X]), TypeError, "params is a generator"),
    (lambda X: {X.tobytes(): X, "y": [1.0]}, TypeError, "params['y']: X (weights) is a list"),
    (lambda X: [X, X.astype(np.int64)], TypeError, "params[1]: X (weights) has type int64"),
    (lambda X: [X.astype(np.float16)], TypeError, "has type float16; give a float32 or float64"),
    (lambda X: [X.astype(complex)], TypeError, "has type complex128"),
    (lambda X: [X.astype(object)], TypeError, "has type object"),
    (lambda X: [X.astype(">f8")], TypeError, "has type float64 in foreign byte order"),
    (lambda X: [X[0, 0]], TypeError, "params[0]: X (weights) has type float64"),
    (lambda X: [np.broadcast_to(X, (2, 4, 6))], ValueError, "is read-only"),
    (lambda X: {"a": X, "b": X}, ValueError, "params['b']: X (weights) shares memory with params"),
    (lambda X: [X[:3], X[2:]], ValueError, "params[1]: X (weights) shares memory with params[0]"),
    (lambda X: [X[2:], np.zeros(3), X.T[3:]], ValueError, "shares memory"),
    (lambda X: [X.view(np.float32), X], ValueError, "shares memory"),
    (lambda X: [as_strided(X, (4, 3), (8, 0))], ValueError, "shares memory with itself"),
    (lambda X: [as_strided(X, (3, 3), (8, 8))], ValueError, "shares memory with itself"),
]


@pytest.mark.parametrize(("params", "error", "text"), CONSTRUCTIONS)
def test_parameters_that_cannot_be_updated_in_place_are_refused(params, error, text):
    with pytest.raises(error) as raised:
        Adafactor(params(normal((4, 6))))
    assert text in str(raised.value)


def spoiled(value, index=(2, 0), dtype=np.float64):
    G = np.ones((3, 2), dtype)
    G[index] = value
    return G


GOOD = {"v": np.ones(4, np.float32), "w": np.ones((3, 2))}
NARROW = np.array([1, 2, 0.1, 4])
BAD_GRADS = [
    ([GOOD["v"], GOOD["w"]], TypeError, "grads is a list; params is a mapping"),
    (GOOD["w"], TypeError, "grads is a ndarray; params is a mapping"),
    (None, TypeError, "grads is a NoneType"),
    ({"v": GOOD["v"]}, ValueError, "grads lacks ['w'] of params and has [] beside them"),
    (GOOD | {"W": None}, ValueError, "grads lacks [] of params and has ['W'] beside them"),
    (GOOD | {"w": [[1.0] * 2] * 3}, TypeError, "grads['w']: G (gradient) is a list; give an array"),
    (GOOD | {"w": 1.0}, TypeError, "grads['w']: G (gradient) is a float"),
    (GOOD | {"w": np.ones((3, 2), int)}, TypeError, "grads['w']: G (gradient) has type int64"),
    (GOOD | {"w": np.ones((3, 2), complex)}, TypeError, "has type complex128"),
    (GOOD | {"w": np.ones((3, 2), bool)}, TypeError, "has type bool"),
    (GOOD | {"w": np.ones((2, 3))}, ValueError, "has shape (2, 3), its parameter (3, 2)"),
    (GOOD | {"w": np.ones((1, 3, 2))}, ValueError, "has shape (1, 3, 2)"),
    (GOOD | {"w": np.float64(1)}, ValueError, "has shape ()"),
    (GOOD | {"w": spoiled(np.nan)}, ValueError, "grads['w']: G (gradient) is nan at [2, 0]; "),
    (GOOD | {"w": spoiled(np.inf, (0, 1))}, ValueError, "G (gradient) is inf at [0, 1]; "),
    (GOOD | {"w": spoiled(-np.inf)}, ValueError, "is -inf at [2, 0]; give finite numbers"),
    (GOOD | {"w": spoiled(np.nan, dtype=np.float16)}, ValueError, "is nan at [2, 0]; give"),
    (GOOD | {"w": spoiled(np.inf, dtype=np.longdouble)}, ValueError, "is inf at [2, 0]"),
    (GOOD | {"w": spoiled(1e140)}, ValueError, "is 1e+140 at [2, 0]; beyond 2."),
    (
        GOOD | {"v": NARROW},
        ValueError,
        "grads['v']: G (gradient) is 0.1 at [2], which is no float32",
    ),
    (GOOD | {"v": NARROW * 1e300}, ValueError, "is 1e+300 at [0], which is no float32"),
    (GOOD | {"v": NARROW * 5e-324}, ValueError, "is 5e-324 at [0], which is no float32"),
    (GOOD | {"w": spoiled(np.longdouble(1) / 3, dtype="g")}, ValueError, "which is no float64"),
]


@pytest.mark.parametrize(("grads", "error", "text"), BAD_GRADS)
def test_bad_gradients_are_named_and_change_nothing(grads, error, text):
    params = {"v": normal((4,), np.float32), "w": normal((3, 2))}
    optimizer = Adafactor(params)
    optimizer.step(GOOD)
    before = snapshot(optimizer, params.values())
    with pytest.raises(error) as raised:
        optimizer.step(grads)
    assert text in str(raised.value)
    assert snapshot(optimizer, params.values()) == before
    optimizer.step(GOOD)
    assert snapshot(optimizer, params.values()) != before


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e200])
def test_a_parameter_that_is_no_number_is_named_and_nothing_changes(value):
    params = [normal((4,)), normal((2, 2, 2)), normal(())]
    optimizer = Adafactor(params)
    params[1][1, 0, 1] = value
    before = snapshot(optimizer, params)
    with pytest.raises(ValueError, match=r"^params\[1\]: X \(weights\) is .* at \[1, 0, 1\]; "):
        optimizer.step([np.ones_like(X) for X in params])
    assert snapshot(optimizer, params) == before
    optimizer.step([np.ones(4), None, None])
    assert snapshot(optimizer, params) != before


BAD_SCHEDULES = [
    (lambda t: -1.0, ValueError, "rho (relative step size) at t = 2 is -1.0"),
    (lambda t: math.nan, ValueError, "at t = 2 is nan"),
    (lambda t: None, TypeError, "rho (relative step size) at t = 2 is None; give a real number, 0"),
    (lambda t: 1 // 0, ZeroDivisionError, "division"),
]


@pytest.mark.parametrize(("late", "error", "text"), BAD_SCHEDULES)
def test_a_function_that_fails_later_changes_nothing(late, error, text):
    X, Y = normal((2, 3)), normal((2,))
    optimizer = Adafactor([X, Y], rho=lambda t: 0.5 if t < 2 else late(t))
    optimizer.step([None, Y * 2])
    before = snapshot(optimizer, [X, Y])
    with pytest.raises(error) as raised:
        optimizer.step([X * 2, Y * 2])
    assert text in str(raised.value)
    assert snapshot(optimizer, [X, Y]) == before


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


def state_but(**changed):
    """The state of a vector v and a matrix w after one step, with other entries in w."""
    w = {"t": 1, "R": np.full(3, 2.0), "C": np.full(2, 3.0)} | changed
    return {"v": {"t": 1, "V": np.ones(4)}, "w": {k: x for k, x in w.items() if x is not None}}


BAD_STATES = [
    ([], TypeError, "state is a list; give what state_dict returned"),
    ({}, ValueError, "state lacks ['v', 'w'] of params"),
    (state_but() | {"u": {}}, ValueError, "has ['u'] beside them"),
    (state_but() | {"w": [1, 2, 3]}, ValueError, "state['w'] is a list; give a mapping of t, R, C"),
    (state_but(C=None), ValueError, "state['w'] is ['t', 'R']; give a mapping of t, R, C"),
    (state_but(V=np.ones(3)), ValueError, "give a mapping of t, R, C"),
    (state_but(t=1.0), ValueError, "state['w']['t'] (updates so far) is 1.0; give an integer"),
    (state_but(t=True), ValueError, "is True"),
    (state_but(t=-1), ValueError, "is -1"),
    (state_but(R=[2.0] * 3), TypeError, "state['w']['R'] (row statistics) is a list"),
    (state_but(R=np.ones(3, np.float32)), TypeError, "has type float32; give a float64 array"),
    (state_but(R=np.ones(2)), ValueError, "has shape (2,); its parameter needs (3,)"),
    (state_but(C=np.ones((2, 1))), ValueError, "(column statistics) has shape (2, 1)"),
    (state_but(C=np.array([1, np.nan])), ValueError, "state['w']['C'] (column statistics) has a"),
    (state_but(C=np.array([1, np.inf])), ValueError, "has a nan or an infinity"),
    (state_but(C=np.array([1.0, -1])), ValueError, "is not positive after t = 1"),
    (state_but(C=np.zeros(2)), ValueError, "is not positive after t = 1"),
    (state_but(t=0), ValueError, "state['w']['R'] (row statistics) is not zero after t = 0"),
]


@pytest.mark.parametrize(("state", "error", "text"), BAD_STATES)
def test_a_bad_state_is_named_and_changes_nothing(state, error, text):
    params = {"v": normal((4,)), "w": normal((3, 2))}
    optimizer = Adafactor(params)
    optimizer.step({"v": normal((4,)), "w": normal((3, 2))})
    before = snapshot(optimizer, params.values())
    with pytest.raises(error) as raised:
        optimizer.load_state_dict(state)
    assert text in str(raised.value)
    assert snapshot(optimizer, params.values()) == before
    optimizer.load_state_dict(state_but(t=np.int64(7)))
    assert snapshot(optimizer, params.values()) != before


# Memory


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
