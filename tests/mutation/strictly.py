"""What a source of the pairs of doubles, and of sums in them, must pass: by fractions.

Sums are held to the bounds that are counted for them, other operations to those of theorems.
"""

from fractions import Fraction
from functools import cache

import numpy as np

U = Fraction(1, 2**53)
SHAPES = [
    (1, 1, 1), (1, 1, 9), (2, 1, 6), (1, 2, 1), (1, 3, 4), (3, 5, 5), (1, 7, 3), (1, 9, 8),
    (2, 25, 8), (1, 53, 3), (1, 70, 1), (1, 25, 13),
]  # fmt: skip
TERMS, EPSILON_1 = 3, 0.7
W, BETA_2 = (0.3, 1.1 * 2.0**-56), (0.6, -1.3 * 2.0**-55)


def exactly(pair):
    return Fraction(float(pair[0])) + Fraction(float(pair[1]))


def near(pair, value, bound):
    """A normalised pair within a relative bound of the value."""
    assert float(pair[0]) == float(pair[0]) + float(pair[1])
    assert abs(exactly(pair) - value) <= bound * abs(value)


def pairs(code):
    """Sums and products of doubles are exact, operations on pairs within what is proved."""
    own = code.doubledouble
    assert (own.U, own.PAIR) == (U, 16 * U * U)
    for (x, y), (a, b) in examples():
        first, second = exactly((x, y)), exactly((a, b))
        assert exactly(own.two_sum(x, a)) == Fraction(x) + Fraction(a)
        assert exactly(own.two_product(x, a)) == Fraction(x) * Fraction(a)
        large, small = sorted((x, a), key=abs, reverse=True)
        assert exactly(own.fast_two_sum(large, small)) == Fraction(x) + Fraction(a)
        near(own.times(x, y, a), first * Fraction(a), 3 * U * U)
        near(own.multiply(x, y, a, b), first * second, 7 * U * U)
        near(own.divide(x, y, a, b), first / second, 16 * U * U)
        if x * a > 0:
            near(own.add(x, y, a, b), first + second, 3 * U * U)
        if x > 0:
            root = own.root(x, y)
            near(root, exactly(root), 0)
            assert abs(exactly(root) ** 2 / first - 1) <= 7 * U * U
    assert own.root(0.0, 0.0) == (0.0, 0.0)


@cache
def examples():
    """Pairs of pairs, some of much the same size, the low parts as large as they may be or less."""
    rng = np.random.default_rng(4)
    found = []
    for k in range(600):
        high = np.ldexp(rng.choice([-1, 1], 2) * rng.uniform(0.5, 1, 2), rng.integers(-60, 60, 2))
        if k % 2:
            high[1] = high[0] * rng.uniform(0.5, 2)
        low = np.spacing(np.abs(high)) * rng.choice([0.0, 0.499, -0.499, 0.2, -0.01], 2)
        found.append(tuple(zip(high.tolist(), low.tolist(), strict=True)))
    return found


def sums(code):
    """Sums of squares by rows and columns are within their counted bounds, strip by strip."""
    for shape in SHAPES:
        for dtype in (np.float32, np.float64):
            G, bound = drawn(shape, dtype), code.bounds.Bounds(*shape)
            rows, columns = observed(code, G)
            within(rows, exact_squares(shape, dtype).sum(2), bound.R)
            within(columns, exact_squares(shape, dtype).sum(1), bound.C)


def within(pairs, values, bound):
    """Each of the pairs (2, ...) is near to its value."""
    for pair, value in zip(pairs.reshape(2, -1).T, values.flat, strict=True):
        near(pair, value, Fraction(bound))


@cache
def drawn(shape, dtype):
    """Entries of different sizes."""
    rng = np.random.default_rng([5, *shape])
    return np.ldexp(rng.standard_normal(shape), rng.integers(-30, 30, shape)).astype(dtype)


@cache
def exact_squares(shape, dtype):
    return exact_sums(np.stack([drawn(shape, dtype), np.zeros(shape)])) ** 2


def exact_sums(pairs):
    """What pairs (2, ...) stand for."""
    return np.array([exactly(pair) for pair in pairs.reshape(2, -1).T]).reshape(pairs.shape[1:])


