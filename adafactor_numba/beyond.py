"""A step of one parameter in wide numbers, and its statistics as doubles and exponents."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .hyperparameters import Hyperparameters, Rates
from .wide import UNIT, Wides

Array: TypeAlias = NDArray[Any]


def pair(A: Array, exponents: Array | None) -> Wides:
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
    from . import wide_matrix, wide_vector  # which few steps need

    p, n, m = X.shape
    X, G = (np.array(A.reshape(p, n, m), np.float64, order="C") for A in (X, G))
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
    return X
