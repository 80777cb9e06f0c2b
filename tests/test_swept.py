"""The sweep that the optimizer calls, on symbols, is the rule for all its parameters at once."""

import importlib

import pytest

from adafactor_numba.audit import swept, symbols
from adafactor_numba.audit.choices import UnlikeError
from adafactor_numba.audit.field import Field
from adafactor_numba.audit.formal import Symbols
from derivations.adafactor import MATRIX, TENSOR, VECTOR
from tests.mutants import SMALLER, SOURCE, changed

SHAPES = [
    (VECTOR, (41,)),
    (MATRIX, (29, 3)),
    (TENSOR, (2, 10, 6)),
    (VECTOR, (200,)),
    (MATRIX, (5, 9)),
]
OTHER = {
    "sums of X forgotten": ("p.sum_X += work.sums[0, k]", "p.sum_X = work.sums[0, k]"),
    "sums of X taken as known": ("if not p.known:", "if p.known:"),
    "R of the first parameter": (
        "work.statistics, p.statistics)\n            row_sums",
        "work.statistics, 0)\n            row_sums",
    ),
    "strips of the parameter before": (
        "k in range(p.first, p.first + p.strips):\n            sum_U",
        "k in range(p.strips):\n            sum_U",
    ),
    "columns of the first strip only": ("range(1, each)", "range(1, 1)"),
    "ratios of the first strip only": ("            matrix.add(own[0, 1], own[k, 1])\n", ""),
    "strips of the first matrix": ("b * each : (b + 1) * each", ": each"),
    "R updated as C": ("R[b], r[b], p.m,", "R[b], r[b], p.n,"),
    "C updated as R": ("C[b], own[0, 0], p.n,", "C[b], own[0, 0], p.m,"),
    "size of the last matrix only": ("sum_U += matrix.sum", "sum_U = matrix.sum"),
    "mean over a matrix": ("size, sum_U = p.p * p.n", "size, sum_U = p.n"),
    "epsilon_1 for epsilon_2": ("p.rho, constants.epsilon_2", "p.rho, constants.epsilon_1"),
    "V of the first block": (
        "v = G[b, block], V[block]",
        "v = G[b, block], V[: block.stop - block.start]",
    ),
    "r of the first block": ("r[b, own], c[b]", "r[b, : own.stop - own.start], c[b]"),
    "last piece of a thread stays": ("cuts[thread + 1] - 1,", "cuts[thread + 1] - 2,"),
    "first piece of a thread stays": ("work.cuts[thread] - 1, -1", "work.cuts[thread], -1"),
    "last strip of a piece stays": ("range(piece.stop - 1,", "range(piece.stop - 2,"),
    "sum of a matrix not carried": ("[0, p.first + k] = matrix.d", "[1, p.first + k] = matrix.d"),
    "sum of a vector not carried": ("[0, p.first + k] = vector.d", "[1, p.first + k] = vector.d"),
    "one piece read as the next": (
        "observe(work, q, epsilon_1",
        "observe(work, max(q - 1, 0), epsilon_1",
    ),
}


@pytest.fixture(scope="module")
def points():
    """On every way, points of all shapes that share their constants."""
    return [*zip(*drawn(Field(2048), SHAPES), strict=True)]


def drawn(algebra, shapes):
    shared = {name: algebra.variable(name) for name in swept.SHARED}
    return [symbols.points(*shape, algebra, shared) for shape in shapes]


@pytest.fixture
def batch(tmp_path, monkeypatch):
    """The module of a package with smaller blocks, and maybe another sweep."""
    monkeypatch.syspath_prepend(tmp_path)

    def made(name, old="", new=""):
        (tmp_path / name).mkdir()
        for path in SOURCE.glob("*.py"):
            text = "" if path.stem.startswith("__") else path.read_text()
            for before, after in SMALLER.items() if path.stem == "loops" else ():
                text = changed(text, "smaller blocks", before, after)
            if path.stem == "sweep" and old:
                text = changed(text, name, old, new)
            (tmp_path / name / path.name).write_text(text)
        return importlib.import_module(f"{name}.batch")

    return made


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_the_sweep_is_the_rule_for_any_number_of_threads(points, batch, threads, known):
    module = batch(f"sweep_{threads}_{known}")
    for together in points:
        assert swept.parted(together, threads=threads, known=known, batch=module) == []
        assert swept.chance(together) < -100


def test_the_compiled_sweep_is_the_rule(points):
    for together in points:
        assert swept.parted(together, threads=2) == []


def test_on_symbols_of_sympy_the_sweep_is_the_rule():
    shapes = [(VECTOR, (2,)), (MATRIX, (2, 1))]
    for together in zip(*drawn(Symbols(), shapes), strict=True):
        assert swept.parted(together) == []


@pytest.mark.parametrize("other", OTHER)
def test_another_sweep_is_not_the_rule(other, points, batch):
    module = batch(f"sweep_{[*OTHER].index(other)}", *OTHER[other])
    assert any(parts(together, known, module) for together in points for known in (False, True))


def parts(together, known, module):
    try:
        return swept.parted(together, threads=3, known=known, batch=module) != []
    except (UnlikeError, ZeroDivisionError, ValueError):
        return True
