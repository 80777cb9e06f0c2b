"""Adafactor for weight matrices as loops: [S] Algorithm 4; each loop names the steps it implements.

A tensor is p matrices of n rows and m columns side by side, a matrix the case p = 1: each has its
own R and C, while RMS(X), RMS(U) and so the clipping are over the whole tensor.
"""

import math

import numpy as np
from numpy import float64

from .loops import Floats, Stored, clipping, loop, relative_step, sum_of_squares


def _mean_square(X: Stored) -> float:
    """The mean of X_bij^2, X (p, n, m).  Step mean_square_X."""
    p, n, m = X.shape
    total = 0.0
    for b in range(p):
        matrix = 0.0
        for i in range(n):
            matrix += sum_of_squares(X[b, i])
        total += matrix
    return total / (p * n * m)


mean_square = loop(_mean_square)


def _second_moment(
    R: Floats, C: Floats, G: Stored, w: float, beta_2: float, epsilon_1: float
) -> None:
    """Update R (n,) and C (m,) in place from the gradient G (n, m), w = 1 - beta_2.  Steps R, C."""
    n, m = G.shape
    column_sums = np.zeros_like(C)
    for i in range(n):
        row_sum = 0.0
        for j in range(m):
            g = float64(G[i, j])
            square = g * g + epsilon_1
            row_sum += square
            column_sums[j] += square
        R[i] = beta_2 * R[i] + w * row_sum
    for j in range(m):
        C[j] = beta_2 * C[j] + w * column_sums[j]


second_moment = loop(_second_moment)


def _scales(r: Floats, c: Floats, R: Floats, C: Floats) -> None:
    """Write r = sqrt(S_R / R) and c = 1 / sqrt(C), so that U_ij = G_ij r_i c_j.  Steps S_R, V, U.

    The product R C is never formed: it leaves the range of the doubles long before U does.
    """
    S_R = 0.0
    for i in range(R.shape[0]):
        S_R += R[i]
    for i in range(R.shape[0]):
        r[i] = math.sqrt(S_R / R[i])
    for j in range(C.shape[0]):
        c[j] = 1.0 / math.sqrt(C[j])


scales = loop(_scales)


def _mean_square_of_U(G: Stored, r: Floats, c: Floats) -> float:
    """The mean of U_bij^2, U = G r c, over the whole tensor.  Steps U, mean_square_U."""
    p, n, m = G.shape
    total = 0.0
    for b in range(p):
        matrix = 0.0
        for i in range(n):
            row = 0.0
            for j in range(m):
                u = float64(G[b, i, j]) * r[b, i] * c[b, j]
                row += u * u
            matrix += row
        total += matrix
    return total / (p * n * m)


mean_square_of_U = loop(_mean_square_of_U)


def _descend(X: Stored, G: Stored, r: Floats, c: Floats, scale: float) -> None:
    """Subtract scale U, U = G r c, from X (p, n, m) in place.  Steps U_hat, X_new."""
    p, n, m = X.shape
    for b in range(p):
        for i in range(n):
            for j in range(m):
                u = float64(G[b, i, j]) * r[b, i] * c[b, j]
                X[b, i, j] = float64(X[b, i, j]) - scale * u


descend = loop(_descend)


def _step(
    X: Stored,
    G: Stored,
    R: Floats,
    C: Floats,
    w: float,
    beta_2: float,
    rho: float,
    epsilon_1: float,
    epsilon_2: float,
    d: float,
) -> None:
    """One step in place on X (p, n, m), R (p, n) and C (p, m); G as X, w = 1 - beta_2."""
    alpha = relative_step(mean_square(X), rho, epsilon_2)
    r, c = np.empty_like(R), np.empty_like(C)
    for b in range(X.shape[0]):
        second_moment(R[b], C[b], G[b], w, beta_2, epsilon_1)
        scales(r[b], c[b], R[b], C[b])
    descend(X, G, r, c, alpha / clipping(mean_square_of_U(G, r, c), d))


step = loop(_step)
