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
        {"the arguments swapped": ("D V P", "D P V")},
        "How far any other factoring is from the average is told by its distance from V.",
    ),
    _theorem(
        "V is the nearest of rank one",
        "No positive matrix of rank one has a smaller divergence from the average than V.",
        ("W > 0", "P of rank one, positive"),
        "[S] section 3, Lemma",
        ("Factored", "V_optimal"),
        r"D(W, V) \le D(W, P)",
        {"strictly nearer": ("D W V <= D W P", "D W V < D W P")},
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
        "So it is for all n and m: summed over all rows, and transposed over all columns.",
        (
            "R >= (1 - beta_2) sum_j G^2",
            "C >= (1 - beta_2) sum_i G^2",
            "R >= min R > 0",
            "C >= min C > 0",
        ),
        "[S] section 6",
        ("Update", "rms_bound"),
        r"\mathrm{RMS}(U)^2 \le \frac{1}{1 - \beta_2} "
        r"\min\left(\frac{S_R}{n \min_i R_i}, \frac{S_R}{m \min_j C_j}\right)",
        {
            "for all rows, without 1 - beta_2": (" / (1 - b).", "."),
            "min C for min R": (
                "Rmin (S / INR n / r) (S / INR m / c)",
                "Rmin (S / INR n / c) (S / INR m / r)",
            ),
        },
        "The bound of one row, above, summed over all of them.",
    ),
    _theorem(
        "the weighted energy of U",
        "V weighs U^2 so that it sums to what G^2 sums to.",
        ("R, C, S_R > 0",),
        "[S] section 6",
        ("Update", "energy"),
        r"\sum_{i,j} V_{ij} U_{ij}^2 = \sum_{i,j} G_{ij}^2",
        {"without the weights": ("V i j * U2 i j", "U2 i j")},
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
            "beta_21 = 1": ("beta 0%nat = 0", "beta 0%nat = 1"),
            "from t = 0 on": ("(0 < t)%nat -> ", ""),
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
            "min for max": ("Rmax 1 (r / d)", "Rmin 1 (r / d)"),
            "the root left out": ("Rmin r d", "Rmin (r ^ 2) d"),
        },
        "What one number says of RMS, above, holds of the array.",
    ),
    _theorem(
        "t^0.4 bounds U after any number of steps",
        "|U| < t^0.4 after t steps, whatever the gradients and V_0.",
        ("epsilon_1 > 0", "V_0 >= 0", "t >= 1", "beta_2t = 1 - t^-0.8"),
        "[S] section 6",
        ("Update", "vector_bound"),
        r"\lvert U_t \rvert < t^{2/5}",
        {
            "t^0.3": ("2 / 5", "3 / 10"),
            "epsilon_1 = 0": ("0 < epsilon", "0 <= epsilon"),
        },
        "No gradient of any size breaks it, at any step.",
    ),
    _theorem(
        "no less than t^0.4 bounds U",
        "For every M < t^0.4 there are gradients with |U| > M: zero until t, then a large one.",
        ("epsilon_1 > 0", "V_0 = 0", "t >= 1"),
        "[S] section 6",
        ("Update", "vector_bound_sharp"),
        r"M < t^{2/5} \implies \exists G_1, \ldots, G_t: \lvert U_t \rvert > M",
        {
            "t^0.5": ("2 / 5", "1 / 2"),
            "for all gradients": ("exists G, ", "forall G, "),
        },
        "An outlier after a long silence does move an entry that far, unless it is clipped.",
    ),
    _theorem(
        "RMS satisfies the triangle inequality",
        "RMS(X + Y) <= RMS(X) + RMS(Y), for arrays of any size, by Cauchy and Schwarz.",
        ("n >= 1",),
        "A.-L. Cauchy, 1821; H. Minkowski, 1896",
        ("Growth", "triangle"),
        r"\mathrm{RMS}(X + Y) \le \mathrm{RMS}(X) + \mathrm{RMS}(Y)",
        {
            "the larger for the sum": ("RMS n x + RMS n y", "Rmax (RMS n x) (RMS n y)"),
            "strictly": ("<= RMS n x", "< RMS n x"),
        },
        "What a step adds to the size of the weights is at most its own size.",
    ),
    _theorem(
        "RMS(X) changes by no more than X does",
        "RMS(X) and RMS(Y) differ by at most RMS(X - Y).",
        ("n >= 1",),
        "[S] section 8",
        ("Growth", "change"),
        r"\lvert \mathrm{RMS}(X) - \mathrm{RMS}(Y) \rvert \le \mathrm{RMS}(X - Y)",
        {
            "the sum of both": ("RMS n x - RMS n y", "RMS n x + RMS n y"),
            "equal": ("<= RMS n (", "= RMS n ("),
        },
        "The size by which a step is scaled moves no faster than the weights.",
    ),
    _theorem(
        "the size of a step of n entries",
        "RMS(X_t - X_(t-1)) <= d rho_t max(epsilon_2, RMS(X_(t-1))), for arrays of any size and "
        "any U.",
        ("n >= 1", "d > 0", "rho >= 0"),
        "[S] sections 6 and 8",
        ("Growth", "step_size"),
        r"\mathrm{RMS}(X_t - X_{t-1}) \le d\, \rho_t \max(\epsilon_2, \mathrm{RMS}(X_{t-1}))",
        {
            "of RMS(X) without epsilon_2": ("* size t", "* RMS n (X t)"),
            "without d": ("d * rho (S t)", "rho (S t)"),
        },
        "It holds with a wrong V, too: what clips decides.",
    ),
    _theorem(
        "growth after t steps",
        "max(epsilon_2, RMS(X_t)) is at most the product of all 1 + d rho_s times what it was, "
        "for arrays of any size and any U.",
        ("n >= 1", "d > 0", "rho >= 0"),
        "[S] section 8",
        ("Growth", "growth"),
        r"\max(\epsilon_2, \mathrm{RMS}(X_t)) \le "
        r"\prod_{s \le t} (1 + d \rho_s) \max(\epsilon_2, \mathrm{RMS}(X_0))",
        {
            "from RMS(X) alone": ("* size 0", "* RMS n (X 0)"),
            "only the last factor": ("factor t", "(1 + d * rho t)"),
        },
        "That RMS satisfies the triangle inequality is no assumption.",
    ),
    _theorem(
        "the sum of all steps",
        "rho_1 + ... + rho_t <= 2 sqrt t, for all t.",
        ("rho_t = min(1/100, 1 / sqrt t)",),
        "[S] Algorithm 6",
        ("Growth", "sum_of_steps"),
        r"\sum_{s \le t} \rho_s \le 2 \sqrt t",
        {
            "without the 2, for all t": ("2 * sqrt", "sqrt"),
        },
        "The induction over t that one step, above, needs.",
    ),
    _theorem(
        "growth with the paper's rho",
        "max(epsilon_2, RMS(X_t)) is at most exp(2 d sqrt t) times what it was.",
        ("n >= 1", "d > 0", "rho_t = min(1/100, 1 / sqrt t)"),
        "[S] section 8, Algorithm 6",
        ("Growth", "growth_paper"),
        r"\max(\epsilon_2, \mathrm{RMS}(X_t)) \le "
        r"e^{2 d \sqrt t} \max(\epsilon_2, \mathrm{RMS}(X_0))",
        {
            "exp(d sqrt t)": ("2 * d", "d"),
            "1 + 2 d sqrt t": ("exp (2 * d * sqrt (INR t))", "(1 + 2 * d * sqrt (INR t))"),
        },
        "Weights grow less than geometrically in t, whatever the gradients are.",
    ),
    _theorem(
        "the first gradient counts at most 1 / t",
        "With an exponent of at most 1 its weight in the average after t steps is at most 1 / t.",
        ("0 < c <= 1", "beta_2t = 1 - t^-c"),
        "[S] section 7.2",
        ("Forgetting", "share_small"),
        r"\prod_{s=2}^t (1 - s^{-c}) \le 1 / t",
        {
            "an exponent above 1": ("0 < c <= 1", "1 <= c"),
            "1 / (t + 1)": ("/ INR (S t)", "/ INR (S (S t))"),
        },
        "A bad first batch is diluted at least as fast as in a plain mean.",
    ),
    _theorem(
        "with an exponent above 1 the first gradient keeps a share",
        "Its weight in the average stays above a positive constant, for all t.",
        ("c > 1", "beta_2t = 1 - t^-c"),
        "[S] section 7.2",
        ("Forgetting", "share_large"),
        r"\exists \delta > 0\ \forall t: \prod_{s=2}^t (1 - s^{-c}) \ge \delta",
        {
            "an exponent of 1, too": ("1 < c", "1 <= c"),
            "half": ("least <= share c t", "/ 2 <= share c t"),
        },
        "What such an average has seen first it never loses.",
    ),
    _theorem(
        "forgetting if and only if the exponent is at most 1",
        "The weight of the first gradient in the average tends to 0 if and only if c <= 1, for "
        "every real c > 0.",
        ("c > 0", "beta_2t = 1 - t^-c"),
        "[S] section 7.2",
        ("Forgetting", "forgets"),
        r"\lim_{t \to \infty} \prod_{s=2}^t (1 - s^{-c}) = 0 \iff c \le 1",
        {
            "c < 1": ("c <= 1", "c < 1"),
            "c of either sign": ("0 < c -> ", ""),
        },
        "The paper's 0.8 forgets, and 1 is the last exponent that does.",
    ),
    _theorem(
        "the order of a sum",
        "A permutation of its terms does not change a finite sum.",
        ("pi permutes the n indices",),
        "arithmetic",
        ("Symmetry", "sum_permuted"),
        r"\sum_{i < n} f(\pi_i) = \sum_{i < n} f(i)",
        {"any pi": ("permutation n pi inverse -> ", "")},
        "Of reals: in floating point it holds up to rounding.",
    ),
    _theorem(
        "V of permuted rows and columns",
        "Where the rows and columns of all gradients, of R_0 and of C_0 are permuted, V_t is "
        "permuted, after any number of steps.",
        ("pi permutes the rows and sigma the columns",),
        "[S] Algorithm 4",
        ("Symmetry", "V_permuted"),
        r"V_t\bigl(R_0 \pi, C_0 \sigma, (G_s)_{\pi \sigma}\bigr)_{i,j} = V_t(R_0, C_0, G_s)_"
        r"{\pi_i, \sigma_j}",
        {
            "any pi": ("permutation n pi pi' -> ", ""),
            "C_0 as it was": ("C_0 (sigma j)", "C_0 j"),
        },
        "Neurons have no order.",
    ),
    _theorem(
        "X of permuted rows and columns",
        "So is X_t, with clipping and RMS(X).",
        ("pi permutes the rows and sigma the columns",),
        "[S] Algorithm 4",
        ("Symmetry", "X_permuted"),
        r"X_t\bigl(R_0 \pi, C_0 \sigma, (X_0)_{\pi \sigma}, (G_s)_{\pi \sigma}\bigr)_{i,j} = "
        r"X_t(R_0, C_0, X_0, G_s)_{\pi_i, \sigma_j}",
        {
            "any pi": ("permutation n pi pi' -> ", ""),
            "X_0 as it was": ("X_0 (pi i) (sigma j)", "X_0 i j"),
        },
        "A whole training with permuted neurons is the permuted training.",
    ),
)
