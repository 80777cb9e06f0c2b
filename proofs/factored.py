"""What holds of V = R C / sum R, the average of G^2 + epsilon_1 that is kept as its sums."""

import sympy as sp
from sympy import Eq, IndexedBase, Sum

from derivations.adafactor import (
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
    m,
    n,
    rows,
)
from derivations.calculus import Given
from derivations.factorization import TOTALS
from derivations.rule import base, rewrite

from .smt import Question, positive
from .theorem import Identity, Neighbour, Theorem, given

A, W = IndexedBase("A"), IndexedBase("W")
u, v = IndexedBase("u"), IndexedBase("v")
lam, a, b, c, s, x, y = sp.symbols("lambda a b c s x y")

V_STEP = given(MATRIX["V"])
V_LINES = given(MATRIX["R"], MATRIX["C"], MATRIX["S_R"], MATRIX["V"])
R_2, C_2, S_2 = IndexedBase("R_2"), IndexedBase("C_2"), sp.Symbol("S_2")
V_2 = R_2[i] * C_2[j] / S_2
U_2 = (lam * G[i, j]) ** 2 / V_2
OF_RANK_ONE = (
    *V_STEP,
    (S_R, Sum(R[k], rows)),
    (R[i], Sum(u[i] * v[l], columns)),
    (C[j], Sum(u[k] * v[j], rows)),
)


def scaled(e: sp.Expr, **powers: int) -> sp.Expr:
    """e with every entry of the named arrays times a power of lambda."""

    def new(of: sp.Basic) -> sp.Basic | None:
        if not isinstance(of, sp.Indexed | sp.Symbol) or str(base(of)) not in powers:
            return None
        return lam ** powers[str(base(of))] * of

    return rewrite(e, new)


def rescaled(**powers: int) -> tuple[Given, ...]:
    """The lines of MATRIX, and those of what R, C and S_R are of named arrays so scaled."""
    return (
        *V_LINES,
        (S_2, Sum(R_2[k], rows)),
        (R_2[i], scaled(MATRIX["R"].value, **powers)),
        (C_2[j], scaled(MATRIX["C"].value, **powers)),
    )


