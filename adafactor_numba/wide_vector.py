"""Adafactor for weight vectors in wide numbers: [S] Algorithm 5, whatever the doubles it is given.

The arrays are float64 and contiguous; the statistic V (n,) is a pair, mantissas and exponents.
"""

import numpy as np

from .loops import Floats, loop
from .wide import (
    Wide,
    Wides,
    at,
    clipping,
    difference,
    over,
    plus,
    put,
    relative_step,
    root,
    sum_of,
    times,
    wide,
)


def _mean_square(X: Floats) -> Wide:
    """The mean of X_i^2, X (n,).  Step mean_square_X."""
    n = X.shape[0]
    squares = np.empty(n), np.empty(n, np.int64)
    for i in range(n):
        x = wide(X[i])
        put(squares, i, times(x, x))
    return over(sum_of(squares), wide(n))


mean_square = loop(_mean_square)


def _second_moment(V: Wides, G: Floats, w: float, beta_2: float, epsilon_1: float) -> None:
    """Update V (n,) in place from the gradient G (n,), w = 1 - beta_2.  Step V."""
    for i in range(G.shape[0]):
        g = wide(G[i])
        new = plus(times(g, g), wide(epsilon_1))
        put(V, i, plus(times(wide(beta_2), at(V, i)), times(wide(w), new)))


second_moment = loop(_second_moment)


def _mean_square_of_U(G: Floats, V: Wides) -> Wide:
    """The mean of U_i^2, U = G / sqrt V.  Steps U, mean_square_U."""
    n = G.shape[0]
    squares = np.empty(n), np.empty(n, np.int64)
    for i in range(n):
        g = wide(G[i])
        put(squares, i, over(times(g, g), at(V, i)))
    return over(sum_of(squares), wide(n))


mean_square_of_U = loop(_mean_square_of_U)


def _descend(X: Floats, G: Floats, V: Wides, scale: Wide) -> None:
    """Subtract scale U, U = G / sqrt V, from X (n,) in place.  Steps U_hat, X_new."""
    for i in range(X.shape[0]):
        step = times(over(scale, root(at(V, i))), wide(G[i]))
        X[i] = difference(X[i], step)


descend = loop(_descend)


def _step(
    X: Floats,
    G: Floats,
    V: Wides,
    w: float,
    beta_2: float,
    rho: float,
    epsilon_1: float,
    epsilon_2: float,
    d: float,
) -> None:
    """One step in place on X (n,) and V (n,); G as X, w = 1 - beta_2."""
    alpha = relative_step(mean_square(X), rho, epsilon_2)
    second_moment(V, G, w, beta_2, epsilon_1)
    descend(X, G, V, over(alpha, clipping(mean_square_of_U(G, V), d)))


step = loop(_step)
