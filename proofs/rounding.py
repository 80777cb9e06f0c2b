"""How far the loops over doubles may be from the rule: theorems in Rocq, on Flocq's IEEE binary64.

The hats are what is computed, u = 2^-53 and gamma_K = K u / (1 - K u).  The order of no sum is
given: D is the depth of its tree, the additions on the longest way through it.
"""

from dataclasses import dataclass

from .rocq import Altered, Formal
from .theorem import Neighbour, Theorem

RANGE = (
    "every tree adds up every term once",
    "X and G finite, sum G^2 <= 2^400 and sum X^2 <= 2^800",
    "2^-200 <= epsilon_1 <= 2^200 and epsilon_2 <= 2^400",
    "2^-247 <= max(epsilon_2, RMS(X))",
    "2^-100 <= rho <= 2^100, d finite and at least 2^-20",
    "2^-53 <= w <= 1 and beta_2 <= 1",
    "old statistics <= 2^406",
    "they, w, beta_2 and rho up to so many roundings what they stand for, which K counts",
    "from 1 to 2^44 entries, and K <= 2^51",
)
"""What is given to a step.  No result overflows, and what underflows is shown to be too small."""


@dataclass(frozen=True)
class Given:
    """Roundings between what is given and what it stands for: 0 where it is meant as it is."""

    old: int = 0
    beta_2: int = 0
    w: int = 0
    rho: int = 0


@dataclass(frozen=True)
class VectorDepths:
    """Of the sums of X^2 and of U^2."""

    X: int
    U: int


@dataclass(frozen=True)
class MatrixDepths:
    """Of the sums of G^2 by rows and columns, of G^2 / R by columns, of R, of U^2 and of X^2."""

    row: int
    column: int
    ratio: int
    S: int
    U: int
    X: int


def vector_K(D: VectorDepths, k: Given = Given()) -> dict[str, int]:
    """K of V and of the step, as `VectorStep.v` defines them.

    >>> vector_K(VectorDepths(X=3, U=3))
    {'V': 5, 'X_new': 20}
    """
    V = _statistic(2, k)
    scale = _scale(D.X, 1 + V + 1 + D.U + 1, k)
    return {"V": V, "X_new": scale + (_half(V) + 1) + 2}


def matrix_K(D: MatrixDepths, k: Given = Given()) -> dict[str, int]:
    """K of R, of C and of the step, as `MatrixStep.v` defines them."""
    R, C = _statistic(2 + D.row, k), _statistic(2 + D.column, k)
    S = R + D.S
    r, c = _half(S + R + 1) + 1, _half(C) + 2
    ratio = R + 3 + D.ratio
    scale = _scale(D.X, ratio + (S + C + 1) + 1 + D.U + 1, k)
    return {"R": R, "C": C, "X_new": r + scale + c + 3}


def _half(K: int) -> int:
    return (K + 1) // 2


def _statistic(new: int, k: Given) -> int:
    """Two products, their sum, and one for what is lost below the range of doubles."""
    return max(k.beta_2 + k.old, k.w + new) + 3


def _scale(D_X: int, mean_square_U: int, k: Given) -> int:
    """alpha divided by max(1, RMS(U) / d), each with one for what is lost below the range."""
    alpha = _half(D_X + 3) + 2 + k.rho
    return alpha + _half(mean_square_U + 1) + 2 + 1


def _theorem(
    name: str,
    words: str,
    hypotheses: tuple[str, ...],
    claims: dict[tuple[str, str], str],
    false: dict[str, tuple[str, str, str, str]],
    meaning: str,
) -> Theorem:
    """`claims` has the LaTeX by file and theorem; `false` the file, the theorem, old and new."""
    return Theorem(
        name,
        words,
        hypotheses,
        "N. Higham, Accuracy and Stability of Numerical Algorithms, section 3.1",
        tuple(Formal(*proof, latex) for proof, latex in claims.items()),
        tuple(Neighbour(n, Altered(*change)) for n, change in false.items()),
        meaning,
    )


