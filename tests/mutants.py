"""Wrong loops, made from the right ones by one change of their source.

A mutant says which text becomes which, and the step at which it must be caught: the first, in the
order of the rule, that is outside its bound.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import ModuleType

from adafactor_numba import loops
from adafactor_numba.audit.check import Implementation
from adafactor_numba.audit.source import interpreted

LOOPS = "loops", "vector", "squares", "matrix"
MODULES = "schedule", "compiler", "philox", "half", "storage", *LOOPS
SOURCE = Path(loops.__file__).parent


@dataclass(frozen=True)
class Mutant:
    """`old` occurs once in the module and becomes `new`; `step` is where it must be caught."""

    name: str
    module: str
    step: str
    old: str
    new: str


# The same loops with smaller blocks, so that small arrays have several of each.
SMALLER = {
    "LANES = 16 ": "LANES = 4 ",
    "WIDTH = 2048 ": "WIDTH = 5 ",
    "BLOCK = 2**16 ": "BLOCK = 2**6 ",
    "STRIPS = 16 ": "STRIPS = 3 ",
}


def implementation(
    folder: Path, package: str, mutant: Mutant | None = None, *, compiled: bool = False
) -> Implementation:
    """Write the loops as `package` into `folder`, which is importable, and take them uncompiled.

    With `compiled` the modules themselves.

    Their blocks are smaller, so that small arrays show every way around them.
    """
    texts = sources()
    if mutant is not None:
        text = (SOURCE / f"{mutant.module}.py").read_text()
        texts[mutant.module] = smaller(
            mutant.module, changed(text, mutant.name, mutant.old, mutant.new)
        )
    found = modules(folder, package, texts)
    chosen = (found[field.name] for field in fields(Implementation))
    return Implementation(*(chosen if compiled else map(interpreted, chosen)))


def sources() -> dict[str, str]:
    """The text of every module that the loops need, with smaller blocks."""
    return {name: smaller(name, (SOURCE / f"{name}.py").read_text()) for name in MODULES}


def smaller(module: str, text: str) -> str:
    for old, new in SMALLER.items() if module == "loops" else ():
        text = changed(text, "smaller blocks", old, new)
    return text


def modules(folder: Path, package: str, texts: Mapping[str, str]) -> dict[str, ModuleType]:
    """Write the texts as a package into `folder`, which is importable, and import its modules."""
    (folder / package).mkdir()
    (folder / package / "__init__.py").touch()
    for name, text in texts.items():
        (folder / package / f"{name}.py").write_text(text)
    importlib.invalidate_caches()
    return {name: importlib.import_module(f"{package}.{name}") for name in texts}


def changed(text: str, name: str, old: str, new: str) -> str:
    if (found := text.count(old)) != 1:
        raise ValueError(f"{name}: {old!r} is {found} times in the source; once is needed")
    return text.replace(old, new)


# The larger pieces of the source that some mutants change.
MEAN_SQUARE_OF_X = """\
            total += sum_of_squares(X[b, start : start + strip(n, m)])
    return total / (p * n * m)
"""
STATISTICS = """\
        second_moment(R[b], C[b], G[b], ratios[b], w, beta_2, epsilon_1)
        scales(r[b], c[b], R[b], C[b])
"""
STATISTICS_AFTERWARDS = """\
        scales(r[b], c[b], R[b], C[b])
        second_moment(R[b], C[b], G[b], ratios[b], w, beta_2, epsilon_1)
"""
NEW_R = "moving(R_old[start + i], squares_i, m, w, beta_2, epsilon_1)"
WEIGHTS = """\
    for i in range(q):
        f_0, f_1, f_2, f_3 = f[i], f[q + i], f[2 * q + i], f[3 * q + i]
"""
UPDATED = """\
            v[i] = moving(v[i], a, w, beta_2, epsilon_1)
"""
MOVED = """\
            x[i] = float64(x[i]) - scale / math.sqrt(v[i]) * a
"""
MOVE = "float64(X[{0} * q + i, j]) - f_{0} * c[j] * float64(G[{0} * q + i, j])"
LAST = """\
    descend(X, G, r, c, alpha / clipping(mean_square_of_U(ratios, R, C), d))