THEOREMS = (
    Theorem(
        "V has the row sums R",
        "The row sums of V are R: what is kept of the average is kept exactly.",
        ("sum C = sum R",),
        "[S] section 3",
        (Identity(Sum(V[i, l], columns), R[i], (*V_STEP, *TOTALS)),),
        (
            Neighbour(
                "V without its denominator",
                Identity(Sum(R[i] * C[l], columns), R[i], (*TOTALS,)),
            ),
            Neighbour(
                "C of another sum",
                Identity(Sum(V[i, l], columns), R[i], (*V_STEP, (Sum(C[l], columns), 2 * S_R))),
            ),
        ),
        "Rows with large gradients get small steps exactly as much as their sums say.",
    ),
    Theorem(
        "V has the column sums C",
        "The column sums of V are C.",
        ("S_R = sum R",),
        "[S] section 3",
        (Identity(Sum(V[k, j], rows), C[j], (*V_STEP, *TOTALS)),),
        (
            Neighbour(
                "S_R without a part of it",
                Identity(Sum(V[k, j], rows), C[j], (*V_STEP, (Sum(R[k], rows), S_R + c))),
            ),
        ),
        "Columns are treated as rows are.",
    ),
    Theorem(
        "V is positive",
        "Where R, C and their sum are positive, so is V, and U has a value.",
        ("R, C > 0",),
        "[S] Algorithm 4, line 7",
        (Question(positive(x, y, s), sp.StrictGreaterThan(x * y / s, 0, evaluate=False)),),
        (
            Neighbour(
                "R of either sign",
                Question(positive(y, s), sp.StrictGreaterThan(x * y / s, 0, evaluate=False)),
            ),
        ),
        "With epsilon_1 > 0 a step never divides by zero.",
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
        "Means for sums, in R, C and S_R, give the same V, epsilon_1 included.",
        ("statistics from zero, or kept as means",),
        "[C] torch.optim.Adafactor 2.13.0",
        (
            Identity(
                (R[i] / m) * (C[j] / n) / (Sum(R[k] / m, rows) / n), R[i] * C[j] / Sum(R[k], rows)
            ),
            Identity(
                Sum(G[i, l] ** 2 + epsilon_1, columns) / m,
                Sum(G[i, l] ** 2, columns) / m + epsilon_1,
            ),
        ),
        (
            Neighbour(
                "the mean of R over columns",
                Identity(
                    (R[i] / m) * (C[j] / n) / (Sum(R[k] / m, rows) / m),
                    R[i] * C[j] / Sum(R[k], rows),
                ),
            ),
        ),
        "PyTorch's row and column means are no deviation from the paper.",
    ),
    Theorem(
        "one row is a vector",
        "For n = 1, V = R C / sum R is C, the average of the vector rule.",
        ("n = 1",),
        "[S] Algorithms 4 and 5",
        (Question((*positive(s), Eq(x, s)), Eq(x * y / s, y)),),
        (Neighbour("two rows", Question((*positive(s, x, a), Eq(x + a, s)), Eq(x * y / s, y))),),
        "Reshaping a bias to one row does not change how it is trained.",
    ),
    Theorem(
        "exact on rank one",
        "If the average is u_i v_j, V is that average.",
        ("sum u and sum v are not 0",),
        "[S] section 3",
        (Identity(V[i, j], u[i] * v[j], OF_RANK_ONE),),
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
        ),
        "Nothing is lost where rows differ only in size.",
    ),
    Theorem(
        "exact only on rank one",
        "If V is the average, each 2 x 2 minor of it vanishes.",
        ("R, C and the total are positive",),
        "[S] section 3",
        (Identity(V[i, j] * V[k, l], V[i, l] * V[k, j], V_STEP),),
        (Neighbour("of any matrix", Identity(A[i, j] * A[k, l], A[i, l] * A[k, j])),),
        "Where gradients are of higher rank, V is an approximation.",
    ),
    Theorem(
        "the average commutes with the sums",
        "The row sums of the moving average are the moving average of the row sums.",
        (),
        "[S] section 3",
        (
            Identity(
                Sum(beta_2 * A[i, l] + (1 - beta_2) * W[i, l], columns),
                beta_2 * Sum(A[i, l], columns) + (1 - beta_2) * Sum(W[i, l], columns),
            ),
        ),
        (
            Neighbour(
                "the average of V itself",
                Question(
                    positive(a, b, c, x, y, s),
                    Eq(
                        ((a + x) / 2) * ((b + y) / 2) / ((c + s) / 2),
                        (a * b / c + x * y / s) / 2,
                    ),
                ),
            ),
        ),
        "Keeping R and C is keeping the sums of the full average; no other compression in use is.",
    ),
    Theorem(
        "V is homogeneous",
        "lambda G, lambda^2 epsilon_1 and lambda^2 times the statistics give lambda^2 V.",
        (),
        "[S] Algorithm 4",
        (Identity(V_2, lam**2 * V[i, j], rescaled(G=1, R_old=2, C_old=2, epsilon_1=2)),),
        (
            Neighbour(
                "epsilon_1 as it was",
                Identity(V_2, lam**2 * V[i, j], rescaled(G=1, R_old=2, C_old=2)),
            ),
            Neighbour(
                "the statistics times lambda",
                Identity(V_2, lam**2 * V[i, j], rescaled(G=1, R_old=1, C_old=1, epsilon_1=2)),
            ),
        ),
        "The unit of the loss does not matter, up to epsilon_1.",
    ),
    Theorem(
        "U is invariant",
        "The same change leaves U^2 = G^2 / V as it is.",
        ("lambda is not 0",),
        "[S] Algorithm 4, line 8",
        (Identity(U_2, G[i, j] ** 2 / V[i, j], rescaled(G=1, R_old=2, C_old=2, epsilon_1=2)),),
        (Neighbour("G alone", Identity(U_2, G[i, j] ** 2 / V[i, j], rescaled(G=1))),),
        "Multiplying the loss by a constant changes no step.",
    ),
)
