"""Adafactor for weight vectors as loops: [S] Algorithm 5; each loop names the steps it implements.

A scalar is a vector of one.  For strips and blocks a vector (n,) is n rows of one, and may be
given as such.
"""

import math

import numpy as np
from numpy import float64

from .half import NEAREST, Noise
from .loops import (
    FOUR,
    Floats,
    Stored,
    clipping,
    height,
    loop,
    relative_step,
    strip,
    sum_of_squares,
    total,
    width,
)
from .storage import put, room, rows, workroom


def _mean_square(X: Stored) -> float:
    """The mean of X_i^2, X (n,).  Step mean_square_X."""
    n = X.shape[0]
    total = 0.0
    for start in range(0, n, strip(n, 1)):
        total += sum_of_squares(X[start : start + strip(n, 1)])
    return total / n


mean_square = loop(_mean_square)


def _second_moment(V: Floats, G: Stored, w: float, beta_2: float, epsilon_1: float) -> None:
    """Update V (n,) in place from the gradient G (n,), w = 1 - beta_2.  Step V."""
    n = G.shape[0]
    spare = room(G, min(n, height(1)))
    for start in range(0, n, height(1)):
        most = min(height(1), n - start)
        v, g = V[start : start + most], rows(G, start, most, spare).reshape(-1)
        for i in range(most):
            a = float64(g[i])
            v[i] = beta_2 * v[i] + w * (a * a + epsilon_1)


second_moment = loop(_second_moment)


def _add_ratios(G: Stored, V: Floats, columns: Floats) -> None:
    """Add sum_i G_ij^2 / V_ij of the FOUR rows of G and V to columns (m,)."""
    for j in range(columns.shape[0]):
        a, b, c, d = float64(G[0, j]), float64(G[1, j]), float64(G[2, j]), float64(G[3, j])
        columns[j] += (a * a / V[0, j] + b * b / V[1, j]) + (c * c / V[2, j] + d * d / V[3, j])


add_ratios = loop(_add_ratios)


def _sum_of_squares_of_U_of_block(G: Stored, V: Floats) -> float:
    """sum_i U_i^2 of G (n,), U = G / sqrt V, in as many partial sums as squares alone."""
    n, m = G.shape[0], width(G.shape[0])
    columns = np.zeros(m)
    whole = n // (FOUR * m) * FOUR
    A, B = G[: whole * m].reshape(whole, m), V[: whole * m].reshape(whole, m)
    for i in range(0, whole, FOUR):
        add_ratios(A[i : i + FOUR], B[i : i + FOUR], columns)
    for start in range(whole * m, n, m):
        for k in range(min(m, n - start)):
            g = float64(G[start + k])
            columns[k] += g * g / V[start + k]
    return total(columns)


sum_of_squares_of_U_of_block = loop(_sum_of_squares_of_U_of_block)


def _sum_of_squares_of_U(G: Stored, V: Floats) -> float:
    """sum_i U_i^2 of a strip G (n,), U = G / sqrt V, in the order of `sum_of_squares`.  Step U."""
    n = G.shape[0]
    total = 0.0
    spare = room(G, min(n, height(1)))
    for start in range(0, n, height(1)):
        block = rows(G, start, min(height(1), n - start), spare)
        total += sum_of_squares_of_U_of_block(block.reshape(-1), V[start : start + height(1)])
    return total


sum_of_squares_of_U = loop(_sum_of_squares_of_U)


def _mean_square_of_U(G: Stored, V: Floats) -> float:
    """The mean of U_i^2, U = G / sqrt V.  Step mean_square_U."""
    n = G.shape[0]
    total = 0.0
    for start in range(0, n, strip(n, 1)):
        own = slice(start, start + strip(n, 1))
        total += sum_of_squares_of_U(G[own], V[own])
    return total / n


mean_square_of_U = loop(_mean_square_of_U)


def _descend(X: Stored, G: Stored, V: Floats, scale: float, noise: Noise = NEAREST) -> None:
    """Subtract scale U, U = G / sqrt V, from X (n,) in place.  Steps U_hat, X_new."""
    n = X.shape[0]
    most = min(n, height(1))
    spare, spare_G = workroom(X, most), room(G, most)
    for start in range(0, n, height(1)):
        most = min(height(1), n - start)
        block = rows(X, start, most, spare)
        x, g = block.reshape(-1), rows(G, start, most, spare_G).reshape(-1)
        v = V[start : start + most]
        for i in range(most):
            x[i] = float64(x[i]) - scale / math.sqrt(v[i]) * float64(g[i])
        put(X, start, block, noise)


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
