"""Named deviations from the paper that are in use, along axes that vary independently.

An axis is a question that every implementation answers, the paper's answer being one; its options
are the other answers that are known, each with the source that computes it.  [C] is the source
code of the library named.
"""

from dataclasses import dataclass, replace
from functools import cache

from sympy import Expr, Min, Rational, sqrt

from .adafactor import alpha, beta_2, rho, t
from .changes import (
    Change,
    ascending,
    both,
    clamped,
    clipped_at,
    clipped_per_matrix,
    decayed,
    decayed_in_G,
    factoring,
    in_the_denominators,
    in_the_root,
    momentum_over_step,
    momentum_over_U_hat,
    of_matrix,
    scheduled,
    unclipped,
    unscaled,
    with_epsilon_1,
    without_epsilon_1,
)
from .method import (
    ADAFACTOR,
    Method,
    at_least,
    first_two,
    last_two,
    machine_epsilon,
    none,
    two_largest,
)


@dataclass(frozen=True, eq=False)
class Option:
    """One answer that is not the paper's."""

    name: str
    source: str
    change: Change

    def of(self, method: Method) -> Method:
        """`method` with this answer; the paper's becomes a method of the option's name."""
        changed = self.change(method, self.name, self.source)
        if method is ADAFACTOR:
            return replace(changed, name=self.name, source=self.source)
        name, source = f"{method.name}; {self.name}", f"{method.source}; {self.source}"
        return replace(changed, name=name, source=source)


@dataclass(frozen=True, eq=False)
class Axis:
    """A question; `step` is the line of the paper that answers it.

    `flags` are keywords by which a builder may be asked for another answer.
    """

    name: str
    step: str
    options: tuple[Option, ...]
    flags: tuple[str, ...] = ()


def _power(c: Expr) -> Expr:
    return 1 - t**-c


TEN_TO_MINUS_30 = Rational(1, 10**30)
PAPERS_POWER = _power(Rational(4, 5))
ADAMS = Rational(999, 1000)
_CORRECTED = (1 - ADAMS ** (t - 1)) / (1 / ADAMS - ADAMS ** (t - 1))  # exactly 0 at t = 1

