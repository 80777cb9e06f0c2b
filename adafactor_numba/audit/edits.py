"""The methods one symbol away from the paper: what a single wrong line may compute instead.

They are read off the rules, so a step that is added to one has its edits at once.  Some have an
unknown constant, theta, that is found from what was observed.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

import sympy as sp

from derivations.adafactor import (
    S_R,
    alpha,
    beta_2,
    columns,
    d,
    epsilon_1,
    epsilon_2,
    k,
    l,
    m,
    mean,
    n,
    rows,
    t,
)
from derivations.method import ADAFACTOR, Method, machine_epsilon
from derivations.rule import Input, RuleError, Step, UpdateRule, base, entries

Edited: TypeAlias = Iterator[tuple[str, sp.Expr]]
Changes: TypeAlias = dict[tuple[str, str], dict[str, sp.Expr]]
"""For every (step, what): the new values of the steps of a rule."""

theta = sp.Symbol("theta", real=True)
THETA = Input(theta, sp.S.Reals, "the unknown constant")

SWAPS = {epsilon_1: epsilon_2, epsilon_2: epsilon_1, n: m, m: n, beta_2: 1 - beta_2, t: t + 1}
STAND_INS = (
    ("R", "R_old"),
    ("C", "C_old"),
    ("V", "V_old"),
    ("U", "G"),
    ("U_hat", "U"),
    ("M", "M_old"),
)
"""Names that are taken for one another by mistake."""


@dataclass(frozen=True, eq=False)
class Edit:
    """The paper with one line changed; `start` is the paper's value of theta, if it has one.

    `also` are the lines in which the same could be written.
    """

    step: str
    what: str
    method: Method
    start: float | None = None
    also: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[str, ...]:
        """The line, then those that are the same from outside."""
        return (self.step, *self.also)


@lru_cache(maxsize=8)
def edits(method: Method = ADAFACTOR) -> tuple[Edit, ...]:
    """Every edit of the method, those without an unknown constant first."""
    return (*_plain(method), *_fitted(method))


def _plain(method: Method) -> Iterator[Edit]:
    for step in method.schedule.steps:
        for what, value in _changed(step.value, ()):
            yield _scheduled(method, step, what, value)
        if step.value.has(t):
            yield _scheduled(method, step, "t - 1 for t", step.value.subs(t, sp.Max(t - 1, 1)))
        yield _scheduled(method, step, "1 - it", 1 - step.value)
    yield from _other_counts(method)
    yield from _of_both(method, *map(_symbol_changes, (method.vector, method.matrix)))


def _other_counts(method: Method) -> Iterator[Edit]:
    """The schedule with another number for t in all its steps that read it, if in several."""
    reading = [step for step in method.schedule.steps if step.value.has(t)]
    if len(reading) < 2:
        return
    for what, count in (("t + 1", t + 1), ("t - 1", sp.Max(t - 1, 1)), ("2 t", 2 * t)):
        values = {step.name: step.value.subs(t, count) for step in reading}
        first, *others = sorted(values)
        schedule = method.schedule.but(method.schedule.name, reading[0].source, **values)
        changed = replace(method, schedule=schedule)
        yield Edit(first, f"{what} for t in every line", changed, also=tuple(others))


def _symbol_changes(rule: UpdateRule) -> Changes:
    """Every step with one symbol changed; R and C also together, as they share a line in code."""
    names = {x.name for x in (*rule.inputs, *rule.steps)}
    stand_ins = [pair for pair in STAND_INS if {*pair} <= names]
    found: Changes = {}
    for step in rule.steps:
        for what, value in _changed(step.value, stand_ins):
            found.setdefault((step.name, what), {step.name: value})
        if step.name == "U_hat" and isinstance(step.value, sp.Mul):
            (U,) = (x for x in step.value.args if isinstance(x, sp.Indexed))
            found["U_hat", "clipped entry by entry"] = {"U_hat": sp.Max(sp.Min(U, d), -d)}
            for axis, mean_square in _means_along(U):
                clip = sp.Max(1, sp.sqrt(mean_square) / d)
                found["U_hat", f"clipped {axis} by {axis}"] = {"U_hat": U / clip}
    if "S_R" in names:
        already = list(found.values())
        found |= {key: new for key, new in _normalisers(rule).items() if new not in already}
    return found | _rows_with_columns(found)


def _normalisers(rule: UpdateRule) -> Changes:
    """V with another normaliser: none, or sizes too many or too few, as means mixed with sums."""
    V = rule["V"].value
    sizes = [n**a * m**b for a in (-1, 0, 1) for b in (-1, 0, 1)]
    found: Changes = {}
    for size in sizes:
        if size == 1:
            continue  # V itself, or without its denominator
        found["V", f"V times {size}"] = {"V": V * size}
        found["V", f"V times {size} sum(R)"] = {"V": V * size * S_R}
    return found


def _means_along(U: sp.Indexed) -> Iterator[tuple[str, sp.Expr]]:
    """The mean square of each row and of each column of a matrix."""
    if len(U.indices) == 2:
        i, j = U.indices
        yield "row", mean(U.base[i, l] ** 2, columns)
        yield "column", mean(U.base[k, j] ** 2, rows)


def _rows_with_columns(found: Changes) -> Changes:
    return {
        ("R and C", what): value | found["C", what]
        for (name, what), value in found.items()
        if name == "R" and ("C", what) in found
    }


def _changed(e: sp.Expr, stand_ins: Iterable[tuple[str, str]]) -> Edited:
    """`e` with one symbol changed, anywhere in it, each value once."""
    seen = {e}
    for what, value in _everywhere(e, tuple(stand_ins)):
        if value not in seen and not value.has(sp.zoo, sp.nan):
            seen.add(value)
            yield what, value


def _everywhere(e: sp.Expr, stand_ins: tuple[tuple[str, str], ...]) -> Edited:
    yield from _here(e, stand_ins)
    if isinstance(e, sp.Indexed) or not e.args:
        return
    for position, part in enumerate(e.args[:1] if isinstance(e, sp.Sum) else e.args):
        for what, new in _everywhere(part, stand_ins):
            yield what, e.func(*e.args[:position], new, *e.args[position + 1 :])


def _here(e: sp.Expr, stand_ins: tuple[tuple[str, str], ...]) -> Edited:
    match e:
        case sp.Max() | sp.Min():
            other = sp.Min if isinstance(e, sp.Max) else sp.Max
            yield f"{other.__name__} for {e.func.__name__}", other(*e.args)
            yield f"a sum for {e.func.__name__}", sp.Add(*e.args)
            yield from ((f"{_said(x)} for {_said(e)}", x) for x in e.args)
        case sp.Pow(args=(x, power)) if {*entries(x)} - {n, m}:
            yield f"{_said(e)} without its root or square", x ** sp.sign(power)
            yield f"{_said(e)} squared", x ** (2 * power)
            yield f"{_said(e)} inverted", x**-power
            if power == 2:
                yield f"its size for {_said(e)}", abs(x)
        case sp.Add():
            yield from ((f"without {_said(term)}", e - term) for term in e.args)
            yield from ((f"the other sign of {_said(x)}", e - 2 * x) for x in e.args)
        case sp.Mul():
            yield from _factors(e)
        case sp.Sum():
            for _, _, high in e.limits:
                what = f" over {high + 1}" if len(e.limits) > 1 else ""
                yield f"a mean{what} for a sum", e / (high + 1)
        case sp.Symbol() if e in SWAPS:
            yield f"{_said(SWAPS[e])} for {_said(e)}", SWAPS[e]
        case sp.Indexed():
            for pair in stand_ins:
                if base(e).name in pair:
                    (other,) = {*pair} - {base(e).name}
                    yield f"{other} for {base(e)}", _array(other)[e.indices]


def _factors(e: sp.Mul) -> Edited:
    sizes = [factor for factor in e.args if not {*entries(factor)} - {n, m} and factor != -1]
    if sizes:
        yield "a sum for a mean", e / sp.Mul(*sizes)
    for factor in e.args:
        if factor != -1:
            yield f"without the factor {_said(factor)}", e / factor
            yield f"{_said(1 / factor)} for {_said(factor)}", e / factor**2
    if -1 in e.args:
        yield "with the other sign", -e


def _array(name: str) -> sp.IndexedBase:
    return sp.IndexedBase(name, **({"nonnegative": True} if name[0] in "RCV" else {"real": True}))


def _said(e: sp.Expr) -> str:
    """`e` in words that are the same for a vector and a matrix, a row and a column."""
    text = re.sub(r"\[[^\]]*\]", "", str(e))
    return re.sub(r"Sum\((.*?), \(.*\)\)", r"sum(\1)", text)


def _of_both(method: Method, vector: Changes, matrix: Changes) -> Iterator[Edit]:
    """The changes of the vector and the matrix rule together, then of either alone."""
    for name, what in dict.fromkeys((*matrix, *vector)):
        one = vector.get(("V" if name == "R and C" else name, what))
        other = matrix.get((name, what))
        if one and other and name != "V":
            yield from _edit(method, name, what, one, other)
        if other:
            yield from _edit(method, name, f"{what}, in the matrix rule", None, other)
        if one and name != "R and C":
            yield from _edit(method, name, f"{what}, in the vector rule", one, None)


def _edit(
    method: Method, name: str, what: str, *values: dict[str, sp.Expr] | None
) -> Iterator[Edit]:
    """The edit that gives the steps of the vector and of the matrix rule these values, if any."""
    rules = []
    for rule, value in zip((method.vector, method.matrix), values, strict=True):
        added = (THETA,) if value and any(e.has(theta) for e in value.values()) else ()
        try:
            rules.append(rule.but(rule.name, rule.source, *added, **value) if value else rule)
        except RuleError:
            return
    vector, matrix = rules
    line = _line(method, name.partition(" ")[0], of_vector=matrix is method.matrix)
    also = _also(method, name, *values)
    yield Edit(line, what, replace(method, vector=vector, matrix=matrix), also=also)


def _also(method: Method, name: str, *values: dict[str, sp.Expr] | None) -> tuple[str, ...]:
    """C, where R changes with it, and V, if that of vectors does.

    C for V times a constant; for U times one the clip to its inverse.  Nothing moves where alpha is
    zero, or rho.
    """
    vector, matrix = values
    if name == "U" and vector and matrix and vector["U"] == method.vector["U"].value * theta:
        return ("U_hat",)
    if name == "X_new" and vector and vector["X_new"] == method.vector.input("X").target:
        return ("alpha", "rho", "U_hat")
    if name == "R and C":
        return ("C", "V") if vector else ("C",)
    if name in ("V", "S_R") and matrix and not vector:
        ratio = matrix[name] / method.matrix[name].value
        return ("C",) if ratio.free_symbols <= {n, m, theta} else ()
    return ()


def _line(method: Method, name: str, of_vector: bool) -> str:
    """The line of the paper that a step is a part of, or, if it was added, was added for."""
    paper, rule = (m.vector if of_vector else m.matrix for m in (ADAFACTOR, method))
    added = name not in {s.name for s in paper.steps}
    return paper.line(rule.line(name) if added else name)


def _scheduled(
    method: Method, step: Step, what: str, value: sp.Expr, start: float | None = None
) -> Edit:
    added = () if start is None else (THETA,)
    rule = method.schedule.but(method.schedule.name, step.source, *added, **{step.name: value})
    return Edit(step.name, what, replace(method, schedule=rule), start)


def _fitted(method: Method) -> Iterator[Edit]:
    """Edits with theta for a number, for a default, or as a factor of a step or of a term."""
    for step in method.schedule.steps:
        for number in sorted(step.value.atoms(sp.Rational), key=float):
            if number not in (1, -1):
                value = step.value.xreplace({number: theta})
                what = f"another number for {number}"
                yield _scheduled(method, step, what, value, float(number))
        if step.value.has(t):
            at_most, at_least = sp.Min(step.value, theta), sp.Max(step.value, theta)
            yield _scheduled(method, step, "at most a constant", at_most, 1.0)
            yield _scheduled(method, step, "at least a constant", at_least, 0.0)
            later = step.value.subs(t, sp.Max(t + theta, 1))
            yield _scheduled(method, step, "t plus a constant for t", later, 0.0)
        yield _scheduled(method, step, "times a constant", step.value * theta, 1.0)
    for x in method.matrix.inputs:
        if x.default is not None:
            yield from _defaults(method, x)
    for edit in _of_both(method, *map(_term_changes, (method.vector, method.matrix))):
        yield replace(edit, start=1.0 if "times a constant" in edit.what else 0.0)


def _defaults(method: Method, x: Input) -> Iterator[Edit]:
    """Another default of the hyperparameter x, then a number for it in all steps, or in one."""
    start = float(x.default.subs(machine_epsilon, 2.0**-52)) if x.default is not None else 0.0
    values = [_instead(rule, x) for rule in (method.vector, method.matrix)]
    name = next(iter(values[1] or values[0]))
    rules = [
        rule.but(rule.name, rule.source, replace(x, default=theta)) if value else rule
        for rule, value in zip((method.vector, method.matrix), values, strict=True)
    ]
    line = _line(method, name, of_vector=not values[1])
    other = replace(method, vector=rules[0], matrix=rules[1])
    yield Edit(line, f"another default of {x.name}", other, start)
    for edit in _edit(method, name, f"a number for {x.name}", *values):
        yield replace(edit, start=start)
    for name, value in values[1].items() if len(values[1]) > 1 else ():
        for edit in _edit(method, name, f"a number for {x.name} in {name}", None, {name: value}):
            yield replace(edit, start=start)


def _instead(rule: UpdateRule, x: Input) -> dict[str, sp.Expr]:
    """The steps that read the hyperparameter x, with theta in its place."""
    return {s.name: s.value.subs(x.target, theta) for s in rule.steps if s.value.has(x.target)}


def _term_changes(rule: UpdateRule) -> Changes:
    """A step, or a term of its sum, times theta; X that decays by theta, or by alpha theta."""
    found: Changes = {}
    for step in rule.steps:
        found[step.name, "times a constant"] = {step.name: step.value * theta}
        for term in step.value.args if isinstance(step.value, sp.Add) else ():
            value = step.value + (theta - 1) * term
            found[step.name, f"{_said(term)} times a constant"] = {step.name: value}
    found["U", "a constant added to the root"] = {"U": _with_the_root_plus_theta(rule["U"].value)}
    X = rule.input("X").target
    decayed = {"by a constant": theta * X, "like alpha": theta * alpha * X}
    for how, loss in decayed.items():
        found["X_new", f"X decays {how}"] = {"X_new": rule["X_new"].value - loss}
    return found | _rows_with_columns(found)


def _with_the_root_plus_theta(U: sp.Expr) -> sp.Expr:
    """G / (sqrt V + theta) for G / sqrt V."""
    G, root = sp.fraction(U)
    return G / (root + theta)
