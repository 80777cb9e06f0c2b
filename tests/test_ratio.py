"""What is said of a move that no change of a line explains: one ratio, a power, or a range."""

import numpy as np
import pytest

from adafactor_numba.audit.clue import Clue
from adafactor_numba.audit.judgement import judgements
from adafactor_numba.audit.ratio import described, of_size
from adafactor_numba.audit.scenarios import runs
from derivations.method import ADAFACTOR
from tests.answers import Here, seen
from tests.implementations.plain import Plain

SCENARIOS = ("first step", "ordinary", "not clipped")


class Times(Plain):
    """Moves times a factor, which may depend on t and on the number of entries."""

    factor = staticmethod(lambda t, n: 1.0)

    def updated(self, state, X, G):
        t, before = state["t"] + 1, X
        new = super().updated(state, X, G)
        return before + (new - before) * self.factor(t, X.size)


def clues(build, *scenarios):
    """Those that fail and those that pass, in float64."""
    here = Here(build)
    asked = [r for r in runs(("float64",), 0, here.takes, here.can) if r.scenario in scenarios]
    found = [Clue(j, "float64") for j in judgements(ADAFACTOR, seen(build, asked))]
    return [f for f in found if f.fails], [f for f in found if not f.fails]


def said(build):
    return described(clues(build, *SCENARIOS)[0])


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (lambda t, n: 1.5, "it moves 1.5 times as far"),
        (lambda t, n: t**-0.25, "it moves t^-0.25 times as far"),
        (lambda t, n: n**0.5, "it moves the number of entries^0.5 times as far"),
        (lambda t, n: 1 + 1 / t, "it moves from 1.1"),
    ],
)
def test_a_factor_is_one_number_or_a_power_or_between_two(factor, words):
    build = type("Other", (Times,), {"factor": staticmethod(factor)})
    assert said(build).startswith(words)


class NoNumber(Plain):
    def U(self, G, V):
        return G * np.nan


class Uneven(Plain):
    def U(self, G, V):
        return np.sign(G)


@pytest.mark.parametrize(
    ("build", "words"), [(NoNumber, "there is no number"), (Uneven, "entries move from ")]
)
def test_entries_have_no_number_or_each_another_factor(build, words):
    assert said(build).startswith(words)


class From64(Plain):
    def second_moment(self, state, squares, t):
        if squares.ndim > 1 and min(squares.shape[-2:]) < 64:
            return self.averaged(state, "V", squares, t)
        return super().second_moment(state, squares, t)


class Unfactored(Plain):
    def second_moment(self, state, squares, t):
        return self.averaged(state, "V", squares, t)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (From64, ", in matrices of up to 32 rows or columns, not of 128"),
        (Unfactored, ""),
        (Uneven, ""),
    ],
)
def test_matrices_may_be_wrong_up_to_some_size(build, words):
    assert of_size(*clues(build, "least size", "first step")) == words
