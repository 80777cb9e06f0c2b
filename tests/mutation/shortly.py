"""What a source of squares of float64 in whole numbers must pass, and one of moves by float32.

By fractions: sums are what is due, and what is decided is the number nearest to the exact one.
"""

import math
from fractions import Fraction

import numpy as np

from adafactor_numba.nearest import nearest

ODD = 2 - 2.0**-52  # of 53 bits
SIZES = [0.0, -0.0, 1.0, -3.0, 5e-324, -1e-30, 1e308, 2.0**-1022]
NO_NUMBERS = math.nan, -math.nan, math.inf, -math.inf
FLOAT32 = np.dtype(np.float32)


def extremes(code):
    """The largest magnitude and the least but zero, wherever they are, and what is no number."""
    own, rng = code.threefold, np.random.default_rng(6)
    for size in (1, 1, 1, 2, 3, 5, 8) * 4:
        a = rng.choice(SIZES, size)
        sizes = [abs(x) for x in a.tolist() if x]
        assert own.extremes(a) == (max(sizes, default=0.0), min(sizes, default=math.inf))
        for x in NO_NUMBERS:
            a[rng.integers(size)] = x
            assert not own.extremes(a)[0] < math.inf
    assert own.extremes(np.array([])) == (0.0, math.inf)


def reaches(code):
    """A reach holds all magnitudes below it down to the least, and a fitting one is found."""
    own = code.threefold
    for reach in (1.0, 2.0**490, 2.0**-459):
        below = math.nextafter(reach, 0)
        assert own.holds(reach, below, reach / 2**25)
        assert own.holds(reach, 0.0, math.inf)
        assert not own.holds(reach, reach, reach)
        assert not own.holds(reach, below, math.nextafter(reach / 2**25, 0))
        assert not own.holds(reach, math.nan, reach / 2)
    assert not own.holds(2.0**500, 2.0**491, 2.0**490)
    assert not own.holds(2.0**-460, 2.0**-461, 2.0**-462)
    for largest in (1.0, 1.5, math.nextafter(2.0, 0), 2.0**-461, math.nextafter(2.0**491, 0)):
        reach = 2.0 ** (math.frexp(largest)[1] + 2)
        assert own.fitting(largest, largest) == reach
        least = reach / 2**25
        assert own.fitting(largest, least) == reach
        assert own.fitting(largest, math.nextafter(least, 0)) == 0.0
    assert own.fitting(0.0, math.inf) > 0
    for largest in (math.inf, math.nan, 2.0**491, 2.0**-463, 1e308):
        assert own.fitting(largest, largest) == 0.0


