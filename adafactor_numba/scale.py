"""What a strict step multiplies by, between its passes: in pairs, with the bounds counted for it.

A bound is infinite where nothing is known, as products may leave the range of pairs.
"""

import math

import numpy as np

from .bounds import SLACK
from .doubledouble import PAIR, Pair, divide, root, times
from .loops import Floats, loop
from .pairsums import gather, roots, sum_of_products

LEAST = 2.0**-900  # below, products of pairs may leave the range in which they are exact
RANGE = 2.0**450  # of factors: two of them and an entry have a product of pairs


def _largest(R: Floats, C: Floats) -> float:
    """The largest of these pairs (2, p, n) and (2, p, m); a NaN in one is one in the other."""
    return max(R[0].max(), C[0].max())


largest = loop(_largest)


def _relative_step_size(
    square: Pair, size: int, rho: float, epsilon_2: float
) -> tuple[Pair, float]:
    """max(epsilon_2, RMS(X)) rho and its bound, 0 where it is 0; the squares of X are summed."""
    if rho == 0.0 or epsilon_2 == square[0] == 0.0:
        return (0.0, 0.0), 0.0
    x, y = divide(square[0], square[1], float(size), 0.0)
    x, y = root(x, y)
    if (x, y) < (epsilon_2, 0.0):
        x, y = epsilon_2, 0.0
    good = min(x, rho) * RANGE >= 1.0
    return times(x, y, rho), 4 * PAIR if good else math.inf


relative_step_size = loop(_relative_step_size)


def _clipping(mean: Pair, bound: float, lost: float, d: float) -> tuple[Pair, float]:
    """max(1, RMS(U) / d) and its bound, 0 where RMS(U) is surely below d.

    The mean of U^2 is within `bound`, and what is `lost` besides.
    """
    if math.sqrt(mean[0] * (1.0 + bound) + lost) * SLACK < d:
        return (1.0, 0.0), 0.0
    if not (mean[0] >= LEAST and bound + lost / mean[0] < 0.5):
        return (1.0, 0.0), math.inf
    x, y = root(mean[0], mean[1])
    x, y = divide(x, y, d, 0.0)
    if (x, y) < (1.0, 0.0):
        x, y = 1.0, 0.0
    return (x, y), (bound + lost / mean[0] + 2 * PAIR) * SLACK


clipping = loop(_clipping)


def _factor(
    square: Pair,
    size: int,
    rho: float,
    epsilon_2: float,
    mean: Pair,
    bound: float,
    lost: float,
    d: float,
) -> tuple[Pair, float, bool]:
    """max(epsilon_2, RMS(X)) rho / max(1, RMS(U) / d), its bound, and whether RMS(U) is below d.

    The bound is 0 where this is 0.  With an infinite d nobody looks at the mean of U^2.
    """
    alpha, own = relative_step_size(square, size, rho, epsilon_2)
    divisor, other = (1.0, 0.0), 0.0
    if d < math.inf:
        divisor, other = clipping(mean, bound, lost, d)
    if alpha[0] == own == 0.0:
        return alpha, 0.0, other == 0.0
    scale = divide(alpha[0], alpha[1], divisor[0], divisor[1])
    return scale, own + other + PAIR, other == 0.0


factor = loop(_factor)


def _mean_square_U(
    ratios: Floats, R: Floats, C: Floats, S: Floats, weights: Floats, size: int
) -> tuple[Pair, float]:
    """The mean of U^2, and what may be lost of it below the range of doubles.

    Of sums (2, strips, m) of G^2 times the R (2, p, n), each times the C (2, p, m) of its column
    and the weight (2, p) of its matrix.
    """
    columns = np.empty_like(C)
    gather(ratios, columns)
    x, y = sum_of_products(columns, C, weights)
    lost = 2.0**-1060 * (1.0 + R[0].max()) * (1.0 + C[0].max()) * (1.0 + S[0].max())
    return divide(x, y, float(size), 0.0), lost


mean_square_U = loop(_mean_square_U)


def _within(a: Floats) -> bool:
    """Whether all of the pairs (2, p, n) are factors of a product of pairs."""
    return a[0].min() * RANGE >= 1.0 and a[0].max() <= RANGE


within = loop(_within)


def _scaled(R: Floats, c: Floats, scale: Pair, bound: float) -> tuple[Floats, float]:
    """The roots of R (2, p, n), times the scale; the bound, unless c (2, p, m) or they forbid."""
    f = roots(R, scale)
    good = scale[0] >= LEAST and within(f) and within(c)
    return f, bound if good else math.inf


scaled = loop(_scaled)
