"""Questions whose answers give the same X_new, so that no audit can tell them apart; with proofs.

Each answer that is not the paper's keeps other statistics.  What they are of the paper's holds at
the start, where all are 0, and every line of the rule that reads them keeps it so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sympy as sp
from sympy import Sum

from .adafactor import (
    MATRIX,
    S_R,
    SCHEDULE,
    C,
    C_old,
    G,
    R,
    R_old,
    beta_2,
    columns,
    epsilon_1,
    i,
    j,
    k,
    l,
    m,
    mean,
    n,
    rows,
    t,
)
from .calculus import Given
from .factorization import COLUMN_SUMS, ROW_SUMS, A, Line
from .rule import Target, UpdateRule, base, rewrite


@dataclass(frozen=True)
class Equivalent:
    """A question that nothing outside answers, the theorem that says so, and its proof."""

    name: str
    theorem: str
    proof: tuple[Line, ...]

    @property
    def verified(self) -> bool:
        """Whether every line of the proof is."""
        return all(line.verified for line in self.proof)


MEANS = MATRIX.but(
    "matrix, by means",
    "[C] torch.optim.Adafactor 2.13.0",
    R=beta_2 * R_old[i] + (1 - beta_2) * mean(G[i, l] ** 2 + epsilon_1, columns),
    C=beta_2 * C_old[j] + (1 - beta_2) * mean(G[k, j] ** 2 + epsilon_1, rows),
    S_R=mean(R[k], rows),
)
LATE_EPSILON_1 = MATRIX.but(
    "matrix, epsilon_1 added to the sums",
    "[S] Algorithm 4, lines 5 and 6",
    R=beta_2 * R_old[i] + (1 - beta_2) * (Sum(G[i, l] ** 2, columns) + m * epsilon_1),
    C=beta_2 * C_old[j] + (1 - beta_2) * (Sum(G[k, j] ** 2, rows) + n * epsilon_1),
)
FROM_ZERO = SCHEDULE.but(
    "schedule, t from 0",
    "[C] optax.adafactor 0.2.8",
    rho=SCHEDULE["rho"].value.subs(t, t + 1),
    beta_2=SCHEDULE["beta_2"].value.subs(t, t + 1),
)


def scaled(other: UpdateRule, factors: Mapping[sp.Symbol, sp.Expr]) -> Iterator[Line]:
    """That the statistics of `other` are the paper's times their factors, and V is the paper's."""

    def image(x: sp.Basic) -> sp.Basic | None:
        return factors.get(base(x), sp.S.One) * x if isinstance(x, Target) else None

    for name in ("R", "C", "S_R", "V"):
        written, kept = (rewrite(e, image) for e in (other[name].value, MATRIX[name].target))
        yield Line(f"{name}, times what it is of the paper's", written, kept, (_step(name),))


def _step(name: str) -> Given:
    return MATRIX[name].target, MATRIX[name].value


def _late() -> Iterator[Line]:
    for name in ("R", "C"):
        yield Line(f"{name} as in the paper", LATE_EPSILON_1[name].value, MATRIX[name].value)


def _totals() -> Iterator[Line]:
    total = Sum(A[k, l], columns, rows)
    yield Line("R being the row sums of A", Sum(R[k], rows), total, ROW_SUMS)
    yield Line("C being its column sums", Sum(C[l], columns), total, COLUMN_SUMS)


def _shifted() -> Iterator[Line]:
    for step in SCHEDULE.steps:
        value = FROM_ZERO[step.name].value.subs(t, t - 1)
        yield Line(f"{step.name} at t - 1 as in the paper at t", value, step.value)


EQUIVALENTS = (
    Equivalent(
        "sums or means",
        "By means, R is 1/m, C 1/n and S_R 1/(n m) of the paper's, and V is the paper's.",
        (
            *scaled(
                MEANS,
                {
                    R.label: 1 / m,
                    R_old.label: 1 / m,
                    C.label: 1 / n,
                    C_old.label: 1 / n,
                    S_R: 1 / (n * m),
                },
            ),
        ),
    ),
    Equivalent(
        "the sum of R or of C in V",
        "Both are the sum of A, the running average of G^2 + epsilon_1.",
        (*_totals(),),
    ),
    Equivalent(
        "epsilon_1 in the squares or in their sums",
        "m epsilon_1 added to a sum of m squares is epsilon_1 added to each; in means, epsilon_1.",
        (*_late(),),
    ),
    Equivalent(
        "t from 0 or from 1",
        "With t + 1 for t in both schedules, t counts the steps done before.",
        (*_shifted(),),
    ),
)
"""All that are known."""
