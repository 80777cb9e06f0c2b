"""Adafactor, transcribed line by line.

[S]   N. Shazeer, M. Stern.  Adafactor: Adaptive Learning Rates with Sublinear Memory Cost.
      ICML 2018.  arXiv:1804.04235.
[T2T] Tensor2Tensor, tensor2tensor/utils/adafactor.py, by the authors of [S].
"""

from dataclasses import replace

import sympy as sp
from sympy import (
    Expr,
    FiniteSet,
    IndexedBase,
    Interval,
    Max,
    Min,
    Naturals,
    Rational,
    Reals,
    Sum,
    Union,
    oo,
    sqrt,
    symbols,
)

from .rule import Input, Step, Target, UpdateRule, base, entries, rewrite

n, m, p = symbols("n m p", integer=True, positive=True)  # rows, columns, matrices of a batch
b, i, j = symbols("b i j", integer=True, nonnegative=True)
q, k, l = symbols("q k l", integer=True, nonnegative=True)  # only summed over
EXTENTS = {i: n, j: m, k: n, l: m}

t, beta_2, rho, epsilon_1, epsilon_2, d = symbols(
    "t beta_2 rho epsilon_1 epsilon_2 d", positive=True
)
alpha, S_R, mean_square_X, mean_square_U = symbols(
    "alpha S_R mean_square_X mean_square_U", nonnegative=True
)
X, X_new, G, U, U_hat = (IndexedBase(s, real=True) for s in ("X", "X_new", "G", "U", "U_hat"))
R, C, V, R_old, C_old, V_old = (
    IndexedBase(s, nonnegative=True) for s in ("R", "C", "V", "R_old", "C_old", "V_old")
)

MEAN_SQUARE = "mean_square_"  # begins the names of the squares of an RMS over all entries
NONNEGATIVE, POSITIVE = Interval(0, oo), Interval.open(0, oo)
POSITIVE_OR_INFINITE = Union(POSITIVE, FiniteSet(oo))
rows, columns = (k, 0, n - 1), (l, 0, m - 1)


def mean(term: Expr, *axes: tuple[sp.Symbol, int, Expr]) -> Expr:
    """The mean of `term` over whole axes, each given as the limits of a sum."""
    return Sum(term, *axes) / sp.prod(high + 1 for _, _, high in axes)


SCHEDULE = UpdateRule(
    name="schedule",
    source="[S] Algorithm 6",
    extents={},
    inputs=(Input(t, Naturals, "number of the step, from 1"),),
    steps=(
        Step(rho, Min(Rational(1, 100), 1 / sqrt(t)), "[S] Algorithm 6, rho_t"),
        Step(beta_2, 1 - t ** Rational(-4, 5), "[S] Algorithm 6, beta_2t"),
    ),
)

SCALARS = (
    Input(rho, NONNEGATIVE, "relative step size"),
    Input(beta_2, Interval.Ropen(0, 1), "decay of the second moment"),
    Input(epsilon_1, POSITIVE, "added to every squared gradient", default=Rational(1, 10**30)),
    Input(epsilon_2, NONNEGATIVE, "least parameter scale", default=Rational(1, 1000)),
    Input(d, POSITIVE_OR_INFINITE, "clipping threshold", default=sp.Integer(1)),
)

VECTOR = UpdateRule(
    name="vector",
    source="[S] Algorithm 5",
    extents={i: n, k: n},
    inputs=(
        Input(X[i], Reals, "weights", becomes="X_new"),
        Input(G[i], Reals, "gradient"),
        Input(V_old[i], NONNEGATIVE, "second moment", becomes="V"),
        *SCALARS,
    ),
    steps=(
        Step(mean_square_X, mean(X[k] ** 2, rows), "[S] Algorithm 5, line 3"),
        Step(alpha, Max(epsilon_2, sqrt(mean_square_X)) * rho, "[S] Algorithm 5, line 3"),
        Step(
            V[i],
            beta_2 * V_old[i] + (1 - beta_2) * (G[i] ** 2 + epsilon_1),
            "[S] Algorithm 5, line 5",
        ),
        Step(U[i], G[i] / sqrt(V[i]), "[S] Algorithm 5, line 6"),
        Step(mean_square_U, mean(U[k] ** 2, rows), "[S] Algorithm 5, line 7"),
        Step(U_hat[i], U[i] / Max(1, sqrt(mean_square_U) / d), "[S] Algorithm 5, line 7"),
        Step(X_new[i], X[i] - alpha * U_hat[i], "[S] Algorithm 5, line 8"),
    ),
)

