"""A theorem as data: what it says, on what it rests, how it is proved, how it could be false."""

from dataclasses import dataclass
from typing import TypeAlias

import sympy as sp

from derivations.calculus import Given
from derivations.rule import Step

from .rocq import Altered, Formal
from .smt import Question


@dataclass(frozen=True)
class Identity:
    """left = right for all sizes and all values, by linearity of finite sums and cancellation.

    What is given are the lines of a rule that it reads, or what was proved before.
    """

    left: sp.Expr
    right: sp.Expr
    given: tuple[Given, ...] = ()
    positive: bool = False


Claim: TypeAlias = Identity | Question | Formal
"""What a checker decides: an equation, what follows from inequalities, a theorem in Rocq."""


@dataclass(frozen=True)
class Neighbour:
    """What is nearly the theorem, and false; `name` says what was dropped or changed."""

    name: str
    claim: Claim | Altered


@dataclass(frozen=True)
class Theorem:
    """`words` is what it says and `meaning` what that is to a user; proved if every claim is."""

    name: str
    words: str
    hypotheses: tuple[str, ...]
    source: str
    claims: tuple[Claim, ...]
    neighbours: tuple[Neighbour, ...]
    meaning: str

    def __post_init__(self) -> None:
        if not self.claims or not self.neighbours:
            raise ValueError(f"{self.name}: a theorem has a claim and a false neighbour")

    @property
    def statement(self) -> str:
        """The claims as LaTeX."""
        return r" \\ ".join(map(_stated, self.claims))


def given(*steps: Step) -> tuple[Given, ...]:
    """The lines of a rule, last first, so that each is written before those that it reads."""
    return tuple((step.target, step.value) for step in reversed(steps))


def _stated(claim: Claim) -> str:
    if isinstance(claim, Identity):
        return str(sp.latex(sp.Eq(claim.left, claim.right, evaluate=False)))
    if isinstance(claim, Formal):
        return claim.latex
    hypotheses = ", ".join(map(sp.latex, claim.given))
    goal = sp.latex(claim.goal)
    return rf"{hypotheses} \implies {goal}" if hypotheses else goal
