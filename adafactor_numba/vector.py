"""Adafactor for weight vectors as loops: [S] Algorithm 5; each loop names the steps it implements.

A scalar is a vector of one.
"""

import math

from numpy import float64

from .loops import BLOCK, Floats, Stored, clipping, loop, relative_step, sum_of_squares


def _mean_square(X: Stored) -> float:
    """The mean of X_i^2, X (n,).  Step mean_square_X."""
    return sum_of_squares(X) / X.shape[0]


mean_square = loop(_mean_square)


def _second_moment(V: Floats, G: Stored, w: float, beta_2: float, epsilon_1: float) -> None:
    """Update V (n,) in place from the gradient G (n,), w = 1 - beta_2.  Step V."""
    for i in range(G.shape[0]):
        g = float64(G[i])
        V[i] = beta_2 * V[i] + w * (g * g + epsilon_1)


second_moment = loop(_second_moment)


def _mean_square_of_U(G: Stored, V: Floats) -> float:
    """The mean of U_i^2, U = G / sqrt V, summed in blocks.  Steps U, mean_square_U."""
    total = 0.0
    for start in range(0, G.shape[0], BLOCK):
        block = 0.0
        for i in range(start, min(start + BLOCK, G.shape[0])):
            u = float64(G[i]) / math.sqrt(V[i])
            block += u * u
        total += block
    return total / G.shape[0]


mean_square_of_U = loop(_mean_square_of_U)


def _descend(X: Stored, G: Stored, V: Floats, scale: float) -> None:
    """Subtract scale U, U = G / sqrt V, from X (n,) in place.  Steps U_hat, X_new."""
    for i in range(X.shape[0]):
        u = float64(G[i]) / math.sqrt(V[i])
        X[i] = float64(X[i]) - scale * u


descend = loop(_descend)


def _step(
    X: Stored,
    G: Stored,
    V: Floats,
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
    descend(X, G, V, alpha / clipping(mean_square_of_U(G, V), d))


step = loop(_step)
