"""What the named variants keep of the paper's rule, and what they break, on their own lines.

Here r and s are RMS(U) of two matrices, h is an entry of U, x = RMS(X); other names are
those of the rule.
"""

import sympy as sp
from sympy import Eq, IndexedBase, Ne, Sum

from derivations.adafactor import (
    MATRIX,
    TENSOR,
    C,
    R,
    U,
    U_hat,
    X,
    X_new,
    alpha,
    columns,
    i,
    j,
    k,
    l,
    n,
    p,
    q,
    rho,
    rows,
)
from derivations.adafactor import b as matrix
from derivations.changes import M_old, beta_1, weight_decay
from derivations.rule import rewrite

from .average import above, at_least
from .lines import entry, line, variant
from .smt import Question, nonnegative, positive
from .step import of_no_gradient
from .symmetry import C_2, R_2, changed, scaled
from .theorem import Identity, Neighbour, Theorem, given

lam, r, s, x, h, d, e_1, e_2, a = sp.symbols("lambda r s x h d epsilon_1 epsilon_2 a")
w_d = sp.Symbol("weight_decay")
T, u, v, w = (IndexedBase(name) for name in "Tuvw")
matrices = (q, 0, p - 1)
EXCHANGED = {matrix: i, i: matrix, k: q, q: k, n: p, p: n}
LAST_TWO = TENSOR["V"].value.xreplace(
    {
        R[matrix, i]: Sum(T[matrix, i, l], columns),
        C[matrix, j]: Sum(T[matrix, k, j], rows),
        TENSOR["S_R"].target: Sum(T[matrix, k, l], rows, columns),
    }
)
FIRST_AND_LAST = rewrite(
    LAST_TWO.xreplace(EXCHANGED),
    lambda e: T[e.indices[1], e.indices[0], e.indices[2]] if getattr(e, "base", 0) == T else None,
)
RANK_ONE = ((T[matrix, i, j], u[matrix] * v[i] * w[j]),)

OVER_U_HAT, INSIDE = (variant(f"momentum over {e}") for e in ("U_hat", "alpha U_hat"))
UNSCALED = variant("no parameter scale")
ABSOLUTE = UNSCALED["X_new"].value.xreplace({alpha: UNSCALED["alpha"].value})
PAPERS_ALPHA = entry(MATRIX["alpha"].value, mean_square_X=x**2)
ALONE = variant("each matrix of a batch clipped by itself")
BY_ALPHA = variant("X decays by alpha weight_decay")["X_new"].value
COUPLED = variant("weight_decay X is added to G", "vector")
DECAYED = {"G": 0, "weight_decay": 1, "X": s}
IN_G = (
    *(*positive(e_1), Ne(s, 0), Eq(sp.Symbol("beta_2"), 0)),
    line(COUPLED["V"], **DECAYED),
    line(COUPLED["U"], **DECAYED),
)
ASCENDING = variant("the step is added")
MIRRORED = changed(ASCENDING["R"].value, ASCENDING["C"].value)


def left_of(RMS: sp.Expr) -> sp.Expr:
    """alpha, where X decays first."""
    decayed = variant("X decays by 1e-3 weight_decay before alpha is taken")
    return entry(decayed["alpha"].value, mean_square_X=RMS**2)


def inside(M_before: sp.Expr) -> sp.Expr:
    """M with alpha in it, of what it was."""
    return INSIDE["M"].value.xreplace({M_old[i, j]: M_before})


def alone(RMS: sp.Expr) -> sp.Expr:
    """An entry h of U, its matrix clipped by itself."""
    return entry(ALONE["U_hat"].value, U=h, square_U=RMS**2)


def together(mean_square: sp.Expr) -> sp.Expr:
    """An entry h of U, all matrices clipped alike."""
    return entry(MATRIX["U_hat"].value, U=h, mean_square_U=mean_square)


