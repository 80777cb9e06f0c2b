"""What holds for all n, m and t by proofs in Rocq, whose files are in `rocq`."""

from .rocq import Altered, Formal
from .theorem import Neighbour, Theorem


def _theorem(
    name: str,
    words: str,
    hypotheses: tuple[str, ...],
    source: str,
    proof: tuple[str, str],
    latex: str,
    false: dict[str, tuple[str, str]],
    meaning: str,
) -> Theorem:
    """A theorem of one file; `false` has, by name, what of its statement becomes what."""
    file, theorem = proof
    neighbours = tuple(Neighbour(n, Altered(*proof, *change)) for n, change in false.items())
    claims = (Formal(file, theorem, latex),)
    return Theorem(name, words, hypotheses, source, claims, neighbours, meaning)


THEOREMS = (
    _theorem(
        "the Pythagorean identity",
        "For the generalized Kullback-Leibler divergence D and any positive P of rank one, "
        "D(W, P) = D(W, V) + D(V, P).",
        ("W > 0", "P_ij = p_i q_j with p, q > 0"),
        "[S] section 3",
        ("Factored", "pythagoras"),
        r"D(W, P) = D(W, V) + D(V, P)",
        {"the arguments swapped": ("idiv V P", "idiv P V")},
        "How far any other factoring is from the average is told by its distance from V.",
    ),
    _theorem(
        "V is the nearest of rank one",
        "No positive matrix of rank one has a smaller divergence from the average than V.",
        ("W > 0", "P of rank one, positive"),
        "[S] section 3, Lemma",
        ("Factored", "V_optimal"),
        r"D(W, V) \le D(W, P)",
        {"strictly nearer": ("idiv W V <= idiv W P", "idiv W V < idiv W P")},
        "R and C are not one approximation among others but the best there is, in D.",
    ),
    _theorem(
        "V is the only nearest",
        "A positive matrix of rank one with the same divergence is V.",
        ("W > 0", "P of rank one, positive"),
        "[S] section 3, Lemma",
        ("Factored", "V_unique"),
        r"D(W, P) = D(W, V) \implies P = V",
        {"another matrix": ("P i j = V i j", "P i j = W i j")},
        "There is nothing to choose.",
    ),
    _theorem(
        "RMS(U) for all n and m",
        "(1 - b) min C sum U^2 <= n S_R, where every row has R >= (1 - b) sum_j G^2.",
        ("R >= (1 - b) sum_j G^2", "C >= min C > 0"),
        "[S] section 6",
        ("Update", "rms_bound"),
        r"(1 - b) \min_j C_j \sum_{i,j} U_{ij}^2 \le n S_R",
        {"without 1 - b": ("(1-b) * mn", "mn")},
        "The bound of one row, above, summed over all of them.",
    ),
    _theorem(
        "the weighted energy of U",
        "V weighs U^2 so that it sums to what G^2 sums to.",
        ("R, C, S_R > 0",),
        "[S] section 6",
        ("Update", "energy"),
        r"\sum_{i,j} V_{ij} U_{ij}^2 = \sum_{i,j} G_{ij}^2",
        {"without the weights": ("(Rr i * Cc j / S) * U2 i j", "U2 i j")},
        "Where U is large, V is small, and only there.",
    ),
    _theorem(
        "the average is linear",
        "The average of c x + y is c times that of x and that of y.",
        (),
        "[S] section 7",
        ("Average", "ema_linear"),
        r"\mathrm{ema}(c x + y) = c\, \mathrm{ema}(x) + \mathrm{ema}(y)",
        {"c on both": ("c * ema x t + ema y t", "c * ema x t + c * ema y t")},
        "Averages of sums are sums of averages, after any number of steps.",
    ),
    _theorem(
        "the weights after t steps",
        "After t steps the weights sum to 1 - prod beta.",
        (),
        "[S] section 7.2",
        ("Average", "ema_one"),
        r"\sum_{s \le t} w_s = 1 - \prod_{s \le t} \beta_s",
        {"the product itself": ("1 - prod t", "prod t")},
        "The induction over t that one step, above, needs.",
    ),
    _theorem(
        "the weights with beta_21 = 0",
        "With beta_21 = 0 the weights sum to 1 from the first step on.",
        ("beta_21 = 0", "t >= 1"),
        "[S] section 7.2",
        ("Average", "ema_weights"),
        r"\sum_{s \le t} w_s = 1",
        {
            "beta_21 = 1": ("b 0%nat = 0", "b 0%nat = 1"),
            "from t = 0 on": ("(0<t)%nat -> ", ""),
        },
        "No bias correction, at any t.",
    ),
    _theorem(
        "clipping a vector of n entries",
        "RMS(U_hat) = min(RMS(U), d), for U of any length.",
        ("n >= 1", "d > 0"),
        "[S] Algorithm 4, line 9",
        ("Clipping", "clip_rms"),
        r"\mathrm{RMS}(\hat U) = \min(\mathrm{RMS}(U), d)",
        {
            "min for max": ("Rmax 1 (r/d)", "Rmin 1 (r/d)"),
            "the root left out": ("Rmin r d", "Rmin (r^2) d"),
        },
        "What one number says of RMS, above, holds of the array.",
    ),
)
