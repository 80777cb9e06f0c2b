"""The three number systems agree, and each is right where it can be checked by hand."""

import math
from fractions import Fraction

import flint
import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational, Reals, Sum

from derivations.adafactor import (
    EXTENTS,
    MATRIX,
    S_R,
    SCHEDULE,
    TENSOR,
    VECTOR,
    C_old,
    G,
    R_old,
    columns,
    i,
    j,
    k,
    n,
    rows,
)
from derivations.adafactor import d as scale
from derivations.bounds import gamma, roundings
from derivations.cases import TIMES, Case, Fill, inputs, scheduled
from derivations.evaluate import (
    BALL,
    BITS,
    EXACT,
    FLOAT,
    UndecidedError,
    evaluate,
    trajectory,
)
from derivations.rule import Input, Step, UpdateRule
from tests.strategies import cases_of

RULES = {"vector": VECTOR, "matrix": MATRIX, "tensor": TENSOR}
ALL_BUT_V = ["X", *(step.name for step in VECTOR.steps if step.name != "V")]
SMALL = {"vector": Case((5,)), "matrix": Case((3, 4)), "tensor": Case((2, 3, 4))}
DOUBLES = {"rho": 0.25, "beta_2": 0.75}  # the same number in every system
UNIT = Fraction(1, 2**53)


def ball(x: Fraction) -> flint.arb:
    return flint.arb(flint.fmpq(x.numerator, x.denominator))


def flat(value):
    return list(np.asarray(value).flat)


def worst(rule: UpdateRule, x, floats, balls) -> dict[str, float]:
    """For every step, the largest error of a float as a share of what the count allows."""
    sizes = {}
    for q in rule.inputs:
        if q.name in x:
            sizes |= dict(zip(rule.shape(q), np.shape(x[q.name]), strict=True))
    shares = {}
    for name, K in roundings(rule).items():
        counted = ball(gamma(int(K.subs(sizes)), UNIT))
        last = name == rule.steps[-1].name
        size = balls["alpha"] * balls["U_hat"] if last else balls[name]
        shares[name] = max(
            float(
                abs(flint.arb(float(got)) - expected)
                / (counted * abs(scale) + (ball(UNIT) * abs(expected) if last else 0))
            )
            for got, expected, scale in zip(
                *map(flat, (floats[name], balls[name], size)), strict=True
            )
            if scale != 0
        )
    return shares


@pytest.mark.parametrize("name", RULES)
def test_floats_lie_within_the_roundings_counted_on_the_rule(name):
    rule = RULES[name]
    x = inputs(SMALL[name], rule) | DOUBLES
    shares = worst(rule, x, evaluate(rule, x), evaluate(rule, x, BALL))
    assert shares.keys() == {s.name for s in rule.steps}
    assert 0 < max(shares.values()) <= 1


@pytest.mark.parametrize("name", RULES)
def test_floats_rounded_once_to_float32_do_not(name):
    rule = RULES[name]
    x = inputs(SMALL[name], rule) | DOUBLES
    coarse = {step: np.float64(np.float32(v)) for step, v in evaluate(rule, x).items()}
    assert min(worst(rule, x, coarse, evaluate(rule, x, BALL)).values()) > 1


def test_matrix_statistics_are_exact():
    """The gradient of the textbook page [W], whose V is rational."""
    given = np.array([[3, -2, 4], [-5, 6, -1], [2, -4, 3]], object) * Fraction(1, 10)
    zeros = np.zeros(3, object)
    x = {"X": given * 0, "G": given, "R_old": zeros, "C_old": zeros, "rho": 0, "beta_2": 0}
    y = evaluate(MATRIX, x | {"epsilon_1": 0}, EXACT, want=("V",))
    assert flat(y["R"]) == [Fraction(29, 100), Fraction(62, 100), Fraction(29, 100)]
    assert flat(y["C"]) == [Fraction(38, 100), Fraction(56, 100), Fraction(26, 100)]
    assert y["S_R"] == Fraction(6, 5)
    assert y["V"][1, 2] == Fraction(62, 100) * Fraction(26, 100) / Fraction(6, 5)
    assert {type(v) for name in ("R", "C", "V") for v in flat(y[name])} == {Fraction}
    assert "U" not in y


# V = g^2 + 3 = 4, so that U = 1/2; alpha = max(2, 4) / 4 = 1.
RATIONAL = {
    "X": np.array([4, -4]), "G": np.array([1, -1]), "V_old": np.array([9, 9]),
    "rho": Fraction(1, 4), "beta_2": 0, "epsilon_1": 3, "epsilon_2": 2, "d": Fraction(1, 4),
}  # fmt: skip


