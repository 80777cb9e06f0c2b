"""The theorems are proved, their false neighbours are refused for a reason, and both could fail."""

import json
import re
from pathlib import Path

import pytest
import sympy as sp
from sympy import Eq, IndexedBase, Max, Sum, sqrt
from typer.testing import CliRunner

from adafactor_numba.cli import app
from derivations.adafactor import MATRIX, S_R, C, R, V, columns, i, j, k, l, rows
from proofs import formal, prove, smt
from proofs.average import above, at_least
from proofs.catalogue import INDUCTIONS, THEOREMS
from proofs.lines import entry, line
from proofs.page import page
from proofs.prove import proofs
from proofs.sampling import difference
from proofs.smt import Question, answers, asked, positive
from proofs.theorem import Identity, Neighbour, Theorem

x, y, z = sp.symbols("x y z")
A, B = IndexedBase("A"), IndexedBase("B")
WORDS = {"words": "", "hypotheses": (), "source": "", "meaning": ""}
needs_z3 = pytest.mark.skipif("z3" not in smt.installed(), reason="z3 is not installed")


def theorem(claim, *neighbours):
    false = neighbours or (Identity(x, y),)
    return Theorem(
        name="one", claims=(claim,), neighbours=tuple(Neighbour("", n) for n in false), **WORDS
    )


def proved(claim, *neighbours):
    (proof,) = proofs([theorem(claim, *neighbours)])
    return proof


# The catalogue


def test_there_are_thirty_theorems_each_with_a_name_and_every_word():
    assert len({t.name for t in THEOREMS}) == len(THEOREMS) >= 30
    for each in THEOREMS:
        assert all((each.words, each.source, each.meaning, each.statement))
        assert len({n.name for n in each.neighbours}) == len(each.neighbours)


@pytest.mark.parametrize("each", THEOREMS, ids=lambda t: t.name)
def test_a_theorem_is_proved_and_its_false_neighbours_are_refused(each, put):
    proof = next(proof for proof in put if proof.theorem.name == each.name)
    absent = prove.missing(prove.CHECKERS)
    if proof.holds is None and absent:
        pytest.skip(f"not installed: {', '.join(absent)}")
    assert proof.proved, proof.line
    assert proof.holds, [n.line for n in proof.false_neighbours]
    assert all(n.counterexample for n in proof.false_neighbours)


@pytest.mark.parametrize("each", THEOREMS, ids=lambda t: t.name)
def test_no_neighbour_is_a_claim_of_the_theorem(each):
    assert not {n.claim for n in each.neighbours} & {*each.claims}


def test_each_induction_stands_with_its_line_and_nothing_is_told_twice():
    told = {t.name: t for t in THEOREMS}
    named = {t.name: t for t in formal.THEOREMS}
    assert {*INDUCTIONS} <= {*named}
    assert all({*named[x].claims} <= {*told[y].claims} for x, y in INDUCTIONS.items())
    claims = [c for t in THEOREMS for c in t.claims]
    assert len({*claims}) == len(claims)


PAGE = Path(__file__).parents[1] / "docs" / "theorems.md"


def without_seconds(text):
    return re.sub(r"\(\d+\.\d\d s\)", "(s)", text)


def without_solutions(text):
    """Another version of a solver may find another counterexample."""
    return re.sub(r"; (z3|cvc5|rocq) found .*", "", text)


def test_the_page_of_the_theorems_is_what_they_say(put, request):
    if absent := prove.missing(prove.CHECKERS):
        pytest.skip(f"not installed: {', '.join(absent)}")
    written = page(put)
    if request.config.getoption("--write"):
        PAGE.write_text(written)
    found, expected = (
        without_solutions(without_seconds(text)) for text in (PAGE.read_text(), written)
    )
    assert found == expected


# The checkers, on what is false


