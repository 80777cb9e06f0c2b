"""The plain source of the loops, on symbols without a sign, is the rule; a changed one is not."""

import math
import operator

import numpy as np
import pytest
from sympy import Max, Min, Sum, sqrt

from adafactor_numba.audit import symbols, verification
from adafactor_numba.audit.choices import Choices, UnlikeError
from adafactor_numba.audit.field import Field
from adafactor_numba.audit.formal import Symbols
from adafactor_numba.audit.scalar import Unwritten
from derivations.adafactor import MATRIX, TENSOR, VECTOR, C, G, R, V, columns, d, i, k, l, rows
from tests.mutants import implementation
from tests.test_bridge import STRADDLING, WRONG

SMALL = [
    *((VECTOR, (n,)) for n in (1, 2, 3)),
    *((MATRIX, shape) for shape in ((1, 1), (1, 2), (2, 1), (2, 3))),
    (TENSOR, (2, 1, 2)),
]
SHAPES = {(rule, case.sizes): None for rule, chosen in STRADDLING.items() for case in chosen}
ENOUGH = -100  # log2 of the chance to be taken in


@pytest.fixture(scope="module")
def points():
    """Points modulo a prime on every way, for shapes around the smaller blocks; and the field."""
    field = Field()
    return field, [at for shape in SHAPES for at in symbols.points(*shape, field)]


@pytest.fixture
def source(tmp_path, monkeypatch):
    """The source of loops with smaller blocks, or of a wrong one, on symbols."""
    monkeypatch.syspath_prepend(tmp_path)

    def made(algebra, name, mutant=None):
        loops = implementation(tmp_path, name, mutant, compiled=True)
        return symbols.on_symbols(algebra, loops)

    return made


@pytest.mark.parametrize(("rule", "sizes"), SMALL)
def test_on_symbols_of_sympy_the_source_is_the_rule_on_every_way(rule, sizes):
    algebra = Symbols()
    loops, found = symbols.on_symbols(algebra), symbols.points(rule, sizes, algebra)
    assert len(found) == 4
    for at in found:
        assert symbols.parted(at, loops) == []
        assert at.chance == -math.inf


def test_modulo_a_prime_the_source_is_the_rule_on_every_way_through_it(points, source):
    field, found = points
    loops = source(field, "formal_blocks")
    assert len(found) == 4 * len(SHAPES) >= 4 * 13
    for at in found:
        assert symbols.parted(at, loops) == []
        assert at.chance < ENOUGH


@pytest.mark.parametrize("shape", [(VECTOR, (150,)), (MATRIX, (5, 81)), (TENSOR, (2, 5, 33))])
def test_modulo_a_prime_the_source_of_the_compiled_loops_is_the_rule(shape):
    field = Field()
    loops = symbols.on_symbols(field)
    for at in symbols.points(*shape, field):
        assert symbols.parted(at, loops) == []
        assert at.chance < ENOUGH


@pytest.mark.parametrize("mutant", WRONG, ids=lambda mutant: mutant.name)
def test_a_changed_source_is_not_the_rule(mutant, points, source):
    field, found = points
    loops = source(field, f"formal_{WRONG.index(mutant)}", mutant)
    assert any(parts(at, loops) for at in found)


def parts(at, loops):
    """Whether the source is seen to be no expression of the rule, or not that of the rule."""
    try:
        return symbols.parted(at, loops) != []
    except (UnlikeError, ZeroDivisionError, ValueError):  # of arrays that do not fit
        return True


@pytest.mark.parametrize("algebra", [Field, Symbols])
def test_a_w_that_is_not_1_less_beta_2_is_noticed(algebra):
    field = algebra()
    loops = symbols.on_symbols(field)
    for at in symbols.points(VECTOR, (2,), field):
        at.given = at.given | {"w": 1 + at.given["beta_2"]}
        assert parts(at, loops)


def test_a_chance_that_is_too_large_is_refuted(monkeypatch):
    monkeypatch.setattr(verification, "ENOUGH", -(10**4))
    with pytest.raises(verification.RefutedError, match=r"chance of 2\^-\d+; 2\^-10000 is wanted"):
        verification._symbols()


OTHER = {
    "another root": VECTOR.but("other", "a test", U=G[i] / V[i]),
    "another sign": VECTOR.but("other", "a test", U=-G[i] / sqrt(V[i])),
    "another choice": VECTOR.but("other", "a test", U_hat=VECTOR["U_hat"].value.subs(d, d**2)),
    "another order": VECTOR.but("other", "a test", alpha=VECTOR["alpha"].value.replace(Max, Min)),
    "another sum": MATRIX.but("other", "a test", S_R=Sum(R[k] ** 2, rows)),
    "another axis": MATRIX.but("other", "a test", S_R=Sum(C[l], columns)),
}


@pytest.mark.parametrize("algebra", [Field, Symbols])
@pytest.mark.parametrize("rule", OTHER.values(), ids=OTHER)
def test_another_rule_is_not_that_of_the_source(rule, algebra):
    field = algebra()
    loops = symbols.on_symbols(field)
    sizes = (1, 2)[-len(rule.input("X").indices) :]
    assert any(parts(at, loops) for at in symbols.points(rule, sizes, field))


