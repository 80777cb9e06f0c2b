"""What holds of V = R C / sum R, the average of G^2 + epsilon_1 that is kept as its sums."""

import sympy as sp
from sympy import Eq, IndexedBase, Sum

from derivations.adafactor import (
    MATRIX,
    S_R,
    VECTOR,
    C,
    C_old,
    G,
    R,
    R_old,
    V,
    V_old,
    beta_2,
    columns,
    epsilon_1,
    i,
    j,
    k,
    l,
    m,
    n,
    rows,
)
from derivations.equivalents import EQUIVALENTS
from derivations.factorization import TOTALS
from derivations.rule import rewrite

from .average import above, at_least
from .lines import entry, line
from .smt import Question, nonnegative, positive
from .theorem import Identity, Neighbour, Theorem, given

A, A_old, W, r, s = (IndexedBase(name) for name in ("A", "A_old", "W", "r", "s"))
u, v, x, y = (IndexedBase(name) for name in "uvxy")
a, b, c, p, q, z, total = sp.symbols("a b c p q z total")

V_STEP = given(MATRIX["V"])
FULL = rewrite(VECTOR["V"].value, {V_old[i]: A_old[i, j], G[i]: G[i, j]}.get)
SUMS_OF_FULL = (
    (A[i, j], FULL),
    (R_old[i], Sum(A_old[i, l], columns)),
    (C_old[j], Sum(A_old[k, j], rows)),
)
OF_RANK_ONE = (
    *V_STEP,
    (S_R, Sum(R[k], rows)),
    (R[i], Sum(u[i] * v[l], columns)),
    (C[j], Sum(u[k] * v[j], rows)),
)
SWEEP = ((r[i], R[i] / Sum(s[l], columns)), (Sum(R[k], rows), S_R))


def averaged(row: sp.Symbol, column: sp.Symbol) -> sp.Expr:
    """An entry of an average of u v' and x y'."""
    return c * u[row] * v[column] + (1 - c) * x[row] * y[column]


MINOR = averaged(i, j) * averaged(k, l) - averaged(i, l) * averaged(k, j)
PARTS = (u[i] * x[k] - u[k] * x[i]) * (v[j] * y[l] - v[l] * y[j])

# Of a row: a is G^2 of an entry, or of all, p is R, q is m, and b is beta_2.
A_ROW = (*nonnegative(a, b), *positive(p, q), above(1, b))

