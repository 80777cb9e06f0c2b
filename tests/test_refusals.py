"""What cannot be right is refused before anything is written, with its name and place."""

import math
import sys

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from adafactor_numba import Adafactor
from tests.arrays import bits, normal, snapshot

CONSTRUCTIONS = [
    (lambda X: X, TypeError, "params is a ndarray; give a list or a dict"),
    (lambda X: (A for A in [X]), TypeError, "params is a generator"),
    (lambda X: {X.tobytes(): X, "y": [1.0]}, TypeError, "params['y']: X (weights) is a list"),
    (lambda X: [X, X.astype(np.int64)], TypeError, "params[1]: X (weights) has type int64"),
    (
        lambda X: [X.astype("g")],
        TypeError,
        "; give an array of one of float64, float32, float16, b",
    ),
    (lambda X: [X.astype(">f2")], TypeError, "has type float16 in foreign byte order"),
    (lambda X: [X.astype(complex)], TypeError, "has type complex128"),
    (lambda X: [X.astype(object)], TypeError, "has type object"),
    (lambda X: [X.astype(">f8")], TypeError, "has type float64 in foreign byte order"),
    (lambda X: [np.ma.masked_array(X)], TypeError, "X (weights) is a masked array, all of which"),
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
    ({"v": GOOD["v"]}, ValueError, "grads has 1 entries, params 2: it lacks ['w'] and"),
    (GOOD | {"W": None}, ValueError, "it lacks none and has ['W'] beside; give one for each"),
    (GOOD | {"w": [[1.0] * 2] * 3}, TypeError, "grads['w']: G (gradient) is a list; give an array"),
    (GOOD | {"w": np.ma.masked_array(np.ones((3, 2)))}, TypeError, "is a masked array"),
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


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
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


def state_but(**changed):
    """The state of a vector v and a matrix w after one step, with other entries in w."""
    w = {"t": 1, "R": np.full(3, 2.0), "C": np.full(2, 3.0)} | changed
    return {"v": {"t": 1, "V": np.ones(4)}, "w": {k: x for k, x in w.items() if x is not None}}


BAD_STATES = [
    ([], TypeError, "state is a list; give what state_dict returned"),
    ({}, ValueError, "state has 0 entries, params 2: it lacks ['v', 'w']"),
    (state_but() | {"u": {}}, ValueError, "has ['u'] beside"),
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
    (state_but(C=np.array([1, np.nan])), ValueError, "state['w']['C'] (column statistics) has an"),
    (state_but(t=10**400), ValueError, "give an integer, 0 to 2^53"),
    (state_but(C=np.array([1, np.inf])), ValueError, "is not finite, as no gradients make it"),
    (state_but(C=np.array([1.0, -1])), ValueError, "is not positive after t = 1"),
    (state_but(C=np.zeros(2)), ValueError, "is not positive after t = 1"),
    (state_but(V_exponent=np.zeros(3, np.int64)), ValueError, "give a mapping of t, R, C"),
    (
        state_but(R_exponent=np.zeros(3)),
        TypeError,
        "['R_exponent'] (exponents of the row statistics) has type float64; give an int64 array",
    ),
    (
        state_but(R_exponent=np.zeros(2, np.int64)),
        ValueError,
        "has shape (2,); its parameter needs (3,)",
    ),
    (state_but(C_exponent=np.array([0, 2**21])), ValueError, "give some within +-2^20"),
    (state_but(C_exponent=np.array([0, -(2**63)])), ValueError, "give some within +-2^20"),
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


# Whatever paths the parameters of a list take, all are read before the first is written


LISTS = {
    "one layout": [np.ones((3, 4), np.float32), np.ones((5, 2), np.float32)],
    "both types": [np.ones((3, 4), np.float32), np.ones(5)],
    "both layouts": [np.ones((3, 4), np.float32), np.asfortranarray(np.ones((30, 20), np.float32))],
    "small and large": [np.ones((3, 4), np.float32), np.ones((300, 250), np.float32)],
    "a scalar between": [np.ones((3, 4)), np.array(2.0), np.ones((2, 3, 4))],
}


@pytest.mark.parametrize("given", LISTS.values(), ids=LISTS.keys())
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("where", ["first", "last"])
def test_a_bad_entry_in_one_leaves_all_others_as_they_were(given, strict, where):
    X = [A.copy(order="K") for A in given]
    optimizer = Adafactor(X, strict=strict)
    optimizer.step([np.ones_like(A) for A in X])
    before, grads = snapshot(optimizer, X), [np.ones_like(A) for A in X]
    grads[0 if where == "first" else -1].flat[-1] = np.nan
    held = [sys.getrefcount(G) for G in grads]
    with pytest.raises(ValueError, match=r"G \(gradient\) is nan"):
        optimizer.step(grads)
    assert snapshot(optimizer, X) == before
    assert [sys.getrefcount(G) for G in grads] == held
    grads = [np.ones_like(A) for A in X]
    optimizer.step(grads)
    assert optimizer.state_dict()[0]["t"] == 2
    assert snapshot(optimizer, X) != before


LIMIT = 2.0**420 * math.sqrt(1e-30)
BEYOND = [
    ([np.full((2, 2), LIMIT / 1.2), np.ones(3)], {}, r"grads\[0\]: G .* a row or column of a norm"),
    ([np.ones((2, 2)), np.full(3, LIMIT * 1.1)], {}, r"grads\[1\]: G \(gradient\) has an entry ab"),
    ([np.ones((2, 2)), np.ones(3)], {"d": 1e-200}, "^d is 1e-200; strict steps take one from 2"),
    ([np.ones((2, 2)), np.ones(3)], {"epsilon_1": 1e-300}, "^epsilon_1 is 1e-300; strict"),
    ([np.ones((2, 2)), np.ones(3)], {"epsilon_2": 1e200}, r"^epsilon_2 is 1e\+200; strict"),
    ([np.ones((2, 2)), np.ones(3)], {"rho": lambda t: 1e200 ** (t > 1)}, r"^rho is 1e\+200; stri"),
]


@pytest.mark.parametrize(("grads", "options", "text"), BEYOND)
def test_what_strict_steps_do_not_take_is_named_and_changes_nothing(grads, options, text):
    X = [normal(G.shape) for G in grads]
    optimizer = Adafactor(X, strict=True, **options)
    if callable(options.get("rho")):
        optimizer.step(grads)
    before = snapshot(optimizer, X)
    with pytest.raises(ValueError, match=text):
        optimizer.step(grads)
    assert snapshot(optimizer, X) == before


def test_large_weights_and_a_state_with_exponents_are_refused_by_strict_steps():
    X = [normal((3, 2)), normal((5,))]
    wide = Adafactor([A.copy() for A in X])
    wide.step([np.ones((3, 2)), np.full(5, 1e200)])
    optimizer = Adafactor(X, strict=True)
    optimizer.load_state_dict(wide.state_dict())
    before = snapshot(optimizer, X)
    with pytest.raises(ValueError, match=r"params\[1\]: the state has exponents"):
        optimizer.step([np.ones_like(A) for A in X])
    assert snapshot(optimizer, X) == before
    Y = [normal((3, 2)), np.full(5, 2.0**489)]
    with pytest.raises(ValueError, match=r"params\[1\]: X \(weights\) has a norm above 2\^490"):
        Adafactor(Y, strict=True).step([np.ones_like(A) for A in Y])
    assert bits(*Y) == bits(normal((3, 2)), np.full(5, 2.0**489))