THEOREMS = (
    _theorem(
        "a sum in any order",
        "x and y are the same up to k roundings and to a besides where y (1 - u)^k <= x + a and "
        "x (1 - u)^k <= y + a. N doubles that are so their terms, which are not negative, added "
        "along any tree of depth D, are so their sum, up to k + D roundings and to N a.",
        ("no sum above 2^1000", "half of (1 - u)^(k + D) is left"),
        {
            ("Mean", "sum_along"): r"\forall i:\ \hat a_i \approx_{k, a} a_i \implies "
            r"\hat\Sigma_i \hat a_i \approx_{k + D, N a} \sum_i a_i",
        },
        {
            "no deeper than one term": ("Mean", "sum_along", "gives (k + D)", "gives k"),
            "what N terms lose is what one loses": (
                *("Mean", "sum_along"),
                "gives (k + D) (INR (length l) * a)",
                "gives (k + D) a",
            ),
        },
        "Blocks, lanes and threads make the bound of a sum smaller: it follows the depth.",
    ),
    _theorem(
        "the statistics in doubles",
        "R, C and V, computed, are within gamma_K of their values, K by the depth of their sums, "
        "and finite.",
        RANGE,
        {
            ("MatrixStep", "matrix_state"): r"|\hat R_i - R_i| \le \gamma_{K_R} R_i, \quad "
            r"|\hat C_j - C_j| \le \gamma_{K_C} C_j",
            ("VectorStep", "vector_state"): r"|\hat V_i - V_i| \le \gamma_{K_V} V_i",
        },
        {
            "R as exact as if nothing were rounded": (
                *("MatrixStep", "matrix_state"),
                "gamma R_K * R_ i",
                "gamma 0 * R_ i",
            ),
            "V as exact as if nothing were rounded": (
                *("VectorStep", "vector_state"),
                "gamma V_K * V i",
                "gamma 0 * V i",
            ),
        },
        "What the optimizer remembers of rows of 4,096 is right to 13 of its 16 digits at least.",
    ),
    _theorem(
        "the step of a vector in doubles",
        "The computed step is finite and within gamma_K of the exact one, and within the least "
        "double besides, which only a step below 2^-1021 can need. It applies to a step on ones, "
        "as is shown by applying it.",
        RANGE,
        {
            ("VectorStep", "vector_step"): r"|\hat\Delta_i - \Delta_i| \le "
            r"\gamma_K |\Delta_i| + 2^{-1074}",
            ("VectorStep", "vector_step_in_range"): r"|\Delta_i| \ge 2^{-1021} \lor G_i = 0 "
            r"\implies |\hat\Delta_i - \Delta_i| \le \gamma_K |\Delta_i|",
            ("Instance", "vector_instance"): r"n = 1,\ X = G = d = \rho = w = \epsilon_1 = "
            r"\epsilon_2 = 1,\ V_{t-1} = \beta_2 = 0",
        },
        {
            "steps of any size without the least double": (
                *("VectorStep", "vector_step"),
                "Rabs (step i) + two (-1074)",
                "Rabs (step i)",
            ),
            "no rounding at all": ("VectorStep", "vector_step", "gamma step_K", "gamma 0"),
            "in range from 2^-1074 on": (
                *("VectorStep", "vector_step_in_range"),
                "two (-1021)",
                "two (-1074)",
            ),
        },
        "Biases and norms move by what the paper says: 4,096 entries to 14 digits.",
    ),
    _theorem(
        "the step of a matrix in doubles",
        "The same of matrices, for any order of each of the six sums.",
        RANGE,
        {
            ("MatrixStep", "matrix_step"): r"|\hat\Delta_{ij} - \Delta_{ij}| \le "
            r"\gamma_K |\Delta_{ij}| + 2^{-1074}",
            ("MatrixStep", "matrix_step_in_range"): r"|\Delta_{ij}| \ge 2^{-1021} \lor "
            r"G_{ij} = 0 \implies |\hat\Delta_{ij} - \Delta_{ij}| \le \gamma_K |\Delta_{ij}|",
            ("Instance", "matrix_instance"): r"n = m = 1,\ X = G = d = \rho = w = \epsilon_1 = "
            r"\epsilon_2 = 1,\ R_{t-1} = C_{t-1} = \beta_2 = 0",
        },
        {
            "steps of any size without the least double": (
                *("MatrixStep", "matrix_step"),
                "Rabs (step i j) + two (-1074)",
                "Rabs (step i j)",
            ),
            "no rounding at all": ("MatrixStep", "matrix_step", "gamma step_K", "gamma 0"),
            "in range from 2^-1074 on": (
                *("MatrixStep", "matrix_step_in_range"),
                "two (-1021)",
                "two (-1074)",
            ),
        },
        "Weight matrices move by what the paper says: 4,096 x 4,096 to 12 digits at least.",
    ),
    _theorem(
        "the new weights in doubles",
        "X_new, whose last subtraction may cancel, is within the error of the step and u of "
        "itself, and finite.",
        RANGE,
        {
            ("VectorStep", "vector_X_new"): r"|\hat X'_i - X'_i| \le \gamma_K |\Delta_i| + "
            r"2^{-1074} + u |\hat X'_i|",
            ("MatrixStep", "matrix_X_new"): r"|\hat X'_{ij} - X'_{ij}| \le "
            r"\gamma_K |\Delta_{ij}| + 2^{-1074} + u |\hat X'_{ij}|",
        },
        {
            "a vector's last subtraction exact": (
                *("VectorStep", "vector_X_new"),
                "two (-1074) + u * Rabs (real (X_new_fl i))",
                "two (-1074)",
            ),
            "a matrix's last subtraction exact": (
                *("MatrixStep", "matrix_X_new"),
                "two (-1074) + u * Rabs (real (X_new_fl i j))",
                "two (-1074)",
            ),
        },
        "Weights in float64 are as right as one subtraction of doubles can leave them.",
    ),
    _theorem(
        "the new weights in float32",
        "What float32 keeps is within half an ulp more.",
        (*RANGE, "float32 does not overflow"),
        {
            ("VectorStep", "vector_float32"): r"|\mathrm{fl}_{32}(\hat X'_i) - X'_i| \le "
            r"\tfrac12 \mathrm{ulp}_{32}(\hat X'_i) + \gamma_K |\Delta_i| + 2^{-1074} + "
            r"u |\hat X'_i|",
            ("MatrixStep", "matrix_float32"): r"|\mathrm{fl}_{32}(\hat X'_{ij}) - X'_{ij}| \le "
            r"\tfrac12 \mathrm{ulp}_{32}(\hat X'_{ij}) + \gamma_K |\Delta_{ij}| + 2^{-1074} + "
            r"u |\hat X'_{ij}|",
        },
        {
            "a vector without the half ulp": (
                *("VectorStep", "vector_float32"),
                "half_ulp32 (X_new_fl i) +",
                "0 +",
            ),
            "a matrix without the half ulp": (
                *("MatrixStep", "matrix_float32"),
                "half_ulp32 (X_new_fl i j) +",
                "0 +",
            ),
        },
        "Weights in float32 are the exact ones rounded once, but for 10^-12 of the step.",
    ),
    _theorem(
        "the state after t steps, rates as doubles",
        "R, C and V after t steps from zero are within gamma_K of what the doubles w and "
        "beta_2 = 1 - w, taken as they are, give: K = 3 t + k, k that of a step's new sum.",
        (
            "each new sum from 2^-200 to 2^401, up to k roundings and 2^-1000",
            *("2^-53 <= w <= 1", "K <= 2^52"),
        ),
        {
            ("Course", "state_of_the_doubles"): r"|\hat R_t - R_t| \le \gamma_{3 t + k} R_t, "
            r"\quad R_t = \beta_{2t} R_{t-1} + w_t x_t",
            ("Course", "statistic_after_t_steps"): r"x_t = \sum_j G_{ij}^2 + \epsilon_1, "
            r"\quad k = D + 2",
            ("Course", "V_after_t_steps"): r"x_t = G_i^2 + \epsilon_1, \quad k = 2",
        },
        {
            "no rounding of the sums": (
                *("Course", "statistic_after_t_steps"),
                "gamma (course_K 0 0 (S (1 + D)) t)",
                "gamma (course_K 0 0 0 t)",
            ),
            "no growth with t": (
                *("Course", "state_of_the_doubles"),
                "gamma (course_K 0 0 k t) *",
                "gamma (course_K 0 0 k 0) *",
            ),
        },
        "A million steps cost the statistics seven of their sixteen digits at the very most.",
    ),
    _theorem(
        "the state after t steps, rates of the paper",
        "With the paper's t^(-4/5) and 1 - t^(-4/5) in reals, and doubles w within p roundings of "
        "the first: K = (2 p + 4) t + p + k. Of `pow(t, -0.8)` p counts its own error, assumed "
        "to be 2, and that of -0.8 as a double, 0.8 ln t.",
        ("w is within p roundings, and exact at t = 1", "p <= 2^48", "as above"),
        {
            ("Course", "state_of_the_paper"): r"w_t = t^{-4/5}, \quad \beta_{2t} = 1 - w_t, "
            r"\quad |\hat R_t - R_t| \le \gamma_{(2 p + 4) t + p + k} R_t",
            ("Course", "statistic_of_the_paper"): r"x_t = \sum_j G_{ij}^2 + \epsilon_1, "
            r"\quad k = D + 2",
        },
        {
            "as if pow were exact": (
                *("Course", "state_of_the_paper"),
                "gamma (course_K (S (k_pow + k_pow)) k_pow k t) *",
                "gamma (course_K 1 0 k t) *",
            ),
        },
        "The C library's `pow` is assumed, and not proved, to be as near as it is said to be.",
    ),
)
