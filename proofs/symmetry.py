"""What a change of the parameters' names or units does to V, U and X_new: what it should."""

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
    U,
    U_hat,
    V,
    V_old,
    X,
    alpha,
    columns,
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
from derivations.rule import UpdateRule, base, rewrite

from .average import at_least
from .lines import entry
from .smt import Question, nonnegative, positive
from .theorem import Identity, Neighbour, Theorem, given

lam, s = sp.symbols("lambda s")
x, rho, e_2 = sp.symbols("x rho epsilon_2")
R_2, C_2, S_2, pi = IndexedBase("R_2"), IndexedBase("C_2"), sp.Symbol("S_2"), IndexedBase("pi")
V_2 = MATRIX["V"].value.xreplace({R[i]: R_2[i], C[j]: C_2[j], S_R: S_2})
TRANSPOSED = {i: j, j: i, k: l, l: k, n: m, m: n, R_old[i]: C_old[j], C_old[j]: R_old[i]}


def scaled(e: sp.Expr, **powers: int) -> sp.Expr:
    """e with every entry of the named arrays times a power of lambda."""

    def new(of: sp.Basic) -> sp.Basic | None:
        if not isinstance(of, sp.Indexed | sp.Symbol) or str(base(of)) not in powers:
            return None
        return lam ** powers[str(base(of))] * of

    return rewrite(e, new)


def transposed(e: sp.Expr) -> sp.Expr:
    """e of the transposed gradient and statistics, rows for columns."""
    swapped = e.xreplace(TRANSPOSED)
    return rewrite(swapped, lambda z: G[z.indices[::-1]] if getattr(z, "base", None) == G else None)


def permuted(e: sp.Expr) -> sp.Expr:
    """e of the gradient and the row statistics with row pi_i for row i."""

    def new(z: sp.Basic) -> sp.Basic | None:
        if getattr(z, "base", None) not in (G, R_old, U):
            return None
        row, *rest = z.indices
        return z.base[pi[row], *rest]

    return rewrite(e, new)


def lines(rule: UpdateRule) -> tuple[Given, ...]:
    """The lines of R, C, S_R and V."""
    return given(*(rule[name] for name in ("R", "C", "S_R", "V")))


def changed(R_line: sp.Expr, C_line: sp.Expr, rule: UpdateRule = MATRIX) -> tuple[Given, ...]:
    """The lines of a rule, and those of R_2, C_2 and S_2, to which a change leads."""
    return (*lines(rule), (S_2, Sum(R_2[k], rows)), (R_2[i], R_line), (C_2[j], C_line))


def rescaled(rule: UpdateRule = MATRIX, **powers: int) -> tuple[Given, ...]:
    """The lines of what R, C and S_R of a rule are of named arrays so scaled."""
    R_line, C_line = (scaled(rule[name].value, **powers) for name in "RC")
    return changed(R_line, C_line, rule)


TRANSPOSE = (
    *given(MATRIX["R"], MATRIX["C"]),
    (R_2[j], transposed(MATRIX["R"].value)),
    (C_2[i], transposed(MATRIX["C"].value)),
)
REINDEXED = tuple(
    (Sum(permuted(e), *axes), Sum(e, *axes))
    for e, *axes in (
        (G[k, j] ** 2, rows),
        (G[k, l] ** 2, rows, columns),
        (R_old[k], rows),
        (U[k, l] ** 2, rows),
    )
)
PERMUTED = (
    *changed(permuted(MATRIX["R"].value), permuted(MATRIX["C"].value)),
    *REINDEXED,
)
HOMOGENEOUS = rescaled(G=1, R_old=2, C_old=2, epsilon_1=2)
CHAIN_RULE = rescaled(G=-1, R_old=-2, C_old=-2, epsilon_1=-2)
ONE_ROW = (
    *given(MATRIX["V"]),
    (S_R, MATRIX["S_R"].value.xreplace({n: sp.S.One}).doit()),
    (C[j], MATRIX["C"].value.xreplace({n: sp.S.One}).doit()),
)
AS_A_VECTOR = rewrite(VECTOR["V"].value, {V_old[i]: C_old[j], G[i]: G[0, j]}.get)

