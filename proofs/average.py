"""What holds of the moving average with beta_2t = 1 - t^-c: weights, bias, what is forgotten.

Here b and w = 1 - b are those of one step, P and Q the products of all b before and after it; z is
t^(1/5), so that t = z^5 and t^-0.8 = z^-4.
"""

import sympy as sp
from sympy import And, Eq, Or

from derivations.adafactor import SCHEDULE
from derivations.adafactor import t as step
from derivations.variants import ADAMS

from .lines import entry, variant
from .smt import Question, nonnegative, positive
from .theorem import Identity, Neighbour, Theorem

b, w, P, c, g, z, y, s, t = sp.symbols("b w P c g z y s t")
M, M_hat, r, q, F, A = sp.symbols("M M_hat r q F A")

ADAM = (M, b * M_hat * (1 - P) + (1 - b) * g)
CORRECTED = variant("beta_2 = 0.999, bias corrected", "schedule")["beta_2"].value
PLAIN = variant("beta_2 = 1 - 1/t", "schedule")["beta_2"].value
PAPERS, LATE = (
    entry(rule["beta_2"].value) for rule in (SCHEDULE, variant("beta_2 from t + 1", "schedule"))
)
BLOCKS = (F - q) / (1 - r)


def at_least(left: sp.Expr, right: sp.Expr) -> sp.Basic:
    """left >= right, as it stands."""
    return sp.GreaterThan(left, right, evaluate=False)


def above(left: sp.Expr, right: sp.Expr) -> sp.Basic:
    """left > right, as it stands."""
    return sp.StrictGreaterThan(left, right, evaluate=False)


THEOREMS = (
    Theorem(
        "the weights sum to 1 - prod beta",
        "If the weights of all gradients sum to 1 - P, they do so after another step, with P b; "
        "and to 1 from t = 1 on, as beta_21 = 0: no bias correction.",
        (),
        "[S] section 7.2",
        (
            Identity(b * (1 - P) + (1 - b), 1 - P * b),
            Question(
                (Eq(t, 1), Or(Eq(b, entry(SCHEDULE["beta_2"].value)), Eq(P, 0))), Eq(1 - P * b, 1)
            ),
        ),
        (
            Neighbour("b and 1 - b swapped", Identity((1 - b) * (1 - P) + b, 1 - P * b)),
            Neighbour("beta_21 > 0", Question((*positive(b), Eq(P, 1)), Eq(1 - P * b, 1))),
            Neighbour(
                "beta_2 from t + 1",
                Question((Eq(t, 1), Eq(b, LATE), Eq(P, 1)), Eq(1 - P * b, 1)),
            ),
        ),
        "V is not too small in the first steps, as Adam's uncorrected average is.",
    ),
    Theorem(
        "Adam's corrected average is of this kind",
        "M_hat = M / (1 - beta^t) moves by beta (1 - beta^(t-1)) / (1 - beta^t) in place of beta, "
        "which is the beta_2t of the variant named after it.",
        ("P = beta^(t-1)", "P b and b are not 1"),
        "[S] section 7.1",
        (
            Identity(
                M / (1 - P * b),
                c * M_hat + (1 - c) * g,
                (ADAM, (c, b * (1 - P) / (1 - P * b))),
            ),
            Identity(CORRECTED.subs(ADAMS ** (step - 1), P), ADAMS * (1 - P) / (1 - P * ADAMS)),
        ),
        (
            Neighbour(
                "beta^(t+1) for beta^t",
                Identity(
                    M / (1 - P * b),
                    c * M_hat + (1 - c) * g,
                    (ADAM, (c, b * (1 - P) / (1 - P * b**2))),
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
        "an exponent of at most 1 forgets",
        "For w_t >= 1 / t, as t^-c is for c <= 1, the share P of what was before is at most 1 / t "
        "if it was at most 1 / (t - 1); it tends to 0.",
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
        "With the paper's 0.8, as with every exponent up to 1, no gradient counts forever.",
    ),
    Theorem(
        "an exponent above 1 remembers",
        "The product of all 1 - w_s is at least 1 - sum w_s; t^-c sums to at most q = r^k over 2^k "
        "< t <= 2^(k+1), r = 2^(1-c) < 1; so from where r^k = F < 1 - r on, the product stays above"
        " 1 - F / (1 - r) > 0. For c = 2 it is (t + 1) / (2 t).",
        ("t^-c falls", "0 < r < 1"),
        "[S] section 7.2; A.-L. Cauchy, 1821, on blocks",
        (
            Question(
                (*nonnegative(w), at_least(1, w), *nonnegative(A), at_least(P, 1 - A)),
                at_least(P * (1 - w), 1 - (A + w)),
            ),
            Identity(BLOCKS + q, BLOCKS.subs(q, q * r)),
            Question(
                (
                    *(*positive(r, F), above(1, r), above(1 - r, F), *nonnegative(q)),
                    at_least(P, 1 - BLOCKS),
                ),
                And(at_least(P, 1 - F / (1 - r)), above(1 - F / (1 - r), 0)),
            ),
            Identity(t / (2 * (t - 1)) * (1 - 1 / t**2), (t + 1) / (2 * t)),
        ),
        (
            Neighbour(
                "w of any size",
                Question(
                    (*nonnegative(w), *nonnegative(A), at_least(P, 1 - A)),
                    at_least(P * (1 - w), 1 - (A + w)),
                ),
            ),
            Neighbour(
                "blocks that do not fall",
                Identity(BLOCKS + q, BLOCKS.subs(q, q)),
            ),
            Neighbour(
                "c = 1 like c = 2", Identity(t / (2 * (t - 1)) * (1 - 1 / t), (t + 1) / (2 * t))
            ),
        ),
        "With t^-2 the first gradient keeps half its weight forever.",
    ),
    Theorem(
        "an exponent of 1 is the plain mean",
        "With beta_2t = 1 - 1/t, s / (t - 1) and g average to (s + g) / t, and the first gradient "
        "weighs 1 / t.",
        (),
        "[S] section 7.2",
        (
            Identity(b * s / (step - 1) + (1 - b) * g, (s + g) / step, ((b, PLAIN),)),
            Identity(b / (step - 1), 1 / step, ((b, PLAIN),)),
        ),
        (
            Neighbour(
                "beta_2 from t + 1",
                Identity(
                    b * s / (step - 1) + (1 - b) * g,
                    (s + g) / step,
                    ((b, PLAIN.subs(step, step + 1)),),
                ),
            ),
        ),
        "The variant with this exponent is Adagrad with a step that grows as the root of t.",
    ),
)
