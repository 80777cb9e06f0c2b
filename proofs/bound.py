"""What bounds U, in vectors and in matrices, and what does not.

Here g = G^2 of an entry and S = sum R; b is beta_2.
"""

import sympy as sp
from sympy import Eq, Min, sqrt

from derivations.adafactor import MATRIX, VECTOR

from .average import above, at_least
from .lines import entry
from .smt import Question, nonnegative, positive
from .theorem import Identity, Neighbour, Theorem

b, V, V_old, e_1 = sp.symbols("beta_2 V V_old epsilon_1")
g, h, R, C, S, c, r, n, m, M, T, delta = sp.symbols("g h R C S c r n m M T delta")
e, p, q, s, x, y = sp.symbols("e p q s x y")
DECAY = (*nonnegative(b), above(1, b))
OLD = (*DECAY, *nonnegative(V_old, g), *positive(e_1))
VECTOR_V = entry(VECTOR["V"].value, G=sqrt(g))
IN_VECTOR = (*OLD, Eq(V, VECTOR_V))


def square(of_G: sp.Expr, R: sp.Expr, C: sp.Expr, S: sp.Expr) -> sp.Expr:
    """U^2 = G^2 / V of an entry of a matrix."""
    return of_G / entry(MATRIX["V"].value, R=R, C=C, S_R=S)


def mean_square(*squares: tuple[sp.Expr | int, sp.Expr | int]) -> sp.Expr:
    """The mean of U^2 over 2 x 2 entries at t = 1, from G^2 row by row, with epsilon_1 = 0."""
    R = [sum(row) for row in squares]
    C = [sum(column) for column in zip(*squares, strict=True)]
    at = ((row, column) for row in (0, 1) for column in (0, 1))
    return sum(square(squares[row][column], R[row], C[column], sum(R)) for row, column in at) / 4


def raised(of_G: sp.Expr) -> sp.Expr:
    """U^2 of the entry whose G^2 this is: its row has p besides, its column q, the others s."""
    return square(of_G, of_G + p, of_G + q, of_G + p + q + s)


RAISED = (*positive(e), *nonnegative(p, q, s, g), above(h, g))

RMS_OF_MATRIX = "matrices: RMS(U)^2 <= min(mean R / min R, mean C / min C) / (1 - beta_2)"

