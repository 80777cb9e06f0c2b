"""Every line of the derivation is verified, its false neighbours are not, and numbers agree."""

from fractions import Fraction

import flint
import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, event, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sympy import Sum, log

from derivations.adafactor import MATRIX, S_R, C, R, R_old, V, columns, i, j, k, l, m, n, rows
from derivations.calculus import equal
from derivations.evaluate import EXACT, evaluate
from derivations.factorization import A, D, Line, derivation, divergence, p, phi, q, r, s, x
from derivations.rule import entries, rewrite

LINES = derivation()
by_line = pytest.mark.parametrize("line", LINES, ids=lambda line: line.says)

sum_r, sum_s = Sum(r[k], rows), Sum(s[l], columns)
rs = r.label * s.label
# For every line a right side with one symbol changed.
CHANGED = (
    Sum(A[k, i], rows),
    Sum(A[j, l], columns),
    Sum(R_old[k], rows),
    Sum(divergence(A[k, l], r[k] * r[l]), columns, rows),
    sum_r - R[i] / r[i],
    sum_s * (r[i] - C[i] / sum_s),
    sum_r - C[j] / r[j],
    sum_r * (s[j] - C[j] / sum_s),
    r[i] * r[j],
    C[j] / n,
    m,
    C[i],
    m * S_R,
    R[i] * R[j] / S_R,
    C[i],
    R[j],
    D(A.label, V.label) + D(A.label, rs),
    x * log(x) - x + x,
    p * phi(p / q),
    sp.S.One,
    log(p),
)


@by_line
def test_every_line_is_verified_for_all_n_and_m(line):
    assert line.verified, f"{line.says}: {line.left} = {line.right} is not verified"


@pytest.mark.parametrize(
    ("line", "changed"), [*zip(LINES, CHANGED, strict=True)], ids=[line.says for line in LINES]
)
def test_a_line_with_one_symbol_changed_is_refused(line, changed):
    assert not Line(line.says, line.left, changed, line.given).verified


@by_line
def test_a_line_with_anything_on_its_right_doubled_is_refused(line):
    read = {*entries(line.right)} - {i, j, k, l, n, m}
    doubled = [
        rewrite(line.right, lambda e, y=y: 2 * e if e == y and e != x else None) for y in read - {x}
    ]
    for wrong in (*doubled, line.right + 1):
        assert not Line(line.says, line.left, wrong, line.given).verified


@pytest.mark.parametrize("line", [x for x in LINES if x.given], ids=lambda line: line.says)
def test_a_line_does_not_hold_without_what_it_rests_on(line):
    assert not Line(line.says, line.left, line.right).verified


def test_the_product_is_compared_with_the_rule_itself():
    means = MATRIX.but("forgotten denominator", "a test", V=R[i] * C[j] / (n * m))
    product = next(line for line in LINES if line.says == "so the product is V of the rule")
    assert product.right == MATRIX["V"].value
    assert not equal(product.left, means["V"].value, product.given)


def term(p: Fraction, q: Fraction) -> flint.arb:
    """A term of D as a ball, with 0 log 0 = 0."""
    p, q = (flint.fmpq(z.numerator, z.denominator) for z in (p, q))
    return flint.arb(q) if p == 0 else flint.arb(p) * flint.arb(p / q).log() - p + q


def distance(P, Q) -> flint.arb:
    return sum(term(a, b) for a, b in zip(P.flat, Q.flat, strict=True))


whole = st.integers(0, 9)
positive = st.fractions(Fraction(1, 9), 9, max_denominator=9)


@given(
    arrays(object, array_shapes(min_dims=2, max_dims=2, max_side=4), elements=whole),
    st.lists(positive, min_size=4, max_size=4),
    st.lists(positive, min_size=4, max_size=4),
)
def test_distances_add_up_and_no_matrix_of_rank_one_is_nearer(root, r, s):
    assume(root.any())
    event(f"zero rows: {not root.any(axis=1).all()}")
    event(f"zero columns: {not root.any(axis=0).all()}")
    zero = Fraction(0)
    statistics = {"R_old": [zero] * root.shape[0], "C_old": [zero] * root.shape[1]}
    scalars = dict.fromkeys(("beta_2", "rho", "epsilon_1"), zero)
    nearest = evaluate(MATRIX, {"X": root, "G": root, **statistics, **scalars}, EXACT, ["V"])["V"]
    exact = np.frompyfunc(Fraction, 1, 1)(root**2)
    other = np.outer(r[: root.shape[0]], s[: root.shape[1]])
    with flint.ctx.workprec(256):
        parts = distance(exact, nearest), distance(nearest, other)
        whole = distance(exact, other)
        assert (whole - parts[0] - parts[1]).contains(0)
        if not np.array_equal(nearest, other):
            assert parts[1] > 0
            assert whole > parts[0]
            assert not (whole - parts[0] - 2 * parts[1]).contains(0)
