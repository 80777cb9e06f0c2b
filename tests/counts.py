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
    """The same of N squares, four added first as long as there are MANY, the rest in lanes too."""
    fours, rest = divmod(N, sizes.MANY)
    longest = chain([2] * fours + [0] * -(-rest // sizes.LANES))
    return longest + math.ceil(math.log2(min(N, sizes.LANES)))


def tree(sizes, N):
    """K of N terms of a block, as a matrix with rows as long as there are sums."""
    width = max(1, min(sizes.WIDTH, N // sizes.ROWS))
    fours, rest = divmod(N, sizes.ROWS * width)
    return chain([2] * fours + [0] * -(-rest // width)) + lanes(sizes, width)


def height(sizes, m):
    """The rows of a block: as many times LEAST as BLOCK has room for, and at least once."""
    least = sizes.LEAST
    return next(
        k for k in range(least, 2 * sizes.BLOCK + 99, least) if (k + least) * m > sizes.BLOCK
    )


def strip(sizes, n, m):
    """The rows of a strip: as few blocks as make STRIPS strips or fewer."""
    block = height(sizes, m)
    return next(k for k in range(block, n + block, block) if k * sizes.STRIPS >= n)


def cut(rows, most):
    """Pieces of these rows, each but the last so many."""
    return [rows[start : start + most] for start in range(0, len(rows), most)]


def columns(sizes, n, m):
    """K of a sum over the n rows of a column, for each strip: block by block, ROWS at once."""
    return [
        chain(K for block in cut(own, height(sizes, m)) for K in together(sizes, len(block)))
        for own in cut(range(n), strip(sizes, n, m))
    ]


def together(sizes, n):
    """K of what is added to a column for n rows: a tree of ROWS, and the rest one by one."""
    fours, rest = divmod(n, sizes.ROWS)
    return [2] * fours + [0] * rest


def of_matrices(sizes, p, n, m):
    """K of each step on p matrices.

    R: a square, a sum of m, m epsilon_1 added, w = 1 - beta_2 and two products, a sum; C likewise.
    r = sqrt(S_R / R): S_R is a sum of n on top of R.  c = 1 / sqrt(C).
    The mean square of U: G^2 times 1 / R, sums by columns, times S_R / C, their sum and a division.
    X_new - X: alpha over the divisor, times r, times c, times G: four products.
    """
    R, C = 1 + row(sizes, m) + 4, 1 + chain(columns(sizes, n, m)) + 4
    S_R = R + lanes(sizes, n)
    r, c = half(S_R + R + 1) + 1, half(C) + 2
    squares = 1 + (R + 1) + 1 + chain(columns(sizes, n, m)) + (S_R + C + 1) + 1
    divisor = half(chain([squares + lanes(sizes, m)] * p) + 1) + 2
    strips = [1 + K + lanes(sizes, m) for K in columns(sizes, n, m)]
    alpha = half(chain(strips * p) + 1) + 2
    U = r + c + 3
    return {
        "alpha": alpha, "R": R, "C": C, "U_hat": divisor + 1 + U, "X_new": alpha + divisor + 1 + U,
    }  # fmt: skip


def of_a_vector(sizes, n):
    """K of each step on a vector, a matrix with rows of one."""
    sums = chain(
        chain(tree(sizes, block) for block in map(len, cut(own, height(sizes, 1))))
        for own in cut(range(n), strip(sizes, n, 1))
    )
    V, alpha = 2 + 3, half(1 + sums + 1) + 2
    divisor = half(2 + V + sums + 1) + 2
    U = half(V) + 3
    return {"alpha": alpha, "V": V, "U_hat": divisor + U + 1, "X_new": alpha + divisor + U + 1}
