"""float16 and bfloat16 are rounded once, to nearest or by chance that can be repeated."""

import math

import numpy as np
import pytest

from adafactor_numba import Adafactor, beyond
from adafactor_numba.bench.format import FORMATS
from adafactor_numba.half import draw
from adafactor_numba.hyperparameters import Hyperparameters
from derivations.adafactor import MATRIX, TENSOR, VECTOR
from derivations.evaluate import BALL, evaluate
from tests.arrays import HALVES, bits, normal, snapshot, stored, trained
from tests.test_half import hoeffding
from tests.test_optimizer import strided
from tests.test_storage import narrowed, widened

SHAPES = [(), (5,), (3, 4), (2, 3, 4), (2, 3, 2, 2), (0, 3)]
RULES = {1: VECTOR, 2: MATRIX, 3: TENSOR}
WIDE = [
    {"epsilon_1": 1e-70},
    {"epsilon_1": 1e-300, "d": 1e-10, "rho": 1e9},
    {"epsilon_1": 1e70, "d": 1e-10, "rho": 1e34},
]
"""Constants of which doubles do not take a step, and a rate for which it still shows."""


@pytest.fixture(params=HALVES)
def dtype(request):
    return stored(request.param)


def kind(dtype):
    return np.uint16 if dtype == np.float16 else np.int16


def after(X, seed=None, steps=3, **options):
    """X after some steps of gradients that its shape decides."""
    optimizer = Adafactor([X], stochastic_rounding=seed, **options)
    for t in range(1, steps + 1):
        optimizer.step([normal(X.shape, X.dtype, t)])
    return X


# To nearest


@pytest.mark.parametrize("shape", SHAPES)
def test_a_step_is_that_in_float64_rounded_once(shape, dtype):
    X, G = normal(shape, dtype), normal(shape, dtype, 1)
    wide = X.astype(float)
    optimizer, other = Adafactor([X]), Adafactor([wide])
    optimizer.step([G])
    other.step([G.astype(float)])
    assert bits(X.view(kind(dtype))) == bits(narrowed(wide, kind(dtype)))
    assert snapshot(optimizer, []) == snapshot(other, [])
    assert 0 in shape or bits(X) != bits(normal(shape, dtype))


@pytest.mark.parametrize("shape", [(300,), (145, 8193)])
def test_what_is_drawn_for_an_entry_is_that_of_its_place(shape, dtype):
    X, G = normal(shape, dtype), normal(shape, dtype, 1)
    wide, drawn = X.astype(float), np.empty(X.size, kind(dtype))
    Adafactor([X], stochastic_rounding=5).step([G])
    Adafactor([wide]).step([G.astype(float)])
    draw(wide.reshape(-1), drawn, (5, 1, 0, 0), 0)
    assert bits(X.view(kind(dtype))) == bits(drawn.reshape(shape))


@pytest.fixture
def moves(monkeypatch):
    """The arrays that steps in wide numbers make."""
    found, moved = [], beyond.moved
    monkeypatch.setattr(beyond, "moved", lambda *given: found.append(moved(*given)) or found[-1])
    return found


@pytest.mark.parametrize("constants", WIDE)
@pytest.mark.parametrize("shape", [(50,), (9, 7), (2, 5, 6)])
def test_a_step_in_wide_numbers_is_the_exact_one_rounded_once(shape, constants, dtype, moves):
    X, format = normal(shape, dtype), FORMATS[dtype.name]
    optimizer = Adafactor([X], **constants)
    for t in (1, 2):
        start, G, old = X.copy(), normal(shape, dtype, t), optimizer.state_dict()[0]
        optimizer.step([G])
        x = Hyperparameters(**constants).at(t)._asdict() | constants | {"X": start, "G": G}
        x |= {f"{name}_old": A for name, A in old.items() if name != "t"}
        exact = evaluate(RULES[X.ndim], {k: v for k, v in x.items() if k != "w"}, BALL)["X_new"]
        due = [format.nearest(ball) for ball in exact.flat]
        assert due == [(x, x) for x in X.astype(float).flat]
        assert len(moves) == t
        assert (X != start).mean() > 0.5


@pytest.mark.parametrize("constants", WIDE)
@pytest.mark.parametrize("form", ["Fortran", "sliced"])
@pytest.mark.parametrize("shape", [(300,), (2, 13, 21)])
def test_what_is_drawn_in_wide_numbers_is_that_of_its_place(shape, form, constants, dtype, moves):
    X, _ = strided(form, normal(shape, dtype))
    optimizer = Adafactor([np.ones(3, dtype), X], stochastic_rounding=5, **constants)
    for t in (1, 2):
        optimizer.step([None, normal(shape, dtype, t)])
        drawn = [np.empty(X.size, kind(dtype)) for _ in range(3)]
        for out, noise in zip(drawn, ((5, t, 1, 0), (5, t, 0, 0), (5, t + 1, 1, 0)), strict=True):
            draw(moves[-1].reshape(-1), out, noise, 0)
        found = bits(np.ascontiguousarray(X).view(kind(dtype)).reshape(-1))
        assert [found == bits(out) for out in drawn] == [True, False, False]
        assert len(moves) == t


@pytest.mark.parametrize("seed", [None, 1])
@pytest.mark.parametrize("form", ["Fortran", "sliced", "unaligned"])
@pytest.mark.parametrize("shape", [(300,), (2, 3, 4, 130)])
def test_strides_do_not_change_a_bit(form, shape, seed, dtype):
    X, other = normal(shape, dtype), strided(form, normal(shape, dtype))[0]
    assert bits(after(other, seed)) == bits(after(X, seed)) != bits(normal(shape, dtype))


