"""K of the loops by hand, for rho and beta_2 that are doubles: what their order of adding costs.

`sizes` has the constants of `loops`: how many entries, rows and strips are taken together.
"""

import math


def half(x):
    return -(-x // 2)


def chain(counts):
    """K of numbers with these K, added one after the other to an exact 0."""
    first, *others = counts
    for K in others:
        first = max(first, K) + 1
    return first


def lanes(sizes, N):
    """K of N terms in lanes, halved, and the rest."""
    each, rest = divmod(N, sizes.LANES)
    halved = [each - 1 + int(math.log2(sizes.LANES))] if each else []
    return chain(halved + [0] * rest)


def row(sizes, N):
    """The same where the rest is in the lanes too."""
    return -(-N // sizes.LANES) - 1 + math.ceil(math.log2(min(N, sizes.LANES)))


def column(groups, rest, together):
    """K of groups of so many terms, each a tree, and the rest one by one."""
    return chain([int(math.log2(together))] * groups + [0] * rest)


def tree(sizes, N, together=None):
    """K of N terms of a block, as a matrix with rows as long as there are sums."""
    together, width = together or sizes.ROWS, max(1, min(sizes.WIDTH, N // sizes.ROWS))
    groups, rest = divmod(N, together * width)
    return column(groups, -(-rest // width), together) + lanes(sizes, width)


def height(sizes, m):
    """The rows of a block: as many times ROWS as BLOCK has room for, and at least once."""
    return next(k for k in range(sizes.ROWS, 2 * sizes.BLOCK + 99, sizes.ROWS) if fits(sizes, k, m))


def fits(sizes, rows, m):
    return (rows + sizes.ROWS) * m > sizes.BLOCK


def strip(sizes, n, m):
    """The rows of a strip: as few blocks as make STRIPS strips or fewer."""
    block = height(sizes, m)
    return next(k for k in range(block, n + block, block) if k * sizes.STRIPS >= n)


def cut(N, most):
    """The lengths of the pieces of N, each but the last so many."""
    return [min(most, N - start) for start in range(0, N, most)]


def strips(sizes, n, m, together=None):
    """K of the sum over each strip of n rows of m entries: blocks, each a tree."""
    return [
        chain(tree(sizes, rows * m, together) for rows in cut(own, height(sizes, m)))
        for own in cut(n, strip(sizes, n, m))
    ]


def columns(sizes, n, m):
    """K of a sum over the rows of a column: strip by strip, ROWS rows at once."""
    return chain(column(*divmod(own, sizes.ROWS), sizes.ROWS) for own in cut(n, strip(sizes, n, m)))


def of_matrices(sizes, p, n, m):
    """K of each step on p matrices.

    R: a square, a sum of m, m epsilon_1 added, w = 1 - beta_2 and two products, a sum; C likewise.
    r = sqrt(S_R / R): S_R is a sum of n on top of R.  c = 1 / sqrt(C).
    The mean square of U: G^2 times 1 / R, sums by columns, times S_R / C, their sum and a division.
    X_new - X: alpha over the divisor, times r, times c, times G: four products.
    """
    R, C = 1 + row(sizes, m) + 4, 1 + columns(sizes, n, m) + 4
    S_R = R + lanes(sizes, n)
    r, c = half(S_R + R + 1) + 1, half(C) + 2
    squares = 1 + (R + 1) + 1 + columns(sizes, n, m) + (S_R + C + 1) + 1
    divisor = half(chain([squares + lanes(sizes, m)] * p) + 1) + 2
    alpha = half(1 + chain(strips(sizes, n, m) * p) + 1) + 2
    U = r + c + 3
    return {
        "alpha": alpha, "R": R, "C": C, "U_hat": divisor + 1 + U, "X_new": alpha + divisor + 1 + U,
    }  # fmt: skip


def of_a_vector(sizes, n):
    """K of each step on a vector, a matrix with rows of one."""
    V, alpha = 2 + 3, half(1 + chain(strips(sizes, n, 1)) + 1) + 2
    divisor = half(2 + V + chain(strips(sizes, n, 1, sizes.FOUR)) + 1) + 2
    U = half(V) + 3
    return {"alpha": alpha, "V": V, "U_hat": divisor + U + 1, "X_new": alpha + divisor + U + 1}
