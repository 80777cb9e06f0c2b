"""What is said of a move that no change of a line explains: one ratio, a power, or a range."""

import numpy as np
import pytest

from adafactor_numba.audit.clue import Clue
from adafactor_numba.audit.judgement import judgements
from adafactor_numba.audit.ratio import described
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


def said(build):
    """What is said of its moves, in float64."""
    here = Here(build)
    asked = [r for r in runs(("float64",), 0, here.takes, here.can) if r.scenario in SCENARIOS]
    clues = [Clue(j, "float64") for j in judgements(ADAFACTOR, seen(build, asked))]
    return described([clue for clue in clues if clue.fails])


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (lambda t, n: 1.5, "moves 1.5 times as far"),
        (lambda t, n: t**-0.25, "moves t^-0.25 times as far"),
        (lambda t, n: n**0.5, "moves the number of entries^0.5 times as far"),
        (lambda t, n: 1 + 1 / t, "moves from 1.1"),
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
    ("build", "words"), [(NoNumber, "no number"), (Uneven, "entries move from ")]
)
def test_entries_have_no_number_or_each_another_factor(build, words):
    assert said(build).startswith(words)
