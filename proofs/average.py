"""What holds of the moving average with beta_2t = 1 - t^-0.8: weights, bias, what is forgotten.

Here b and w = 1 - b are those of one step, P and Q the products of all b before and after it; z is
t^(1/5), so that t = z^5 and t^-0.8 = z^-4.
"""

import sympy as sp
from sympy import Eq

from .smt import Question, nonnegative, positive
from .theorem import Identity, Neighbour, Theorem

b, w, P, Q, W, W_new, c, g, z, y, s, t = sp.symbols("b w P Q W W_new c g z y s t")
M, M_hat = sp.symbols("M M_hat")


def at_least(left: sp.Expr, right: sp.Expr) -> sp.Basic:
    """left >= right, as it stands."""
    return sp.GreaterThan(left, right, evaluate=False)


def above(left: sp.Expr, right: sp.Expr) -> sp.Basic:
    """left > right, as it stands."""
    return sp.StrictGreaterThan(left, right, evaluate=False)


THEOREMS = (
    Theorem(
        "the weights sum to 1 - prod beta",
        "If the weights of all gradients sum to 1 - P, they do so after another step, with P b.",
        (),
        "[S] section 7.2",
        (Identity(b * (1 - P) + (1 - b), 1 - P * b),),
        (Neighbour("b and 1 - b swapped", Identity((1 - b) * (1 - P) + b, 1 - P * b)),),
        "A running average of squared gradients is short by prod beta, and by nothing else.",
    ),
    Theorem(
        "no bias correction is needed",
        "With beta_21 = 0 the weights sum to 1 after the first step and after every other.",
        ("beta_21 = 0",),
        "[S] section 7.2",
        (
            Question((Eq(b, 0),), Eq(1 - P * b, 1)),
            Question((Eq(P, 0),), Eq(1 - P * b, 1)),
        ),
        (Neighbour("beta_21 > 0", Question((*positive(b), Eq(P, 1)), Eq(1 - P * b, 1))),),
        "V is not too small in the first steps, as Adam's uncorrected average is.",
    ),
    Theorem(
        "Adam's corrected average is of this kind",
        "M_hat = M / (1 - beta^t) moves by beta (1 - beta^(t-1)) / (1 - beta^t) in place of beta.",
        ("P = beta^(t-1)", "P b and b are not 1"),
        "[S] section 7.1",
        (
            Identity(
                M / (1 - P * b),
                c * M_hat + (1 - c) * g,
                ((M, b * M_hat * (1 - P) + (1 - b) * g), (c, b * (1 - P) / (1 - P * b))),
            ),
        ),
        (
            Neighbour(
                "beta^(t+1) for beta^t",
                Identity(
                    M / (1 - P * b),
                    c * M_hat + (1 - c) * g,
                    ((M, b * M_hat * (1 - P) + (1 - b) * g), (c, b * (1 - P) / (1 - P * b**2))),
                ),
            ),
        ),
        "Bias correction is a schedule of beta_2, and may be dropped for another.",
    ),
    Theorem(
        "the newest gradient counts at least 1 / t",
        "1 - beta_2t = t^-0.8 is at least 1 / t from t = 1 on.",
        ("t >= 1",),
        "[S] section 7.2",
        (Question((at_least(z, 1), Eq(w * z**4, 1)), at_least(w * z**5, 1)),),
        (
            Neighbour("t > 0", Question((*positive(z), Eq(w * z**4, 1)), at_least(w * z**5, 1))),
            Neighbour(
                "exponent 1.2",
                Question((at_least(z, 1), Eq(w * z**6, 1)), at_least(w * z**5, 1)),
            ),
        ),
        "The average never weighs old gradients more than their plain mean does.",
    ),
    Theorem(
        "no gradient counts more than a newer one",
        "w_t beta_2,t+1 <= w_t+1: t^0.8 grows by at most 1 in a step.",
        ("t >= 0",),
        "[S] section 7.2",
        (
            Question(
                (*nonnegative(y, z), Eq(z**5, y**5 + 1)),
                at_least(y**4 + 1, z**4),
            ),
        ),
        (
            Neighbour(
                "exponent 1.2",
                Question(
                    (at_least(y, 1), *nonnegative(z), Eq(z**5, y**5 + 1)), at_least(y**6 + 1, z**6)
                ),
            ),
        ),
        "What the average forgets it forgets oldest first.",
    ),
    Theorem(
        "old gradients are forgotten",
        "For w_t >= 1 / t the share of what was before, times 1 - w_t, falls at least as 1 / t.",
        ("w >= 1 / t", "t >= 1"),
        "[S] section 7.2",
        (
            Question(
                (at_least(t, 1), at_least(w * t, 1), *nonnegative(P), at_least(1, P * (t - 1))),
                at_least(1, P * (1 - w) * t),
            ),
        ),
        (
            Neighbour(
                "w >= 1 / t^2",
                Question(
                    (
                        *(at_least(t, 2), at_least(w * t**2, 1), at_least(1, w)),
                        *nonnegative(P),
                        at_least(1, P * (t - 1)),
                    ),
                    at_least(1, P * (1 - w) * t),
                ),
            ),
        ),
        "An exponent of at most 1 forgets every gradient in the end; one above 1 does not.",
    ),
    Theorem(
        "0.999 is exceeded first at t = 5,624",
        "1 - t^-0.8 > 0.999, that is t^4 > 10^15, from 5,624 on and not before.",
        (),
        "[S] section 7.2",
        (
            Question((at_least(t, 5624),), above(t**4, 10**15)),
            Question((*nonnegative(t), at_least(5623, t)), at_least(10**15, t**4)),
        ),
        (
            Neighbour("5,623", Question((at_least(t, 5623),), above(t**4, 10**15))),
            Neighbour(
                "not before 5,625",
                Question((*nonnegative(t), at_least(5624, t)), at_least(10**15, t**4)),
            ),
        ),
        "Until then the average is shorter than Adam's at its usual beta_2.",
    ),
)