THEOREMS = (
    Theorem(
        "vectors: |U| <= t^0.4",
        "U^2 = G^2 / V is at most 1 / (1 - beta_2), which is t^0.8; so it is in a matrix that is "
        "not factored.",
        ("0 <= beta_2 < 1", "V_old >= 0", "epsilon_1 > 0"),
        "[S] section 6",
        (Question(IN_VECTOR, at_least(1 / (1 - b), g / V)),),
        (
            Neighbour(
                "epsilon_1 subtracted",
                Question(
                    (*OLD, *positive(V), Eq(V, VECTOR_V.subs(e_1, -e_1))),
                    at_least(1 / (1 - b), g / V),
                ),
            ),
            Neighbour("1 for 1 / (1 - b)", Question(IN_VECTOR, at_least(1, g / V))),
        ),
        "One outlier moves an entry of a bias by at most alpha t^0.4.",
    ),
    Theorem(
        "d = 1 never clips a vector at t = 1",
        "With beta_21 = 0, U^2 is below 1.",
        ("beta_21 = 0", "epsilon_1 > 0"),
        "[S] section 6",
        (Question((*IN_VECTOR, Eq(b, 0)), above(1, g / V)),),
        (Neighbour("beta_2 > 0", Question((*IN_VECTOR, *positive(b)), above(1, g / V))),),
        "Clipping begins with the second step.",
    ),
    Theorem(
        "matrices: RMS(U) at t = 1 has no bound, nor is it 1",
        "It is below 1 for all G^2 = ((x, y), (y, 0)), and its square is above any M for a "
        "G = diag(delta, 1).",
        ("t = 1", "epsilon_1 = 0"),
        "[S] section 6",
        (
            Question(positive(x, y), above(1, mean_square((x, y), (y, 0)))),
            Question(
                (*nonnegative(M), Eq(delta * (1 + 4 * M), 1)),
                above(mean_square((delta**2, 0), (0, 1)), M),
            ),
        ),
        (
            Neighbour(
                "below 1 for all symmetric G",
                Question(positive(x, y, e), above(1, mean_square((x, y), (y, e)))),
            ),
            Neighbour(
                "above any M in a row alone",
                Question(
                    (*nonnegative(M), Eq(delta * (1 + 4 * M), 1)),
                    above(square(1, 1, 1, 1 + delta**2), M),
                ),
            ),
        ),
        "Only clipping keeps a matrix's update small: never switch it off unseen.",
    ),
    Theorem(
        RMS_OF_MATRIX,
        "With R >= (1 - b) sum_j G^2 and C >= c, sum_j U^2 of a row is at most S / ((1 - b) c), of "
        "all n rows n times that; by columns, with R >= r, likewise.",
        ("R >= (1 - beta_2) sum_j G^2", "C >= (1 - beta_2) sum_i G^2", "R >= r > 0", "C >= c > 0"),
        "[S] section 6",
        (
            Question(
                (*DECAY, *positive(R, S, c), *nonnegative(g), at_least(R, (1 - b) * g)),
                at_least(S, square(g, R, c, S) * (1 - b) * c),
            ),
            Question(
                (*positive(S, C, c, R), *nonnegative(g), at_least(C, c)),
                at_least(square(g, R, c, S), square(g, R, C, S)),
            ),
            Question(
                (
                    *(*DECAY, *positive(n, m, r, c, S), *nonnegative(T)),
                    at_least(n * S, (1 - b) * c * T),
                    at_least(m * S, (1 - b) * r * T),
                ),
                at_least(Min(S / n / r, S / m / c) / (1 - b), T / (n * m)),
            ),
        ),
        (
            Neighbour(
                "of a row, without 1 - beta_2",
                Question(
                    (*DECAY, *positive(R, S, c), *nonnegative(g), at_least(R, (1 - b) * g)),
                    at_least(S, square(g, R, c, S) * c),
                ),
            ),
            Neighbour(
                "rows for columns",
                Question(
                    (
                        *(*DECAY, *positive(n, m, r, c, S), *nonnegative(T)),
                        at_least(n * S, (1 - b) * c * T),
                        at_least(m * S, (1 - b) * r * T),
                    ),
                    at_least(Min(S / n / c, S / m / r) / (1 - b), T / (n * m)),
                ),
            ),
        ),
        "Clipping has little to do if the rows are alike in size, or if the columns are.",
    ),
    Theorem(
        "matrices: an entry of U",
        "U^2 <= S / ((1 - beta_2) R), and, transposed, the same with C for R.",
        ("C >= (1 - beta_2) G^2",),
        "[S] section 6",
        (
            Question(
                (*DECAY, *positive(R, S, C), *nonnegative(g), at_least(C, (1 - b) * g)),
                at_least(S / ((1 - b) * R), square(g, R, C, S)),
            ),
        ),
        (
            Neighbour(
                "1 / (1 - beta_2) alone",
                Question(
                    (*DECAY, *positive(R, S, C), *nonnegative(g), at_least(C, (1 - b) * g)),
                    at_least(1 / (1 - b), square(g, R, C, S)),
                ),
            ),
        ),
        "A row with small gradients may move far: by the root of its share.",
    ),
    Theorem(
        "matrices: an entry of U with epsilon_1",
        "U^2 <= S / (epsilon_1 (sqrt n + sqrt m)^2), and that is reached, by a gradient of one "
        "entry with G^2 = epsilon_1 sqrt(n m).",
        ("t = 1", "R >= G^2 + m epsilon_1", "C >= G^2 + n epsilon_1"),
        "[S] section 3",
        (
            Question(
                (*positive(p, q, S), *nonnegative(g), at_least(R, p), at_least(C, q)),
                at_least(square(g, p, q, S), square(g, R, C, S)),
            ),
            Question(
                (*positive(n, m, e_1, S), *nonnegative(g)),
                at_least(
                    S / (e_1 * (sqrt(n) + sqrt(m)) ** 2),
                    square(g, g + m * e_1, g + n * e_1, S),
                ),
            ),
            Question(
                (*positive(n, m, e_1, S), Eq(g, e_1 * sqrt(n) * sqrt(m))),
                Eq(
                    S / (e_1 * (sqrt(n) + sqrt(m)) ** 2),
                    square(g, g + m * e_1, g + n * e_1, S),
                ),
            ),
        ),
        (
            Neighbour(
                "n + m for the square",
                Question(
                    (*positive(n, m, e_1, S), *nonnegative(g)),
                    at_least(S / (2 * e_1 * (n + m)), square(g, g + m * e_1, g + n * e_1, S)),
                ),
            ),
        ),
        "epsilon_1 bounds U even where clipping is off, if hugely.",
    ),
    Theorem(
        "matrices: a larger gradient may take a smaller step",
        "Let its row have p besides G^2, its column q, the others s. From G^2 = g to h > g, U^2 "
        "changes by (h - g) (p q (g + h + p + q + s) - s g h) over a product of sums: it falls if "
        "and only if s g h > p q (g + h + p + q + s). In a vector U^2 never falls.",
        ("t = 1", "epsilon_1 = 0"),
        "[S] section 3",
        (
            Identity(
                raised(h) - raised(g),
                (h - g)
                * (p * q * (g + h + p + q + s) - s * g * h)
                / ((g + p) * (g + q) * (h + p) * (h + q)),
            ),
            Question((*OLD, above(h, g)), at_least(h * VECTOR_V, g * VECTOR_V.subs(g, h))),
        ),
        (
            Neighbour(
                "it never falls",
                Question((*positive(p, q, s, g), above(h, g)), at_least(raised(h), raised(g))),
            ),
            Neighbour(
                "it never rises",
                Question((*positive(p, q, s, g), above(h, g)), at_least(raised(g), raised(h))),
            ),
        ),
        "In an isolated entry of a matrix the step shrinks as the gradient grows.",
    ),
    Theorem(
        "matrices: what a larger gradient does to the others",
        "A larger G^2 of one entry lowers U^2 along its row and its column, and raises it elsewhere"
        ", unless nothing else is there.",
        ("t = 1", "epsilon_1 = 0", "q + s > 0 (columns: p + s)", "G of the other is not 0"),
        "[S] section 3",
        (
            Question(
                (*RAISED, *positive(C, q + s, g + p)),
                above(square(e, g + p, C, g + p + q + s), square(e, h + p, C, h + p + q + s)),
            ),
            Question(
                (*RAISED, *positive(R, C)),
                above(square(e, R, C, h + p + q + s), square(e, R, C, g + p + q + s)),
            ),
        ),
        (
            Neighbour(
                "with nothing in the other rows",
                Question(
                    (*RAISED, *positive(C, g + p), Eq(q + s, 0)),
                    above(square(e, g + p, C, g + p + q + s), square(e, h + p, C, h + p + q + s)),
                ),
            ),
            Neighbour(
                "lowers it elsewhere",
                Question(
                    (*RAISED, *positive(R, C)),
                    above(square(e, R, C, g + p + q + s), square(e, R, C, h + p + q + s)),
                ),
            ),
        ),
        "An outlier slows its own row and column and speeds up all others.",
    ),
)