"""
ALPHA_AFTERWARDS = """\
    U = np.zeros_like(X)
    descend(U, G, r, c, 1.0 / clipping(mean_square_of_U(ratios, R, C), d))
    X += relative_step(mean_square(X + alpha * U), rho, epsilon_2) * U
"""
CLIPPED_PER_MATRIX = """\
    for b in range(X.shape[0]):
        own = slice(b, b + 1)
        clip = clipping(mean_square_of_U(ratios[own], R[own], C[own]), d)
        descend(X[own], G[own], r[own], c[own], alpha / clip)
"""
CLIPPED_PER_ROW = """\
    for i in range(X.shape[1]):
        own = slice(i, i + 1)
        U = G[:, own] * r[:, own, None] * c[:, None]
        clip = clipping((U * U).mean(), d)
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
        "X^2 in float32": ("columns[j] += x * x", "columns[j] += float64(np.float32(x * x))"),
        "magnitudes for squares": ("columns[j] += x * x", "columns[j] += abs(x)"),
        "one row of four twice": ("(c * c + d * d)", "(c * c + c * c)"),
        "first four rows only": ("range(q):", "range(min(q, 1)):"),
        "rest of a block skipped": ("range(whole * m, n, m)", "range(whole * m, n - m, m)"),
        "rows that overlap": ("range(whole * m, n, m)", "range(whole * m - 1, n, m)"),
        "last block of X skipped": ("(0, n, most)", "(0, max(1, n - most), most)"),
        "half of the lanes": ("half = LANES // 2\n    while", "half = LANES // 4\n    while"),
        "one lane twice": ("lanes[k] += lanes[half + k]", "lanes[k] += lanes[k]"),
        "rest of a sum skipped": ("range(whole * LANES, m)", "range(whole * LANES, m - 1)"),
        "last lanes of a sum skipped": (
            "range(whole):\n            for",
            "range(whole - 1):\n            for",
        ),
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
        "last row of X skipped": (
            "range(ROWS * quarter, block.shape[0]):\n            add_squares",
            "range(ROWS * quarter, block.shape[0] - 1):\n            add_squares",
        ),
        "first four rows of X only": (
            "add_squares(block, quarter,",
            "add_squares(block, min(quarter, 1),",
        ),
        "last strip of X only": (MEAN_SQUARE_OF_X, MEAN_SQUARE_OF_X.replace("+= sum", "= sum")),
    },
    ("matrix", "R"): {
        "eps1 once per row": ("update(R, row_sums, m,", "update(R, row_sums, 1,"),
        "eps1 for every row of R": ("update(R, row_sums, m,", "update(R, row_sums, n,"),
        "eps1 outside of the average": (
            "w * (squares + terms * epsilon_1)",
            "w * squares + terms * epsilon_1",
        ),
        "eps1 in C only": ("update(R, row_sums, m,", "update(R, row_sums, 0,"),
        "eps1 squared": ("terms * epsilon_1)", "terms * epsilon_1 * epsilon_1)"),
        "mean for sum in R": ("update(R, row_sums, m,", "update(R, row_sums / m, m,"),
        "C for R": ("R[i] = moving(R[i]", "R[i] = moving(R[0]"),
        "w and beta_2 swapped": ("beta_2 * R_old + w *", "w * R_old + beta_2 *"),
        "last row skipped": (
            "range(ROWS * quarter, block.shape[0]):\n            row_sums",
            "range(ROWS * quarter, block.shape[0] - 1):\n            row_sums",
        ),
        "rows of the first block": (
            "squares(block, quarter, row_sums[start:]",
            "squares(block, quarter, row_sums",
        ),
        "R not kept": ("update(R, row_sums", "update(R.copy(), row_sums"),
        "sums kept without w": ("w * (squares", "(squares"),
    },
    ("squares", "R"): {
        "magnitudes of G": ("lanes[k] += x * x", "lanes[k] += abs(x)"),
        "last column skipped": (
            "range(min(LANES, m - start))",
            "range(min(LANES, m - start - 1))",
        ),
        "last column of four rows skipped": ("whole, m - whole,", "whole, m - 1 - whole,"),
        "lanes between many and the rest skipped": (
            "range(many, whole, L",
            "range(whole, whole, L",
        ),
        "last of many columns skipped": (
            "range(0, many, MANY):\n            squares",
            "range(0, many - MANY, MANY):\n            squares",
        ),
        "row in float32": ("lanes[k] += x * x", "lanes[k] += float64(np.float32(x * x))"),
        "lanes of another row": ("lanes[2 * LANES + k] += c", "lanes[LANES + k] += c"),
        "lanes of another of many": ("lanes[3 * LANES + k] += (s", "lanes[2 * LANES + k] += (s"),
        "one of four places twice": ("lanes[LANES + k] += (e + f)", "lanes[LANES + k] += (e + e)"),
        "a place of a row twice": (
            "lanes[k] += (a + b) + (c + d)\n            columns",
            "lanes[k] += (a + b) + (c + c)\n            columns",
        ),
        "lanes not cleared": ("        lanes[:] = 0.0\n", ""),
        "lanes not cleared for a row": ("// MANY * MANY\n    lanes[:] = 0.0\n", "// MANY * MANY\n"),
        "one of four rows as another": ("places(A, 3 * q + i", "places(A, 2 * q + i"),
        "many of rows that are not apart": ("places(A, q + i, j)", "places(A, 1 + i, j)"),
        "sums of rows that are not apart": ("row_sums[k * q + i]", "row_sums[k + i]"),
        "rows that are not apart": ("float64(A[q + i, j])", "float64(A[1 + i, j])"),
    },
    ("matrix", "C"): {
        "eps1 in R only": ("update(C, column_sums, n,", "update(C, column_sums, 0,"),
        "mean for sum in C": ("update(C, column_sums, n,", "update(C, column_sums / n, n,"),
        "columns in float32": (
            "part[j]\n",
            "float64(np.float32(part[j]))\n",
        ),
        "C not kept": ("update(C, column_sums", "update(C.copy(), column_sums"),
        "last strip only": ("columns[j] += part[j]", "columns[j] = part[j]"),
        "columns not cleared": ("    columns[:] = 0.0\n", ""),
    },
    ("squares", "C"): {
        "wrong axis": (
            "columns[start + k] += x * x",
            "columns[k] += x * x",
        ),
        "last row of four left out": (
            "columns[j] += (a + b) + (c + d)",
            "columns[j] += (a + b) + c",
        ),
        "last row of many left out": ("+= c + (g + u)", "+= c + g"),
        "place of another column": (
            "columns[3 * LANES + j] += d\n",
            "columns[2 * LANES + j] += d\n",
        ),
        "rest of columns twice": (
            "m - start)):\n",
            "m - start)):\n            columns[start] += 1.0\n",
        ),
        "rest of a row not in C": (
            "            columns[start + k] += x * x\n    total",
            "    total",
        ),
    },
    ("matrix", "U_hat"): {
        "S_R from C": ("total(R)\n    for i", "total(C)\n    for i"),
        "S_R from C in the size of U": ("total(R)\n    for j", "total(C)\n    for j"),
        "V without its denominator": ("S_R / R[i]", "1.0 / R[i]"),
        "mean of R for S_R": ("S_R / R[i]", "S_R / R.shape[0] / R[i]"),
        "root of C left out": ("1.0 / math.sqrt(C[j])", "1.0 / C[j]"),
        "root of R left out": ("math.sqrt(S_R / R[i])", "S_R / R[i]"),
        "U^2 in float32": (
            "columns[j] += a * a * f",
            "columns[j] += float64(np.float32(a * a * f))",
        ),
        "magnitudes of U": ("columns[j] += a * a * f", "columns[j] += abs(a) * f"),
        "row of another weight": ("d * d * f_3", "d * d * f_2"),
        "one row of U twice": ("c * c * f_2", "b * b * f_1"),
        "root of C in the size of U": ("ratios[j] *= S_R / C[j]", "ratios[j] *= S_R / C[j] ** 0.5"),
        "root of R in the size of U": (f"1.0 / {NEW_R}", f"1.0 / math.sqrt({NEW_R})"),
        "R without its past in the size of U": (NEW_R, NEW_R.replace("R_old[start + i]", "0.0")),
        "R of another block in the size of U": (NEW_R, NEW_R.replace("start + i", "i")),
        "R of the row before in the size of U": (
            NEW_R,
            NEW_R.replace("start + i", "start + i - 1"),
        ),
        "ratios of the strip before": (
            "    columns[:] = 0.0\n    ratios[:] = 0.0\n",
            "    columns[:] = 0.0\n",
        ),
        "first four rows of a strip of U only": (
            WEIGHTS,
            WEIGHTS.replace("range(q)", "range(min(q, 1))"),
        ),
        "weights of rows that are not apart": ("f[2 * q + i], f[3", "f[2 + i], f[3"),
        "mean of U over a matrix": ("R.size * C.shape[1]", "R.shape[1] * C.shape[1]"),
        "last strip of U only": ("add(ratios, part_of_ratios)", "ratios[:] = part_of_ratios"),
        "size of the last matrix only": (
            "total += sum_of_squares_of_U",
            "total = sum_of_squares_of_U",
        ),
        "last row of U skipped": (
            "range(ROWS * quarter, block.shape[0]):\n            add_weighted_row",
            "range(ROWS * quarter, block.shape[0] - 1):\n            add_weighted_row",
        ),
        "last column stays": (
            "range(c.shape[0]):\n            x = ",
            "range(c.shape[0] - 1):\n            x = ",
        ),
        "last row stays": (
            "range(ROWS * quarter, most):\n            move_row",
            "range(ROWS * quarter, most - 1):\n            move_row",
        ),
        "scales of the first block": ("quarter, r[start:], c", "quarter, r, c"),
        "one row of four moved as another": (
            MOVE.format(2),
            MOVE.format(2).replace("f_2", "f_1"),
        ),
        "U in float32": (
            "f * c[j] * float64(g[j])",
            "float64(np.float32(f * c[j] * float64(g[j])))",
        ),
        "ascent": ("float64(x[j]) - f", "float64(x[j]) + f"),
        "ascent of four": (MOVE.format(3), MOVE.format(3).replace("- f_3", "+ f_3")),
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
            "(X[start : start + strip(n, 1)])\n    return total / n",
            "(X[start : start + strip(n, 1)])\n    return total / (n + 1)",
        ),
        "last strip of a vector only": ("total += sum_of_squares(X", "total = sum_of_squares(X"),
    },
    ("vector", "V"): {
        "eps1 outside in V": ("w * (a * a + epsilon_1)", "w * a * a + epsilon_1"),
        "w and beta_2 swapped in V": ("beta_2 * v + w *", "w * v + beta_2 *"),
        "V not kept": ("descend(X, G, V,", "descend(X, G, V.copy(),"),
        "V but the last": (UPDATED, "            if i < most - 1:\n    " + UPDATED),
        "V of the first block": ("v = V[start : start + most]", "v = V[:most]"),
    },
    ("vector", "U_hat"): {
        "rest of U skipped": ("range(whole * m, n, m)", "range(whole * m, n - m, m)"),
        "first four rows of U only": ("range(0, whole, ROWS)", "range(0, min(whole, ROWS), ROWS)"),
        "rows of U that overlap": ("range(whole * m, n, m)", "range(whole * m - 1, n, m)"),
        "V of another row": ("b * b / f", "b * b / e"),
        "old V in the size of U": ("e = moving(V[0, j], a, w, beta_2, epsilon_1)", "e = V[0, j]"),
        "X moved before V": (UPDATED + MOVED, MOVED + UPDATED),
        "last entry stays": (MOVED, "            if i < most - 1:\n    " + MOVED),
        "ascent of vectors": ("float64(x[i]) - scale", "float64(x[i]) + scale"),
        "U of vectors not squared": ("g * g / moving(", "abs(g) / moving("),
        "V for its root": ("math.sqrt(v[i])", "v[i]"),
        "last strip of U of a vector only": (
            "total += sum_of_squares_of_U(G[own]",
            "total = sum_of_squares_of_U(G[own]",
        ),
    },
    ("vector", "X_new"): {
        "vectors not clipped": ("V, alpha / clip, w", "V, alpha, w"),
        "step stored as the weights are": (
            "scale / math.sqrt(v[i]) * a",
            "X.dtype.type(scale / math.sqrt(v[i]) * a)",
        ),
    },
}
MUTANTS = tuple(
    Mutant(name, module, step, old, new)
    for (module, step), changes in CHANGES.items()
    for name, (old, new) in changes.items()
)