def test_a_root_that_is_not_multiplicative_parts_source_and_rule(monkeypatch):
    def either(self, x, root=Field.root):
        y = root(self, x)
        return y if int(y.value) % 2 else -y

    monkeypatch.setattr(Field, "root", either)
    field = Field()
    loops = symbols.on_symbols(field)
    (at, *_) = symbols.points(MATRIX, (5, 5), field)
    assert parts(at, loops)


@pytest.mark.parametrize("algebra", [Field, Symbols])
def test_a_root_has_the_laws_of_roots_of_positive_numbers_and_no_other(algebra):
    field = algebra()
    x, y = field.square("x"), field.square("y")
    root, equal = field.root, field.equal
    assert equal(root(x) * root(x), x)
    assert equal(root(x * y), root(x) * root(y))
    assert equal(root(x / y) * root(y), root(x))
    assert equal(root(x / 4), root(x) / root(field.number(4)))
    assert not equal(root(x), -root(x))
    assert not equal(root(x), x)


def test_a_root_of_a_square_is_not_the_number_itself():
    formal = Symbols()
    x = formal.variable("x")
    assert not formal.equal(formal.root(x * x), x)
    assert not formal.equal(formal.root(x * x), -x)
    field = Field()
    drawn = [field.variable() for _ in range(60)]
    assert {field.equal(field.root(x * x), x) for x in drawn} == {True, False}


@pytest.mark.parametrize("algebra", [Field, Symbols])
@pytest.mark.parametrize(
    "unlike",
    [
        lambda field, x: field.root(-x * x),
        lambda field, x: abs(x),
        lambda field, x: x**0.5,
        lambda field, x: x + Unwritten(),
        lambda field, x: 0.0 + Unwritten(),
        lambda field, x: field.root(Unwritten()),
    ],
)
def test_what_no_rule_has_is_an_error(unlike, algebra):
    field = algebra()
    with pytest.raises(UnlikeError):
        unlike(field, field.square("x"))


@pytest.mark.parametrize("algebra", [Field, Symbols])
def test_nothing_is_divided_by_zero(algebra):
    field = algebra()
    x = field.variable("x")
    with pytest.raises(ZeroDivisionError):
        x / (x - x)


@pytest.mark.parametrize("algebra", [Field, Symbols])
def test_floats_and_sizes_count_as_they_are(algebra):
    field = algebra()
    x = field.variable("x")
    assert field.equal(0.5 * x + np.int64(3) - 0.25, (x + 5.5) / 2)
    assert not field.equal(0.1 * x, x / 10)
    assert field.equal((np.array([x, 1.0], object) * x)[0], x * x)


def test_a_choice_is_that_of_the_rule_in_either_order_or_none():
    way = Choices((1, 0), operator.eq)
    assert [way.larger(2, 3), way.smaller(5, 4)] == [3, 5]
    way.settled = True
    assert [way.larger(3, 2), way.smaller(4, 5)] == [3, 5]
    for choice in (way.smaller, way.larger):
        with pytest.raises(UnlikeError, match=r"the rule has no m.. of these two"):
            choice(2, 4)
    with pytest.raises(UnlikeError):
        way.smaller(2, 3)


def test_the_size_bounds_degree_and_coefficients():
    """(x + 2) (x + 2) / 3 has degree 2 and the norm 9."""
    field = Field(64)
    x = field.variable()
    y = (x + 2) * (x + 2) / 3
    assert x.size == 1
    assert y.size >= max(2, math.log2(9), math.log2(3))
    assert field.root(y).size == y.size


def test_the_chance_grows_with_roots_squares_sizes_and_points_and_falls_with_the_prime():
    field = Field(64)
    chance = field.chance(3, 4, 8)
    assert chance == 3 + 3 + (12 + 4) + 1 - 63
    assert field.chance(4, 4, 8) == field.chance(3, 5, 8) == field.chance(3, 4, 16) == chance + 1
    assert field.chance(3, 4, 8, points=2) == chance + 12
    assert Field(65).chance(3, 4, 8) == chance - 1


def test_in_a_small_field_different_expressions_agree_as_often_as_is_allowed():
    """x x - x has two zeros: of p numbers two, and not none."""
    field = Field(5)
    p = int(field.p)
    drawn = [field.variable() for _ in range(100 * p)]
    found = sum(field.equal(x * x, x) for x in drawn)
    assert 100 < found < 300


def test_a_prime_leaves_3_by_4_and_is_that_of_its_seed():
    assert Field(64).p % 4 == 3
    assert Field(64).p.is_prime()
    assert Field(64).p == Field(64).p != Field(64, seed=1).p


def test_where_no_point_has_the_roots_of_the_rule_is_an_error(monkeypatch):
    drawn = []
    monkeypatch.setattr(Field, "tries", 3)
    monkeypatch.setattr(Field, "root", lambda self, x: drawn.append(x) or abs(x))
    with pytest.raises(UnlikeError):
        symbols.points(VECTOR, (2,), Field())
    assert len(drawn) == 3