def observed(code, G):
    """The sums of squares by rows (2, p, n) and by columns (2, p, m)."""
    rows = np.full((2, *G.shape[:2]), np.nan)
    return rows, gathered(code, G, lambda *strips: code.pairsums.observe(G, rows, *strips))


def gathered(code, G, of_strips):
    """Sums by columns; a strip has the same ones by itself, and the others are not touched."""
    p, n, m = G.shape
    strips = p * -(-n // code.loops.strip(n, m))
    parts, columns = np.full((2, strips, m), np.nan), np.full((2, p, m), np.nan)
    for s in range(strips):
        own = np.full((2, strips, m), np.nan)
        of_strips(own, s, s + 1)
        assert np.isnan(own).sum() == own.size - 2 * m
        parts[:, s] = own[:, s]
    together = np.empty_like(parts)
    of_strips(together, 0, strips)
    assert np.array_equal(together, parts)
    code.pairsums.gather(parts, columns)
    return columns


@cache
def factors(shape, seed):
    """Positive pairs (2, ...)."""
    pairs = np.random.default_rng([seed, *shape]).uniform(0.5, 2, (2, *shape))
    pairs[1] *= 2.0**-55
    return pairs


def weights(code):
    """The sum of f c G^2 is within its counted bound."""
    for p, n, m in SHAPES:
        f, c = factors((p, n), 1), factors((p, m), 2)
        exact = exact_sums(f)[:, :, None] * exact_sums(c)[:, None]
        bound = Fraction(code.bounds.Bounds(p, n, m).mean_square_U(True))
        for dtype in (np.float32, np.float64):
            G = drawn((p, n, m), dtype)
            of_each = (exact * exact_squares(G.shape, dtype)).sum((1, 2))
            for S in (np.ones(p), np.arange(1.0, p + 1)):
                value = (of_each * np.vectorize(Fraction, [object])(S)).sum()
                near(weighted(code, G, f, c, S), value, bound)


def weighted(code, G, f, c, S):
    def of_strips(parts, first, last):
        code.pairsums.measure(G, f, parts, first, last)

    pairs = np.stack([S, np.zeros_like(S)])
    return code.pairsums.sum_of_products(gathered(code, G, of_strips), c.copy(), pairs)


def statistics(code):
    """R, C, their quotients and roots: an operation after the other on pairs."""
    one = 16 * U * U
    w, beta_2 = exactly(W), exactly(BETA_2)
    for p, n, m in SHAPES:
        R, C = (factors(shape, 3).copy() for shape in ((p, n), (p, m)))
        old = factors((p, n), 4)[0]
        fresh = exact_sums(R) + TERMS * Fraction(EPSILON_1)
        due = np.vectorize(Fraction, [object])(old) * beta_2 + fresh * w
        code.pairsums.update(old, R, TERMS, W, BETA_2, EPSILON_1)
        within(R, due, 3 * one)
        rows, columns = exact_sums(R), exact_sums(C)
        S = (rows.sum(1) + columns.sum(1)) / 2
        own = np.full((2, p), np.nan)
        code.pairsums.quotients(R, C, own)
        within(own, S, (n + m + 1) * one)
        within(R, S[:, None] / rows, (n + m + 3) * one)
        within(C, 1 / columns, one)
        roots = code.pairsums.roots(C, W)
        within(C, 1 / columns, one)
        for root, column in zip(roots.reshape(2, -1).T, columns.flat, strict=True):
            assert abs(exactly(root) ** 2 * column / w**2 - 1) <= 4 * one


def arrays(code):
    """All that these loops give."""
    own = code.doubledouble
    for (x, y), (a, b) in examples():
        yield [*own.add(x, y, a, b), *own.times(x, y, a), *own.multiply(x, y, a, b)]
        yield [*own.divide(x, y, a, b), *own.root(abs(x), y), *own.two_product(x, a)]
    for p, n, m in SHAPES:
        f, c = factors((p, n), 1), factors((p, m), 2)
        for dtype in (np.float32, np.float64):
            G = drawn((p, n, m), dtype)
            yield from observed(code, G)
            yield weighted(code, G, f, c, np.ones(p))
        R, C = f.copy(), c.copy()
        code.pairsums.update(factors((p, n), 4)[0], R, TERMS, W, BETA_2, EPSILON_1)
        code.pairsums.quotients(R, C, np.empty((2, p)))
        yield from (R, C, code.pairsums.roots(C, W))
