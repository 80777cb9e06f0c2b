"""A rule is checked on construction, and its variants are built from it."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from sympy import FiniteSet, IndexedBase, Reals, Sum, symbols

from derivations.adafactor import MATRIX, TENSOR, VECTOR, batched
from derivations.evaluate import EXACT, evaluate
from derivations.rule import Input, RuleError, Step, UpdateRule, entries, rewrite

n, m = symbols("n m", integer=True, positive=True)
i, j, k, l, o = symbols("i j k l o", integer=True, nonnegative=True)
a, s, T = symbols("a s T", real=True)
A, B, D = IndexedBase("A"), IndexedBase("B"), IndexedBase("D")
ENTRY, VECTOR_ENTRY = Input(A[i, j], Reals, "entry"), Input(D[i], Reals, "entry")


def made(*steps, inputs=(ENTRY, VECTOR_ENTRY), extents=None):
    """A rule of steps (target, value), each with the source "line 1"."""
    lines = tuple(Step(target, sp.S(1) * value, "line 1") for target, value in steps)
    return UpdateRule("small", "nowhere", extents or {i: n, j: m, k: n, l: m}, inputs, lines)


ROW_SUM = (B[i], Sum(A[i, l], (l, 0, m - 1)))

WRONG = {
    "undefined": ([(s, T + 1)], "reads T before anything defines it"),
    "defined later": ([(s, T), (T, sp.S(2))], "reads T before anything defines it"),
    "reads itself": ([(s, s + 1)], "reads s before anything defines it"),
    "twice": ([(s, sp.S(1)), (s, sp.S(2))], "is defined twice"),
    "an input": ([(D[i], sp.S(1))], "is defined twice"),
    "no extent": ([(B[o], sp.S(1))], "uses o, an index without an extent"),
    "no extent of a sum": ([(s, Sum(D[o], (o, 0, n - 1)))], "uses o, an index without an extent"),
    "partial": (
        [(s, Sum(D[k], (k, 1, n - 1)))],
        "sums over a part of an axis only: (k, 1, n - 1)",
    ),
    "other axis": (
        [(s, Sum(D[k], (k, 0, m - 1)))],
        "sums over a part of an axis only: (k, 0, m - 1)",
    ),
    "captured": (
        [(B[i], Sum(A[i, j], (i, 0, n - 1), (j, 0, m - 1)))],
        "sums over i, an index of its target",
    ),
    "transposed": ([(B[i], Sum(A[j, i], (j, 0, m - 1)))], "reads A[j, i], but A has shape (n, m)"),
    "an index short": ([(B[i], A[i])], "reads A[i], but A has shape (n, m)"),
    "free": ([(s, D[k] + Sum(D[k], (k, 0, n - 1)))], "reads k outside the sum over it"),
    "loose": ([(B[i], A[i, j])], "neither sums over j nor is indexed by it"),
    "loose in a scalar": ([(s, D[k])], "neither sums over k nor is indexed by it"),
}


@pytest.mark.parametrize(("steps", "what"), WRONG.values(), ids=WRONG)
def test_a_step_that_cannot_be_read_is_refused(steps, what):
    with pytest.raises(RuleError) as error:
        made(*steps)
    assert (
        str(error.value) == f"small: step {steps[-1 if 'twice' in what else 0][0]} (line 1) {what}"
    )


def test_the_right_neighbours_are_accepted():
    assert [x.name for x in made(ROW_SUM, (s, Sum(D[k], (k, 0, n - 1))), (T, s)).steps] == [
        "B", "s", "T",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((ENTRY, ENTRY), "small: input A[i, j] (entry) is given twice"),
        ((Input(A[o], Reals, "entry"),), "small: input A[o] has no extent for o"),
        (
            (ENTRY, Input(D[i], Reals, "entry", becomes="T")),
            "small: D has shape (n,), but T, which it becomes, has ()",
        ),
        (
            (ENTRY, Input(D[i], Reals, "entry", becomes="W")),
            "small has no step 'W'; its steps are T",
        ),
    ],
)
def test_an_input_that_cannot_be_given_is_refused(inputs, message):
    with pytest.raises(RuleError) as error:
        made((T, sp.S(1)), inputs=inputs)
    assert str(error.value) == message


def test_a_square_rule_does_not_hide_a_wrong_shape():
    with pytest.raises(RuleError, match="which it becomes"):
        made((B[j], sp.S(1)), inputs=(replace(VECTOR_ENTRY, becomes="B"),))


def test_entries_are_leaves_and_what_is_rewritten():
    assert {*entries(A[i, j] + s * D[i])} == {A[i, j], s, D[i]}
    assert rewrite(A[i, j] + i, lambda e: l if e == i else None) == A[i, j] + l
    assert rewrite(s + D[i], lambda e: T if e == D[i] else None) == s + T


def test_a_variant_changes_the_named_step_and_nothing_else():
    variant = MATRIX.but("other", "elsewhere", S_R=sp.S(1))
    changed = [x.name for x, y in zip(variant.steps, MATRIX.steps, strict=True) if x != y]
    assert changed == ["S_R"]
    assert (variant.name, variant["S_R"].source) == ("other", "elsewhere")
    assert variant["R"].source == "[S] Algorithm 4, line 5"


def test_an_added_step_stands_before_its_first_reader():
    rule = made(ROW_SUM, (s, a), (T, s + 1), inputs=(ENTRY, Input(a, Reals, "scalar")))
    added = Step(D[i], B[i] ** 2, "added")
    variant = rule.but("other", "a test", added, T=Sum(D[k], (k, 0, n - 1)) + s)
    assert [x.name for x in variant.steps] == ["B", "s", "D", "T"]


def test_an_added_step_that_nobody_reads_stands_last():
    assert [x.name for x in made((s, a), inputs=(Input(a, Reals, "scalar"),)).but(
        "other", "a test", Step(T, s, "added")
    ).steps] == ["s", "T"]  # fmt: skip


def test_added_steps_that_read_each_other_keep_their_order():
    rule = made((s, a), inputs=(Input(a, Reals, "scalar"),))
    first, second = Step(T, a + 1, "added"), Step(symbols("W", real=True), T + 1, "added")
    assert [x.name for x in rule.but("other", "a test", first, second).steps] == ["s", "T", "W"]


def test_an_added_input_replaces_the_one_of_its_name():
    d = next(x for x in MATRIX.inputs if x.name == "d")
    narrowed = replace(d, domain=FiniteSet(1))
    inputs = {x.name: x for x in MATRIX.but("other", "a test", narrowed).inputs}
    assert inputs["d"].domain == FiniteSet(1)
    assert [*inputs] == [x.name for x in MATRIX.inputs]


def test_what_is_left_out_is_gone_and_must_not_be_read():
    U_hat = MATRIX["U"].target
    gone = ("d", "mean_square_U")
    variant = MATRIX.but("other", "elsewhere", without=gone, U_hat=U_hat)
    assert not {x.name for x in (*variant.inputs, *variant.steps)} & {*gone}
    with pytest.raises(RuleError) as error:
        MATRIX.but("other", "elsewhere", without=("d",))
    assert str(error.value) == (
        "other: step U_hat[i, j] ([S] Algorithm 4, line 9) reads d before anything defines it"
    )


def test_an_unknown_step_is_answered_by_the_names_of_the_steps():
    names = "mean_square_X, alpha, V, U, mean_square_U, U_hat, X_new"
    for ask in (
        lambda: VECTOR["W"],
        lambda: VECTOR.but("other", "a test", W=sp.S(1)),
        lambda: VECTOR.but("other", "a test", without=("W",)),
        lambda: VECTOR.leading_to("W"),
        lambda: VECTOR.line("W"),
    ):
        with pytest.raises(RuleError) as error:
            ask()
        assert str(error.value) == f"vector has no step 'W'; its steps are {names}"


def test_the_value_of_an_input_cannot_be_changed_as_if_it_were_a_step():
    with pytest.raises(RuleError):
        VECTOR.but("other", "a test", d=sp.S(1))


def test_a_line_of_the_paper_is_the_last_step_of_its_source():
    lines = {x.name: MATRIX.line(x.name) for x in MATRIX.steps}
    assert lines == {
        "mean_square_X": "alpha", "alpha": "alpha", "R": "R", "C": "C", "S_R": "V", "V": "V",
        "U": "U", "mean_square_U": "U_hat", "U_hat": "U_hat", "X_new": "X_new",
    }  # fmt: skip


def test_what_leads_to_a_step_is_what_it_needs_in_order():
    assert [x.name for x in MATRIX.leading_to("U")] == ["R", "C", "S_R", "V", "U"]
    assert [x.name for x in MATRIX.leading_to("C", "alpha")] == ["mean_square_X", "alpha", "C"]
    assert MATRIX.leading_to("X_new") == MATRIX.steps


def rational(*gs):
    """Inputs of TENSOR for matrices of equal entries g, whose V = g^2 + 3 has a rational root."""
    G = np.array([np.full((2, 3), g) for g in gs], object)
    X = np.arange(G.size).reshape(G.shape) * Fraction(1, 7)
    R_old, C_old = np.zeros((len(gs), 2), object), np.zeros((len(gs), 3), object)
    scalars = {"rho": Fraction(1, 100), "beta_2": 0, "epsilon_1": 3, "d": Fraction(1, 4)}
    return {"X": X, "G": G, "R_old": R_old, "C_old": C_old} | scalars


def one(x, b):
    """The inputs of matrix number b alone."""
    return {name: value[b] if np.ndim(value) else value for name, value in x.items()}


def test_a_batch_of_one_matrix_is_the_matrix_exactly():
    x = rational(1) | {"X": np.zeros((1, 2, 3), object)}
    alone, batch = evaluate(MATRIX, one(x, 0), EXACT), evaluate(batched(MATRIX), x, EXACT)
    assert (alone["U_hat"] == Fraction(1, 4)).all()
    assert (alone["U"] == Fraction(1, 2)).all()
    for step in MATRIX.steps:
        expected, got = np.asarray(alone[step.name]), np.asarray(batch[step.name])
        assert (got.reshape(expected.shape) == expected).all(), step.name


def test_matrices_of_a_batch_have_their_own_statistics_and_share_their_mean_squares():
    x = rational(1, Fraction(11, 4))
    steps = ("V", "U", "mean_square_X", "mean_square_U")
    batch = evaluate(TENSOR, x, EXACT, want=steps)
    alone = [evaluate(MATRIX, one(x, b), EXACT, want=steps) for b in range(2)]
    assert [U[0, 0] for U in batch["U"]] == [Fraction(1, 2), Fraction(11, 13)]
    for name in ("R", "C", "S_R", "V", "U"):
        assert all(np.all(batch[name][b] == alone[b][name]) for b in range(2)), name
    for name in ("mean_square_X", "mean_square_U"):
        first, second = (values[name] for values in alone)
        assert first != second
        assert batch[name] == (first + second) / 2


def test_a_batched_variant_keeps_its_scalars_scalar():
    rule = batched(MATRIX.but("matrix, other", "a test", alpha=sp.S(1) * MATRIX["alpha"].value / 2))
    assert rule.name == "tensor, other"
    assert [x.name for x in rule.steps if not x.indices] == [
        "mean_square_X", "alpha", "mean_square_U",
    ]  # fmt: skip
    assert {str(size) for size in rule.shape(rule["S_R"])} == {"p"}


def test_an_input_is_found_by_name_and_an_unknown_name_lists_them():
    assert MATRIX.input("C_old").becomes == "C"
    with pytest.raises(RuleError) as caught:
        MATRIX.input("W")
    names = "X, G, R_old, C_old, rho, beta_2, epsilon_1, epsilon_2, d"
    assert str(caught.value) == f"matrix has no input 'W'; its inputs are {names}"


def test_a_step_without_a_source_is_refused():
    with pytest.raises(RuleError, match="has no source"):
        VECTOR.but("other", "", X_new=VECTOR["X_new"].value * 2)
