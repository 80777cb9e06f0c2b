"""What holds of a step: clipping, its size, growth, and what bounds U.

Here r = RMS(U), x = RMS(X), and h is RMS(U_hat); of an entry g = G^2, R, C and S = sum R, with
b = beta_2, and q = U^2.
"""

import sympy as sp
from sympy import Eq, Max, Min, sqrt

from .average import above, at_least
from .smt import Question, nonnegative, positive
from .theorem import Neighbour, Theorem

r, d, h, x, x_new, rho, e_1, e_2, alpha, s, lam = sp.symbols(
    "r d h x x_new rho epsilon_1 epsilon_2 alpha s lambda"
)
g, R, C, S, V, V_old, b, q, n, m, c, M, delta, t = sp.symbols("g R C S V V_old b q n m c M delta t")
DECAY = (*nonnegative(b), above(1, b))
ALPHA = Eq(alpha, Max(e_2, x) * rho)
VECTOR = (*DECAY, *nonnegative(V_old, g), *positive(e_1), Eq(V, b * V_old + (1 - b) * (g + e_1)))

THEOREMS = (
    Theorem(
        "clipping",
        "RMS(U_hat) = RMS(U) / max(1, RMS(U) / d) is min(RMS(U), d).",
        ("d > 0",),
        "[S] Algorithm 4, line 9",
        (Question((*nonnegative(r), *positive(d)), Eq(r / Max(1, r / d), Min(r, d))),),
        (
            Neighbour(
                "min for max",
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
        "the size of a step",
        "RMS(X_new - X) <= d rho max(epsilon_2, RMS(X)).",
        ("rho >= 0", "epsilon_2 >= 0"),
        "[S] sections 6 and 8",
        (
            Question(
                (*nonnegative(r, x, rho, e_2), *positive(d), Eq(h, Min(r, d)), ALPHA),
                at_least(d * rho * Max(e_2, x), alpha * h),
            ),
        ),
        (
            Neighbour(
                "without clipping",
                Question(
                    (*nonnegative(r, x, rho, e_2), *positive(d), Eq(h, r), ALPHA),
                    at_least(d * rho * Max(e_2, x), alpha * h),
                ),
            ),
        ),
        "Your weights never move by more than d rho of their own size in a step.",
    ),
    Theorem(
        "growth",
        "RMS(X_new) <= (1 + d rho) max(epsilon_2, RMS(X)).",
        ("RMS(X_new) <= RMS(X) + RMS(X_new - X)",),
        "[S] section 8",
        (
            Question(
                (
                    *nonnegative(x, rho, e_2, h),
                    *positive(d),
                    at_least(d * rho * Max(e_2, x), h),
                    at_least(x + h, x_new),
                ),
                at_least((1 + d * rho) * Max(e_2, x), x_new),
            ),
        ),
        (
            Neighbour(
                "RMS(X) alone",
                Question(
                    (
                        *nonnegative(x, rho, e_2, h),
                        *positive(d),
                        at_least(d * rho * Max(e_2, x), h),
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
        "Where G = 0, U = G / sqrt V is 0 and X_new is X.",
        ("V > 0",),
        "[S] Algorithm 4, lines 8 to 10",
        (Question((*positive(V, d), Eq(g, 0)), Eq(x - alpha * (g / sqrt(V)) / Max(1, r / d), x)),),
        (
            Neighbour(
                "with the last gradient beside it",
                Question(
                    (*positive(V, d), Eq(g, 0)),
                    Eq(x - alpha * ((g + c) / sqrt(V)) / Max(1, r / d), x),
                ),
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
        "vectors: |U| <= t^0.4",
        "U^2 = G^2 / V is at most 1 / (1 - beta_2), which is t^0.8.",
        ("0 <= beta_2 < 1", "V_old >= 0", "epsilon_1 > 0"),
        "[S] section 6",
        (Question(VECTOR, at_least(1 / (1 - b), g / V)),),
        (
            Neighbour(
                "epsilon_1 subtracted",
                Question(
                    (
                        *(*DECAY, *nonnegative(V_old, g), *positive(e_1, V)),
                        Eq(V, b * V_old + (1 - b) * (g - e_1)),
                    ),
                    at_least(1 / (1 - b), g / V),
                ),
            ),
            Neighbour("1 for 1 / (1 - b)", Question(VECTOR, at_least(1, g / V))),
        ),
        "One outlier moves an entry of a bias by at most alpha t^0.4.",
    ),
    Theorem(
        "d = 1 never clips a vector at t = 1",
        "With beta_21 = 0, U^2 is below 1.",
        ("beta_21 = 0", "epsilon_1 > 0"),
        "[S] section 6",
        (Question((*VECTOR, Eq(b, 0)), above(1, g / V)),),
        (Neighbour("beta_2 > 0", Question((*VECTOR, *positive(b)), above(1, g / V))),),
        "Clipping begins with the second step.",
    ),
    Theorem(
        "matrices: no bound of RMS(U)",
        "For G = diag(delta, 1) at t = 1 the mean of U^2 is (S / delta^2 + S) / 4 with S = 1 + "
        "delta^2, which exceeds any M.",
        ("epsilon_1 = 0",),
        "[S] section 6",
        (
            Question(
                (*nonnegative(M), Eq(delta * (1 + 4 * M), 1), Eq(S, 1 + delta**2)),
                above((S / delta**2 + S) / 4, M),
            ),
        ),
        (
            Neighbour(
                "of a row alone",
                Question(
                    (*nonnegative(M), Eq(delta * (1 + 4 * M), 1), Eq(S, 1 + delta**2)),
                    above((S + S) / 4, M),
                ),
            ),
        ),
        "Only clipping keeps a matrix's update small: never switch it off unseen.",
    ),
    Theorem(
        "matrices: RMS(U)^2 <= mean C / min C / (1 - beta_2)",
        "Row by row: with R >= (1 - b) sum_j G^2 and C >= c, sum_j U^2 is at most S / ((1 - b) c).",
        ("R >= (1 - beta_2) sum_j G^2", "C >= c > 0"),
        "[S] section 6",
        (
            Question(
                (*DECAY, *positive(R, S, c), *nonnegative(g), at_least(R, (1 - b) * g)),
                at_least(S, (g * S / (R * c)) * (1 - b) * c),
            ),
            Question(
                (*positive(S, C, c, R), *nonnegative(g), at_least(C, c)),
                at_least(g * S / (R * c), g * S / (R * C)),
            ),
        ),
        (
            Neighbour(
                "without 1 - beta_2",
                Question(
                    (*DECAY, *positive(R, S, c), *nonnegative(g), at_least(R, (1 - b) * g)),
                    at_least(S, (g * S / (R * c)) * c),
                ),
            ),
        ),
        "How far the columns differ in size bounds what clipping has to do.",
    ),
    Theorem(
        "matrices: an entry of U",
        "U^2 <= S / ((1 - beta_2) R), and the same with C for R.",
        ("C >= (1 - beta_2) G^2",),
        "[S] section 6",
        (
            Question(
                (*DECAY, *positive(R, S, C), *nonnegative(g), at_least(C, (1 - b) * g)),
                at_least(S / ((1 - b) * R), g * S / (R * C)),
            ),
        ),
        (
            Neighbour(
                "1 / (1 - beta_2) alone",
                Question(
                    (*DECAY, *positive(R, S, C), *nonnegative(g), at_least(C, (1 - b) * g)),
                    at_least(1 / (1 - b), g * S / (R * C)),
                ),
            ),
        ),
        "A row with small gradients may move far: by the root of its share.",
    ),
    Theorem(
        "matrices: an entry of U with epsilon_1",
        "For a gradient of one entry G^2 = g, U^2 <= S / (epsilon_1 (sqrt n + sqrt m)^2).",
        ("t = 1", "R = g + m epsilon_1", "C = g + n epsilon_1"),
        "[S] section 3",
        (
            Question(
                (*positive(n, m, e_1, S), *nonnegative(g)),
                at_least(
                    S / (e_1 * (sqrt(n) + sqrt(m)) ** 2),
                    g * S / ((g + m * e_1) * (g + n * e_1)),
                ),
            ),
        ),
        (
            Neighbour(
                "n + m for the square",
                Question(
                    (*positive(n, m, e_1, S), *nonnegative(g)),
                    at_least(S / (2 * e_1 * (n + m)), g * S / ((g + m * e_1) * (g + n * e_1))),
                ),
            ),
        ),
        "epsilon_1 bounds U even where clipping is off, if hugely.",
    ),
    Theorem(
        "relative steps follow the scale",
        "While RMS(X) and lambda RMS(X) are at least epsilon_2, alpha of lambda X is lambda alpha.",
        ("lambda > 0", "RMS(X) >= epsilon_2", "lambda RMS(X) >= epsilon_2"),
        "[S] section 8",
        (
            Question(
                (
                    *positive(lam),
                    *nonnegative(rho, e_2),
                    at_least(x, e_2),
                    at_least(lam * x, e_2),
                ),
                Eq(Max(e_2, lam * x) * rho, lam * Max(e_2, x) * rho),
            ),
        ),
        (
            Neighbour(
                "RMS(X) below epsilon_2",
                Question(
                    (*positive(lam, rho), *nonnegative(e_2, x), at_least(lam * x, e_2)),
                    Eq(Max(e_2, lam * x) * rho, lam * Max(e_2, x) * rho),
                ),
            ),
        ),
        "One rho suits layers of every scale.",
    ),
    Theorem(
        "the sum of the steps",
        "1 / sqrt(t + 1) <= 2 (sqrt(t + 1) - sqrt t), so that rho_1 + ... + rho_t <= 2 sqrt t.",
        ("t >= 0",),
        "[S] Algorithm 6",
        (
            Question(
                nonnegative(t),
                at_least(2 * (sqrt(t + 1) - sqrt(t)), 1 / sqrt(t + 1)),
            ),
        ),
        (
            Neighbour(
                "without the 2",
                Question((at_least(t, 1),), at_least(sqrt(t + 1) - sqrt(t), 1 / sqrt(t + 1))),
            ),
        ),
        "How far training can go at all grows with the root of t.",
    ),
    Theorem(
        "epsilon_1 as a clamp is not homogeneous",
        "U^2 = g / max(V, epsilon^2) of lambda^2 g and lambda^2 V is as it was as long as V "
        "and lambda^2 V are at least epsilon^2.",
        ("V >= epsilon^2", "lambda^2 V >= epsilon^2"),
        "[C] torch.optim.Adafactor 2.13.0",
        (
            Question(
                (
                    *positive(lam, V, e_1),
                    *nonnegative(g),
                    at_least(V, e_1**2),
                    at_least(lam**2 * V, e_1**2),
                ),
                Eq(lam**2 * g / Max(lam**2 * V, e_1**2), g / Max(V, e_1**2)),
            ),
        ),
        (
            Neighbour(
                "V of any size",
                Question(
                    (*positive(lam, V, e_1, g),),
                    Eq(lam**2 * g / Max(lam**2 * V, e_1**2), g / Max(V, e_1**2)),
                ),
            ),
        ),
        "PyTorch's default epsilon_1 changes the step of gradients that are small enough.",
    ),
)