FALSE = {
    "a sum is not its term": Identity(Sum(A[k], rows), A[i]),
    "the square of a sum": Identity(Sum(A[k], rows) ** 2, Sum(A[k] ** 2, rows)),
    "a product of sums": Identity(Sum(A[k] * B[k], rows), Sum(A[k], rows) * Sum(B[k], rows)),
    "rows for columns": Identity(Sum(A[k], rows), Sum(A[l], columns)),
    "a constant once": Identity(Sum(A[k] + x, rows), Sum(A[k], rows) + x),
    "of what is given": Identity(R[i] * C[j], V[i, j], ((V[i, j], R[i] * C[j] / S_R),)),
    "a root of a square": Identity(sqrt(x**2), x),
}


@pytest.mark.parametrize("claim", FALSE.values(), ids=FALSE)
def test_a_false_equation_is_not_proved_and_has_a_counterexample(claim):
    assert proved(claim).proved is False
    assert difference(claim.left, claim.right, claim.given)


def test_a_true_equation_has_no_counterexample():
    assert not difference(Sum(Sum(A[k, l], rows), columns), Sum(Sum(A[k, l], columns), rows))
    assert not difference(sqrt(x) ** 2, x, positive=True)


PI = IndexedBase("pi")
REORDERED = ((Sum(A[PI[k]], rows), Sum(A[k], rows)),)


def test_an_array_that_is_read_as_an_index_is_a_permutation():
    true = Identity(Sum(2 * A[PI[k]], rows), 2 * Sum(A[k], rows), REORDERED)
    assert proved(true, Identity(A[PI[i]], A[i], REORDERED)).holds is True
    assert not difference(true.left, true.right)
    assert "pi = [1, 0]" in difference(A[PI[i]], A[i])


def test_a_line_is_read_as_numbers_of_one_entry():
    assert entry(MATRIX["V"].value, R=x) == x * sp.Symbol("C") / sp.Symbol("S_R")
    assert entry(MATRIX["S_R"].value, total=y) == y
    assert line(MATRIX["S_R"], total=y) == Eq(sp.Symbol("S_R"), y)
    with pytest.raises(ValueError, match="is no number of one entry; say what its total is"):
        entry(MATRIX["S_R"].value)
    with pytest.raises(ValueError, match=r"R is read at R\[i\] and at R\[k\]: these are two"):
        entry(R[i] * R[k])


def test_an_equation_that_is_only_not_decided_is_no_refusal():
    undecided = Identity(sqrt(x**2 + 2 * x + 1), x + 1, positive=True)
    proof = proved(Identity(x, x), undecided)
    assert proof.proved is True
    assert proof.holds is False
    assert "NOT REFUSED" in proof.false_neighbours[0].line


def test_what_is_given_holds_of_what_is_drawn():
    total = ((Sum(A[k], rows), x),)
    assert not difference(Sum(A[k], rows), x, total)
    assert difference(Sum(A[k], rows), 2 * x, total)


@needs_z3
@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (Question(positive(x), above(x, 1)), "sat x = "),
        (Question((above(x, 1), above(0, x)), above(x, 5)), "says nothing"),
        (Question((Eq(x**2, -1),), above(x, 0)), "says nothing"),
    ],
)
def test_a_false_or_empty_inequality_is_not_proved(claim, why):
    proof = proved(claim, Question((), above(x, 0)))
    assert proof.proved is False
    assert why in " ".join(v.why for v in proof.checkers)


@needs_z3
def test_a_true_inequality_beside_the_theorem_is_no_false_neighbour():
    proof = proved(Question(positive(x), above(x, -1)), Question(positive(x), above(x, -2)))
    assert proof.proved is True
    assert proof.holds is False


@needs_z3
@pytest.mark.parametrize("solver", smt.installed())
def test_the_solvers_read_roots_quotients_and_the_larger_as_they_are_meant(solver):
    for claim, expected in (
        (Question(positive(x), Eq(sqrt(x) ** 2, x, evaluate=False)), "unsat"),
        (Question(positive(x), at_least(Max(x, y), y)), "unsat"),
        (Question((), Eq(Max(x, y), x)), "sat"),
        (Question(positive(x), Eq(x ** sp.Rational(2, 3) * x ** sp.Rational(1, 3), x)), "unsat"),
        (Question((), Eq(y / x * x, y, evaluate=False)), "unsat"),
        (Question((), Eq(sp.Abs(x), x)), "sat"),
    ):
        if claim.goal is not sp.true:
            assert asked(claim.negation(whole=True), solver).verdict == expected, claim


