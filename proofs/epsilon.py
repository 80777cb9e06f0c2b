"""Where epsilon_1 stands in the named variants, and what each keeps, on their own lines.

Here y is G^2 where all entries are alike, and G in an entry; other names are those of the rule.
"""

import sympy as sp
from sympy import Eq, Sum, sqrt

from derivations.adafactor import MATRIX, S_R, R, V, columns, epsilon_1, i, j, l, m, n
from derivations.factorization import TOTALS

from .average import above, at_least
from .lines import entry, line, variant
from .smt import Question, positive
from .symmetry import V_2, rescaled, scaled
from .theorem import Identity, Neighbour, Theorem, given

lam, y, r, c, s, e_1, V_n = sp.symbols("lambda y r c s epsilon_1 V")
N, N_m = sp.symbols("n m")

CLAMPED = variant("eps1 clamps the denominators")["V"].value
OF_MEANS = entry(CLAMPED, R=N_m * r, C=N * c, S_R=N * N_m * s)
MEANS = positive(r, c, s, e_1)
OF_ALIKE = OF_MEANS.subs({r: y, c: y, s: y})
ALIKE = (*positive(y, e_1), above(1, e_1))
IN_THE_ROOT = variant("eps1 added to the root")["U"].value
ADDED = variant("eps1 added to the denominators")["V"]
WITHOUT = variant("no eps1")

THEOREMS = (
    Theorem(
        "epsilon_1 as a clamp: where it does nothing",
        "With r, c and s for the means R / m, C / n and S_R / (n m): where s >= epsilon_1 and V >= "
        "epsilon_1^2, V is r c / s, as without epsilon_1, and homogeneous with it.",
        ("s >= epsilon_1", "r c / s >= epsilon_1^2"),
        "[C] torch.optim.Adafactor 2.13.0",
        (
            Question(
                (*MEANS, at_least(s, e_1), at_least(r * c / s, e_1**2)), Eq(OF_MEANS, r * c / s)
            ),
        ),
        (
            Neighbour(
                "a mean of any size",
                Question((*MEANS, at_least(r * c / s, e_1**2)), Eq(OF_MEANS, r * c / s)),
            ),
            Neighbour(
                "V of any size", Question((*MEANS, at_least(s, e_1)), Eq(OF_MEANS, r * c / s))
            ),
        ),
        "PyTorch's default is the paper's rule on ordinary gradients, and on these alone.",
    ),
    Theorem(
        "epsilon_1 as a clamp: from which |G| on",
        "Where all G^2 = y, V is y for y >= epsilon_1, too small for epsilon_1^2 < y < epsilon_1, "
        "too large below; U^2 is at most epsilon_1^(-1/2).",
        ("0 < epsilon_1 < 1", "R = m y, C = n y"),
        "[C] torch.optim.Adafactor 2.13.0",
        (
            Question((*ALIKE, at_least(y, e_1)), Eq(OF_ALIKE, y)),
            Question((*ALIKE, above(y, e_1**2), above(e_1, y)), above(y, OF_ALIKE)),
            Question((*ALIKE, above(e_1**2, y)), above(OF_ALIKE, y)),
            Question(ALIKE, at_least(1 / sqrt(e_1), y / OF_ALIKE)),
        ),
        (
            Neighbour(
                "from epsilon_1^2 on", Question((*ALIKE, at_least(y, e_1**2)), Eq(OF_ALIKE, y))
            ),
            Neighbour("too small below", Question((*ALIKE, above(e_1, y)), above(y, OF_ALIKE))),
            Neighbour("U^2 <= 1", Question(ALIKE, at_least(1, y / OF_ALIKE))),
        ),
        "In float32, |G| < 3.5e-4 takes steps up to 54 times too large, then clipped; in bfloat16, "
        "|G| < 0.088.",
    ),
    Theorem(
        "epsilon_1 elsewhere has a unit of its own",
        "In the root U is invariant if epsilon_1 scales as G; in the denominators V is homogeneous "
        "if it scales as G^2, but its row sums are (R + m epsilon_1) (1 + n m epsilon_1 / S_R).",
        ("lambda > 0", "V > 0", "sum C = sum R = S_R"),
        "[S] Algorithm 2; [C] trax/optimizers/adafactor.py",
        (
            Question(
                positive(lam, e_1, V_n),
                Eq(
                    entry(
                        IN_THE_ROOT,
                        G=lam * y,
                        V=lam**2 * V_n,
                        epsilon_1=lam * e_1,
                    ),
                    entry(IN_THE_ROOT, G=y),
                ),
            ),
            Identity(scaled(ADDED.value, R=2, C=2, S_R=2, epsilon_1=2), lam**2 * ADDED.value),
            Identity(
                Sum(V[i, l], columns),
                (R[i] + m * epsilon_1) * (1 + n * m * epsilon_1 / S_R),
                (*given(ADDED), *TOTALS),
            ),
        ),
        (
            Neighbour(
                "in the root, as G^2",
                Question(
                    positive(lam, e_1, V_n),
                    Eq(
                        entry(
                            IN_THE_ROOT,
                            G=lam * y,
                            V=lam**2 * V_n,
                            epsilon_1=lam**2 * e_1,
                        ),
                        entry(IN_THE_ROOT, G=y),
                    ),
                ),
            ),
            Neighbour(
                "the row sums R",
                Identity(Sum(V[i, l], columns), R[i], (*given(ADDED), *TOTALS)),
            ),
        ),
        "The same number in another place is another hyperparameter.",
    ),
    Theorem(
        "without epsilon_1 the unit is free, and a row may be 0",
        "lambda G and lambda^2 times the statistics give lambda^2 V; the paper's V needs its "
        "epsilon_1 scaled, too. Where a row of G^2 has been 0, R = 0 and U has no value.",
        (),
        "[S] Algorithm 2, epsilon = 0",
        (
            Identity(
                V_2,
                lam**2 * V[i, j],
                rescaled(WITHOUT, G=1, R_old=2, C_old=2),
            ),
            Question(
                (Eq(sp.Symbol("R_old"), 0), Eq(s, 0), line(WITHOUT["R"], total=s)),
                Eq(sp.Symbol("R"), 0),
            ),
        ),
        (
            Neighbour(
                "the paper's V",
                Identity(
                    V_2,
                    lam**2 * V[i, j],
                    rescaled(G=1, R_old=2, C_old=2),
                ),
            ),
            Neighbour(
                "the paper's R",
                Question(
                    (
                        *positive(e_1, s),
                        above(1, sp.Symbol("beta_2")),
                        Eq(sp.Symbol("R_old"), 0),
                        line(MATRIX["R"], total=s),
                    ),
                    Eq(sp.Symbol("R"), 0),
                ),
            ),
        ),
        "epsilon_1 is there for rows without a gradient, and costs the exact unit.",
    ),
)
