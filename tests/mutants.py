"""Wrong loops, made from the right ones by one change of their source.

A mutant says which text becomes which, and the step at which it must be caught: the first, in the
order of the rule, that is outside its bound.
"""

import importlib
from dataclasses import dataclass, fields
from pathlib import Path

from adafactor_numba import loops
from adafactor_numba.audit.check import Implementation
from adafactor_numba.audit.source import interpreted

MODULES = ("schedule", "storage", "loops", "vector", "matrix")
SOURCE = Path(loops.__file__).parent


@dataclass(frozen=True)
class Mutant:
    """`old` occurs once in the module and becomes `new`; `step` is where it must be caught."""

    name: str
    module: str
    step: str
    old: str
    new: str


def implementation(folder: Path, package: str, mutant: Mutant | None = None) -> Implementation:
    """Write the loops as `package` into `folder`, which is importable, and take them uncompiled."""
    (folder / package).mkdir()
    (folder / package / "__init__.py").touch()
    for module in MODULES:
        text = (SOURCE / f"{module}.py").read_text()
        if mutant is not None and mutant.module == module:
            text = changed(text, mutant)
        (folder / package / f"{module}.py").write_text(text)
    rooms = (f"{package}.{field.name}" for field in fields(Implementation))
    return Implementation(*(interpreted(importlib.import_module(room)) for room in rooms))


def changed(text: str, mutant: Mutant) -> str:
    if (found := text.count(mutant.old)) != 1:
        raise ValueError(
            f"{mutant.name}: {mutant.old!r} is {found} times in {mutant.module}; once is needed"
        )
    return text.replace(mutant.old, mutant.new)


# The larger pieces of the source that some mutants change.
SQUARES = """\
            square = g * g + epsilon_1
            row_sum += square
            column_sums[j] += square
        R[i] = beta_2 * R[i] + w * row_sum
"""
ONCE_PER_ROW = """\
            square = g * g
            row_sum += square
            column_sums[j] += square + epsilon_1
        R[i] = beta_2 * R[i] + w * (row_sum + epsilon_1)
"""
OUTSIDE = """\
            square = g * g + epsilon_1
            row_sum += g * g
            column_sums[j] += square
        R[i] = beta_2 * R[i] + w * row_sum + m * epsilon_1
"""
MEAN_SQUARE_OF_X = """\
            matrix += sum_of_squares(X[b, i])
        total += matrix
    return total / (p * n * m)
"""
MEAN_SQUARE_OF_U = """\
            matrix += row
        total += matrix
    return total / (p * n * m)
"""
STATISTICS = """\
        second_moment(R[b], C[b], G[b], w, beta_2, epsilon_1)
        scales(r[b], c[b], R[b], C[b])
"""
STATISTICS_AFTERWARDS = """\
        scales(r[b], c[b], R[b], C[b])
        second_moment(R[b], C[b], G[b], w, beta_2, epsilon_1)
"""
DESCENT = """\
            for j in range(m):
                u = float64(G[b, i, j]) * r[b, i] * c[b, j]
                X[b, i, j] ="""
DESCENT_IN_FLOAT32 = """\
            for j in range(m):
                u = float64(np.float32(float64(G[b, i, j]) * r[b, i] * c[b, j]))
                X[b, i, j] ="""
LAST = """\
    descend(X, G, r, c, alpha / clipping(mean_square_of_U(G, r, c), d))
"""
ALPHA_AFTERWARDS = """\
    U = np.zeros_like(X)
    descend(U, G, r, c, 1.0 / clipping(mean_square_of_U(G, r, c), d))
    X += relative_step(mean_square(X + alpha * U), rho, epsilon_2) * U
"""
CLIPPED_PER_MATRIX = """\
    for b in range(X.shape[0]):
        own = slice(b, b + 1)
        clip = clipping(mean_square_of_U(G[own], r[own], c[own]), d)
        descend(X[own], G[own], r[own], c[own], alpha / clip)
"""
CLIPPED_PER_ROW = """\
    for i in range(X.shape[1]):
        own = slice(i, i + 1)
        clip = clipping(mean_square_of_U(G[:, own], r[:, own], c), d)
        descend(X[:, own], G[:, own], r[:, own], c, alpha / clip)
"""