THEOREMS = (
    Theorem(
        "other axes of a tensor",
        "Factoring the last two axes of T or its first and last, V keeps the sums over the last; "
        "of rank one, u_b v_i w_j, both give T.",
        ("the average T has three axes b, i, j",),
        "[C] optax.scale_by_factored_rms; [T2T]",
        (
            Identity(Sum(LAST_TWO.xreplace({j: l}), columns), Sum(T[matrix, i, l], columns)),
            Identity(Sum(FIRST_AND_LAST.xreplace({j: l}), columns), Sum(T[matrix, i, l], columns)),
            Identity(LAST_TWO, u[matrix] * v[i] * w[j], RANK_ONE),
            Identity(FIRST_AND_LAST, u[matrix] * v[i] * w[j], RANK_ONE),
        ),
        (
            Neighbour("of any tensor", Identity(LAST_TWO, FIRST_AND_LAST)),
            Neighbour(
                "the sums over the first axis, too",
                Identity(Sum(LAST_TWO.xreplace({matrix: q}), matrices), Sum(T[q, i, j], matrices)),
            ),
        ),
        "For matrices the two largest axes are the last two; for convolutions the choice shows.",
    ),
    Theorem(
        "momentum goes on after the gradient",
        "Where U_hat = 0, X_new = X - alpha beta_1 M_old, or X - beta_1 M_old with alpha in M. "
        "Over U_hat, M^2 <= beta_1 M_old^2 + (1 - beta_1) U_hat^2, so that RMS(M) <= d stays.",
        ("0 <= beta_1 < 1", "RMS(M_old) <= d"),
        "[C] big_vision/optax.py; [T2T]",
        (
            Identity(
                X_new[i, j],
                X[i, j] - alpha * beta_1 * M_old[i, j],
                of_no_gradient(OVER_U_HAT).given,
            ),
            Identity(
                X_new[i, j],
                X[i, j] - beta_1 * M_old[i, j],
                of_no_gradient(INSIDE).given,
            ),
            Question(
                (
                    *nonnegative(sp.Symbol("beta_1")),
                    above(1, sp.Symbol("beta_1")),
                    line(OVER_U_HAT["M"]),
                ),
                at_least(
                    entry(beta_1 * M_old[i, j] ** 2 + (1 - beta_1) * U_hat[i, j] ** 2),
                    sp.Symbol("M") ** 2,
                ),
            ),
        ),
        (
            Neighbour(
                "X stays where it is",
                of_no_gradient(INSIDE),
            ),
            Neighbour(
                "alpha d bounds M with alpha in it",
                Question(
                    (
                        *(*positive(d, a), *nonnegative(sp.Symbol("beta_1"), sp.Symbol("alpha"))),
                        *(above(1, sp.Symbol("beta_1")), at_least(d, sp.Symbol("U_hat"))),
                        at_least(a * d, sp.Symbol("M_old")),
                        line(INSIDE["M"]),
                    ),
                    at_least(sp.Symbol("alpha") * d, sp.Symbol("M")),
                ),
            ),
        ),
        "With alpha inside, M keeps old, larger steps when rho or RMS(X) has fallen.",
    ),
    Theorem(
        "both momenta are one while alpha stays",
        "If M_old with alpha inside is alpha times the other, so is M, and X_new is the same.",
        ("alpha as in the step before",),
        "[C] big_vision/optax.py; [T2T]",
        (Identity(inside(alpha * M_old[i, j]), alpha * OVER_U_HAT["M"].value),),
        (
            Neighbour(
                "while alpha changes",
                Identity(inside(a * M_old[i, j]), alpha * OVER_U_HAT["M"].value),
            ),
        ),
        "Where alpha stands is seen only where the schedule or RMS(X) moves.",
    ),
    Theorem(
        "without the parameter scale",
        "alpha is the paper's where RMS(X) = 1, if epsilon_2 <= 1; lambda X takes lambda times the "
        "step only with lambda rho.",
        ("epsilon_2 <= 1",),
        "[S] section 7, absolute steps",
        (
            Question(
                (at_least(1, e_2), Eq(x, 1)),
                Eq(
                    PAPERS_ALPHA,
                    entry(UNSCALED["alpha"].value),
                ),
            ),
            Identity(scaled(ABSOLUTE, X=1, rho=1), lam * ABSOLUTE),
        ),
        (
            Neighbour(
                "where RMS(X) <= 1",
                Question(
                    (at_least(1, e_2), *nonnegative(x), at_least(1, x)),
                    Eq(
                        PAPERS_ALPHA,
                        entry(UNSCALED["alpha"].value),
                    ),
                ),
            ),
            Neighbour(
                "with the same rho",
                Identity(scaled(ABSOLUTE, X=1), lam * ABSOLUTE),
            ),
        ),
        "A learning rate tuned for one initial scale is wrong for another.",
    ),
    Theorem(
        "each matrix clipped by itself",
        "The mean square of U_hat over the batch is at most d^2, too; while no matrix exceeds d, "
        "both ways leave U as it is.",
        ("d > 0",),
        "[C] t5x/adafactor.py",
        (
            Question((*positive(d), *nonnegative(r)), at_least(d**2, alone(r).subs(h, r) ** 2)),
            Question(
                (*positive(d), *nonnegative(r, s), at_least(d, r), at_least(d, s)),
                Eq(together((r**2 + s**2) / 2), alone(r)),
            ),
        ),
        (
            Neighbour(
                "while their mean does not",
                Question(
                    (*positive(d), *nonnegative(r, s), at_least(d**2, (r**2 + s**2) / 2)),
                    Eq(together((r**2 + s**2) / 2), alone(r)),
                ),
            ),
        ),
        "A layer with a large update no longer slows those stacked with it.",
    ),
    Theorem(
        "weight decay and the scale of X",
        "Where G is 0, X_new is X times 1 - rate weight_decay. With a rate of 1, rho or 1e-2, "
        "lambda X and lambda alpha give lambda X_new; with alpha they do not. Taken of what is "
        "left of X, alpha still follows the scale.",
        ("rho, weight_decay and U_hat as they were", "RMS of what is left of X >= epsilon_2"),
        "[C] optax.adafactor 0.2.8; came-pytorch 0.1.3; torch.optim.Adafactor 2.13.0; keras 3.15.1",
        (
            *(
                Identity(scaled(e, X=1, alpha=1), lam * e)
                for e in (
                    variant(f"X decays by {rate}weight_decay")["X_new"].value
                    for rate in ("", "rho ", "1e-2 ")
                )
            ),
            Identity(
                X_new[i, j],
                (1 - rho * weight_decay) * X[i, j],
                of_no_gradient(variant("X decays by rho weight_decay")).given,
            ),
            Question(
                (
                    *(*positive(lam), *nonnegative(e_2, w_d), above(1000, w_d)),
                    *(at_least((1 - w_d / 1000) * z, e_2) for z in (x, lam * x)),
                ),
                Eq(left_of(lam * x), lam * left_of(x)),
            ),
        ),
        (
            Neighbour(
                "with a rate of alpha", Identity(scaled(BY_ALPHA, X=1, alpha=1), lam * BY_ALPHA)
            ),
        ),
        "Decay by alpha grows with the weights: a layer twice as large decays twice as fast.",
    ),
    Theorem(
        "weight decay in G loses its strength",
        "Where G = 0 at t = 1, U = s / sqrt(s^2 + epsilon_1) with s = weight_decay X: the sign of X"
        ", up to epsilon_1, however small weight_decay is.",
        ("t = 1", "weight_decay X is not 0", "vectors"),
        "[C] pytorch_optimizer 4.1.0",
        (
            Question(
                IN_G,
                Eq(sp.Symbol("U") ** 2 * (1 + e_1 / s**2), 1),
            ),
        ),
        (
            Neighbour(
                "proportional to weight_decay",
                Question(IN_G, Eq(sp.Symbol("U"), s)),
            ),
        ),
        "Decay that is added to the gradient is divided by its own size: weights that get no "
        "gradient shrink by alpha a step.",
    ),
    Theorem(
        "a step that is added is the step of -G",
        "R_2 and C_2, of -G, are R and C; X_new - X changes its sign, and nothing else does.",
        (),
        "[C] torch.optim.Adafactor, maximize",
        (
            Identity(R_2[i], R[i], MIRRORED),
            Identity(C_2[j], C[j], MIRRORED),
            Identity(
                X_new[i, j] - X[i, j],
                alpha * MATRIX["U_hat"].value.xreplace({U[i, j]: MATRIX["U"].value}),
                given(*(ASCENDING[name] for name in ("U", "U_hat", "X_new"))),
            ),
        ),
        (
            Neighbour(
                "with weight decay in G, too",
                Identity(
                    variant("weight_decay X is added to G; the step is added")["U"].value,
                    -variant("weight_decay X is added to G")["U"].value,
                ),
            ),
        ),
        "Maximising f is minimising -f, as long as nothing but f is in the gradient.",
    ),
)
