"""Where the loops over doubles are right; everything else takes the wide numbers.

An operation that underflows is off by 2^-1075 at most, one that overflows by anything.  Within the
bounds below none overflows, and what is lost to underflow is below u^2 = 2^-106 of the value that
it is added to, which gamma(K) has to spare: it exceeds (1 + u)^K - 1 by about K^2 u^2 / 2.  For
n m = N <= 2^44 entries, w = 1 - beta_2 >= 2^-53 and t <= 2^53:

* R_i >= w m epsilon_1 >= 2^-253 m, C_j >= 2^-253 n, V_i >= 2^-253: a square or an old statistic
  that underflows is far below.  Each is a mean of sums below 2^401 and of what was kept, rounded
  4 t times: below 2^407.
* S_R <= n 2^407, so that 1 <= r_i <= 2^352 and 2^-204 <= c_j <= 2^127.
* G_ij^2 <= R_i / w, so that U_ij^2 <= S_R / (w C_j) <= 2^713, and so is their mean.  On the way to
  it, G_ij^2 / R_i is below 2^53, its sum over i below 2^97, that times S_R / C_j <= 2^704 below
  2^801, and the sum over j below 2^845.  What underflows there changes U_ij^2 by 2^-1075 S_R /
  (R_i C_j) or by 2^-1075 S_R / C_j, the mean by less than 2^-162, which is compared with
  d^2 >= 2^-40.
* RMS(X) or epsilon_2 is at least 2^-247, and alpha 0 or from 2^-347 to 2^500.  U is divided by 1 to
  2^377.  So alpha r_i c_j is 0 or from 2^-928 to 2^979 in whatever order it is formed.
* Its product with G_ij, the step, is below 2^857 and may underflow: once, by half of the least
  double, which the bound of X_new allows for.

A vector has 1 / sqrt(V_i), from 2^-204 to 2^127, for r_i c_j.

G has a unit: with G 2^s, and epsilon_1 and the statistics 4^s times, X moves by the same bits for
every s that leaves all within bounds.  So `beyond` looks for one where a step is not ordinary as it
is given.  There the bounds of sums are twice as wide, as these may be added up in another order;
all said above holds for four times as wide ones, of 2^400 for G, 2^800 and 2^-450 for X.  Hence
what is ordinary as given has such a unit, and whether there is one does not depend on the unit.
What has none is of the wide loops, which add in another order: where G^2 or a statistic is some
2^600 times epsilon_1, or where X, rho, epsilon_2 or d is out of bounds.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .hyperparameters import Hyperparameters

LARGEST_SUM_G = 2.0**398
LARGEST_SUM_X = 2.0**798
LEAST_SUM_X, LEAST_EPSILON_2 = 2.0**-448, 2.0**-225  # one of them is enough
STATISTICS = (2.0**-1022, 2.0**400)  # from the least double that loses no digit
LARGEST_STATISTIC = 2.0**406  # in another unit: more than t updates make of 2^400
RATES = (2.0**-100, 2.0**100)
CONSTANTS = {
    "epsilon_1": (2.0**-200, 2.0**200),
    "epsilon_2": (0.0, 2.0**400),
    "d": (2.0**-20, math.inf),
}


def constants_are_ordinary(given: Hyperparameters, s: int = 0) -> bool:
    """Whether epsilon_1 4^s, epsilon_2 and d are within bounds."""
    epsilon_1 = math.ldexp(given.epsilon_1, 2 * s)
    values = {"epsilon_1": epsilon_1, "epsilon_2": given.epsilon_2, "d": given.d}
    return all(low <= values[name] <= high for name, (low, high) in CONSTANTS.items())


def rate_is_ordinary(rho: float) -> bool:
    """Whether rho is within bounds."""
    return rho == 0 or RATES[0] <= rho <= RATES[1]


class Bounds(NamedTuple):
    """The largest sum of G^2, the largest and the least of X^2."""

    gradient: float
    weights: float
    least_weights: float


def bounds(epsilon_2: float) -> Bounds:
    """What the sums of squares must be within."""
    least_X = 0.0 if epsilon_2 >= LEAST_EPSILON_2 else LEAST_SUM_X
    return Bounds(LARGEST_SUM_G, LARGEST_SUM_X, least_X)


def sums_are_ordinary(sum_G: Any, sum_X: Any, epsilon_2: float) -> Any:
    """Whether sums of G^2 and X^2 are within bounds; not if an entry is no number."""
    largest_G, largest_X, least_X = bounds(epsilon_2)
    return (sum_G <= largest_G) & (sum_X <= largest_X) & (sum_X >= least_X)


def weights_are_ordinary(sum_X: float, epsilon_2: float) -> bool:
    """The same of X^2 alone, by twice the bounds, as it may be added up in another order."""
    _, largest, least = bounds(epsilon_2)
    return least / 2 <= sum_X <= 2 * largest


def statistics_are_ordinary(A: NDArray[np.float64]) -> bool:
    """Whether R, C or V are within bounds, or none is kept yet."""
    low, high = STATISTICS
    return bool(((low <= A) & (high >= A)).all() or not A.any())