def test_a_gradient_of_a_finer_type_counts_where_it_is_exact(dtype):
    G = np.array([1.5, -0.25, 0.0, 2.0**-14])
    X, Y, wide = (np.ones(4, x) for x in (dtype, dtype, np.float32))
    for x, other in ((X, dtype), (Y, np.float32), (wide, dtype)):
        Adafactor([x]).step([G.astype(other)])
    assert bits(X) == bits(Y) == bits(wide.astype(dtype))
    with pytest.raises(ValueError, match=rf"is 0.1.* at \[2\], which is no {dtype.name}"):
        Adafactor([X]).step([np.array([1, 2, 0.1, 4])])


def test_what_is_no_number_is_named_and_nothing_changes(dtype):
    for value in (np.nan, np.inf, -np.inf):
        X, G = normal((3, 4), dtype), normal((3, 4), dtype, 1)
        G[2, 1] = value
        optimizer = Adafactor([X])
        before = snapshot(optimizer, [X])
        with pytest.raises(ValueError, match=rf"^grads\[0\]: G .* is {float(value)} at \[2, 1\];"):
            optimizer.step([G])
        assert snapshot(optimizer, [X]) == before
        X[0, 3] = value
        with pytest.raises(ValueError, match=rf"^params\[0\]: X .* is {float(value)} at \[0, 3\];"):
            optimizer.step([np.ones_like(G)])


def test_only_what_is_beyond_the_largest_number_becomes_infinite(dtype):
    largest = widened(narrowed([np.inf], kind(dtype)) - kind(dtype)(1))[0]
    X = np.array([largest, -largest, largest, 1.0]).astype(dtype)
    Adafactor([X], rho=1.0).step([np.array([-1.0, 1.0, 1.0, 1.0]).astype(dtype)])
    assert np.array_equal(np.isinf(X), [True, True, False, False])
    assert X[0] > 0 > X[1]


# By chance


def small(dtype, n=2**16, seed=None, threads=None):
    """Ones, and how many of them have moved after a step of about a thousandth of them."""
    X = np.ones(n, dtype)
    Adafactor([X], rho=1e-4, stochastic_rounding=seed, threads=threads).step([np.ones(n, dtype)])
    return X, np.count_nonzero(X != 1)


def test_small_steps_are_taken_as_often_as_is_expected(dtype):
    """X = 1 becomes 1 - 1e-4, or rather a neighbour: 1, or 1 - u."""
    u = 1 - widened(narrowed([1.0], kind(dtype)) - kind(dtype)(1))[0]
    for seed in range(3):
        X, moved = small(dtype, seed=seed)
        assert abs(moved - X.size * 1e-4 / u) <= hoeffding(X.size)
        assert {*X.astype(float).tolist()} == {1.0, 1 - u}
    assert small(dtype)[1] == 0  # to nearest none ever moves


def test_the_same_seed_gives_the_same_bits_and_another_one_others(dtype):
    runs = [bits(after(normal((40, 130), dtype), seed)) for seed in (7, 7, 8, 7 + 2**32, None)]
    assert runs[0] == runs[1]
    assert len({str(run) for run in runs}) == 4


@pytest.mark.parametrize("threads", [2, 3, 7])
@pytest.mark.parametrize("shape", [(300, 257), (2, 150, 1100), (145, 8193), (140_001,)])
def test_threads_do_not_change_a_bit(shape, threads, dtype):
    X, Y = (normal(shape, dtype) for _ in range(2))
    assert bits(after(X, 5, threads=threads)) == bits(after(Y, 5, threads=1))


def test_what_stands_beside_a_parameter_does_not_matter_but_its_place_does(dtype):
    alone = bits(after(normal((40, 30), dtype), 3, steps=1))
    found = []
    for place in (0, 1, 2):
        X = [normal((3, 5), dtype), normal((70,)), normal((5, 130), dtype)]
        X.insert(place, normal((40, 30), dtype))
        Adafactor(X, stochastic_rounding=3).step([normal(x.shape, x.dtype, 1) for x in X])
        found.append(bits(X[place]))
    assert found[0] == alone
    assert len({str(x) for x in [alone, *found]}) == 3


def test_t_is_that_of_the_parameter_and_a_loaded_state_goes_on_with_the_same_bits(dtype):
    X = normal((6, 40), dtype)
    optimizer = Adafactor([X], stochastic_rounding=9)
    steps = []
    for t in range(1, 5):
        steps.append((X.copy(), optimizer.state_dict()))
        optimizer.step([normal(X.shape, dtype, t)])
        optimizer.step([None])
    for t, (start, state) in enumerate(steps, 1):
        other = Adafactor([start], stochastic_rounding=9)
        other.load_state_dict(state)
        for later in range(t, 5):
            other.step([normal(X.shape, dtype, later)])
        assert bits(start) == bits(X)
    X, Y = (np.ones(2**12, dtype) for _ in range(2))
    one, two = (Adafactor([x], rho=1e-3, stochastic_rounding=9) for x in (X, Y))
    zeros = np.zeros_like(X)
    two.step([zeros])  # moves nothing, but t
    one.step([np.ones_like(X)])
    two.step([np.ones_like(X)])
    assert bits(X) != bits(Y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float32_and_float64_are_rounded_to_nearest_with_any_seed(dtype):
    for shape in ((40,), (3, 40)):
        X, _ = trained(shape, dtype, stochastic_rounding=4)
        assert bits(X) == bits(trained(shape, dtype)[0])


@pytest.mark.parametrize("seed", [-1, 2**63, 1.0, True, "1", math.nan])
def test_a_seed_that_is_none_is_refused(seed):
    error = ValueError if type(seed) is int else TypeError
    with pytest.raises(error, match=r"^stochastic_rounding \(seed\) is .*; give an integer from 0"):
        Adafactor([], stochastic_rounding=seed)
