"""What holds of a step: clipping, its size, growth, and where nothing moves.

Here r = RMS(U), x = RMS(X), and h is RMS(U_hat); an entry of U is u.
"""

import sympy as sp
from sympy import Eq, Max, Min, sqrt

from derivations.adafactor import MATRIX, SCHEDULE, VECTOR, G, X, X_new, i, j
from derivations.rule import UpdateRule

from .average import above, at_least
from .lines import entry, line, variant
from .smt import Question, nonnegative, positive
from .theorem import Identity, Neighbour, Theorem, given

r, d, h, x, x_new, rho, e_2, alpha, lam, u, t = sp.symbols(
    "r d h x x_new rho epsilon_2 alpha lambda u t"
)
ALPHA = line(MATRIX["alpha"], mean_square_X=x**2)
SIZED = (*nonnegative(r, x, rho, e_2), *positive(d))


def clipped(entry_of_U: sp.Expr, RMS: sp.Expr) -> sp.Expr:
    """An entry of U_hat."""
    return entry(MATRIX["U_hat"].value, U=entry_of_U, mean_square_U=RMS**2)


def of_no_gradient(rule: UpdateRule) -> Identity:
    """That X_new is X where G is 0."""
    at = (i, j) if len(rule["U"].indices) == 2 else (i,)
    lines = given(*(s for s in rule.steps if s.name in ("M", "U", "U_hat", "X_new")))
    return Identity(X_new[at], X[at], (*lines, (G[at], sp.S.Zero)), positive=True)


THEOREMS = (
    Theorem(
        "clipping",
        "RMS(U_hat), which is RMS(U) / max(1, RMS(U) / d) as every entry is divided by the same, "
        "is min(RMS(U), d).",
        ("d > 0",),
        "[S] Algorithm 4, line 9",
        (Question((*nonnegative(r), *positive(d)), Eq(clipped(r, r), Min(r, d))),),
        (
            Neighbour(
                "min for max in it",
                Question((*positive(r, d),), Eq(r / Min(1, r / d), Min(r, d))),
            ),
            Neighbour(
                "max(d, RMS(U))",
                Question((*nonnegative(r), *positive(d)), Eq(r / Max(d, r), Min(r, d))),
            ),
        ),
        "An update is never larger than d, in the root of its mean square.",
    ),
    Theorem(
        "clipping hides a constant factor",
        "lambda U has the same U_hat as U, for lambda > 1 and any entry u that is not 0, if and "
        "only if RMS(U) >= d.",
        ("lambda > 1", "d > 0"),
        "[S] Algorithm 4, line 9",
        (
            Question(
                (above(lam, 1), *positive(d), at_least(r, d)),
                Eq(clipped(lam * u, lam * r), clipped(u, r)),
            ),
            Question(
                (above(lam, 1), *positive(d), *nonnegative(r), above(d, r), sp.Ne(u, 0)),
                sp.Ne(clipped(lam * u, lam * r), clipped(u, r)),
            ),
        ),
        (
            Neighbour(
                "if lambda RMS(U) >= d",
                Question(
                    (above(lam, 1), *positive(d, r), at_least(lam * r, d)),
                    Eq(clipped(lam * u, lam * r), clipped(u, r)),
                ),
            ),
        ),
        "An implementation with a wrong factor in V passes every test in which it is clipped: try "
        "it with d = infinity, too. So does a constant beta_2 at t = 1, where V is too small.",
    ),
    Theorem(
        "the size of a step",
        "RMS(X_new - X) = alpha RMS(U_hat) <= d rho max(epsilon_2, RMS(X)).",
        ("rho >= 0", "epsilon_2 >= 0"),
        "[S] sections 6 and 8",
        (
            Question(
                (*SIZED, Eq(h, clipped(r, r)), ALPHA), at_least(d * rho * Max(e_2, x), alpha * h)
            ),
        ),
        (
            Neighbour(
                "without clipping",
                Question((*SIZED, Eq(h, r), ALPHA), at_least(d * rho * Max(e_2, x), alpha * h)),
            ),
        ),
        "Your weights never move by more than d rho of their own size in a step.",
    ),
    Theorem(
        "growth",
        "max(epsilon_2, RMS(X_new)) <= (1 + d rho) max(epsilon_2, RMS(X)); after t steps the "
        "product of all 1 + d rho_s.",
        ("RMS(X_new) <= RMS(X) + RMS(X_new - X)",),
        "[S] section 8",
        (
            Question(
                (
                    *SIZED,
                    *nonnegative(h),
                    at_least(d * rho * Max(e_2, x), h),
                    at_least(x + h, x_new),
                ),
                at_least((1 + d * rho) * Max(e_2, x), Max(e_2, x_new)),
            ),
        ),
        (
            Neighbour(
                "RMS(X) alone",
                Question(
                    (
                        *(*SIZED, *nonnegative(h), at_least(d * rho * Max(e_2, x), h)),
                        at_least(x + h, x_new),
                    ),
                    at_least((1 + d * rho) * x, x_new),
                ),
            ),
        ),
        "Weights grow at most geometrically, by a factor that you choose.",
    ),
    Theorem(
        "a zero gradient moves nothing",
        "Where G = 0, U = G / sqrt V is 0 and X_new is X, in matrices and vectors.",
        ("V > 0",),
        "[S] Algorithms 4 and 5, the last three lines",
        (of_no_gradient(MATRIX), of_no_gradient(VECTOR)),
        (
            Neighbour("with momentum", of_no_gradient(variant("momentum over U_hat"))),
            Neighbour(
                "with weight decay", of_no_gradient(variant("X decays by alpha weight_decay"))
            ),
        ),
        "Weights that a batch does not use stay, bit for bit; with momentum they do not.",
    ),
    Theorem(
        "zero weights move",
        "Where RMS(X) = 0, alpha = epsilon_2 rho, which is above 0.",
        ("epsilon_2 > 0", "rho > 0"),
        "[S] section 8",
        (Question((*positive(e_2, rho), Eq(x, 0), ALPHA), above(alpha, 0)),),
        (
            Neighbour(
                "epsilon_2 = 0",
                Question((*positive(rho), Eq(e_2, 0), Eq(x, 0), ALPHA), above(alpha, 0)),
            ),
        ),
        "Parameters that begin at zero are trained.",
    ),
    Theorem(
        "the sum of the steps",
        "rho_(t+1) <= 1 / sqrt(t + 1) <= 2 (sqrt(t + 1) - sqrt t), so that rho_1 + ... + rho_t <= "
        "2 sqrt t.",
        ("t >= 0",),
        "[S] Algorithm 6",
        (
            Question(
                nonnegative(t),
                at_least(2 * (sqrt(t + 1) - sqrt(t)), entry(SCHEDULE["rho"].value, t=t + 1)),
            ),
        ),
        (
            Neighbour(
                "without the 2",
                Question(
                    (at_least(t, 10**6),),
                    at_least(sqrt(t + 1) - sqrt(t), entry(SCHEDULE["rho"].value, t=t + 1)),
                ),
            ),
        ),
        "How far training can go at all grows with the root of t.",
    ),
)