MATRIX = UpdateRule(
    name="matrix",
    source="[S] Algorithm 4",
    extents=EXTENTS,
    inputs=(
        Input(X[i, j], Reals, "weights", becomes="X_new"),
        Input(G[i, j], Reals, "gradient"),
        Input(R_old[i], NONNEGATIVE, "row statistics", becomes="R"),
        Input(C_old[j], NONNEGATIVE, "column statistics", becomes="C"),
        *SCALARS,
    ),
    steps=(
        Step(mean_square_X, mean(X[k, l] ** 2, columns, rows), "[S] Algorithm 4, line 3"),
        Step(alpha, Max(epsilon_2, sqrt(mean_square_X)) * rho, "[S] Algorithm 4, line 3"),
        Step(
            R[i],
            beta_2 * R_old[i] + (1 - beta_2) * Sum(G[i, l] ** 2 + epsilon_1, columns),
            "[S] Algorithm 4, line 5",
        ),
        Step(
            C[j],
            beta_2 * C_old[j] + (1 - beta_2) * Sum(G[k, j] ** 2 + epsilon_1, rows),
            "[S] Algorithm 4, line 6",
        ),
        Step(S_R, Sum(R[k], rows), "[S] Algorithm 4, line 7"),
        Step(V[i, j], R[i] * C[j] / S_R, "[S] Algorithm 4, line 7"),
        Step(U[i, j], G[i, j] / sqrt(V[i, j]), "[S] Algorithm 4, line 8"),
        Step(mean_square_U, mean(U[k, l] ** 2, columns, rows), "[S] Algorithm 4, line 9"),
        Step(U_hat[i, j], U[i, j] / Max(1, sqrt(mean_square_U) / d), "[S] Algorithm 4, line 9"),
        Step(X_new[i, j], X[i, j] - alpha * U_hat[i, j], "[S] Algorithm 4, line 10"),
    ),
)


def batched(rule: UpdateRule) -> UpdateRule:
    """The rule for p matrices side by side, with a leading index b; nothing is written twice.

    [S] defines vectors and matrices only.  That leading axes are a batch for the statistics while
    RMS and clipping stay over the whole tensor is the choice of [T2T].  So a mean over the whole
    matrix (`MEAN_SQUARE`) becomes the mean of these means, and all that is computed from the
    entries of one matrix, such as S_R, gets the index b.  MATRIX itself stays the text of [S].
    """
    local = {base(x.target) for x in rule.inputs if x.indices}
    steps = []
    for step in rule.steps:
        if step.name.startswith(MEAN_SQUARE):
            value = mean(_indexed(step.value, local, q), (q, 0, p - 1))
            steps.append(replace(step, value=value))
            continue
        if step.indices or {base(x) for x in entries(step.value)} & local:
            local.add(base(step.target))
        target = _indexed(step.target, local, b)
        steps.append(replace(step, target=target, value=_indexed(step.value, local, b)))
    return UpdateRule(
        name=rule.name.replace("matrix", "tensor"),
        source=f"{rule.source}; leading axes a batch: [T2T]",
        extents={b: p, q: p, **rule.extents},
        inputs=tuple(replace(x, target=_indexed(x.target, local, b)) for x in rule.inputs),
        steps=tuple(steps),
    )


def _indexed(e: sp.Basic, local: set[sp.Symbol], index: sp.Symbol) -> sp.Basic:
    """`e` with `index` put before the indices of every entry of a `local` array."""

    def new(x: sp.Basic) -> sp.Basic | None:
        if not isinstance(x, Target) or base(x) not in local:
            return None
        return IndexedBase(base(x), **base(x).assumptions0)[index, *getattr(x, "indices", ())]

    return rewrite(e, new)


TENSOR = batched(MATRIX)