@needs_z3
def test_a_counterexample_does_not_divide_by_zero():
    claim = Question((), Eq(x / y * y, x, evaluate=False))
    assert asked(claim.negation(whole=True), "z3").verdict == "unsat"


@needs_z3
def test_a_question_that_takes_too_long_is_ended_and_not_decided():
    script = Question((Eq(x**3 + y**3, z**3 + 1),), Eq(x * y, z)).negation()
    assert asked(script, "z3", seconds=0.001).verdict == "unknown"


@needs_z3
def test_a_question_with_a_slip_is_an_error_and_no_refusal():
    with pytest.raises(ValueError, match="z3 cannot read the question"):
        asked("(assert (> nothing 0))", "z3")
    with pytest.raises(ValueError, match="does not know"):
        Question((), Eq(sp.sin(x), 0)).negation()


def test_without_a_solver_an_inequality_is_unchecked(monkeypatch):
    monkeypatch.setattr(smt, "find_spec", lambda name: None)
    proof = proved(Question(positive(x), above(x, 0)), Question((), above(x, 0)))
    assert (proof.proved, proof.holds) == (None, None)
    assert {v.verdict for v in proof.checkers} == {"absent"}
    assert {*prove.missing(prove.CHECKERS)} >= {"z3", "cvc5"}


@needs_z3
@pytest.mark.parametrize("solver", smt.installed())
def test_several_questions_have_an_answer_each(solver):
    false, true = (Question((above(x, 2),), above(x, than)).negation() for than in (3, 1))
    assert [a.verdict for a in answers((false, true), solver)] == ["sat", "unsat"]
    assert [a.verdict for a in answers((true, false), solver)] == ["unsat", "sat"]


def test_a_theorem_without_a_false_neighbour_is_none():
    with pytest.raises(ValueError, match="one: a theorem has a claim and a false neighbour"):
        Theorem(name="one", claims=(Identity(x, x),), neighbours=(), **WORDS)


# The command


def run(*arguments):
    return CliRunner().invoke(app, ["prove", *arguments])


def test_the_command_prints_the_verdicts_and_writes_them(tmp_path):
    file = tmp_path / "proofs.json"
    done = run("V has the row sums R and the column sums C", "--json", str(file))
    assert done.exit_code == 0, done.output
    assert "proved: V has the row sums R and the column sums C (calculus" in done.output
    assert "refused: V without its denominator (n = 1" in done.output
    (written,) = json.loads(file.read_text())["theorems"]
    assert written["proved"] is True
    assert written["checkers"][0]["name"] == "calculus"
    assert {*written["false_neighbours"][0]} == {"name", "refused", "by", "counterexample"}


def test_the_command_lists_the_theorems():
    done = run("--list")
    assert done.exit_code == 0
    assert len(done.output.splitlines()) == len(THEOREMS)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["V has the row sum R"], "no theorem is called 'V has the row sum R'; known are V has"),
        (["--require", "lean"], "no checker is called 'lean'; known are calculus, z3, cvc5, rocq"),
    ],
)
def test_an_unknown_name_is_told(arguments, says):
    done = run(*arguments)
    assert done.exit_code == 2
    assert says in done.output


def test_a_required_checker_that_is_absent_ends_with_2(monkeypatch):
    monkeypatch.setattr(smt, "find_spec", lambda name: None)
    done = run("--require", "z3")
    assert done.exit_code == 2
    assert "not installed: z3" in done.output


def test_a_theorem_that_is_not_proved_ends_with_1(monkeypatch):
    import proofs.catalogue

    monkeypatch.setattr(proofs.catalogue, "THEOREMS", (theorem(Identity(x, x + 1)),))
    done = run()
    assert done.exit_code == 1
    assert "FAILED: one" in done.output
