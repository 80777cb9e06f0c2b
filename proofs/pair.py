"""What holds of the leading pair of singular vectors, the nearest of rank one in squares: not V.

Here W = diag(a, b) is the average, and x, y, z, w are the entries of a matrix of rank one, row by
row; s = y^2 + z^2 is what those off the diagonal add to the distance.
"""

import sympy as sp
from sympy import Abs, And, Eq, Or

from derivations.adafactor import MATRIX

from .average import above, at_least
from .lines import entry
from .smt import Question, nonnegative, positive
from .theorem import Neighbour, Theorem

a, b, c, x, y, z, w, s, p, q, W = sp.symbols("a b c x y z w s p q W")
OF_RANK_ONE = Eq(x * w, y * z)
APART = at_least(s, 2 * Abs(x * w))
DISTANCE = (a - x) ** 2 + s + (b - w) ** 2
LEADING = And(Eq(x, a), Eq(s, 0), Eq(w, 0))
V_11, V_01 = (entry(MATRIX["V"].value, R=r, C=b, S_R=a + b) for r in (b, a))
V_00 = entry(MATRIX["V"].value, R=a, C=a, S_R=a + b)

THEOREMS = (
    Theorem(
        "the leading pair is not V",
        "Of diag(a, b) the only nearest of rank one in squares is diag(a, 0), at b^2: its second "
        "row is empty, where that of V sums to b.",
        ("a > b > 0",),
        "[S] section 3",
        (
            Question((OF_RANK_ONE,), at_least(y**2 + z**2, 2 * Abs(x * w))),
            Question((*positive(b), above(a, b), APART), Or(above(DISTANCE, b**2), LEADING)),
            Question((*positive(b), above(a, b)), And(above(V_11, 0), Eq(V_01 + V_11, b))),
        ),
        (
            Neighbour(
                "a and b alike",
                Question((*positive(a, b), Eq(a, b), APART), Or(above(DISTANCE, b**2), LEADING)),
            ),
            Neighbour(
                "nothing as near as b^2",
                Question((*positive(b), above(a, b), APART), above(DISTANCE, b**2)),
            ),
            Neighbour(
                "V is as near",
                Question(
                    (*positive(b), above(a, b)),
                    Eq((a - V_00) ** 2 + 2 * V_01**2 + (b - V_11) ** 2, b**2),
                ),
            ),
        ),
        "By singular vectors a row of small gradients gets V = 0 and a step without bound; by V, "
        "steps of its own size.",
    ),
    Theorem(
        "the leading pair of the average is not the average of leading pairs",
        "Of c diag(a, 0) and (1 - c) diag(0, b), each its own leading pair, no matrix of rank one "
        "is the average: the leading pair of that drops the lesser.",
        ("a, b > 0", "0 < c < 1"),
        "[S] section 3",
        (
            Question(
                (*positive(a, b, c), above(1, c), OF_RANK_ONE, Eq(y, 0), Eq(z, 0), Eq(x, c * a)),
                sp.Ne(w, (1 - c) * b),
            ),
        ),
        (
            Neighbour(
                "of two in the same row",
                Question(
                    (
                        *(*positive(a, b, c), above(1, c), OF_RANK_ONE),
                        *(Eq(z, 0), Eq(w, 0), Eq(x, c * a)),
                    ),
                    sp.Ne(y, (1 - c) * b),
                ),
            ),
        ),
        "Singular vectors kept in place of R and C would forget what a new gradient outweighs.",
    ),
    Theorem(
        "the leading pair is never negative",
        "|p_i q_j| is as near to W >= 0 as p_i q_j, entry by entry, and nearer where p_i q_j < 0 "
        "and W > 0.",
        ("W >= 0",),
        "[S] section 3; O. Perron, 1907, G. Frobenius, 1912",
        (
            Question((*nonnegative(W),), at_least((W - p * q) ** 2, (W - Abs(p * q)) ** 2)),
            Question(
                (*positive(W), above(0, p * q)), above((W - p * q) ** 2, (W - Abs(p * q)) ** 2)
            ),
        ),
        (
            Neighbour(
                "W of either sign", Question((), at_least((W - p * q) ** 2, (W - Abs(p * q)) ** 2))
            ),
        ),
        "That singular vectors may go below zero is no argument at rank one; that they do not "
        "average is.",
    ),
)