THEOREMS = (
    Theorem(
        "one row is a vector",
        "For n = 1, V of the matrix rule is V of the vector rule, with C for its average.",
        ("n = 1",),
        "[S] Algorithms 4 and 5",
        (Identity(V[0, j], AS_A_VECTOR, ONE_ROW),),
        (
            Neighbour("with R for its average", Identity(V[0, j], R[0], ONE_ROW)),
            Neighbour(
                "of any number of rows",
                Identity(V[0, j], AS_A_VECTOR, given(*(MATRIX[z] for z in ("C", "S_R", "V")))),
            ),
        ),
        "Reshaping a bias to one row does not change how it is trained.",
    ),
    Theorem(
        "the transpose takes the transposed step",
        "R_2 and C_2, of the transposed gradient, are C and R, and V the transposed V.",
        ("sum C = sum R",),
        "[S] Algorithm 4",
        (
            Identity(R_2[j], C[j], TRANSPOSE),
            Identity(C_2[i], R[i], TRANSPOSE),
            Identity(
                R_2[j] * C_2[i] / S_2,
                V[i, j],
                (
                    *given(MATRIX["V"]),
                    *((S_2, Sum(R_2[l], columns)), (R_2[j], C[j]), (C_2[i], R[i])),
                    *TOTALS,
                ),
            ),
        ),
        (
            Neighbour("R stays R", Identity(R_2[j], R[j], TRANSPOSE)),
            Neighbour(
                "of other totals",
                Identity(C[j] * R[i] / Sum(C[l], columns), V[i, j], given(MATRIX["V"])),
            ),
        ),
        "Whether a layer stores W or its transpose does not matter, nor, for a matrix, which two "
        "axes are called the largest.",
    ),
    Theorem(
        "permuted rows take permuted steps",
        "With row pi_i of G and R_old for row i, V_ij is V of row pi_i, and so is U^2; its sum over"
        " all entries, and with it clipping, stays. So it is with columns, by the transpose.",
        ("a sum over pi_k is the sum over k",),
        "[S] Algorithm 4",
        (
            Identity(V_2, V[pi[i], j], PERMUTED),
            Identity(G[pi[i], j] ** 2 / V_2, G[pi[i], j] ** 2 / V[pi[i], j], PERMUTED),
            Identity(
                Sum(permuted(U[k, l]) ** 2, rows, columns),
                Sum(U[k, l] ** 2, rows, columns),
                PERMUTED,
            ),
        ),
        (
            Neighbour("V stays where it was", Identity(V_2, V[i, j], PERMUTED)),
            Neighbour(
                "the statistics stay where they were",
                Identity(
                    V_2,
                    V[pi[i], j],
                    (
                        *changed(
                            rewrite(permuted(MATRIX["R"].value), {R_old[pi[i]]: R_old[i]}.get),
                            permuted(MATRIX["C"].value),
                        ),
                        *REINDEXED,
                    ),
                ),
            ),
        ),
        "The order of neurons, tokens or channels has no influence on training.",
    ),
    Theorem(
        "the unit of the loss does not matter",
        "lambda G, lambda^2 epsilon_1 and lambda^2 times the statistics give lambda^2 V and the "
        "same U^2 = G^2 / V.",
        ("lambda is not 0",),
        "[S] Algorithm 4",
        (
            Identity(V_2, lam**2 * V[i, j], HOMOGENEOUS),
            Identity((lam * G[i, j]) ** 2 / V_2, G[i, j] ** 2 / V[i, j], HOMOGENEOUS),
        ),
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
        "Multiplying the loss by a constant changes no step, up to epsilon_1.",
    ),
    Theorem(
        "relative steps follow the scale of X",
        "lambda X with the loss as it was, so G / lambda, has the same U^2, lambda alpha and "
        "lambda X_new.",
        ("lambda > 0", "RMS(X) and lambda RMS(X) are at least epsilon_2", "epsilon_1 / lambda^2"),
        "[S] section 8",
        (
            Identity((G[i, j] / lam) ** 2 / V_2, G[i, j] ** 2 / V[i, j], CHAIN_RULE),
            Question(
                (*positive(lam), *nonnegative(rho, e_2), at_least(x, e_2), at_least(lam * x, e_2)),
                Eq(
                    entry(MATRIX["alpha"].value, mean_square_X=(lam * x) ** 2),
                    lam * entry(MATRIX["alpha"].value, mean_square_X=x**2),
                ),
            ),
            Identity(
                scaled(MATRIX["X_new"].value, X=1, alpha=1), lam * (X[i, j] - alpha * U_hat[i, j])
            ),
        ),
        (
            Neighbour(
                "RMS(X) below epsilon_2",
                Question(
                    (*positive(lam, rho), *nonnegative(e_2, x), at_least(lam * x, e_2)),
                    Eq(
                        entry(MATRIX["alpha"].value, mean_square_X=(lam * x) ** 2),
                        lam * entry(MATRIX["alpha"].value, mean_square_X=x**2),
                    ),
                ),
            ),
            Neighbour(
                "an absolute step",
                Identity(scaled(MATRIX["X_new"].value, X=1), lam * (X[i, j] - alpha * U_hat[i, j])),
            ),
        ),
        "One rho suits layers of every scale; no layer needs a learning rate of its own.",
    ),
    Theorem(
        "U keeps the cross ratios of G",
        "sqrt V is a scale of the row times one of the column: U_ij U_kl / (U_il U_kj) is that "
        "of G, told here in squares.",
        ("no entry is 0",),
        "[S] Algorithm 4, line 8; S. Gupta et al., Shampoo, 2018",
        (
            Identity(
                (G[i, j] * G[k, l]) ** 2 / (V[i, j] * V[k, l]) * (G[i, l] * G[k, j]) ** 2,
                (G[i, l] * G[k, j]) ** 2 / (V[i, l] * V[k, j]) * (G[i, j] * G[k, l]) ** 2,
                given(MATRIX["V"]),
            ),
        ),
        (
            Neighbour(
                "V kept in full",
                Identity(
                    (G[i, j] * G[k, l]) ** 2 / (V[i, j] * V[k, l]) * (G[i, l] * G[k, j]) ** 2,
                    (G[i, l] * G[k, j]) ** 2 / (V[i, l] * V[k, j]) * (G[i, j] * G[k, l]) ** 2,
                ),
            ),
        ),
        "Factored Adafactor rescales rows and columns, and keeps the rank of the gradient; without "
        "factoring each entry has a scale of its own.",
    ),
)
