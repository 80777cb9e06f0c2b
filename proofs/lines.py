"""The lines of rules as numbers, for the solvers: of one entry, whatever the sizes are."""

import sympy as sp
from sympy import Sum

from derivations.rule import Step, Target, UpdateRule, base, rewrite
from derivations.variants import named


def entry(e: sp.Expr, total: sp.Expr | None = None, **values: sp.Expr | int) -> sp.Expr:
    """`e` with a number for each array that it reads: its value, if it is given, or its name.

    A sum becomes `total`, about which a question may say what it will.

    >>> from derivations.adafactor import MATRIX
    >>> entry(MATRIX["V"].value, S_R=1)
    C*R
    """
    places: dict[str, sp.Basic] = {}

    def new(x: sp.Basic) -> sp.Basic | None:
        if isinstance(x, Sum):
            if total is None:
                raise ValueError(f"{x} is no number of one entry; say what its total is")
            return total
        if not isinstance(x, Target):
            return None
        name = str(base(x).name)
        if places.setdefault(name, x) != x:
            raise ValueError(f"{name} is read at {places[name]} and at {x}: these are two numbers")
        return sp.S(values.get(name, sp.Symbol(name)))

    return rewrite(e, new)


def line(step: Step, total: sp.Expr | None = None, **values: sp.Expr | int) -> sp.Basic:
    """That what the step defines has its value, as an equation between numbers."""
    return sp.Eq(sp.Symbol(step.name), entry(step.value, total, **values))


def variant(options: str, kind: str = "matrix") -> UpdateRule:
    """A rule of the paper's method with other answers, by the names of the options."""
    rule: UpdateRule = getattr(named(options), kind)
    return rule