def squares(code):
    """Squares are three whole numbers of few bits where the reach holds them; sums are exact."""
    own = code.threefold
    for e in (1, 480, -300, -459):
        reach = math.ldexp(1.0, e)
        for k in range(30):
            x = math.ldexp(ODD, e - 1 - k)
            sums = summed(own, [x], reach)
            due = stands_for(sums, reach) == Fraction(x) ** 2
            few = 0 <= sums[0] <= 2**52 and all(abs(b) <= 2**52 for b in sums[1:].tolist())
            held = own.holds(reach, x, x)
            assert not held or (due and few)
            assert held or k > 24
    for n in (1, 2, 5, 24):
        x = np.random.default_rng([8, n]).uniform(-4, 4, n)
        x[: n // 2] *= 2.0**-18
        assert stands_for(summed(own, x, 4.0), 4.0) == sum(Fraction(a) ** 2 for a in x.tolist())


def summed(own, x, reach):
    sums = np.full(3, -1)
    own.sum_up(np.array(x), reach, sums)
    return sums


def stands_for(sums, reach):
    """What three whole numbers mean."""
    a, b, c = map(int, sums)
    return (a * 2**102 + b * 2**50 + c) * (Fraction(reach) ** 2 / 2**154)


def factors(code):
    """Doubles become pairs that are near them; only those of the range fit."""
    own = code.singles
    a = np.random.default_rng(2).uniform(1, 2, (2, 3)) * [[1.0], [2.0**-40]]
    pairs = own.halves(a)
    assert pairs.dtype == FLOAT32
    assert (pairs[0] == a.astype(np.float32)).all()
    assert (abs(pairs.astype(float).sum(0) - a) <= a * 2.0**-48).all()
    inside, one = np.array([[1.0, 2.0**45, 2.0**-45]]), np.ones((1, 1))
    for given in ((inside, one), (one, inside)):
        assert own.fit(*given) is True
    for x in (math.nextafter(2.0**45, math.inf), math.nextafter(2.0**-45, 0), math.nan):
        outside = inside.copy()
        outside[0, 1] = x
        assert not own.fit(outside, one)
        assert not own.fit(one, outside)
    assert own.MOVE == 2.0**-52 + 27 * 2.0**-48
    assert own.UNIT == 2.0**-24
    assert own.TINY == 2.0**-120


def cases():
    """Two weights, two gradients, factors f, e and c: of like size, cancelled, small and large."""
    rng = np.random.default_rng(4)
    for k in range(150):
        f, e, c = rng.uniform(1, 2, 3) * 2.0 ** rng.integers(-9, 9, 3)
        g, h = rng.uniform(-2, 2, 2).astype(np.float32)
        x, y = rng.uniform(-2, 2, 2).astype(np.float32)
        if k % 3 == 1:
            x, y = np.float32(f * c * float(g)), np.float32(e * c * float(h) / (1 + k % 2))
        if k % 5 == 2:
            g, h = np.float32(0), np.float32(0)
        yield (x, y), (g, h), (f, e), c
    for x, g in ((1e-38, 1e-38), (3e38, -3e38), (1.0, 3e38), (1e-44, 1e-44), (-0.0, 0.0)):
        yield (np.float32(x), np.float32(1)), (np.float32(g), np.float32(0)), (16.0, 2.0), 8.0


def moved(own, weights, gradients, scales, c):
    """What becomes of two rows of two entries, what they were, and whether one is undecided."""
    x, y = (np.full(2, a, np.float32) for a in weights)
    g, h = (np.array([a, -a], np.float32) for a in gradients)
    pairs = [tuple(own.halves(np.full((1, 1), f))[:, 0, 0]) for f in scales]
    c_0, c_1 = own.halves(np.full((1, 2), c))[:, 0]
    old = np.full((2, 3), 7, np.float32)
    bound = np.float32(own.MOVE * (1 + 2.0**-20))
    undecided = own.in_singles(x, y, g, h, *pairs, c_0, c_1, bound, old)
    return np.array([x, y]), old, undecided


def moves(code):
    """A move is within its bound, and what is decided is rounded correctly."""
    own, undecided = code.singles, 0
    for weights, gradients, scales, c in cases():
        found, old, unknown = moved(own, weights, gradients, scales, c)
        assert type(unknown) is bool
        undecided += unknown
        assert (old[:, 2] == 7).all()
        for k, (x, g, f) in enumerate(zip(weights, gradients, scales, strict=True)):
            assert (old[k, :2] == x).all()
            for j, sign in enumerate((1, -1)):
                due = Fraction(float(x)) - sign * Fraction(f) * Fraction(c) * Fraction(float(g))
                known = float(x) if unknown else nearest(due, FLOAT32)
                assert float(found[k, j]) == known
                assert unknown or known or not np.signbit(found[k, j])
                near(own, x, np.float32(sign * g), f, c, due)
    assert undecided == 40 + 5  # what is nearly cancelled, and what leaves the range


def near(own, x, g, f, c, due):
    """The parts of a moved weight add up to it, to a hundredth of what is granted, or a tenth."""
    pairs = [own.halves(np.full((1, 1), a))[:, 0, 0] for a in (f, c)]
    s, rest, size = own.moved(x, g, *pairs[0], *pairs[1])
    if np.isfinite(s):
        assert Fraction(float(size)) * 2 >= abs(due)
        off = abs(Fraction(float(s)) + Fraction(float(rest)) - due)
        assert off <= Fraction(own.MOVE) * Fraction(float(size)) / 5 + Fraction(2) ** -140


def arrays(code):
    """All that these loops give."""
    for n in (1, 2, 5, 24):
        x = np.random.default_rng([8, n]).uniform(-4, 4, n)
        yield summed(code.threefold, x, 4.0)
        yield [*code.threefold.extremes(x), code.threefold.fitting(4.0, 1.0)]
    for case in cases():
        found, old, undecided = moved(code.singles, *case)
        yield from (found, old, [undecided])
