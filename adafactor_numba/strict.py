"""Steps that are correctly rounded: what is stored is what the paper's rule gives exactly.

X_new and R, C or V are the exact values of the rule on what was stored before, each rounded once
to its type, and where two numbers are equally near to the even one.  So no order of summation,
machine, layout or number of threads can show, and a permutation of rows or columns only permutes.

Exact are X, G, R_old, C_old, V_old, epsilon_1, epsilon_2, d and any number that rho or beta_2 is
or returns, with w = 1 - beta_2.  By the paper's schedules rho and w are the doubles nearest to
min(1e-2, 1 / sqrt t) and t^-0.8, and beta_2 = 1 - w.  X_new follows from R and C before these are
rounded.  In the paper sum R = sum C; where R_old and C_old were rounded they differ in the last
digits, and S_R is the mean of both, so that a transposed matrix takes the transposed step.  A
zero is stored as +0.

An entry is computed in pairs of float32 or in doubles with a counted bound, and is decided where
all that is within the bound rounds to the same number; what is not is computed in pairs of doubles,
then in balls, then compared by algebra.  Float64 begins with pairs of doubles.
"""

from . import hyperparameters, nearest, schedule
from .doubledouble import two_sum
from .hyperparameters import Hyperparameters
from .memory import Array
from .strict_matrix import MatrixStep
from .strict_step import Rates, Step, largest_gradient
from .strict_vector import VectorStep

__all__ = ["Rates", "Step", "largest_gradient", "rates", "step"]


def rates(constants: Hyperparameters, t: int, given: hyperparameters.Rates | None = None) -> Rates:
    """The rates of step t, which are `given` as doubles, or asked for."""
    given = given or constants.at(t)
    rho = nearest.rho(t) if constants.rho is schedule.rho else given.rho
    if constants.beta_2 is schedule.beta_2:
        w = nearest.weight(t)
        return Rates((w, 0.0), two_sum(1.0, -w), rho)
    return Rates(two_sum(1.0, -given.beta_2), (given.beta_2, 0.0), rho)


def step(
    X: Array,
    G: Array,
    statistics: dict[str, Array],
    rates: Rates,
    constants: Hyperparameters,
    threads: int = 1,
) -> Step:
    """A step on X (p, n, m) with R of p n and C of p m entries, or (1, n, 1) with V of n.

    It has read all, and written nothing.
    """
    given = X, G, statistics, rates, constants, threads
    return VectorStep(*given) if "V" in statistics else MatrixStep(*given)
