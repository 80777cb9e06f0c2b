"""Steps on bits: those of doubles, rounded once, in any layout and however they are cut."""

import numpy as np
import pytest

from adafactor_numba import half, loops, matrix, vector
from adafactor_numba.audit import check
from adafactor_numba.audit.check import COMPILED, compared, observed
from derivations.adafactor import MATRIX, SCHEDULE, TENSOR, VECTOR
from derivations.cases import cases, inputs, scheduled
from derivations.evaluate import BALL, evaluate
from tests.arrays import bits
from tests.test_loops import LENGTHS, STRADDLING, drawn, stepped

KINDS = {"float16": np.uint16, "bfloat16": np.int16}
NOISES = [half.NEAREST, (3, 5, 7, 100)]
RULES = {"vector": VECTOR, "matrix": MATRIX, "tensor": TENSOR}


def narrowed(x, kind):
    """The bits of what is nearest to x."""
    found = np.empty(np.shape(x), kind)
    half.narrow(np.ascontiguousarray(x, np.float64).reshape(-1), found.reshape(-1))
    return found


def widened(patterns):
    x = np.empty(patterns.shape)
    half.widen(np.ascontiguousarray(patterns).reshape(-1), x.reshape(-1))
    return x


def in_bits(shape, kind):
    """Weights and a gradient as bits; the statistics."""
    X, G, *statistics = drawn(shape, np.float64)
    return narrowed(X, kind), narrowed(G, kind), *statistics


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request):
    return request.param


@pytest.mark.parametrize("shape", [*STRADDLING, *((n,) for n in LENGTHS)])
def test_a_step_on_bits_is_that_on_doubles_rounded_once(shape, kind):
    X, G, *statistics = in_bits(shape, kind)
    X_new, *after = stepped((X, G, *statistics))
    exact, *same = stepped((widened(X), widened(G), *statistics))
    assert bits(*after) == bits(*same)
    assert bits(X_new) == bits(narrowed(exact, kind)) != bits(X)


def descended(shape, kind, noise):
    """What `descend` and its like make of weights of this shape; a matrix as one strip."""
    X, G, *statistics = in_bits(shape, kind)
    if len(shape) == 1:
        vector.descend(X, G, *statistics, 0.01, 0.25, 0.75, 1e-30, noise)
    else:
        matrix.descend_strip(X[0], G[0], statistics[0][0], statistics[1][0], 0.01, noise)
    return X


@pytest.mark.parametrize("noise", NOISES, ids=["nearest", "by chance"])
@pytest.mark.parametrize("shape", [(1, 3, 1), (1, 5, 257), (1, 129, 3), (1,), (129,)])
def test_compiled_and_plain_steps_on_bits_are_the_same(shape, kind, noise, request):
    arrays = in_bits(shape, kind)
    compiled, moved = stepped(arrays), descended(shape, kind, noise)
    request.getfixturevalue("interpreted")
    plain = matrix.step if len(shape) == 3 else vector.step
    assert bits(*stepped(arrays, plain)) == bits(*compiled)
    assert bits(descended(shape, kind, noise)) == bits(moved)
    if moved.size > 100:
        assert bits(descended(shape, kind, (4, 5, 7, 100))) != bits(moved)


@pytest.mark.parametrize("noise", NOISES, ids=["nearest", "by chance"])
@pytest.mark.parametrize("cut", [4, 8, 36])
def test_a_matrix_cut_into_strips_gets_the_same_bits(kind, noise, cut):
    X, G, (r,), (c,) = in_bits((1, 37, 129), kind)
    whole, parts = X[0].copy(), np.asfortranarray(X[0])
    matrix.descend_strip(whole, G[0], r, c, 0.01, noise)
    for own in (slice(0, cut), slice(cut, None)):
        first = (*noise[:3], noise[3] + own.start * 129)
        matrix.descend_strip(parts[own], G[0, own], r[own], c, 0.01, first)
    assert bits(np.ascontiguousarray(parts)) == bits(whole)


@pytest.mark.parametrize("order", ["Fortran", "sliced"])
def test_strides_do_not_change_a_bit(kind, order):
    for shape in ((2, 5, 129), (129,)):
        X, G, *statistics = in_bits(shape, kind)
        other = np.zeros([2 * extent for extent in shape], kind)[
            (slice(None, None, 2),) * len(shape)
        ]
        if order == "Fortran":
            other = np.zeros(shape[::-1], kind).T
        other[...] = X
        scalars = 0.25, 0.75, 0.01, 1e-30, 1e-3, 1.0
        step = vector.step if len(shape) == 1 else matrix.step
        step(other, np.asfortranarray(G), *(A.copy() for A in statistics), *scalars)
        assert bits(np.ascontiguousarray(other)) == bits(stepped((X, G, *statistics))[0])


def test_the_scan_finds_what_the_bits_stand_for(kind):
    for value, found in ((np.nan, 14), (np.inf, 14), (-np.inf, 14), (5.0, 14), (4.0, -1)):
        X = narrowed(np.zeros((2, 3, 4)), kind)
        X[1, 0, 2] = X[1, 2, 0] = narrowed([value], kind)[0]
        assert loops.first_beyond(X, 4.0) == loops._first_beyond(X, 4.0) == found


def in_the_format(rule, name):
    """Every case in float32 whose weights and gradient the format has room for, rounded to it."""
    for case in cases(rule):
        x = inputs(case, rule)
        stored = {array: narrowed(x[array], KINDS[name]) for array in ("X", "G")}
        exact = {array: widened(patterns) for array, patterns in stored.items()}
        if case.dtype == "float32" and all(np.isfinite(A).all() for A in exact.values()):
            yield case, x | stored, x | exact


def of_a_case(rule, case, stored, exact):
    """The steps as the loops compute them on bits, the exact ones, and K."""
    found = observed(COMPILED, stored | check.scheduled_doubles(COMPILED, case.t))
    expected = evaluate(rule, exact | scheduled(SCHEDULE, case.t), BALL)
    K = check.loop_roundings(stored["X"].shape, "R_old" in stored, case.t)
    return found | {"X_new": widened(found["X_new"])}, expected, K


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_step_of_every_case_is_within_rounding_of_the_derivation(rule, name):
    """And the numbers beside what is stored are not, but where rounding may lead to a tie."""
    many = 0
    for case, stored, exact in in_the_format(rule, name):
        found, expected, K = of_a_case(rule, case, stored, exact)
        assert not compared(rule, found, expected, K, name), case
        X_new = found["X_new"]
        further = np.isfinite(X_new).astype(KINDS[name])
        beside = widened(narrowed(X_new, KINDS[name]) + further)
        seen = compared(rule, found | {"X_new": beside}, expected, K, name)
        middle = (X_new + beside) / 2
        assert seen or not compared(rule, found | {"X_new": middle}, expected, K, "float64"), case
        many += bool(seen)
    assert many > 150
