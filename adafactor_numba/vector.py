"""Adafactor for weight vectors as loops: [S] Algorithm 5; each loop names the steps it implements.

A scalar is a vector of one.  For strips and blocks a vector (n,) is n rows of one, and may be
given as such.
"""

import math

import numpy as np
from numpy import float64

from .half import NEAREST, Noise
from .loops import (
    ROWS,
    Floats,
    Stored,
    clipping,
    height,
    loop,
    relative_step,
    strip,
    sum_of_squares,
    sum_of_squares_of_block,
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


def _moving(v: float, a: float, w: float, beta_2: float, epsilon_1: float) -> float:
    """The new V_i of the old one and of G_i.  Step V."""
    return beta_2 * v + w * (a * a + epsilon_1)


moving = loop(_moving)


def _add_ratios(
    G: Stored, V: Floats, columns: Floats, w: float, beta_2: float, epsilon_1: float
) -> None:
    """Add sum_i G_ij^2 / V_ij of the ROWS rows of G and V to columns (m,), V the new one."""
    for j in range(columns.shape[0]):
        a, b, c, d = float64(G[0, j]), float64(G[1, j]), float64(G[2, j]), float64(G[3, j])
        e = moving(V[0, j], a, w, beta_2, epsilon_1)
        f = moving(V[1, j], b, w, beta_2, epsilon_1)
        g = moving(V[2, j], c, w, beta_2, epsilon_1)
        h = moving(V[3, j], d, w, beta_2, epsilon_1)
        columns[j] += (a * a / e + b * b / f) + (c * c / g + d * d / h)


add_ratios = loop(_add_ratios)


def _sum_of_squares_of_U_of_block(
    G: Stored, V: Floats, w: float, beta_2: float, epsilon_1: float
) -> float:
    """sum_i U_i^2 of G (n,), in as many partial sums as squares alone."""
    n, m = G.shape[0], width(G.shape[0])
    columns = np.zeros(m)
    whole = n // (ROWS * m) * ROWS
    A, B = G[: whole * m].reshape(whole, m), V[: whole * m].reshape(whole, m)
    for i in range(0, whole, ROWS):
        add_ratios(A[i : i + ROWS], B[i : i + ROWS], columns, w, beta_2, epsilon_1)
    for start in range(whole * m, n, m):
        for k in range(min(m, n - start)):
            g = float64(G[start + k])
            columns[k] += g * g / moving(V[start + k], g, w, beta_2, epsilon_1)
    return total(columns)


sum_of_squares_of_U_of_block = loop(_sum_of_squares_of_U_of_block)


def _sum_of_squares_of_U(G: Stored, V: Floats, w: float, beta_2: float, epsilon_1: float) -> float:
    """sum_i U_i^2 of a strip G (n,), from the old V, in the order of `sum_of_squares`.  Step U."""
    n = G.shape[0]
    total = 0.0
    spare = room(G, min(n, height(1)))
    for start in range(0, n, height(1)):
        block = rows(G, start, min(height(1), n - start), spare).reshape(-1)
        v = V[start : start + height(1)]
        total += sum_of_squares_of_U_of_block(block, v, w, beta_2, epsilon_1)
    return total


sum_of_squares_of_U = loop(_sum_of_squares_of_U)


def _mean_square_of_U(G: Stored, V: Floats, w: float, beta_2: float, epsilon_1: float) -> float:
    """The mean of U_i^2 = G_i^2 / V_i, V (n,) the new one that follows from the old one given."""
    n = G.shape[0]
    total = 0.0
    for start in range(0, n, strip(n, 1)):
        own = slice(start, start + strip(n, 1))
        total += sum_of_squares_of_U(G[own], V[own], w, beta_2, epsilon_1)
    return total / n


mean_square_of_U = loop(_mean_square_of_U)


def _descend(
    X: Stored,
    G: Stored,
    V: Floats,
    scale: float,
    w: float,
    beta_2: float,
    epsilon_1: float,
    noise: Noise = NEAREST,
    carry: bool = False,
) -> float:
    """Update V (n,) and subtract scale U, U = G / sqrt V, from X (n,), both in place.

    w = 1 - beta_2.  Steps V, U_hat, X_new.  Return the sum of the squares of what is then stored,
    if that is to be carried, or 0.
    """
    n, carried = X.shape[0], 0.0
    most = min(n, height(1))
    spare, spare_G = workroom(X, most), room(G, most)
    for start in range(0, n, height(1)):
        most = min(height(1), n - start)
        block = rows(X, start, most, spare)
        x, g = block.reshape(-1), rows(G, start, most, spare_G).reshape(-1)
        v = V[start : start + most]
        for i in range(most):
            a = float64(g[i])
            v[i] = moving(v[i], a, w, beta_2, epsilon_1)
            x[i] = float64(x[i]) - scale / math.sqrt(v[i]) * a
        if carry:
            carried += sum_of_squares_of_block(x)
        put(X, start, block, noise)
    return carried


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
    clip = clipping(mean_square_of_U(G, V, w, beta_2, epsilon_1), d)
    descend(X, G, V, alpha / clip, w, beta_2, epsilon_1)


step = loop(_step)
