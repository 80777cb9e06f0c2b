"""What no audit can tell apart: every proof is verified, a false one is not, and numbers agree."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from derivations.adafactor import MATRIX, S_R, SCHEDULE, C, C_old, R, R_old, m, n
from derivations.equivalents import EQUIVALENTS, FROM_ZERO, LATE_EPSILON_1, MEANS, scaled
from derivations.evaluate import EXACT, evaluate

LINES = [(e.name, line) for e in EQUIVALENTS for line in e.proof]
whole = st.integers(-9, 9)
SCALES = {R.label: 1 / m, R_old.label: 1 / m, C.label: 1 / n, C_old.label: 1 / n, S_R: 1 / (n * m)}


@pytest.mark.parametrize("equivalent", EQUIVALENTS, ids=lambda e: e.name)
def test_every_theorem_is_proved_for_all_sizes(equivalent):
    assert equivalent.proof
    assert equivalent.verified


@pytest.mark.parametrize(("name", "line"), LINES)
def test_a_line_with_another_right_side_is_refused(name, line):
    assert not replace(line, right=2 * line.right).verified
    assert not replace(line, right=line.right + 1).verified


@pytest.mark.parametrize("symbol", SCALES, ids=str)
def test_a_statistic_on_its_own_scale_is_refused(symbol):
    """With means in one place and sums in another, V is not the paper's."""
    lines = [*scaled(MEANS, SCALES | {symbol: 1})]
    assert not all(line.verified for line in lines)


def test_the_rules_written_otherwise_are_not_the_papers_text():
    assert MEANS["R"].value != MATRIX["R"].value
    assert LATE_EPSILON_1["R"].value != MATRIX["R"].value
    assert FROM_ZERO["rho"].value != SCHEDULE["rho"].value


@given(arrays(object, array_shapes(min_dims=2, max_dims=2, max_side=4), elements=whole))
def test_exact_numbers_agree_over_two_steps(G):
    state = {rule: {} for rule in (MATRIX, MEANS, LATE_EPSILON_1)}
    for beta_2 in (Fraction(0), Fraction(1, 3)):
        found = {}
        for rule, old in state.items():
            zeros = {
                "R_old": np.full(G.shape[0], Fraction(0)),
                "C_old": np.full(G.shape[1], Fraction(0)),
            }
            x = {"X": G, "G": G, "beta_2": beta_2, "rho": Fraction(1), "epsilon_1": Fraction(1, 7)}
            values = evaluate(rule, x | zeros | old, EXACT, ["V"])
            state[rule] = {"R_old": values["R"], "C_old": values["C"]}
            found[rule] = values["V"]
        assert np.array_equal(found[MEANS], found[MATRIX])
        assert np.array_equal(found[LATE_EPSILON_1], found[MATRIX])


@given(st.integers(1, 10**6))
def test_t_from_zero_gives_the_same_rates(t):
    ours = evaluate(FROM_ZERO, {"t": t - 1})
    papers = evaluate(SCHEDULE, {"t": t})
    assert ours["rho"] == papers["rho"]
    assert ours["beta_2"] == papers["beta_2"]
