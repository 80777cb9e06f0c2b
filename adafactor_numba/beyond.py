"""A step of one parameter that is not ordinary as it is given.

G 2^s, with epsilon_1 and the statistics 4^s times, moves X by the same bits for any s, as powers of
two scale exactly: so the loops over doubles take it in a unit in which it is ordinary.  The largest
s for which nothing is too large is tried.  If then epsilon_1 is too small, or an entry of G loses a
digit, no s will do, and the step is taken in wide numbers, as it is where X or a hyperparameter
that has no such unit is out of bounds.
"""

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import matrix, vector
from .hyperparameters import Hyperparameters, Rates
from .ordinary import (
    CONSTANTS,
    LARGEST_STATISTIC,
    LARGEST_SUM_G,
    constants_are_ordinary,
    rate_is_ordinary,
    weights_are_ordinary,
)
from .wide import NOTHING, UNIT, Wide, Wides

Array: TypeAlias = NDArray[Any]


def pair(A: Array, exponents: Array | int | None) -> Wides:
    """The numbers A 2^exponents, or the doubles A, as wide numbers, in arrays of their own."""
    mantissas, e = np.frexp(A)
    e = e.astype(np.int64) + (0 if exponents is None else exponents)
    whole = (e + UNIT // 2 - 1) // UNIT * UNIT
    return np.asarray(np.ldexp(mantissas, e - whole)), np.asarray(whole)


def doubles(a: Wides) -> Array:
    """Wide numbers as doubles, infinite or rounded where these end."""
    with np.errstate(all="ignore"):
        return np.asarray(np.ldexp(*a))


def moved(
    X: Array, G: Array, old: Mapping[str, Wides], rates: Rates, constants: Hyperparameters
) -> Array:
    """X_new in float64 of X (p, n, m), a vector as (1, n, 1); R and C, or V, updated in place."""
    X = np.array(X, np.float64, order="C")
    if not _moved_in_another_unit(X, G, old, rates, constants):
        _moved_in_wide_numbers(X, G, old, rates, constants)
    return X


@np.errstate(under="ignore")
def _moved_in_another_unit(
    X: Array, G: Array, old: Mapping[str, Wides], rates: Rates, constants: Hyperparameters
) -> bool:
    """The step in place by the loops over doubles; False, and nothing done, where no unit fits."""
    s = unit(G, old, constants.epsilon_1)
    if not (constants_are_ordinary(constants, s) and rate_is_ordinary(rates.rho)):
        return False
    if not weights_are_ordinary(matrix.mean_square(X) * X.size, constants.epsilon_2):
        return False
    scaled = np.multiply(G, 2.0**s, dtype=np.float64, order="C")
    if s < 0 and not (scaled * 2.0**-s == G).all():
        return False
    p, n, m = X.shape
    epsilon_1 = math.ldexp(constants.epsilon_1, 2 * s)
    new = {name: doubles((A, exponents + 2 * s)) for name, (A, exponents) in old.items()}
    scalars = (*rates, epsilon_1, constants.epsilon_2, constants.d)
    if "V" in new:
        vector.step(X.reshape(n), scaled.reshape(n), new["V"].reshape(n), *scalars)
    else:
        matrix.step(X, scaled, new["R"].reshape(p, n), new["C"].reshape(p, m), *scalars)
    for name, (A, exponents) in old.items():
        A[...], exponents[...] = pair(new[name], -2 * s)
    return True


def unit(G: Array, statistics: Mapping[str, Wides], epsilon_1: float) -> int:
    """The largest s for which G 2^s, epsilon_1 4^s and the statistics 4^s are not too large."""
    squares = [
        (2 * LARGEST_SUM_G, _sum_of_squares(G)),
        (CONSTANTS["epsilon_1"][1], (epsilon_1, 0)),
        *((LARGEST_STATISTIC, a) for a in statistics.values()),
    ]
    return min((_exponent(largest) - _exponent(*a)) // 2 for largest, a in squares)


def _sum_of_squares(G: Array) -> Wide:
    """sum G^2 as a number and an exponent of 2; no unit of G changes the number."""
    top = float(max(G.max(), -G.min()))
    if top == 0.0:
        return 0.0, 0
    mantissa, exponent = math.frexp(top)
    ratios = np.divide(G, top, dtype=np.float64, order="C")
    return mantissa * mantissa * matrix.mean_square(ratios) * G.size, 2 * exponent


def _exponent(x: Any, exponents: Any = 0) -> int:
    """The least e for which |x| 2^exponents is nowhere more than 2^e."""
    mantissas, e = np.frexp(x)
    e = np.where(mantissas == 0.0, NOTHING, e + exponents - (np.abs(mantissas) == 0.5))
    return int(e.max())


def _moved_in_wide_numbers(
    X: Array, G: Array, old: Mapping[str, Wides], rates: Rates, constants: Hyperparameters
) -> None:
    """The step in place by the wide loops, which take everything."""
    from . import wide_matrix, wide_vector  # which few steps need

    p, n, m = X.shape
    G = np.array(G, np.float64, order="C")
    scalars = (*rates, constants.epsilon_1, constants.epsilon_2, constants.d)
    if "V" in old:
        V, exponents = (A.reshape(n) for A in old["V"])
        wide_vector.step(X.reshape(n), G.reshape(n), (V, exponents), *scalars)
    else:
        R, C = (
            (old[name][0].reshape(p, size), old[name][1].reshape(p, size))
            for name, size in (("R", n), ("C", m))
        )
        wide_matrix.step(X, G, R, C, *scalars)
