"""The changes that make one method from another, each of one kind of line, free to be combined.

A change takes a method, and the name and source of what it becomes; it reads the rules as they
are, so that two changes of different lines can be made in either order.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import sympy as sp
from sympy import Expr, IndexedBase, Interval, Max, Rational, Reals, sqrt, symbols

from .adafactor import (
    MEAN_SQUARE,
    NONNEGATIVE,
    POSITIVE,
    S_R,
    C,
    G,
    R,
    U,
    U_hat,
    V,
    X,
    alpha,
    columns,
    d,
    epsilon_1,
    i,
    j,
    k,
    l,
    m,
    mean,
    n,
    rho,
    rows,
)
from .method import Axes, Method
from .rule import Input, Step, UpdateRule, base, rewrite

Change: TypeAlias = Callable[[Method, str, str], Method]
"""(method, name, source) -> the changed method."""

At: TypeAlias = tuple[Expr, ...]
OneRule: TypeAlias = Callable[[UpdateRule, At, str, str], UpdateRule]

beta_1, weight_decay = symbols("beta_1 weight_decay", positive=True)
M, M_old, S_hat = (IndexedBase(s, real=True) for s in ("M", "M_old", "S_hat"))
R_M, C_M, R_M_old, C_M_old = (
    IndexedBase(s, nonnegative=True) for s in ("R_M", "C_M", "R_M_old", "C_M_old")
)
sum_R_M, square_U = symbols("sum_R_M square_U", nonnegative=True)


def both(change: OneRule) -> Change:
    """The same change of the vector and the matrix rule, at entry [i] or [i, j]."""

    def changed(method: Method, name: str, source: str) -> Method:
        return replace(
            method,
            vector=change(method.vector, (i,), name, source),
            matrix=change(method.matrix, (i, j), name, source),
        )

    return changed


def of_matrix(change: OneRule) -> Change:
    """A change of the matrix rule alone."""

    def changed(method: Method, name: str, source: str) -> Method:
        return replace(method, matrix=change(method.matrix, (i, j), name, source))

    return changed


def scheduled(**values: Expr) -> Change:
    """Other values of rho or beta_2 at every t."""

    def changed(method: Method, name: str, source: str) -> Method:
        return replace(method, schedule=method.schedule.but(name, source, **values))

    return changed


def factoring(axes: Axes) -> Change:
    """Another choice of the two axes that are factored, if any."""

    def changed(method: Method, name: str, source: str) -> Method:
        return replace(method, axes=axes)

    return changed


def clamped(default: Expr) -> Change:
    """epsilon_1 is a lower bound of denominators, its square one of V."""

    def change(rule: UpdateRule, at: At, name: str, source: str) -> UpdateRule:
        given, least = (
            Input(epsilon_1, POSITIVE, "least denominator", default=default),
            epsilon_1**2,
        )
        values = _without_epsilon_1(rule)
        if len(at) == 1:
            return rule.but(name, source, given, **values, U=G[at] / sqrt(Max(V[at], least)))
        V_clamped = Max((R[i] / m) * (C[j] / n) / Max(S_R / (n * m), epsilon_1), least)
        return rule.but(name, source, given, **(values | {"V": V_clamped}))

    return both(change)


def in_the_root(rule: UpdateRule, at: At, name: str, source: str) -> UpdateRule:
    """epsilon_1 is added to the root of V."""
    values = _without_epsilon_1(rule)
    return rule.but(name, source, **values, U=G[at] / (sqrt(V[at]) + epsilon_1))


def in_the_denominators(default: Expr) -> Change:
    """epsilon_1 is added to R and C, or to V, where they divide."""

    def change(rule: UpdateRule, at: At, name: str, source: str) -> UpdateRule:
        given = Input(epsilon_1, POSITIVE, "added to denominators", default=default)
        values = _without_epsilon_1(rule)
        if len(at) == 1:
            return rule.but(name, source, given, **values, U=G[at] / sqrt(V[at] + epsilon_1))
        added = (R[i] / m + epsilon_1) * (C[j] / n + epsilon_1) / (S_R / (n * m))
        return rule.but(name, source, given, **(values | {"V": added}))

    return both(change)


def without_epsilon_1(rule: UpdateRule, at: At, name: str, source: str) -> UpdateRule:
    """Nothing is added to the squares."""
    return rule.but(name, source, without=("epsilon_1",), **_without_epsilon_1(rule))


def _without_epsilon_1(rule: UpdateRule) -> dict[str, Expr]:
    return {s.name: s.value.subs(epsilon_1, 0) for s in rule.steps if s.name in ("R", "C", "V")}


def with_epsilon_1(default: Expr) -> Change:
    """Another default of epsilon_1."""

    def change(rule: UpdateRule, at: At, name: str, source: str) -> UpdateRule:
        given = replace(rule.input("epsilon_1"), default=default)
        return replace(rule.but(name, source, given), name=name)

    return both(change)


def unscaled(rule: UpdateRule, at: At, name: str, source: str) -> UpdateRule:
    """alpha does not depend on X."""
    return rule.but(name, source, without=("mean_square_X", "epsilon_2"), alpha=rho)


def unclipped(rule: UpdateRule, at: At, name: str, source: str) -> UpdateRule:
    """U is not clipped."""
    return rule.but(name, source, without=("mean_square_U", "d"), U_hat=U[at])


def clipped_at(default: Expr) -> Change:
    """Another default of d."""

    def change(rule: UpdateRule, at: At, name: str, source: str) -> UpdateRule:
        return rule.but(name, source, replace(rule.input("d"), default=default))

    return both(change)


def clipped_per_matrix(rule: UpdateRule, at: At, name: str, source: str) -> UpdateRule:
    """Each matrix of a batch is clipped by its own RMS: a square that is not `MEAN_SQUARE`."""
    step = Step(square_U, mean(U[k, l] ** 2, columns, rows), source)
    value = U[at] / Max(1, sqrt(square_U) / d)
    return rule.but(name, source, step, without=(f"{MEAN_SQUARE}U",), U_hat=value)


def momentum_over_U_hat(rule: UpdateRule, at: At, name: str, source: str) -> UpdateRule:
    """M is the running average of U_hat, and alpha M the step."""
    return _with_momentum(rule, name, source, at, U_hat[at], alpha * M[at])


def momentum_over_step(rule: UpdateRule, at: At, name: str, source: str) -> UpdateRule:
    """M is the running average of alpha U_hat, and the step."""
    return _with_momentum(rule, name, source, at, alpha * U_hat[at], M[at])


def _with_momentum(
    rule: UpdateRule, name: str, source: str, at: At, averaged: Expr, step: Expr
) -> UpdateRule:
    decay = Interval.Ropen(0, 1)
    return rule.but(
        name,
        source,
        Input(beta_1, decay, "decay of the momentum", default=Rational(9, 10)),
        Input(M_old[at], Reals, "momentum", becomes="M"),
        Step(M[at], beta_1 * M_old[at] + (1 - beta_1) * averaged, source),
        X_new=rule["X_new"].value + alpha * U_hat[at] - step,
    )


def decayed(rate: Expr, first: bool = False) -> Change:
    """X loses rate weight_decay X beside its step; `first`: before alpha is computed, too."""

    def change(rule: UpdateRule, at: At, name: str, source: str) -> UpdateRule:
        given = Input(weight_decay, NONNEGATIVE, "weight decay", default=sp.S.Zero)
        kept = 1 - rate * weight_decay
        X_new = rule["X_new"].value - rate * weight_decay * X[at]
        values = {"X_new": X_new}
        if first:
            values["alpha"] = rule["alpha"].value.subs(_root_of_X(), kept * _root_of_X())
        return rule.but(name, source, given, **values)

    return both(change)


def _root_of_X() -> Expr:
    return sqrt(symbols(f"{MEAN_SQUARE}X", nonnegative=True))


def decayed_in_G(rule: UpdateRule, at: At, name: str, source: str) -> UpdateRule:
    """weight_decay X is added to G, before anything reads it."""
    given = Input(weight_decay, NONNEGATIVE, "weight decay", default=sp.S.Zero)
    return rule.but(
        name, source, given, **_reading_G(rule, at, lambda g: g + weight_decay * X[g.indices])
    )


def ascending(rule: UpdateRule, at: At, name: str, source: str) -> UpdateRule:
    """The opposite of G is read for G, so that the step is added and X decays as before."""
    return rule.but(name, source, **_reading_G(rule, at, lambda g: -g))


def _reading_G(rule: UpdateRule, at: At, instead: Callable[[sp.Indexed], Expr]) -> dict[str, Expr]:
    """The steps that another reading of G changes."""

    def new(x: sp.Basic) -> sp.Basic | None:
        return instead(x) if isinstance(x, sp.Indexed) and base(x) == base(G[at]) else None

    values = {s.name: rewrite(s.value, new) for s in rule.steps}
    return {s.name: values[s.name] for s in rule.steps if values[s.name] != s.value}
