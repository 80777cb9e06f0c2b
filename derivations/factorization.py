"""Where V = R C / sum R comes from: it is the nearest matrix of rank one, derived line by line.

A (n, m) is the running average of G^2 + epsilon_1.  Nearest is meant in the generalized
Kullback-Leibler divergence D(p, q) = sum p log(p / q) - p + q, where 0 log 0 = 0 ([S] section 3;
L. Finesso, P. Spreij, Linear Algebra and its Applications 416, 2006).  The lines hold for all n
and m and all positive A, r and s; they extend to zeros, since every term with A_kl = 0 only
leaves its q, and V_kl = 0 only where A_kl = 0.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import sympy as sp
from sympy import Derivative, Function, IndexedBase, Sum, log

from .adafactor import (
    MATRIX,
    S_R,
    C,
    C_old,
    G,
    R,
    R_old,
    V,
    beta_2,
    columns,
    epsilon_1,
    i,
    j,
    k,
    l,
    rows,
)
from .rule import Target, base, entries, rewrite

A, A_old, r, s = (IndexedBase(name, positive=True) for name in ("A", "A_old", "r", "s"))
p, q, x, lam = sp.symbols("p q x lambda", positive=True)
D, phi = Function("D"), Function("phi")

Given = tuple[Target | Sum, sp.Expr]

# A sum over one axis of a factor that stands alone; the first three lines derive these.
MARGINALS = {
    Sum(A[k, l], columns): R[k],
    Sum(A[i, l], columns): R[i],
    Sum(A[k, l], rows): C[l],
    Sum(A[k, j], rows): C[j],
    Sum(R[k], rows): S_R,
    Sum(C[l], columns): S_R,
}


def divergence(p: sp.Expr, q: sp.Expr) -> sp.Expr:
    """The term of D(p, q) at one entry."""
    return p * log(p / q) - p + q


@dataclass(frozen=True)
class Line:
    """`left` = `right`, in words in `says`; `given` are the earlier equations it rests on.

    A given (entry, value) holds for every index of the entry, a given (sum, value) as it stands.
    """

    says: str
    left: sp.Expr
    right: sp.Expr
    given: tuple[Given, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether the two sides are equal for all n and m, by linearity and cancellation alone."""
        return equal(self.left, self.right, self.given)


def derivation() -> tuple[Line, ...]:
    """From the statistics of MATRIX to V, and why no other matrix of rank one is as near.

    >>> all(line.verified for line in derivation())
    True
    """
    return (*_statistics(), *_stationarity(), *_scale(), *_minimum())


def _statistics() -> tuple[Line, ...]:
    """R, C and S_R of MATRIX are the marginals of A, once they are: at t = 1, when all are 0."""
    average = beta_2 * A_old[i, j] + (1 - beta_2) * (G[i, j] ** 2 + epsilon_1)
    R_before = (R_old[i], Sum(A_old[i, l], columns))
    C_before = (C_old[j], Sum(A_old[k, j], rows))
    A_now, R_now, C_now, S_R_now = (A[i, j], average), _step("R"), _step("C"), _step("S_R")
    return (
        Line("R, the row sums of A", R[i], Sum(A[i, l], columns), (R_now, R_before, A_now)),
        Line("C, the column sums of A", C[j], Sum(A[k, j], rows), (C_now, C_before, A_now)),
        Line("S_R, the total of A", S_R, Sum(A[k, l], columns, rows), (S_R_now,)),
    )


def _stationarity() -> tuple[Line, ...]:
    distance = D(A.label, r.label * s.label)
    written = Sum(divergence(A[k, l], r[k] * s[l]), columns, rows)
    slope_r, slope_s = (Derivative(distance, y) for y in (r[i], s[j]))
    sum_r, sum_s = Sum(r[k], rows), Sum(s[l], columns)
    return (
        Line("the divergence, to be made least", distance, written),
        Line("the slope in r_i", slope_r, sum_s - R[i] / r[i]),
        Line("is 0 only at r_i = R_i / sum s", r[i] * slope_r, sum_s * (r[i] - R[i] / sum_s)),
        Line("the slope in s_j", slope_s, sum_r - C[j] / s[j]),
        Line("is 0 only at s_j = C_j / sum r", s[j] * slope_s, sum_r * (s[j] - C[j] / sum_r)),
    )


def _scale() -> tuple[Line, ...]:
    sum_r, sum_s = Sum(r[k], rows), Sum(s[l], columns)
    r_zero, s_zero = (r[i], R[i] / sum_s), (s[j], C[j] / sum_r)
    r_now, s_now = (r[i], R[i]), (s[j], C[j] / S_R)
    scaled = sp.Mul(lam * r[i], s[j] / lam, evaluate=False)
    return (
        Line("the scale is free: let sum r = S_R", scaled, r[i] * s[j]),
        Line("then s, the column sums over the total", s[j], C[j] / S_R, (s_zero, (sum_r, S_R))),
        Line("adds up to 1", sum_s, sp.S.One, (s_now,)),
        Line("and r, the row sums", r[i], R[i], (r_zero, (sum_s, sp.S.One))),
        Line("adds up to S_R, as it was let", sum_r, S_R, (r_now,)),
        Line("so the product is V of the rule", r[i] * s[j], MATRIX["V"].value, (r_now, s_now)),
    )


