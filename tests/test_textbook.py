"""The worked example of the Cornell optimization wiki: rationals with ==, decimals by enclosure."""

import doctest
import math
from fractions import Fraction
from pathlib import Path

import flint
import numpy as np
import pytest

from derivations.adafactor import MATRIX, C, R, i, j, m, n
from derivations.evaluate import BALL, EXACT, evaluate

PAGE = Path(__file__).parent.parent / "docs" / "textbook.md"


def rational(table: str) -> np.ndarray:
    """Decimals or fractions as exact numbers: one array per row, one row if there is one line."""
    rows = [[Fraction(x) for x in line.split()] for line in table.strip().splitlines()]
    return np.array(rows[0] if len(rows) == 1 else rows, object)


G = rational("""
     .3 -.2  .4
    -.5  .6 -.1
     .2 -.4  .3""")
ALPHA = Fraction("0.00806")
ZERO = Fraction(0)
FIRST_STEP = {
    "X": np.full((3, 3), Fraction("0.806")),
    "G": G,
    "R_old": [ZERO] * 3,
    "C_old": [ZERO] * 3,
    "rho": Fraction("0.01"),
    "beta_2": ZERO,
    "epsilon_1": ZERO,
}
U = """
      .9899678  -.5436603  1.5957503
    -1.1284257  1.1154549  -.2728400
      .6599786 -1.0873206  1.1968127"""
U_HAT = """
      .9653823  -.5301586  1.5561203
    -1.1004016  1.0877529  -.2660641
      .6435882 -1.0603173  1.1670903"""
V = """
     .0918333 .1353333 .0628333
     .1963333 .2893333 .1343333
     .0918333 .1353333 .0628333"""
FORGOTTEN = MATRIX.but("forgotten denominator", "a mistake", V=(R[i] / m) * (C[j] / n))


def statistics(rule=MATRIX):
    return evaluate(rule, FIRST_STEP, EXACT, ["V"])


def update(rule=MATRIX, d=1):
    return evaluate(rule, {**FIRST_STEP, "d": d}, BALL)


def rounds_to(values, printed: str) -> bool:
    """Whether every value, a ball or a rational, is proved to round to its 7 printed decimals."""
    half = Fraction(1, 2 * 10**7)
    shown = rational(printed)
    values = np.asarray(values, object).reshape(shown.shape)
    return all(
        ball(x - half) < value < ball(x + half)
        for value, x in zip(map(ball, values.flat), shown.flat, strict=True)
    )


def ball(x) -> flint.arb:
    return x if isinstance(x, flint.arb) else flint.arb(flint.fmpq(x.numerator, x.denominator))


def test_the_page_runs_as_it_is_printed():
    result = doctest.testfile(str(PAGE), module_relative=False)
    assert result.attempted > 20
    assert result.failed == 0


def test_a_wrong_digit_on_the_page_is_found():
    text = PAGE.read_text().replace("1.0254672", "1.0254673")
    wrong = doctest.DocTestParser().get_doctest(text, {}, "wrong", None, 0)
    assert doctest.DocTestRunner(verbose=False).run(wrong, out=lambda _: None).failed == 1


def test_the_statistics_are_the_rationals_of_the_page():
    exact = statistics()
    assert np.array_equal(G**2, rational(".09 .04 .16\n .25 .36 .01\n .04 .16 .09"))
    assert np.array_equal(exact["R"], rational(".29 .62 .29"))
    assert np.array_equal(exact["C"], rational(".38 .56 .26"))
    assert exact["S_R"] == (G**2).sum() == Fraction("1.2")
    assert np.array_equal(exact["V"] * 6000, rational("551 812 377\n 1178 1736 806\n 551 812 377"))


def test_means_give_the_same_second_moment_as_sums():
    exact = statistics()
    means = np.outer(exact["R"] / 3, exact["C"] / 3) / (exact["S_R"] / 9)
    assert np.array_equal(means, exact["V"])
    assert rounds_to(exact["R"] / 3, ".0966667 .2066667 .0966667")
    assert rounds_to(exact["C"] / 3, ".1266667 .1866667 .0866667")
    assert rounds_to(exact["S_R"] / 9, ".1333333")
    assert rounds_to(exact["V"], V)


def test_the_update_rounds_to_the_decimals_of_the_page():
    clipped = update()
    assert rounds_to(clipped["U"], U)
    assert rounds_to(clipped["mean_square_U"].sqrt(), "1.0254672")
    assert rounds_to(clipped["U_hat"], U_HAT)


def test_without_clipping_the_update_is_that_of_the_quotient():
    unclipped = update(d=math.inf)
    assert rounds_to(unclipped["U_hat"], U)
    assert not rounds_to(unclipped["U_hat"], U_HAT)


@pytest.mark.parametrize(("d", "decimals"), [(1, U_HAT), (math.inf, U)], ids=["d=1", "d=infinity"])
def test_the_weights_move_by_the_learning_rate_times_the_update(d, decimals):
    values = update(d=d)
    with flint.ctx.workprec(512):  # far finer than the ball that is to contain it
        assert values["alpha"].contains(ball(ALPHA))
        assert not values["alpha"].contains(ball(ALPHA + Fraction(1, 10**30)))
    assert rounds_to((values["X"] - values["X_new"]) / ball(ALPHA), decimals)


def test_the_learning_rate_is_the_root_mean_square_of_the_weights_times_rho():
    exact = evaluate(MATRIX, FIRST_STEP, EXACT, ["alpha"])
    assert exact["alpha"] == ALPHA


def test_clipping_hides_a_forgotten_denominator():
    ratio, wrong = (G**2 / statistics(rule)["V"] for rule in (MATRIX, FORGOTTEN))
    assert np.array_equal(wrong, ratio * Fraction(15, 2))
    assert ratio.mean() > 1
    assert np.array_equal(ratio / ratio.mean(), wrong / wrong.mean())  # U_hat^2 where clipped
    assert rounds_to(update(FORGOTTEN)["mean_square_U"].sqrt(), "2.8083575")
    assert rounds_to(update(FORGOTTEN)["U_hat"], U_HAT)


def test_without_clipping_a_forgotten_denominator_shows():
    assert not rounds_to(update(FORGOTTEN, math.inf)["U_hat"], U)


@pytest.mark.parametrize("printed", ["1.0254671", "1.0254673"])
def test_a_last_digit_that_is_off_by_one_is_refused(printed):
    assert not rounds_to(update()["mean_square_U"].sqrt(), printed)


def test_an_enclosure_too_wide_to_decide_is_refused():
    assert not rounds_to(flint.arb("1.0254672", "1e-6"), "1.0254672")