AXES = (
    Axis(
        "epsilon_1",
        "V",
        (
            Option(
                "eps1 clamps the denominators",
                "[C] torch.optim.Adafactor 2.13.0",
                clamped(machine_epsilon),
            ),
            Option(
                "eps1 = 1e-30 clamps the denominators",
                "[C] torch.optim.Adafactor 2.13.0",
                clamped(TEN_TO_MINUS_30),
            ),
            Option("eps1 added to the root", "[S] Algorithm 2", both(in_the_root)),
            Option(
                "eps1 added to the denominators",
                "[C] trax/optimizers/adafactor.py",
                in_the_denominators(Rational(1, 10**16)),
            ),
            Option("no eps1", "[S] Algorithm 2, epsilon = 0", both(without_epsilon_1)),
            Option(
                "eps1 = 1e-7", "[C] pytorch_optimizer 4.1.0", with_epsilon_1(Rational(1, 10**7))
            ),
        ),
    ),
    Axis(
        "factored axes",
        "V",
        (
            Option("two largest axes", "[C] optax.scale_by_factored_rms", factoring(two_largest)),
            Option(
                "two largest axes, from 128 on",
                "[C] optax.adafactor 0.2.8",
                factoring(at_least(128, two_largest)),
            ),
            Option(
                "two largest axes, from 32 on",
                "[C] big_vision/optax.py",
                factoring(at_least(32, two_largest)),
            ),
            Option(
                "two largest axes, from 16 on",
                "[C] timm 1.0.31 adafactor_bv.py",
                factoring(at_least(16, two_largest)),
            ),
            Option(
                "first two axes, else last two, from 17 on",
                "[C] timm 1.0.31 adafactor.py",
                factoring(at_least(17, first_two, last_two)),
            ),
            Option("nothing factored", "[S] Table 2", factoring(none)),
        ),
    ),
    Axis(
        "beta_2",
        "beta_2",
        (
            Option(
                "beta_2 at most 0.999",
                "[C] big_vision/optax.py",
                scheduled(beta_2=Min(ADAMS, PAPERS_POWER)),
            ),
            Option("beta_2 = 0.999", "[S] Table 1", scheduled(beta_2=ADAMS)),
            Option("beta_2 = 0.9", "[S] Table 1", scheduled(beta_2=Rational(9, 10))),
            Option(
                "beta_2 = 0.999, bias corrected",
                "[S] section 7.1",
                scheduled(beta_2=_CORRECTED),
            ),
            Option("beta_2 = 1 - t^-0.5", "[S] Table 2", scheduled(beta_2=_power(Rational(1, 2)))),
            Option("beta_2 = 1 - 1/t", "[S] Table 2", scheduled(beta_2=1 - 1 / t)),
            Option(
                "beta_2 from t + 1",
                "[C] optax.adafactor, decay_offset -1",
                scheduled(beta_2=PAPERS_POWER.subs(t, t + 1)),
            ),
        ),
    ),
    Axis(
        "momentum",
        "X_new",
        (
            Option("momentum over U_hat", "[C] big_vision/optax.py", both(momentum_over_U_hat)),
            Option("momentum over alpha U_hat", "[T2T]", both(momentum_over_step)),
        ),
        flags=("beta_1",),
    ),
    Axis(
        "parameter scale",
        "alpha",
        (Option("no parameter scale", "[S] section 7, absolute steps", both(unscaled)),),
        flags=("scale_parameter",),
    ),
    Axis(
        "rho",
        "rho",
        (
            Option(
                "rho at most 1e-3",
                "[C] keras 3.15.1",
                scheduled(rho=Min(Rational(1, 1000), 1 / sqrt(t))),
            ),
            Option(
                "rho warmed up",
                "[S] section 9, with warm-up",
                scheduled(rho=Min(Rational(1, 10**6) * t, 1 / sqrt(t))),
            ),
            Option(
                "rho = 1e-2", "[S] section 9, without the root", scheduled(rho=Rational(1, 100))
            ),
            Option(
                "rho = 1 / sqrt t", "[S] section 9, without the cap", scheduled(rho=1 / sqrt(t))
            ),
        ),
        flags=("warmup_init", "relative_step"),
    ),
    Axis(
        "clipping",
        "U_hat",
        (
            Option("no clipping", "[S] section 5, before clipping", both(unclipped)),
            Option("clipping at d = 2", "[S] Table 2", clipped_at(Rational(2))),
            Option(
                "each matrix of a batch clipped by itself",
                "[C] t5x/adafactor.py",
                of_matrix(clipped_per_matrix),
            ),
        ),
    ),
    Axis(
        "weight decay",
        "X_new",
        (
            Option("X decays by weight_decay", "[C] optax.adafactor 0.2.8", decayed(Rational(1))),
            Option("X decays by alpha weight_decay", "[C] transformers 5.23.0", decayed(alpha)),
            Option("X decays by rho weight_decay", "[C] came-pytorch 0.1.3", decayed(rho)),
            Option(
                "X decays by 1e-2 weight_decay",
                "[C] torch.optim.Adafactor 2.13.0",
                decayed(Rational(1, 100)),
            ),
            Option(
                "X decays by 1e-3 weight_decay before alpha is taken",
                "[C] keras 3.15.1",
                decayed(Rational(1, 1000), first=True),
            ),
            Option(
                "weight_decay X is added to G", "[C] pytorch_optimizer 4.1.0", both(decayed_in_G)
            ),
        ),
        flags=("weight_decay",),
    ),
    Axis(
        "direction",
        "U",
        (Option("the step is added", "[C] torch.optim.Adafactor, maximize", both(ascending)),),
        flags=("maximize",),
    ),
)
"""Every axis; the order is that in which a search decides them."""

_SCHEDULES_LAST = sorted(AXES, key=lambda axis: axis.step in (rho.name, beta_2.name))
_POSITION = {o: k for k, axis in enumerate(_SCHEDULES_LAST) for o in axis.options}


def combined(options: tuple[Option, ...]) -> Method:
    """The paper's method with all these answers, of different axes; the same object every time.

    Schedules are changed last, so that methods which differ in these alone share their rules.
    """
    return _in_order(tuple(sorted(options, key=_POSITION.__getitem__)))


@cache
def _in_order(options: tuple[Option, ...]) -> Method:
    return options[-1].of(_in_order(options[:-1])) if options else ADAFACTOR


OPTIONS = {option.name: option for axis in AXES for option in axis.options}
"""Every option by its name."""


def named(name: str) -> Method:
    """The method with the options that `name` lists, apart by semicolons, as a report names it.

    >>> named("beta_2 = 0.9; no clipping").schedule["beta_2"].value
    9/10
    """
    return combined(tuple(OPTIONS[part] for part in name.split("; ")))


HIDDEN = ("weight decay", "direction")
"""Axes of which no default shows: X decays by 0, and a library ascends only if it is asked to."""

VARIANTS = tuple(
    combined((option,)) for axis in AXES if axis.name not in HIDDEN for option in axis.options
)
"""The paper with one answer changed, for every option that shows without a flag."""
