"""What the named schedules of rho and beta_2 keep of the paper's, on their own lines."""

import sympy as sp
from sympy import Eq

from derivations.adafactor import SCHEDULE, VECTOR, G, V, V_old, beta_2, epsilon_1, i
from derivations.adafactor import t as step

from .average import above, at_least
from .lines import entry, variant
from .smt import Question
from .theorem import Identity, Neighbour, Theorem, given

t = sp.Symbol("t")

PAPERS_RHO, BEFORE, AFTER, WARMED_UP, LOWER = (
    entry(rule["rho"].value)
    for rule in (
        SCHEDULE,
        *(
            variant(f"rho {e}", "schedule")
            for e in ("= 1e-2", "= 1 / sqrt t", "warmed up", "at most 1e-3")
        ),
    )
)
PAPERS_BETA, CAPPED = (
    entry(rule["beta_2"].value, t=t)
    for rule in (SCHEDULE, variant("beta_2 at most 0.999", "schedule"))
)


def first(option: str, share: int = 1) -> Identity:
    """That with an option's beta_2 V of a vector at t = 1 is that share of G^2 + epsilon_1."""
    start = variant(option, "schedule")["beta_2"].value.subs(step, 1)
    lines = (*given(VECTOR["V"]), (V_old[i], sp.S.Zero), (beta_2, start))
    return Identity(V[i], (G[i] ** 2 + epsilon_1) / share, lines)


THEOREMS = (
    Theorem(
        "schedules of rho meet at t = 10,000",
        "Up to there the paper's rho is 1e-2, from there on 1 / sqrt t; with warm-up it is smaller "
        "before and the same after. Capped at 1e-3 it is the same from t = 1,000,000 on.",
        ("t >= 1",),
        "[S] section 9; [C] keras 3.15.1",
        (
            Question((at_least(t, 1), at_least(10**4, t)), Eq(PAPERS_RHO, BEFORE)),
            Question((at_least(t, 10**4),), Eq(PAPERS_RHO, AFTER)),
            Question((at_least(t, 10**4),), Eq(PAPERS_RHO, WARMED_UP)),
            Question((at_least(t, 1), above(10**4, t)), above(PAPERS_RHO, WARMED_UP)),
            Question((at_least(t, 10**6),), Eq(PAPERS_RHO, LOWER)),
            Question((at_least(t, 1), above(10**6, t)), above(PAPERS_RHO, LOWER)),
        ),
        (
            Neighbour(
                "from 9,999 on",
                Question((at_least(t, 9999),), Eq(PAPERS_RHO, WARMED_UP)),
            ),
            Neighbour(
                "up to 10,001",
                Question((at_least(t, 1), at_least(10001, t)), Eq(PAPERS_RHO, BEFORE)),
            ),
        ),
        "A comparison that stops before 10,000 steps sees no decay of rho at all.",
    ),
    Theorem(
        "0.999 is exceeded first at t = 5,624",
        "1 - t^-0.8 > 0.999 from there on and not before; capped there, beta_2 is still 0 at t = 1,"
        " and the newest gradient counts at least 1/1000.",
        ("t >= 1",),
        "[S] section 7.2; [C] big_vision/optax.py",
        (
            Question((at_least(t, 1), at_least(5623, t)), Eq(CAPPED, PAPERS_BETA)),
            Question((at_least(t, 5624),), above(PAPERS_BETA, CAPPED)),
            Question((at_least(t, 1),), at_least(1 - CAPPED, sp.Rational(1, 1000))),
            Question((Eq(t, 1),), Eq(CAPPED, 0)),
        ),
        (
            Neighbour(
                "up to 5,624",
                Question((at_least(t, 1), at_least(5624, t)), Eq(CAPPED, PAPERS_BETA)),
            ),
            Neighbour(
                "at least 1/999",
                Question((at_least(t, 1),), at_least(1 - CAPPED, sp.Rational(1, 999))),
            ),
        ),
        "Until then the average is shorter than Adam's at its usual beta_2, and the capped variant "
        "cannot be told from the paper.",
    ),
    Theorem(
        "a constant beta_2 starts with a V that is too small",
        "With beta_2 = 0.999 or 0.9 from the start, V is 1/1000 or 1/10 of G^2 + epsilon_1 at "
        "t = 1; corrected for its bias, it is all of it.",
        ("V_old = 0", "t = 1"),
        "[S] section 7.1",
        (
            first("beta_2 = 0.999", 1000),
            first("beta_2 = 0.9", 10),
            first("beta_2 = 0.999, bias corrected"),
        ),
        (
            Neighbour("beta_2 = 0.9 like the paper", first("beta_2 = 0.9")),
            Neighbour("beta_2 from t + 1 like the paper", first("beta_2 from t + 1")),
        ),
        "The first updates are 32 or 3 times too large; clipping hides it, and only there.",
    ),
)