THEOREMS = (
    Theorem(
        "V has the row sums R and the column sums C",
        "What is kept of the average is kept exactly.",
        ("sum C = sum R = S_R",),
        "[S] section 3",
        (
            Identity(Sum(V[i, l], columns), R[i], (*V_STEP, *TOTALS)),
            Identity(Sum(V[k, j], rows), C[j], (*V_STEP, *TOTALS)),
        ),
        (
            Neighbour(
                "V without its denominator",
                Identity(Sum(R[i] * C[l], columns), R[i], (*TOTALS,)),
            ),
            Neighbour(
                "C of another sum",
                Identity(Sum(V[i, l], columns), R[i], (*V_STEP, (Sum(C[l], columns), 2 * S_R))),
            ),
            Neighbour(
                "S_R without a part of it",
                Identity(Sum(V[k, j], rows), C[j], (*V_STEP, (Sum(R[k], rows), S_R + c))),
            ),
        ),
        "Rows and columns with large gradients get small steps exactly as much as their sums say.",
    ),
    Theorem(
        "V is positive",
        "The sum of G^2 + epsilon_1 over m columns is at least m epsilon_1; so R > 0, likewise C, "
        "and V > 0.",
        ("epsilon_1 > 0", "0 <= beta_2 < 1", "R_old >= 0"),
        "[S] Algorithm 4, lines 5 to 7",
        (
            Question(
                (
                    *nonnegative(sp.Symbol("beta_2"), sp.Symbol("R_old")),
                    above(1, sp.Symbol("beta_2")),
                    *positive(sp.Symbol("epsilon_1"), z),
                    at_least(total, z * sp.Symbol("epsilon_1")),
                    line(MATRIX["R"], total),
                ),
                above(sp.Symbol("R"), 0),
            ),
            Question(
                positive(*sp.symbols("R C S_R")),
                above(entry(MATRIX["V"].value), 0),
            ),
        ),
        (
            Neighbour(
                "epsilon_1 = 0",
                Question(
                    (
                        *nonnegative(sp.Symbol("beta_2"), sp.Symbol("R_old"), total),
                        above(1, sp.Symbol("beta_2")),
                        line(MATRIX["R"], total),
                    ),
                    above(sp.Symbol("R"), 0),
                ),
            ),
            Neighbour(
                "R of either sign",
                Question(
                    positive(*sp.symbols("C S_R")),
                    above(entry(MATRIX["V"].value), 0),
                ),
            ),
        ),
        "A step never divides by zero, whatever the gradients are.",
    ),
    Theorem(
        "equal totals stay equal",
        "sum R - sum C is beta_2 times what it was: both totals are equal from the start on.",
        (),
        "[S] Algorithm 4, lines 5 and 6",
        (
            Identity(
                Sum(R[k], rows) - Sum(C[l], columns),
                beta_2 * (Sum(R_old[k], rows) - Sum(C_old[l], columns)),
                given(MATRIX["R"], MATRIX["C"]),
            ),
        ),
        (
            Neighbour(
                "epsilon_1 once a row in R",
                Identity(
                    Sum(R[k], rows) - Sum(C[l], columns),
                    beta_2 * (Sum(R_old[k], rows) - Sum(C_old[l], columns)),
                    (
                        (
                            R[i],
                            beta_2 * R_old[i]
                            + (1 - beta_2) * (Sum(G[i, l] ** 2, columns) + epsilon_1),
                        ),
                        *given(MATRIX["C"]),
                    ),
                ),
            ),
        ),
        "It does not matter whether an implementation divides by sum R or by sum C.",
    ),
    Theorem(
        "means are as good as sums",
        "By means, R is 1/m, C 1/n and S_R 1/(n m) of the paper's, and V is the paper's, "
        "epsilon_1 included.",
        ("statistics from zero, or kept as means",),
        "[C] torch.optim.Adafactor 2.13.0",
        tuple(Identity(w.left, w.right, w.given) for w in EQUIVALENTS[0].proof),
        (
            Neighbour(
                "the mean of R over columns",
                Identity(
                    (R[i] / m) * (C[j] / n) / (Sum(R[k] / m, rows) / m),
                    R[i] * C[j] / Sum(R[k], rows),
                ),
            ),
            Neighbour(
                "epsilon_1 added to the sum",
                Identity(
                    (Sum(G[i, l] ** 2, columns) + epsilon_1) / m,
                    Sum(G[i, l] ** 2 + epsilon_1, columns) / m,
                ),
            ),
        ),
        "PyTorch's row and column means are no deviation from the paper.",
    ),
    Theorem(
        "exact if and only if of rank one",
        "If the average is u_i v_j, V is that average; and each 2 x 2 minor of V vanishes.",
        ("R, C and the total are positive",),
        "[S] section 3",
        (
            Identity(V[i, j], u[i] * v[j], OF_RANK_ONE),
            Identity(V[i, j] * V[k, l], V[i, l] * V[k, j], V_STEP),
        ),
        (
            Neighbour(
                "of rank two",
                Identity(
                    V[i, j],
                    u[i] * v[j] + v[i] * u[j],
                    (
                        *V_STEP,
                        (S_R, Sum(R[k], rows)),
                        (R[i], Sum(u[i] * v[l] + v[i] * u[l], columns)),
                        (C[j], Sum(u[k] * v[j] + v[k] * u[j], rows)),
                    ),
                ),
            ),
            Neighbour("of any matrix", Identity(A[i, j] * A[k, l], A[i, l] * A[k, j])),
        ),
        "Nothing is lost where rows differ only in size, and something is everywhere else.",
    ),
    Theorem(
        "the average commutes with the sums",
        "R and C are the row and column sums of V kept in full, as the vector rule keeps it.",
        ("R_old and C_old are those of A_old",),
        "[S] section 3",
        (
            Identity(Sum(A[i, l], columns), MATRIX["R"].value, SUMS_OF_FULL),
            Identity(Sum(A[k, j], rows), MATRIX["C"].value, SUMS_OF_FULL),
        ),
        (
            Neighbour(
                "the average of V itself",
                Question(
                    positive(a, b, c, p, q, z),
                    Eq(
                        entry(MATRIX["V"].value, R=(a + p) / 2, C=(b + q) / 2, S_R=(c + z) / 2),
                        (
                            entry(MATRIX["V"].value, R=a, C=b, S_R=c)
                            + entry(MATRIX["V"].value, R=p, C=q, S_R=z)
                        )
                        / 2,
                    ),
                ),
            ),
        ),
        "Keeping R and C is keeping the sums of the full average, which unfactored variants keep.",
    ),
    Theorem(
        "nothing of rank one commutes with the average",
        "The minors of c u v' + (1 - c) x y' are c (1 - c) (u_i x_k - u_k x_i) (v_j y_l - v_l y_j):"
        " it is of rank one only if the two share rows or columns. What makes a matrix one of rank "
        "one, and leaves it if it is, does not commute with averaging.",
        (),
        "[S] section 3",
        (Identity(MINOR, c * (1 - c) * PARTS),),
        (
            Neighbour("of rank one always", Identity(MINOR, sp.S.Zero)),
            Neighbour("of every c alike", Identity(MINOR, PARTS / 4)),
        ),
        "Averaging V itself, or a leading pair, is not what R and C do, and depends on the order.",
    ),
    Theorem(
        "one sweep from anywhere",
        "From any s, r = R / sum s and then s = C / sum r give V: alternating minimisation is done "
        "after one sweep.",
        ("sum R = S_R",),
        "[S] section 3; L. Finesso, P. Spreij, 2006",
        (Identity(r[i] * C[j] / Sum(r[k], rows), R[i] * C[j] / S_R, SWEEP),),
        (Neighbour("half a sweep", Identity(r[i] * s[j], R[i] * C[j] / S_R, SWEEP)),),
        "For one row and one column there is a closed form; no iteration could improve on V.",
    ),
    Theorem(
        "row means alone keep the bound of vectors",
        "With V = R_i / m the row sums are still R and U^2 <= m / (1 - beta_2), and the mean of "
        "U^2 over a row, so over all, is at most 1 / (1 - beta_2).",
        ("R >= (1 - beta_2) sum_j G^2",),
        "[S] section 3, Table 2 (D)",
        (
            Identity(Sum(R[i] / m, columns), R[i]),
            Question(
                (*A_ROW, at_least(p, (1 - b) * a)),
                at_least(q / (1 - b), a / (p / q)),
            ),
            Question(
                (*A_ROW, at_least(p, (1 - b) * a)),
                at_least(1 / (1 - b), a / (p / q) / q),
            ),
        ),
        (
            Neighbour("the column sums C", Identity(Sum(R[k] / m, rows), C[j])),
            Neighbour(
                "each entry at most 1 / (1 - beta_2)",
                Question(
                    (*A_ROW, at_least(p, (1 - b) * a)),
                    at_least(1 / (1 - b), a / (p / q)),
                ),
            ),
        ),
        "What V gains in accuracy by its columns it pays for with a bound; hence clipping.",
    ),
)