def test_a_vector_step_is_exact():
    y = evaluate(VECTOR, RATIONAL, EXACT)
    assert y["alpha"] == 1
    assert flat(y["U"]) == [Fraction(1, 2), Fraction(-1, 2)]
    assert y["mean_square_U"] == Fraction(1, 4)
    assert flat(y["U_hat"]) == [Fraction(1, 4), Fraction(-1, 4)]
    assert flat(y["X_new"]) == [Fraction(15, 4), Fraction(-15, 4)]
    assert evaluate(VECTOR, RATIONAL | {"epsilon_2": 8}, EXACT)["alpha"] == 2
    half = evaluate(VECTOR, RATIONAL | {"beta_2": Fraction(1, 2)}, EXACT, want=("V",))
    assert flat(half["V"]) == [Fraction(13, 2)] * 2


@pytest.mark.parametrize("numbers", [FLOAT, EXACT, BALL], ids=lambda n: n.name)
def test_an_infinite_threshold_clips_nothing(numbers):
    y = evaluate(VECTOR, RATIONAL | {"d": math.inf}, numbers)
    assert all(a == b for a, b in zip(flat(y["U_hat"]), [0.5, -0.5], strict=True))
    assert all(a == b for a, b in zip(flat(y["X_new"]), [3.5, -3.5], strict=True))


@pytest.mark.parametrize(
    ("t", "exact"), [(1, 0), (32, Fraction(15, 16)), (2**15, 1 - UNIT * 2**41)]
)
def test_the_schedule_is_rational_at_powers_of_32(t, exact):
    y = evaluate(SCHEDULE, {"t": t}, EXACT, want=("beta_2",))
    assert y["beta_2"] == exact
    assert evaluate(SCHEDULE, {"t": t}, BALL)["beta_2"].overlaps(ball(Fraction(exact)))


def test_an_irrational_root_names_its_step():
    with pytest.raises(ArithmeticError, match="the 2-th root of 2 is irrational") as error:
        evaluate(SCHEDULE, {"t": 2}, EXACT)
    assert error.value.__notes__ == ["schedule: step rho ([S] Algorithm 6, rho_t)"]


@pytest.mark.parametrize("numbers", [FLOAT, EXACT], ids=lambda n: n.name)
def test_a_division_by_zero_names_its_step(numbers):
    x = RATIONAL | {"G": np.array([0, 1]), "epsilon_1": 0}
    with pytest.raises(ArithmeticError) as error:
        evaluate(VECTOR, x, numbers)
    assert error.value.__notes__ == ["vector: step U[i] ([S] Algorithm 5, line 6)"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"G": np.ones(3)}, "vector: G (gradient) has shape (n,) with n = 2, got (3,)"),
        ({"G": np.ones((2, 1))}, "vector: G (gradient) has shape (n,) with n = 2, got (2, 1)"),
        ({"X": 1.0}, "vector: X (weights) has shape (n,), got ()"),
        ({"d": np.ones(2)}, "vector: d (clipping threshold) has shape (), got (2,)"),
    ],
)
def test_wrong_inputs_are_named(change, message):
    with pytest.raises(ValueError, match="vector: ") as error:
        evaluate(VECTOR, RATIONAL | change)
    assert str(error.value) == message


def test_a_missing_input_is_named():
    x = {name: value for name, value in RATIONAL.items() if name != "rho"}
    with pytest.raises(ValueError, match=r"^vector: no value for the input rho \(relative step"):
        evaluate(VECTOR, x)


def test_missing_inputs_take_the_defaults_of_the_paper_unrounded():
    x = {name: v for name, v in RATIONAL.items() if name not in ("epsilon_1", "epsilon_2", "d")}
    x |= {"X": np.zeros(2, int), "G": np.zeros(2, int)}
    assert evaluate(VECTOR, x, EXACT, want=("alpha",))["alpha"] == Fraction(1, 4000)
    assert flat(evaluate(VECTOR, x, EXACT, want=("V",))["V"]) == [Fraction(1, 10**30)] * 2


def test_a_ball_that_stays_wide_is_an_error():
    wide = RATIONAL | {"rho": flint.arb(1, 0.125)}
    message = r"vector: step alpha \(\[S\] Algorithm 5, line 3\) is not narrow at 8192 bits"
    with pytest.raises(UndecidedError, match=message):
        evaluate(VECTOR, wide, BALL)


def narrow(x: flint.arb, size: flint.arb) -> bool:
    return bool(x.rad() * 2**BITS <= abs(size))


