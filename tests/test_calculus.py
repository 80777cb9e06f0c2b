"""Sums are equal only where they are for all sizes; what could go wrong silently is an error."""

import pytest
import sympy as sp
from sympy import Derivative, IndexedBase, Sum, log

from derivations.adafactor import S_R, C, R, beta_2, columns, i, j, k, l, m, n, rows
from derivations.calculus import equal

A = IndexedBase("A", real=True)
r, s = (IndexedBase(name, positive=True) for name in ("r", "s"))
y, z = sp.symbols("y z", real=True)
ROW_SUMS = ((Sum(A[k, l], columns), R[k]),)
TRUE = [
    (Sum(2 * r[k] + 3, rows), 2 * Sum(r[k], rows) + 3 * n, ()),
    (Sum(r[k] * s[l], columns, rows), Sum(r[k], rows) * Sum(s[l], columns), ()),
    (Sum(A[k, l], columns, rows), Sum(A[k, l], rows, columns), ()),
    (Sum(r[k] * A[k, l], columns, rows), Sum(r[k] * R[k], rows), ROW_SUMS),
    (Sum(Sum(s[l], columns) * r[k], rows), Sum(s[l], columns) * Sum(r[k], rows), ()),
    (log(r[i] / s[j] ** 2), log(r[i]) - 2 * log(s[j]), ()),
    (Derivative(Sum(r[k] ** 2 * s[l], columns, rows), r[i]), 2 * r[i] * Sum(s[l], columns), ()),
    (Derivative(Sum(beta_2 * r[k], rows), beta_2), Sum(r[k], rows), ()),
    (Sum(A[k, l], columns), Sum(s[l], columns) * r[k], ((A[i, j], r[i] * s[j]),)),
]
FALSE = [
    (Sum(2 * r[k] + 3, rows), 2 * Sum(r[k], rows) + 3, ()),
    (Sum(r[k] * s[k], rows), Sum(r[k], rows) * Sum(s[k], rows), ()),
    (Sum(A[k, l], columns, rows), Sum(A[l, k], columns, rows), ()),
    (Sum(s[l] * A[k, l], columns), Sum(s[l], columns) * R[k], ROW_SUMS),
    (Sum(r[k] ** 2, rows), Sum(r[k], rows) ** 2, ()),
    (log(Sum(r[k], rows)), Sum(log(r[k]), rows), ()),
    (log(y * z), log(y) + log(z), ()),  # -1 and -1
    (log(y**2), 2 * log(y), ()),
    (sp.sqrt(y**2), y, ()),
    (Derivative(Sum(r[k] ** 2 * s[l], columns, rows), r[i]), 2 * r[i] * s[j], ()),
    (Sum(A[k, l], columns), Sum(s[l], columns) * r[i], ((A[i, j], r[i] * s[j]),)),
    (A[i, j], A[j, i], ()),
]


@pytest.mark.parametrize(("left", "right", "given"), TRUE, ids=str)
def test_sums_that_linearity_makes_equal_are(left, right, given):
    assert equal(left, right, given)
    assert not equal(left, right + 1, given)


@pytest.mark.parametrize(("left", "right", "given"), FALSE, ids=str)
def test_false_identities_are_refused(left, right, given):
    assert not equal(left, right, given)


@pytest.mark.parametrize("given", [x for x in TRUE if x[2]], ids=str)
def test_what_rests_on_something_given_does_not_hold_without_it(given):
    left, right, _ = given
    assert not equal(left, right)


ERRORS = [
    # 2 n sum, not 2 sum: the sum put in and the one around it have the same index
    (Sum(S_R, rows), Sum(R[k], rows), ((S_R, Sum(R[k], rows)),), "sums over an index twice"),
    (Sum(Sum(r[l], (l, 0, k)), rows), Sum(r[k], rows), (), "up to another index"),
    (Sum(R[l], columns), S_R, ((R[i], Sum(A[i, l], columns)),), "cannot be read at"),
    (Sum(C[j], (j, 0, m - 1)), S_R, ((C[l], r[j]),), "which a sum may capture"),
    (A[i, j], r[j], ((A[i, i], r[i]),), "is not said of every entry"),
    (A[0, j], A[1, j], ((A[0, i], r[i]),), "is not said of every entry"),
    (Derivative(Sum(r[k] * r[l], columns, rows), r[i]), r[i], (), "is not that of one entry"),
    (Derivative(Sum(A[k, k], rows), A[i, j]), n, (), "is not that of one entry"),
    (Derivative(Sum(r[j], rows), r[i]), n, (), "is not that of one entry"),
    (Derivative(Sum(r[k], rows), r[k]), n, (), "is not that of one entry"),
    (Derivative(2 * Sum(r[k], rows), r[k]), 2 * n, (), "is not that of one entry"),
]


@pytest.mark.parametrize(("left", "right", "given", "text"), ERRORS, ids=lambda x: str(x)[:40])
def test_what_an_index_could_be_captured_in_is_an_error(left, right, given, text):
    with pytest.raises(ValueError, match=text):
        equal(left, right, given)


def test_a_second_derivative_is_not_taken_for_the_first():
    with pytest.raises(ValueError, match="unpack"):
        equal(Derivative(y**2, y, y), 2 * y)