def _minimum() -> tuple[Line, ...]:
    rs = r.label * s.label
    return (
        Line("V has the row sums of A", Sum(V[i, l], columns), R[i], (_step("V"),)),
        Line("and its column sums", Sum(V[k, j], rows), C[j], (_step("V"),)),
        Line(
            "so, log r s being a sum, D splits in two",
            D(A.label, rs),
            D(A.label, V.label) + D(V.label, rs),
            (_step("V"),),
        ),
        Line("each term of D being q times", phi(x), x * log(x) - x + 1),
        Line("at p / q,", divergence(p, q), q * phi(p / q)),
        Line("which is 0 at 1,", phi(1), sp.S.Zero),
        Line("falls before, rises after: D is 0 only for p = q", Derivative(phi(x), x), log(x)),
    )


def _step(name: str) -> Given:
    return MATRIX[name].target, MATRIX[name].value


def equal(left: sp.Expr, right: sp.Expr, given: Iterable[Given] = ()) -> bool:
    """Whether left = right for all n and m; False also where linearity does not decide.

    Every sum that is left, entry and logarithm counts as an unknown of which nothing is known.
    """
    unknowns: dict[sp.Basic, sp.Dummy] = {}

    def opaque(e: sp.Basic) -> sp.Basic | None:
        if isinstance(e, Sum | Target | log):
            return unknowns.setdefault(e, sp.Dummy())
        return None

    sides = (rewrite(_reduced(_derived(side, (*given,))), opaque) for side in (left, right))
    return sp.cancel(next(sides) - next(sides)) == 0


def _derived(e: sp.Basic, given: tuple[Given, ...]) -> sp.Basic:
    """`e` with D and phi written out, derivatives taken, then what is given put in, in order."""

    def written(e: sp.Basic) -> sp.Basic | None:
        if isinstance(e, Derivative):
            return _slope(rewrite(e.expr, written), e.variables[0])
        if e.func == D:
            return Sum(divergence(*(_entry(y) for y in e.args)), columns, rows)
        if e.func == phi:
            return divergence(e.args[0], sp.S.One)
        return None

    e = rewrite(e, written)
    for target, value in given:
        e = rewrite(e, partial(_put, target, value))
    return e


def _entry(e: sp.Expr) -> sp.Expr:
    """The entry k, l of a product of the arrays A, V, r and s."""
    arrays = {A.label: A[k, l], V.label: V[k, l], r.label: r[k], s.label: s[l]}
    return rewrite(e, lambda y: arrays.get(y))


def _slope(e: sp.Expr, y: Target) -> sp.Expr:
    """The derivative by an entry y = r_i of sums that read r only at the index k they run over."""
    if not isinstance(e, Sum):
        return sp.diff(e, y)
    (read,) = {z for z in entries(e.function) if base(z) == base(y)}
    to = dict(zip(read.indices, y.indices, strict=True))
    return Sum(sp.diff(e.function, read).xreplace(to), *(z for z in e.limits if z[0] not in to))


def _put(target: Target | Sum, value: sp.Expr, e: sp.Basic) -> sp.Basic | None:
    """`value` if `e` is `target`, or an entry of the same array: then at the indices of `e`."""
    if isinstance(target, Sum) or not isinstance(e, Target):
        return value if e == target else None
    if base(e) != base(target):
        return None
    to = dict(zip(getattr(target, "indices", ()), getattr(e, "indices", ()), strict=True))
    if captured := {z.limits[0][0] for z in value.atoms(Sum)} & {*to.values()}:
        raise ValueError(f"{target} = {value} cannot be read at {e}: it sums over {captured}")
    return value.xreplace(to)


def _reduced(e: sp.Basic) -> sp.Basic:
    """`e` with logarithms expanded, and sums split into sums of products and as short as can be."""
    if isinstance(e, Sum):
        body = sp.expand(_reduced(e.function))
        return sp.Add(*(_sum(term, e.limits) for term in sp.Add.make_args(body)))
    if isinstance(e, log):
        return sp.expand_log(log(_reduced(e.args[0])), force=True)
    if isinstance(e, sp.Indexed) or not e.args:
        return e
    return e.func(*map(_reduced, e.args))


def _sum(term: sp.Expr, limits: Iterable[sp.Tuple]) -> sp.Expr:
    """The sum of a product: along one axis at a time, the factors free of its index go outside."""
    left = [*limits]
    for limit in left:
        index, low, high = limit
        factors = sp.Mul.make_args(term)
        inside = sp.Mul(*(f for f in factors if index in f.free_symbols))
        outside = sp.Mul(*(f for f in factors if index not in f.free_symbols))
        rest = [z for z in left if z != limit]
        if inside == 1:
            return _sum(outside * (high - low + 1), rest)
        known = MARGINALS.get(Sum(inside, limit))
        alone = not inside.free_symbols & {z[0] for z in rest}
        if known is not None or alone:
            return _sum(outside * (known or Sum(inside, limit)), rest)
    return Sum(term, *sorted(left, key=str)) if left else term
