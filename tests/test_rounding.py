"""The loops count no more roundings than the theorems in Rocq allow, by how deep their sums are."""

import re
from dataclasses import astuple, replace
from functools import cache

import pytest

from adafactor_numba.audit.check import (
    COMPILED,
    counting,
    loop_roundings,
    run_roundings,
    scheduled_doubles,
)
from derivations.bounds import Counted
from proofs import rocq
from proofs.rounding import Given, MatrixDepths, VectorDepths, matrix_K, vector_K
from tests import depths

MATRICES = [(1, 1), (1, 40), (3, 4), (8, 16), (9, 17), (33, 65), (17, 4097), (300, 2)]
LENGTHS = [1, 2, 7, 8, 9, 129, 257, 16_385]


def within(K, allowed):
    return all(K[name] <= allowed[name] for name in allowed)


@pytest.mark.parametrize("shape", MATRICES)
def test_the_loops_over_matrices_count_no_more_than_the_theorem_allows(shape):
    D = depths.of_a_matrix(*shape)
    assert within(loop_roundings(shape, True), matrix_K(D, Given(w=1)))


@pytest.mark.parametrize("length", LENGTHS)
def test_the_loops_over_vectors_count_no_more_than_the_theorem_allows(length):
    D = depths.of_a_vector(length)
    assert within(loop_roundings((length,), False), vector_K(D, Given(w=1)))


def test_the_theorem_allows_little_more():
    """What is lost below the range of doubles: one rounding of each statistic and root."""
    for shape in MATRICES:
        K, allowed = loop_roundings(shape, True), matrix_K(depths.of_a_matrix(*shape), Given(w=1))
        assert allowed["R"] <= K["R"] + 1
        assert allowed["X_new"] <= K["X_new"] + 8


@pytest.mark.parametrize("t", [2, 3, 100, 10**6])
def test_nor_do_they_with_the_roundings_of_the_schedules(t):
    shape, rates = (9, 17), scheduled_doubles(counting(COMPILED), Counted(t))
    k = Given(**{name: rates[name].K for name in ("beta_2", "w", "rho")})
    assert within(loop_roundings(shape, True, t), matrix_K(depths.of_a_matrix(*shape), k))


def test_nor_do_they_on_statistics_that_are_carried():
    shape, old = (9, 17), 0
    for K in run_roundings(shape, True, [None] * 4):
        allowed = matrix_K(depths.of_a_matrix(*shape), Given(old=old, w=1))
        assert within(K, allowed)
        old = max(allowed["R"], allowed["C"])


@cache
def large():
    return loop_roundings((200, 400), True), depths.of_a_matrix(200, 400)


@pytest.mark.parametrize("name", MatrixDepths.__dataclass_fields__)
def test_a_sum_that_is_deeper_than_the_theorem_is_told_counts_more(name):
    K, D = large()
    assert within(K, matrix_K(D, Given(w=1)))
    assert not within(K, matrix_K(replace(D, **{name: 0}), Given(w=1)))


def test_the_depth_of_a_sum_is_that_of_its_tree():
    assert depths.of_a_vector(2**14) == VectorDepths(X=3 + 0 + 127 + 4, U=2 + 1 + 127 + 4)


ROCQ = pytest.mark.skipif(not rocq.installed(), reason="Rocq is not installed")
SOME = (Given(), Given(old=5, beta_2=4, w=3, rho=2), Given(old=1, w=7))


def computed(*terms):
    """What Rocq computes for these numbers."""
    assert not rocq._compiled().errors
    lines = "".join(f"Compute {term}.\n" for term in terms)
    said = rocq._run(rocq._compiled().folder, "Counts", f"Require VectorStep MatrixStep.\n{lines}")
    assert not said.failed, said.text
    return [int(x) for x in re.findall(r"= (\d+)", said.text)]


@ROCQ
def test_K_is_what_rocq_computes():
    matrices = [(MatrixDepths(1, 2, 3, 4, 5, 6), k) for k in SOME]
    matrices.append((MatrixDepths(21, 9, 10, 14, 13, 17), Given(w=1)))
    vectors = [(VectorDepths(3, 4), k) for k in SOME] + [(VectorDepths(134, 140), Given(w=1))]
    terms, expected = [], []
    for D, k in matrices:
        of, K = " ".join(map(str, astuple(k))), matrix_K(D, k)
        statistics = " ".join(map(str, astuple(k)[:3]))
        terms.append(f"(MatrixStep.step_K {of} {' '.join(map(str, astuple(D)))})")
        terms.append(f"(MatrixStep.R_K {statistics} {D.row})")
        terms.append(f"(MatrixStep.C_K {statistics} {D.column})")
        expected += [K["X_new"], K["R"], K["C"]]
    for D, k in vectors:
        of, K = " ".join(map(str, astuple(k))), vector_K(D, k)
        terms.append(f"(VectorStep.step_K {of} {D.X} {D.U})")
        terms.append(f"(VectorStep.V_K {' '.join(map(str, astuple(k)[:3]))})")
        expected += [K["X_new"], K["V"]]
    assert computed(*terms) == expected