# By module and the step at which it must be caught: the name, the text, what it becomes.
CHANGES = {
    ("schedule", "rho"): {
        "rho one step late": ("math.sqrt(t))", "math.sqrt(t + 1))"),
        "rho at most 1e-3": ("min(1e-2, 1.0", "min(1e-3, 1.0"),
        "max for min in rho": ("min(1e-2, 1.0", "max(1e-2, 1.0"),
        "rho without its cap": ("min(1e-2, 1.0", "(1.0"),
    },
    ("schedule", "beta_2"): {
        "exponent -0.79": ("pow(t, -0.8)", "pow(t, -0.79)"),
        "exponent off by 1e-14": ("pow(t, -0.8)", "pow(t, -0.80000000000001)"),
        "w one step late": ("pow(t, -0.8)", "pow(t + 1, -0.8)"),
        "w recomputed": ("math.pow(t, -0.8)", "1.0 - (1.0 - math.pow(t, -0.8))"),
        "beta_2 one step late": ("1.0 - weight(t)", "1.0 - weight(t + 1)"),
        "w for beta_2": ("1.0 - weight(t)", "weight(t)"),
    },
    ("loops", "alpha"): {
        "min for max in alpha": ("max(epsilon_2, math", "min(epsilon_2, math"),
        "epsilon_2 squared": ("max(epsilon_2, math", "max(epsilon_2 * epsilon_2, math"),
        "epsilon_2 added": ("max(epsilon_2, math", "(epsilon_2 + math"),
        "mean square for RMS(X)": ("math.sqrt(mean_square_X)", "mean_square_X"),
        "rho left out": ("math.sqrt(mean_square_X)) * rho", "math.sqrt(mean_square_X))"),
        "X^2 in float32": ("block += x * x", "block = float64(np.float32(block + x * x))"),
        "magnitudes for squares": ("block += x * x", "block += abs(x)"),
        "tail skipped": ("range(0, X.shape[0], BLOCK)", "range(0, X.shape[0] - 1, BLOCK)"),
        "first block only": ("range(0, X.shape[0], BLOCK)", "range(0, 1, BLOCK)"),
        "boundary twice": ("min(start + BLOCK, X", "min(start + BLOCK + 1, X"),
        "boundary never": ("min(start + BLOCK, X", "min(start + BLOCK - 1, X"),
    },
    ("loops", "U_hat"): {
        "d ignored": ("math.sqrt(mean_square_U) / d)", "math.sqrt(mean_square_U))"),
        "times d": ("math.sqrt(mean_square_U) / d)", "math.sqrt(mean_square_U) * d)"),
        "clipped at d, not at 1": ("max(1.0, math", "max(d, math"),
        "min for max in clipping": ("max(1.0, math", "min(1.0, math"),
        "mean square for RMS(U)": ("math.sqrt(mean_square_U)", "mean_square_U"),
    },
    ("matrix", "alpha"): {
        "mean over rows": (MEAN_SQUARE_OF_X, MEAN_SQUARE_OF_X.replace("p * n * m", "p * n")),
        "mean over a matrix": (MEAN_SQUARE_OF_X, MEAN_SQUARE_OF_X.replace("p * n", "n")),
    },
    ("matrix", "R"): {
        "eps1 once per row": (SQUARES, ONCE_PER_ROW),
        "eps1 outside of the average": (SQUARES, OUTSIDE),
        "eps1 in C only": ("row_sum += square", "row_sum += g * g"),
        "eps1 squared": ("g * g + epsilon_1", "g * g + epsilon_1 * epsilon_1"),
        "magnitudes of G": ("g * g + epsilon_1", "abs(g) + epsilon_1"),
        "mean for sum in R": ("w * row_sum", "w * row_sum / m"),
        "C for R": ("R[i] = beta_2 * R[i]", "R[i] = beta_2 * C[i % m]"),
        "w and beta_2 swapped": ("beta_2 * R[i] + w *", "w * R[i] + beta_2 *"),
        "last column skipped": ("range(m):\n            g", "range(m - 1):\n            g"),
        "last row skipped": ("range(n):\n        row_sum", "range(n - 1):\n        row_sum"),
        "row in float32": ("row_sum += square", "row_sum = float64(np.float32(row_sum + square))"),
        "R not kept": (STATISTICS, STATISTICS.replace("t(R[b]", "t(R[b].copy()")),
        "sums kept without w": ("w * row_sum", "row_sum"),
    },
    ("matrix", "C"): {
        "eps1 in R only": ("column_sums[j] += square", "column_sums[j] += g * g"),
        "mean for sum in C": ("w * column_sums[j]", "w * column_sums[j] / n"),
        "wrong axis": ("column_sums[j] += square", "column_sums[i % m] += square"),
        "R for C": ("C[j] = beta_2 * C[j]", "C[j] = beta_2 * R[j % n]"),
        "columns in float32": ("np.zeros_like(C)", "np.zeros(m, np.float32)"),
        "C not kept": (STATISTICS, STATISTICS.replace("C[b], G", "C[b].copy(), G")),
        "last row only": ("column_sums[j] += square", "column_sums[j] = square"),
    },
    ("matrix", "U_hat"): {
        "S_R from C": ("S_R += R[i]", "S_R += C[i % C.shape[0]]"),
        "V without its denominator": ("S_R / R[i]", "1.0 / R[i]"),
        "mean of R for S_R": ("S_R / R[i]", "S_R / R.shape[0] / R[i]"),
        "root of C left out": ("1.0 / math.sqrt(C[j])", "1.0 / C[j]"),
        "root of R left out": ("math.sqrt(S_R / R[i])", "S_R / R[i]"),
        "U^2 in float32": ("row += u * u", "row = float64(np.float32(row + u * u))"),
        "magnitudes of U": ("row += u * u", "row += abs(u)"),
        "mean of U over a matrix": (MEAN_SQUARE_OF_U, MEAN_SQUARE_OF_U.replace("p * n", "n")),
        "last row of U skipped": ("range(n):\n            row", "range(n - 1):\n            row"),
        "last column stays": (DESCENT, DESCENT.replace("(m)", "(m - 1)")),
        "U in float32": (DESCENT, DESCENT_IN_FLOAT32),
        "ascent": ("float64(X[b, i, j]) - scale", "float64(X[b, i, j]) + scale"),
    },
    ("matrix", "X_new"): {
        "scales before the statistics": (STATISTICS, STATISTICS_AFTERWARDS),
        "statistics of the first matrix": (
            STATISTICS,
            STATISTICS.replace("R[b], C[b])", "R[0], C[0])"),
        ),
        "alpha from the gradient": ("relative_step(mean_square(X)", "relative_step(mean_square(G)"),
        "alpha after the update": (LAST, ALPHA_AFTERWARDS),
        "clipped per matrix": (LAST, CLIPPED_PER_MATRIX),
        "clipped per row": (LAST, CLIPPED_PER_ROW),
        "not clipped": (LAST, "    descend(X, G, r, c, alpha)\n"),
        "clipped at 1 whatever d": (LAST, LAST.replace(", d))", ", 1.0))")),
    },
    ("vector", "alpha"): {
        "one entry too many": (
            "sum_of_squares(X) / X.shape[0]",
            "sum_of_squares(X) / (X.shape[0] + 1)",
        ),
    },
    ("vector", "V"): {
        "eps1 outside in V": ("w * (g * g + epsilon_1)", "w * g * g + epsilon_1"),
        "w and beta_2 swapped in V": ("beta_2 * V[i] + w *", "w * V[i] + beta_2 *"),
        "V not kept": ("second_moment(V, G", "second_moment(V.copy(), G"),
        "V but the last": ("(G.shape[0]):\n        g", "(G.shape[0] - 1):\n        g"),
    },
    ("vector", "U_hat"): {
        "tail of U skipped": ("range(0, G.shape[0], BLOCK)", "range(0, G.shape[0] - 1, BLOCK)"),
        "first block of U only": ("range(0, G.shape[0], BLOCK)", "range(0, 1, BLOCK)"),
        "boundary of U twice": ("min(start + BLOCK, G", "min(start + BLOCK + 1, G"),
        "last entry stays": ("range(X.shape[0])", "range(X.shape[0] - 1)"),
        "ascent of vectors": ("float64(X[i]) - scale", "float64(X[i]) + scale"),
        "U of vectors not squared": ("block += u * u", "block += abs(u)"),
    },
    ("vector", "X_new"): {
        "vectors not clipped": ("alpha / clipping(mean_square_of_U(G, V), d)", "alpha"),
        "step stored as the weights are": ("- scale * u", "- X.dtype.type(scale * u)"),
    },
}
MUTANTS = tuple(
    Mutant(name, module, step, old, new)
    for (module, step), changes in CHANGES.items()
    for name, (old, new) in changes.items()
)