@pytest.mark.parametrize("name", RULES)
@given(data=st.data())
def test_every_ball_is_narrow(name, data):
    rule = RULES[name]
    case = data.draw(cases_of(rule))
    x = inputs(case, rule) | scheduled(SCHEDULE, case.t)
    y = evaluate(rule, x, BALL)
    for step in rule.steps[:-1]:
        assert all(narrow(v, v) for v in flat(y[step.name])), step.name
    moves = flat(y["alpha"] * y["U_hat"])
    for X, move, X_new in zip(flat(y["X"]), moves, flat(y["X_new"]), strict=True):
        assert narrow(X_new, abs(X) + abs(move))


def cancelling(rule: UpdateRule, case: Case):
    """Inputs whose X is the double next to alpha U_hat, so that X_new nearly vanishes."""
    x = inputs(case, rule) | scheduled(SCHEDULE, case.t) | {"epsilon_2": 1e10}
    y = evaluate(rule, x, BALL)
    return x | {"X": np.vectorize(float, otypes=[float])(y["alpha"] * y["U_hat"])}


@pytest.mark.parametrize("name", RULES)
def test_what_cancels_is_still_enclosed_narrowly(name):
    x = cancelling(RULES[name], SMALL[name])
    y = evaluate(RULES[name], x, BALL)
    for X, X_new in zip(flat(y["X"]), flat(y["X_new"]), strict=True):
        assert abs(X_new) <= 2 * ball(UNIT) * abs(X)
        assert narrow(X_new, X)


def test_what_cancels_to_nothing_ends():
    x = RATIONAL | {"X": np.array([0.25, -0.25]), "rho": 0.5, "d": 0.25}
    y = evaluate(VECTOR, x, BALL)
    assert flat(y["X_new"]) == [0, 0]  # alpha = 1 and U_hat = 1/4, exactly
    still = evaluate(VECTOR, RATIONAL | {"X": np.zeros(2, int), "G": np.zeros(2, int)}, BALL)
    assert flat(still["X_new"]) == [0, 0]


def by_hand(x, t):
    """The schedule and a step of MATRIX in mpmath, written apart from the rule."""
    X, G, R_old, C_old, epsilon_1, epsilon_2, d = (
        mpmath.mpf(1) * np.asarray(x[name]).astype(object)
        for name in ("X", "G", "R_old", "C_old", "epsilon_1", "epsilon_2", "d")
    )
    w, rho = mpmath.mpf(t) ** (-mpmath.mpf(4) / 5), min(mpmath.mpf(1) / 100, mpmath.mpf(t) ** -0.5)
    root = np.vectorize(mpmath.sqrt, otypes=[object])
    alpha = max(epsilon_2, mpmath.sqrt((X * X).sum() / X.size)) * rho
    R = (1 - w) * R_old + w * (G * G + epsilon_1).sum(axis=1)
    C = (1 - w) * C_old + w * (G * G + epsilon_1).sum(axis=0)
    V = R[:, None] * C / R.sum()
    U = G / root(V)
    U_hat = U / max(1, mpmath.sqrt((U * U).sum() / U.size) / d)
    X_new = X - alpha * U_hat
    return {"alpha": alpha, "R": R, "C": C, "V": V, "U": U, "U_hat": U_hat, "X_new": X_new}


def distance(x: flint.arb, y: mpmath.mpf) -> tuple[Fraction, Fraction]:
    """|midpoint of x - y|, and the radius of x, as exact numbers."""

    def rational(mantissa, exponent):
        return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)

    number = int(mpmath.sign(y)) * rational(*y.man_exp)
    return abs(rational(*x.mid().man_exp()) - number), rational(*x.rad().man_exp())


@pytest.mark.parametrize("t", TIMES)
@pytest.mark.parametrize("size", [1e-20, 1.0, 1e18])
def test_balls_enclose_a_reference_written_apart(t, size):
    x = inputs(Case((3, 4), t=t, G=Fill("normal", size)), MATRIX)
    y = evaluate(MATRIX, x | scheduled(SCHEDULE, t), BALL)
    with mpmath.workprec(400):
        for name, values in by_hand(x, t).items():
            for got, expected in zip(flat(y[name]), flat(values), strict=True):
                off, radius = distance(got, expected)
                assert off <= radius, name
                assert distance(got, expected * (1 + mpmath.mpf(2) ** -70))[0] > radius


