"""Adafactor for weight matrices as loops: [S] Algorithm 4; each loop names the steps it implements.

A tensor is p matrices of n rows and m columns side by side, a matrix the case p = 1: each has its
own R and C, while RMS(X), RMS(U) and so the clipping are over the whole tensor.

G is read twice.  The first time gives R and C, and RMS(U) too, since the new R_i follows from row i
alone: sum_ij U_ij^2 = sum_j (S_R / C_j) sum_i G_ij^2 / R_i, of which the inner sums are the ratios.

The rows of a matrix are cut into strips, which may be worked on at once; what each strip adds up
is then added in their order.
"""

import math

import numpy as np
from numpy import float64

from .half import NEAREST, Noise
from .loops import (
    LANES,
    ROWS,
    Floats,
    Stored,
    add_squares,
    add_squares_of_row,
    clipping,
    height,
    loop,
    relative_step,
    strip,
    total,
)
from .squares import squares, squares_of_row
from .storage import put, room, rows, workroom


def _sum_of_squares(X: Stored) -> float:
    """sum X^2 of a strip X (n, m), in the order of `move`."""
    n, m = X.shape
    columns, spare = np.zeros(m), room(X, min(n, height(m)))
    for start in range(0, n, height(m)):
        block = rows(X, start, min(height(m), n - start), spare)
        quarter = block.shape[0] // ROWS
        add_squares(block, quarter, columns)
        for i in range(ROWS * quarter, block.shape[0]):
            add_squares_of_row(block[i], columns)
    summed: float = total(columns)
    return summed


sum_of_squares = loop(_sum_of_squares)


def _mean_square(X: Stored) -> float:
    """The mean of X_bij^2, X (p, n, m).  Step mean_square_X."""
    p, n, m = X.shape
    total = 0.0
    for b in range(p):
        for start in range(0, n, strip(n, m)):
            total += sum_of_squares(X[b, start : start + strip(n, m)])
    return total / (p * n * m)


mean_square = loop(_mean_square)


def _add_weighted(G: Stored, q: int, f: Floats, columns: Floats) -> None:
    """Add sum_i f_i G_ij^2 of the first ROWS q rows of G, read q apart, to columns (m,)."""
    for i in range(q):
        f_0, f_1, f_2, f_3 = f[i], f[q + i], f[2 * q + i], f[3 * q + i]
        for j in range(columns.shape[0]):
            a, b = float64(G[i, j]), float64(G[q + i, j])
            c, d = float64(G[2 * q + i, j]), float64(G[3 * q + i, j])
            columns[j] += (a * a * f_0 + b * b * f_1) + (c * c * f_2 + d * d * f_3)


add_weighted = loop(_add_weighted)


def _add_weighted_row(g: Stored, f: float, columns: Floats) -> None:
    """Add f g_j^2 to columns (m,)."""
    for j in range(columns.shape[0]):
        a = float64(g[j])
        columns[j] += a * a * f


add_weighted_row = loop(_add_weighted_row)


def _moving(
    R_old: float, squares: float, terms: int, w: float, beta_2: float, epsilon_1: float
) -> float:
    """The new R_i or C_j of the old one; epsilon_1 is added to each of so many summed squares."""
    return beta_2 * R_old + w * (squares + terms * epsilon_1)


moving = loop(_moving)


def _observe(
    G: Stored,
    R_old: Floats,
    row_sums: Floats,
    columns: Floats,
    ratios: Floats,
    w: float,
    beta_2: float,
    epsilon_1: float,
) -> None:
    """All that a step takes from the squares of a strip G (n, m), with its R_old (n,).

    Writes sum_j G_ij^2 to row_sums (n,), sum_i G_ij^2 to columns (m,) and sum_i G_ij^2 / R_i, with
    the new R, to ratios (m,), a block of rows at a time.
    """
    n, m = G.shape
    lanes, f = np.empty(ROWS * LANES), np.empty(min(n, height(m)))
    spare = room(G, min(n, height(m)))
    columns[:] = 0.0
    ratios[:] = 0.0
    for start in range(0, n, height(m)):
        block = rows(G, start, min(height(m), n - start), spare)
        quarter = block.shape[0] // ROWS
        squares(block, quarter, row_sums[start:], columns, lanes)
        for i in range(ROWS * quarter, block.shape[0]):
            row_sums[start + i] = squares_of_row(block, i, columns, lanes[:LANES])
        for i in range(block.shape[0]):
            squares_i = row_sums[start + i]
            f[i] = 1.0 / moving(R_old[start + i], squares_i, m, w, beta_2, epsilon_1)
        add_weighted(block, quarter, f, ratios)
        for i in range(ROWS * quarter, block.shape[0]):
            add_weighted_row(block[i], f[i], ratios)


observe = loop(_observe)


def _add(columns: Floats, part: Floats) -> None:
    """Add the sums of one strip to columns (m,)."""
    for j in range(columns.shape[0]):
        columns[j] += part[j]


add = loop(_add)


def _update(R: Floats, sums: Floats, terms: int, w: float, beta_2: float, epsilon_1: float) -> None:
    """Update R (n,) in place from sums (n,) of so many squares each."""
    for i in range(R.shape[0]):
        R[i] = moving(R[i], sums[i], terms, w, beta_2, epsilon_1)


update = loop(_update)


