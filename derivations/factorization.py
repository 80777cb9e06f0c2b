"""Where V = R C / sum R comes from: it is the nearest matrix of rank one, derived line by line.

A (n, m) is the running average of G^2 + epsilon_1.  Nearest is meant in the generalized
Kullback-Leibler divergence D(p, q) = sum p log(p / q) - p + q, where 0 log 0 = 0 ([S] section 3;
L. Finesso, P. Spreij, Linear Algebra and its Applications 416, 2006).  The lines hold for all n
and m and all positive A, r and s; they extend to zeros, since every term with A_kl = 0 only
leaves its q, and V_kl = 0 only where A_kl = 0.
"""

from dataclasses import dataclass

import sympy as sp
from sympy import Derivative, Function, IndexedBase, Sum, log

from .adafactor import (
    MATRIX,
    S_R,
    C,
    C_old,
    G,
    R,
    R_old,
    V,
    beta_2,
    columns,
    epsilon_1,
    i,
    j,
    k,
    l,
    rows,
)
from .calculus import Given, equal
from .rule import rewrite

A, A_old, r, s = (IndexedBase(name, positive=True) for name in ("A", "A_old", "r", "s"))
p, q, x, lam = sp.symbols("p q x lambda", positive=True)
D, phi = Function("D"), Function("phi")

# What the first three lines derive, in the indices in which the others read it.
ROW_SUMS = tuple((Sum(A[z, l], columns), R[z]) for z in (i, k))
COLUMN_SUMS = tuple((Sum(A[k, z], rows), C[z]) for z in (j, l))
TOTALS = ((Sum(R[k], rows), S_R), (Sum(C[l], columns), S_R))


def divergence(p: sp.Expr, q: sp.Expr) -> sp.Expr:
    """The term of D(p, q) at one entry."""
    return p * log(p / q) - p + q


@dataclass(frozen=True)
class Line:
    """`left` = `right`, in words in `says`; `given` are the earlier equations it rests on."""

    says: str
    left: sp.Expr
    right: sp.Expr
    given: tuple[Given, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether the two sides are equal for all n and m, by linearity and cancellation alone."""
        return equal(rewrite(self.left, _written), rewrite(self.right, _written), self.given)


def derivation() -> tuple[Line, ...]:
    """From the statistics of MATRIX to V, and why no other matrix of rank one is as near.

    >>> all(line.verified for line in derivation())
    True
    """
    return (*_statistics(), *_stationarity(), *_scale(), *_minimum())


def _statistics() -> tuple[Line, ...]:
    """R, C and S_R of MATRIX are the marginals of A, once they are: at t = 1, when all are 0."""
    average = beta_2 * A_old[i, j] + (1 - beta_2) * (G[i, j] ** 2 + epsilon_1)
    R_before = (R_old[i], Sum(A_old[i, l], columns))
    C_before = (C_old[j], Sum(A_old[k, j], rows))
    A_now, R_now, C_now, S_R_now = (A[i, j], average), _step("R"), _step("C"), _step("S_R")
    return (
        Line("R, the row sums of A", R[i], Sum(A[i, l], columns), (R_now, R_before, A_now)),
        Line("C, the column sums of A", C[j], Sum(A[k, j], rows), (C_now, C_before, A_now)),
        Line("S_R, the total of A", S_R, Sum(A[k, l], columns, rows), (S_R_now, *ROW_SUMS)),
    )


def _stationarity() -> tuple[Line, ...]:
    distance = D(A.label, r.label * s.label)
    written = Sum(divergence(A[k, l], r[k] * s[l]), columns, rows)
    slope_r, slope_s = (Derivative(distance, y) for y in (r[i], s[j]))
    sum_r, sum_s = Sum(r[k], rows), Sum(s[l], columns)
    return (
        Line("the divergence, to be made least", distance, written),
        Line("the slope in r_i", slope_r, sum_s - R[i] / r[i], ROW_SUMS),
        Line(
            "is 0 only at r_i = R_i / sum s",
            r[i] * slope_r,
            sum_s * (r[i] - R[i] / sum_s),
            ROW_SUMS,
        ),
        Line("the slope in s_j", slope_s, sum_r - C[j] / s[j], COLUMN_SUMS),
        Line(
            "is 0 only at s_j = C_j / sum r",
            s[j] * slope_s,
            sum_r * (s[j] - C[j] / sum_r),
            COLUMN_SUMS,
        ),
    )


def _scale() -> tuple[Line, ...]:
    sum_r, sum_s = Sum(r[k], rows), Sum(s[l], columns)
    r_zero, s_zero = (r[i], R[i] / sum_s), (s[j], C[j] / sum_r)
    r_now, s_now = (r[i], R[i]), (s[j], C[j] / S_R)
    scaled = sp.Mul(lam * r[i], s[j] / lam, evaluate=False)
    return (
        Line("the scale is free: let sum r = S_R", scaled, r[i] * s[j]),
        Line("then s, the column sums over the total", s[j], C[j] / S_R, (s_zero, (sum_r, S_R))),
        Line("adds up to 1", sum_s, sp.S.One, (s_now, *TOTALS)),
        Line("and r, the row sums", r[i], R[i], (r_zero, (sum_s, sp.S.One))),
        Line("adds up to S_R, as it was let", sum_r, S_R, (r_now, *TOTALS)),
        Line("so the product is V of the rule", r[i] * s[j], MATRIX["V"].value, (r_now, s_now)),
    )


def _minimum() -> tuple[Line, ...]:
    rs = r.label * s.label
    return (
        Line("V has the row sums of A", Sum(V[i, l], columns), R[i], (_step("V"), *TOTALS)),
        Line("and its column sums", Sum(V[k, j], rows), C[j], (_step("V"), *TOTALS)),
        Line(
            "so, log r s being a sum, D splits in two",
            D(A.label, rs),
            D(A.label, V.label) + D(V.label, rs),
            (_step("V"), *ROW_SUMS, *COLUMN_SUMS, *TOTALS),
        ),
        Line("each term of D being q times", phi(x), x * log(x) - x + 1),
        Line("at p / q,", divergence(p, q), q * phi(p / q)),
        Line("which is 0 at 1,", phi(1), sp.S.Zero),
        Line("falls before, rises after: D is 0 only for p = q", Derivative(phi(x), x), log(x)),
    )


def _step(name: str) -> Given:
    return MATRIX[name].target, MATRIX[name].value


def _written(e: sp.Basic) -> sp.Basic | None:
    """D and phi, written out."""
    if e.func == D:
        return Sum(divergence(*(_entry(y) for y in e.args)), columns, rows)
    return divergence(e.args[0], sp.S.One) if e.func == phi else None


def _entry(e: sp.Expr) -> sp.Expr:
    """The entry k, l of a product of the arrays A, V, r and s."""
    arrays = {A.label: A[k, l], V.label: V[k, l], r.label: r[k], s.label: s[l]}
    return rewrite(e, lambda y: arrays.get(y))