def test_a_run_carries_its_statistics_and_weights():
    start = {k: v for k, v in RATIONAL.items() if k != "G"} | {"V_old": np.zeros(2, int)}
    each = [{"G": RATIONAL["G"], "beta_2": b} for b in (0, Fraction(1, 2))]
    first, second = trajectory(VECTOR, start, each, EXACT)
    assert flat(second["X"]) == flat(first["X_new"])
    assert flat(second["V_old"]) == flat(first["V"])
    replaced = trajectory(VECTOR, start, [each[0], each[1] | {"X": np.array([7, 7])}], EXACT)
    assert [flat(y["X"]) for y in replaced][1] == [7, 7]


@pytest.mark.parametrize("first", [0, Fraction(1, 3)])
def test_the_weights_of_the_moving_average_sum_to_one_if_beta_2_starts_at_zero(first):
    """Of squares that stay 4, the average is 4 at every t; not where beta_21 > 0."""
    start = RATIONAL | {"V_old": np.zeros(2, int), "d": math.inf}
    each = [{"beta_2": first}, *({"beta_2": 1 - Fraction(1, t)} for t in range(2, 8))]
    rule = VECTOR.but("averages", "", without=ALL_BUT_V)
    averages = [flat(y["V"]) for y in trajectory(rule, start, each, EXACT)]
    assert all((V == [4, 4]) == (first == 0) for V in averages)


def test_a_form_without_a_value_is_named():
    rule = VECTOR.but("other", "a test", without=ALL_BUT_V, V=sp.sin(G[i]) + 2)
    with pytest.raises(NotImplementedError, match="no value for sin"):
        evaluate(rule, RATIONAL)


def of_S_R(value: sp.Expr, numbers=EXACT, d=1):
    """S_R of a rule that has this step alone, for R = 1, 5 and C of three entries."""
    given = (Input(R_old[i], Reals, "R"), Input(C_old[j], Reals, "C"), Input(scale, Reals, "d"))
    rule = UpdateRule("other", "a test", EXTENTS, given, (Step(S_R, value, "a test"),))
    x = {"R_old": np.array([1, 5]), "C_old": np.zeros(3, int), "d": d}
    return evaluate(rule, x, numbers)["S_R"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Sum(R_old[k], rows), 6),
        (Sum(R_old[k], rows, columns), 18),
        (Sum(R_old[k], columns, rows), 18),
        (Sum(scale, rows), 2),
        (Sum(R_old[k] * Sum(R_old[k], rows), rows), 36),
        (Sum((R_old[k] - Sum(R_old[k], rows) / n) ** 2, rows), 8),
    ],
)
def test_a_sum_is_over_its_own_index_and_counts_what_has_none(value, expected):
    assert of_S_R(value) == expected
    assert of_S_R(value, FLOAT) == expected


def test_a_constant_is_as_narrow_as_the_precision_of_the_moment():
    value = (scale - Rational(1, 3)) ** 3  # of d next to 1/3: 128 bits are not enough
    near = Fraction(1, 3) + Fraction(1, 2**100)
    assert of_S_R(value, BALL, d=near).overlaps(ball(Fraction(1, 2**300)))
    assert of_S_R(value, BALL, d=Fraction(4, 3)).overlaps(flint.arb(1))


def test_a_step_may_be_wanted_in_one_system_and_then_in_another():
    for numbers in (FLOAT, EXACT, BALL, EXACT, FLOAT):
        for want in ("alpha", "V"):
            y = evaluate(VECTOR, RATIONAL, numbers, [want])
            assert all(v == {"alpha": 1, "V": 4}[want] for v in flat(y[want]))
            assert "U" not in y


def test_what_is_returned_is_no_part_of_what_was_given():
    x = {name: np.asarray(v, float) for name, v in RATIONAL.items()}
    before = {name: v.copy() for name, v in x.items()}
    for v in evaluate(VECTOR, x).values():
        np.asarray(v).fill(7)
    assert all(np.array_equal(x[name], v) for name, v in before.items())


def test_a_value_is_repeated_along_the_axes_that_it_does_not_have():
    rule = VECTOR.but("constant", "a test", without=ALL_BUT_V, V=scale + 1)
    for numbers in (FLOAT, EXACT, BALL):
        assert flat(evaluate(rule, RATIONAL, numbers)["V"]) == [1.25, 1.25]


def test_a_ball_that_is_not_a_number_is_not_taken_for_infinity():
    with pytest.raises(UndecidedError, match="step rho"):
        evaluate(SCHEDULE, {"t": -1}, BALL)


def test_a_diagonal_has_no_value():
    given = (Input(G[i, k], Reals, "a square"),)
    line = Step(R_old[i], G[i, i], "a test")
    rule = UpdateRule("square", "a test", {i: n, k: n}, given, (line,))
    with pytest.raises(NotImplementedError, match=r"no value for Indexed: G\[i, i\]"):
        evaluate(rule, {"G": np.eye(2)})