def _second_moment(
    R: Floats, C: Floats, G: Stored, ratios: Floats, w: float, beta_2: float, epsilon_1: float
) -> None:
    """Update R (n,) and C (m,) in place from the gradient G (n, m), w = 1 - beta_2.  Steps R, C.

    Writes sum_i G_ij^2 / R_i to ratios (m,).
    """
    n, m = G.shape
    row_sums, column_sums = np.empty_like(R), np.zeros_like(C)
    part, part_of_ratios = np.empty_like(C), np.empty_like(C)
    ratios[:] = 0.0
    for start in range(0, n, strip(n, m)):
        own = slice(start, start + strip(n, m))
        observe(G[own], R[own], row_sums[own], part, part_of_ratios, w, beta_2, epsilon_1)
        add(column_sums, part)
        add(ratios, part_of_ratios)
    update(R, row_sums, m, w, beta_2, epsilon_1)
    update(C, column_sums, n, w, beta_2, epsilon_1)


second_moment = loop(_second_moment)


def _scales(r: Floats, c: Floats, R: Floats, C: Floats) -> None:
    """Write r = sqrt(S_R / R) and c = 1 / sqrt(C), so that U_ij = G_ij r_i c_j.  Steps S_R, V, U.

    The product R C is never formed: it leaves the range of the doubles long before U does.
    """
    S_R = total(R)
    for i in range(R.shape[0]):
        r[i] = math.sqrt(S_R / R[i])
    for j in range(C.shape[0]):
        c[j] = 1.0 / math.sqrt(C[j])


scales = loop(_scales)


def _sum_of_squares_of_U(ratios: Floats, R: Floats, C: Floats) -> float:
    """sum_ij U_ij^2 = sum_j (S_R / C_j) sum_i G_ij^2 / R_i; the ratios (m,) are overwritten."""
    S_R = total(R)
    for j in range(C.shape[0]):
        ratios[j] *= S_R / C[j]
    return total(ratios)


sum_of_squares_of_U = loop(_sum_of_squares_of_U)


def _mean_square_of_U(ratios: Floats, R: Floats, C: Floats) -> float:
    """The mean of U_bij^2 over the tensor: R (p, n), ratios and C (p, m).  Step mean_square_U."""
    total = 0.0
    for b in range(R.shape[0]):
        total += sum_of_squares_of_U(ratios[b], R[b], C[b])
    return total / (R.size * C.shape[1])


mean_square_of_U = loop(_mean_square_of_U)


def _move(
    X: Stored,
    G: Stored,
    q: int,
    r: Floats,
    c: Floats,
    scale: float,
    carry: bool,
    columns: Floats,
) -> None:
    """Subtract scale r_i c_j G_ij from the first ROWS q rows of X in place, read q apart.

    To `carry` their sum of squares, sum_i X_ij^2 of what is stored is added to columns (m,).
    """
    number = X.dtype.type
    for i in range(q):
        f_0, f_1 = r[i] * scale, r[q + i] * scale
        f_2, f_3 = r[2 * q + i] * scale, r[3 * q + i] * scale
        for j in range(c.shape[0]):
            x = number(float64(X[i, j]) - f_0 * c[j] * float64(G[i, j]))
            y = number(float64(X[q + i, j]) - f_1 * c[j] * float64(G[q + i, j]))
            z = number(float64(X[2 * q + i, j]) - f_2 * c[j] * float64(G[2 * q + i, j]))
            w = number(float64(X[3 * q + i, j]) - f_3 * c[j] * float64(G[3 * q + i, j]))
            X[i, j], X[q + i, j], X[2 * q + i, j], X[3 * q + i, j] = x, y, z, w
            if carry:
                a, b, e, d = float64(x), float64(y), float64(z), float64(w)
                columns[j] += (a * a + b * b) + (e * e + d * d)


move = loop(_move)


def _move_row(x: Stored, g: Stored, f: float, c: Floats) -> None:
    """Subtract f c_j g_j from x (m,) in place."""
    for j in range(c.shape[0]):
        x[j] = float64(x[j]) - f * c[j] * float64(g[j])


move_row = loop(_move_row)


def _descend_strip(
    X: Stored,
    G: Stored,
    r: Floats,
    c: Floats,
    scale: float,
    noise: Noise = NEAREST,
    carry: bool = False,
) -> float:
    """Subtract scale U, U = G r c, from a strip X (n, m) in place.  Steps U_hat, X_new.

    Return the sum of the squares of what is then stored, if that is to be carried, or 0.
    """
    n, m = X.shape
    columns = np.zeros(m) if carry else c[:0]
    spare, spare_G = workroom(X, min(n, height(m))), room(G, min(n, height(m)))
    for start in range(0, n, height(m)):
        most = min(height(m), n - start)
        block, gradient = rows(X, start, most, spare), rows(G, start, most, spare_G)
        quarter = most // ROWS
        move(block, gradient, quarter, r[start:], c, scale, carry, columns)
        for i in range(ROWS * quarter, most):
            move_row(block[i], gradient[i], r[start + i] * scale, c)
            if carry:
                add_squares_of_row(block[i], columns)
        put(X, start, block, noise)
    carried: float = total(columns)
    return carried


descend_strip = loop(_descend_strip)


def _descend(X: Stored, G: Stored, r: Floats, c: Floats, scale: float) -> None:
    """Subtract scale U, U = G r c, from X (p, n, m) in place.  Steps U_hat, X_new."""
    for b in range(X.shape[0]):
        descend_strip(X[b], G[b], r[b], c[b], scale)


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
    r, c, ratios = np.empty_like(R), np.empty_like(C), np.empty_like(C)
    for b in range(X.shape[0]):
        second_moment(R[b], C[b], G[b], ratios[b], w, beta_2, epsilon_1)
        scales(r[b], c[b], R[b], C[b])
    descend(X, G, r, c, alpha / clipping(mean_square_of_U(ratios, R, C), d))


step = loop(_step)
