"""The plain source of the loops, on balls, is the rule; a changed source is not."""

import pytest

from adafactor_numba.audit import bridge
from adafactor_numba.audit.check import COMPILED
from derivations.adafactor import MATRIX, TENSOR, VECTOR
from derivations.cases import Case, cases
from tests.mutants import LOOPS, MUTANTS, implementation


def small(*sizes, **options):
    """A case whose sizes are around the blocks, with statistics so small that U is clipped."""
    return Case(sizes, statistics="small", **options)


STRADDLING = {
    VECTOR: [small(n, t=t) for n in (1, 39, 40, 41, 64, 65, 200) for t in (1, 100)],
    MATRIX: [
        *(small(*s, t=t) for s in ((9, 5), (29, 9), (7, 33), (9, 17), (53, 3)) for t in (1, 100)),
        small(29, 9, t=100, d=3.0, epsilon_2=10.0),
    ],
    TENSOR: [small(2, 10, 6), small(3, 9, 5, t=100)],
}
ROUNDED = "float32", "dtype"  # what only shows in floats


@pytest.fixture
def balls(tmp_path, monkeypatch):
    """The source of loops with smaller blocks, or of a wrong one, on balls."""
    monkeypatch.syspath_prepend(tmp_path)

    def made(name, mutant=None):
        return bridge.on_balls(implementation(tmp_path, name, mutant, compiled=True))

    return made


def test_the_source_is_the_rule_on_every_way_through_it(balls):
    loops = balls("blocks")
    for rule, chosen in STRADDLING.items():
        for case in [*chosen, *cases(rule)[::3]]:
            if case.d != float("inf"):
                assert bridge.parted(rule, case, loops) == [], case


def test_the_source_of_the_compiled_loops_is_the_rule():
    loops = bridge.on_balls(COMPILED)
    for rule, sizes in ((VECTOR, (150,)), (MATRIX, (9, 85)), (TENSOR, (2, 5, 33))):
        assert bridge.parted(rule, small(*sizes, t=3), loops) == []


WRONG = [
    mutant
    for mutant in MUTANTS
    if mutant.module in LOOPS and not any(w in mutant.new for w in ROUNDED)
]


@pytest.mark.parametrize("mutant", WRONG, ids=lambda mutant: mutant.name)
def test_a_changed_source_is_not_the_rule(mutant, balls):
    loops = balls(f"wrong_{WRONG.index(mutant)}", mutant)
    for rule, chosen in STRADDLING.items():
        for case in chosen:
            try:
                if bridge.parted(rule, case, loops):
                    return
            except (ZeroDivisionError, ValueError):
                continue
    raise AssertionError("not noticed")
