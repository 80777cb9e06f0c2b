"""Rocq's verdicts: what a theorem rests on is seen, and a slip is no refusal."""

import re
from dataclasses import replace
from functools import cache

import pytest

from proofs import rocq
from proofs.catalogue import THEOREMS
from proofs.rocq import Altered, Formal, failure, refusals

pytestmark = pytest.mark.skipif(not rocq.installed(), reason="Rocq is not installed")


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Files of their own, compiled apart from those of the project."""

    def made(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.v").write_text(text)
        monkeypatch.setattr(rocq, "FOLDER", tmp_path)
        monkeypatch.setattr(rocq, "FILES", (*texts,))

    for name in ("_compiled_once", "theorems", "_foreign"):
        monkeypatch.setattr(rocq, name, cache(getattr(rocq, name).__wrapped__))
    return made


def refusal(of):
    return refusals((of,))[of]


TRUE = "Theorem one (n : nat) : n + 0 = n. Proof. induction n; simpl; auto. Qed.\n"


def test_a_theorem_that_is_proved_is(files):
    files(A=TRUE)
    assert failure(Formal("A", "one", "")) == ""
    assert failure(Formal("A", "two", "")) == "A.v has no theorem two"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "Axiom false : 1 = 2.\nTheorem one : 1 = 2. Proof. exact false. Qed.\n",
            "rests on A.false",
        ),
        ("Theorem one : 1 = 2. Proof. Admitted.\n", "rests on A.one"),
        ("Theorem one : 1 = 2. Proof. reflexivity. Qed.\n", "Unable to unify"),
        ("Theorem one : 1 = . Proof. reflexivity. Qed.\n", "Syntax error"),
    ],
)
def test_what_is_not_proved_is_not(text, says, files):
    files(A=text)
    assert says in failure(Formal("A", "one", ""))


def test_one_theorem_with_an_axiom_does_not_spoil_another(files):
    files(A=TRUE + "Axiom false : 1 = 2.\nTheorem two : 1 = 2. Proof. exact false. Qed.\n")
    assert failure(Formal("A", "one", "")) == ""
    assert "false" in failure(Formal("A", "two", ""))


def test_an_altered_statement_is_refused_where_its_proof_fails(files):
    files(A=TRUE)
    assert refusal(Altered("A", "one", "n + 0 = n", "n + 1 = n"))
    assert refusal(Altered("A", "one", "n + 0 = n", "0 + n = n")) == ""


@pytest.mark.parametrize("new", ["n + = n", "k + 0 = n", "n + 0"])
def test_a_slip_is_an_error_and_no_refusal(new, files):
    files(A=TRUE)
    with pytest.raises(ValueError, match="the altered statement is none"):
        refusal(Altered("A", "one", "n + 0 = n", new))


def test_what_is_altered_stands_once_in_the_statement(files):
    files(A=TRUE)
    with pytest.raises(ValueError, match="is not once in its statement"):
        refusal(Altered("A", "one", "induction", "destruct"))


def test_a_proof_that_takes_too_long_is_ended(files, monkeypatch):
    files(A=TRUE)
    monkeypatch.setattr(rocq, "LIMIT", 0.01)
    assert "took more than" in failure(Formal("A", "one", ""))


def test_nothing_is_admitted_or_assumed():
    for file in rocq.FILES:
        text = (rocq.FOLDER / f"{file}.v").read_text()
        assert not re.search(r"\b(Admitted|Axiom|Parameter|Conjecture|admit|Abort)\b", text)
    assert {path.stem for path in rocq.FOLDER.glob("*.v")} == {*rocq.FILES}


ALTERED = {
    (n.claim.file, n.claim.theorem): n.claim
    for theorem in THEOREMS
    for n in theorem.neighbours
    if isinstance(n.claim, Altered)
}


@pytest.mark.slow
@pytest.mark.parametrize("of", ALTERED.values(), ids=["-".join(key) for key in ALTERED])
def test_a_statement_that_is_not_altered_is_not_refused(of):
    assert refusal(replace(of, new=of.old)) == ""


HARMLESS = [
    ("VectorStep", "vector_state", "gamma V_K * V i", "V i * gamma V_K"),
    ("VectorStep", "vector_step", "+ two (-1074)", "+ 1 * two (-1074)"),
    ("VectorStep", "vector_step", " <= gamma step_K *", " <= two (-1074) * 0 + gamma step_K *"),
    ("VectorStep", "vector_step_in_range", "<= gamma step_K *", "<= 0 + gamma step_K *"),
    ("VectorStep", "vector_X_new", "+ u * Rabs", "+ 1 * u * Rabs"),
    ("VectorStep", "vector_float32", "half_ulp32 (X_new_fl i) +", "1 * half_ulp32 (X_new_fl i) +"),
    ("MatrixStep", "matrix_state", "gamma R_K * R_ i", "R_ i * gamma R_K"),
    ("MatrixStep", "matrix_step", " <= gamma step_K *", " <= 0 + gamma step_K *"),
    ("MatrixStep", "matrix_step_in_range", "<= gamma step_K *", "<= 0 + gamma step_K *"),
    ("MatrixStep", "matrix_X_new", "+ u * Rabs", "+ 1 * u * Rabs"),
    (
        "MatrixStep",
        "matrix_float32",
        "half_ulp32 (X_new_fl i j) +",
        "0 + half_ulp32 (X_new_fl i j) +",
    ),
]


@pytest.mark.slow
def test_what_is_said_in_another_way_is_not_refused():
    """A proof fails for what a statement means, and not for how it is written."""
    for file in ("VectorStep", "MatrixStep"):
        tried = tuple(Altered(*change) for change in HARMLESS if change[0] == file)
        assert refusals(tried) == dict.fromkeys(tried, "")
