"""Adafactor for weight matrices in wide numbers: [S] Algorithm 4, whatever the doubles it is given.

As in `matrix` a tensor is p matrices of n rows and m columns side by side.  The arrays are float64
and contiguous; of the statistics R (p, n) and C (p, m) each is a pair, mantissas and exponents.
It is written to be read, entry by entry, and takes what is ordinary in no unit of the gradient.
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


def _squares(A: Floats, sums: Wides) -> None:
    """Write sum_j A_ij^2 of A (n, m) to sums (n,)."""
    n, m = A.shape
    row = np.empty(m), np.empty(m, np.int64)
    for i in range(n):
        for j in range(m):
            a = wide(A[i, j])
            put(row, j, times(a, a))
        put(sums, i, sum_of(row))


squares = loop(_squares)


def _mean_square(X: Floats) -> Wide:
    """The mean of X_bij^2, X (p, n, m).  Step mean_square_X."""
    p, n, m = X.shape
    sums = np.empty(p * n), np.empty(p * n, np.int64)
    squares(X.reshape(p * n, m), sums)
    return over(sum_of(sums), wide(p * n * m))


mean_square = loop(_mean_square)


def _update(R: Wides, G: Floats, w: float, beta_2: float, epsilon_1: float) -> None:
    """Update R (n,) in place from the gradient G (n, m).  Step R; C is the R of G transposed."""
    n, m = G.shape
    sums = np.empty(n), np.empty(n, np.int64)
    squares(G, sums)
    for i in range(n):
        new = plus(at(sums, i), times(wide(m), wide(epsilon_1)))
        put(R, i, plus(times(wide(beta_2), at(R, i)), times(wide(w), new)))


update = loop(_update)


def _scales(r: Wides, c: Wides, R: Wides, C: Wides) -> None:
    """Write r = sqrt(S_R / R) and c = 1 / sqrt(C), so that U_ij = G_ij r_i c_j.  Steps S_R, V."""
    S_R = sum_of(R)
    for i in range(R[0].shape[0]):
        put(r, i, root(over(S_R, at(R, i))))
    for j in range(C[0].shape[0]):
        put(c, j, over(wide(1.0), root(at(C, j))))


scales = loop(_scales)


def _mean_square_of_U(G: Floats, r: Wides, c: Wides) -> Wide:
    """The mean of U_bij^2, U = G r c, over the whole tensor.  Steps U, mean_square_U."""
    p, n, m = G.shape
    sums = np.empty(p * n), np.empty(p * n, np.int64)
    row = np.empty(m), np.empty(m, np.int64)
    for b in range(p):
        c_b = c[0][b], c[1][b]
        for i in range(n):
            r_i = r[0][b, i], r[1][b, i]
            for j in range(m):
                U = times(times(r_i, at(c_b, j)), wide(G[b, i, j]))
                put(row, j, times(U, U))
            put(sums, b * n + i, sum_of(row))
    return over(sum_of(sums), wide(p * n * m))


mean_square_of_U = loop(_mean_square_of_U)


def _descend(X: Floats, G: Floats, r: Wides, c: Wides, scale: Wide) -> None:
    """Subtract scale U, U = G r c, from X (p, n, m) in place.  Steps U_hat, X_new."""
    p, n, m = X.shape
    for b in range(p):
        c_b = c[0][b], c[1][b]
        for i in range(n):
            f = times(scale, (r[0][b, i], r[1][b, i]))
            for j in range(m):
                step = times(times(f, at(c_b, j)), wide(G[b, i, j]))
                X[b, i, j] = difference(X[b, i, j], step)


descend = loop(_descend)


def _step(
    X: Floats,
    G: Floats,
    R: Wides,
    C: Wides,
    w: float,
    beta_2: float,
    rho: float,
    epsilon_1: float,
    epsilon_2: float,
    d: float,
) -> None:
    """One step in place on X (p, n, m), R (p, n) and C (p, m); G as X, w = 1 - beta_2."""
    alpha = relative_step(mean_square(X), rho, epsilon_2)
    r = np.empty_like(R[0]), np.empty_like(R[1])
    c = np.empty_like(C[0]), np.empty_like(C[1])
    for b in range(X.shape[0]):
        rows, columns = (R[0][b], R[1][b]), (C[0][b], C[1][b])
        update(rows, G[b], w, beta_2, epsilon_1)
        update(columns, G[b].T, w, beta_2, epsilon_1)
        scales((r[0][b], r[1][b]), (c[0][b], c[1][b]), rows, columns)
    descend(X, G, r, c, over(alpha, clipping(mean_square_of_U(G, r, c), d)))


step = loop(_step)
