"""Named deviations from the paper that are in use, each with the source that computes it.

A variant is the paper's rules with `but`: some values replaced, some inputs or steps added or left
out; or another choice of the factored axes.  [C] is the source code of the library named.
"""

from collections.abc import Callable
from dataclasses import replace

from sympy import Expr, IndexedBase, Interval, Max, Min, Rational, Reals, Sum, sqrt, symbols

from .adafactor import (
    MATRIX,
    POSITIVE,
    S_R,
    SCHEDULE,
    VECTOR,
    C,
    C_old,
    G,
    R,
    R_old,
    U,
    U_hat,
    V,
    V_old,
    X,
    alpha,
    beta_2,
    columns,
    epsilon_1,
    i,
    j,
    k,
    l,
    m,
    n,
    rho,
    rows,
    t,
)
from .method import ADAFACTOR, Method, machine_epsilon, none, two_largest
from .rule import Input, Step, UpdateRule

beta_1 = symbols("beta_1", positive=True)
M, M_old = (IndexedBase(s, real=True) for s in ("M", "M_old"))


def _method(vector: UpdateRule, matrix: UpdateRule) -> Method:
    """The paper with these rules; it has their name and source."""
    name, source = matrix.name, matrix.source
    return replace(ADAFACTOR, name=name, source=source, vector=vector, matrix=matrix)


def _both(change: Callable[[UpdateRule, tuple[Expr, ...]], UpdateRule]) -> Method:
    """The paper with the same change to the vector and the matrix rule, at entry [i] or [i, j]."""
    return _method(change(VECTOR, (i,)), change(MATRIX, (i, j)))


def _clamped() -> Method:
    name, source = "eps1 clamps the denominators", "[C] torch.optim.Adafactor 2.13.0"
    default = Input(epsilon_1, POSITIVE, "least denominator", default=machine_epsilon)
    least = epsilon_1**2
    squares = beta_2 * V_old[i] + (1 - beta_2) * G[i] ** 2
    vector = VECTOR.but(name, source, default, V=squares, U=G[i] / sqrt(Max(V[i], least)))
    matrix = MATRIX.but(
        name,
        source,
        default,
        R=beta_2 * R_old[i] + (1 - beta_2) * Sum(G[i, l] ** 2, columns),
        C=beta_2 * C_old[j] + (1 - beta_2) * Sum(G[k, j] ** 2, rows),
        V=Max((R[i] / m) * (C[j] / n) / Max(S_R / (n * m), epsilon_1), least),
    )
    return _method(vector, matrix)


def _momentum_over_U_hat(rule: UpdateRule, at: tuple[Expr, ...]) -> UpdateRule:
    name, source = "momentum over U_hat", "[C] big_vision/optax.py"
    return _with_momentum(rule, name, source, at, U_hat[at], alpha * M[at])


def _momentum_over_step(rule: UpdateRule, at: tuple[Expr, ...]) -> UpdateRule:
    return _with_momentum(rule, "momentum over alpha U_hat", "[T2T]", at, alpha * U_hat[at], M[at])


def _with_momentum(
    rule: UpdateRule, name: str, source: str, at: tuple[Expr, ...], averaged: Expr, step: Expr
) -> UpdateRule:
    """M is the running average of `averaged`, and `step` what is subtracted from X."""
    return rule.but(
        name,
        source,
        Input(beta_1, Interval.Ropen(0, 1), "decay of the momentum", default=Rational(9, 10)),
        Input(M_old[at], Reals, "momentum", becomes="M"),
        Step(M[at], beta_1 * M_old[at] + (1 - beta_1) * averaged, source),
        X_new=X[at] - step,
    )


def _unclipped(rule: UpdateRule, at: tuple[Expr, ...]) -> UpdateRule:
    source = "[S] section 5, before clipping"
    return rule.but("no clipping", source, without=("mean_square_U", "d"), U_hat=U[at])


def _unscaled(rule: UpdateRule, at: tuple[Expr, ...]) -> UpdateRule:
    source = "[S] section 7, absolute steps"
    gone = ("mean_square_X", "epsilon_2")
    return rule.but("no parameter scale", source, without=gone, alpha=rho)


def _eps1_in_the_root(rule: UpdateRule, at: tuple[Expr, ...]) -> UpdateRule:
    source = "[S] Algorithm 2"
    values = {s.name: s.value.subs(epsilon_1, 0) for s in rule.steps if s.name in ("R", "C", "V")}
    return rule.but("eps1 added to the root", source, **values, U=G[at] / (sqrt(V[at]) + epsilon_1))


def _scheduled(name: str, source: str, **values: Expr) -> Method:
    schedule = SCHEDULE.but(name, source, **values)
    return replace(ADAFACTOR, name=name, source=source, schedule=schedule)


VARIANTS = (
    _clamped(),
    _both(_momentum_over_U_hat),
    _both(_momentum_over_step),
    replace(
        ADAFACTOR, name="two largest axes", source="[C] optax.adafactor 0.2.8", axes=two_largest
    ),
    replace(ADAFACTOR, name="nothing factored", source="[S] Table 2", axes=none),
    _both(_unclipped),
    _both(_unscaled),
    _both(_eps1_in_the_root),
    _scheduled(
        "beta_2 at most 0.999",
        "[C] big_vision/optax.py",
        beta_2=Min(Rational(999, 1000), 1 - t ** Rational(-4, 5)),
    ),
    _scheduled("beta_2 = 0.999", "[S] Table 1", beta_2=Rational(999, 1000)),
    _scheduled(
        "rho warmed up",
        "[S] section 9, with warm-up",
        rho=Min(Rational(1, 10**6) * t, 1 / sqrt(t)),
    ),
    _scheduled("rho at most 1e-3", "[C] keras 3.15.1", rho=Min(Rational(1, 1000), 1 / sqrt(t))),
)
