"""What a source of sums in whole numbers, and of the reading of the gradient, must pass.

By fractions: whole numbers are what they stand for, sums within a bound that is far below a place.
"""

import math
from fractions import Fraction
from functools import cache
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np

from .strictly import U, exact_sums, exactly, gathered, near, within

NEAR = Fraction(1, 2**100)
SIZES = [0.0, -0.0, 1.0, -3.0, 2.0**-149, -1e-30, 3e38, 2.0**-126]
NO_NUMBERS = math.nan, -math.nan, math.inf, -math.inf
RATES = np.array([0.3, 0.6, 0.7])
SHAPES = [(2, 5, 6), (1, 19, 5), (2, 29, 3), (1, 150, 9), (1, 100, 1), (1, 3, 13), (1, 9, 9)]
KINDS = "alike", "changing", "apart", "by turns", "some zero"


def extremes(code):
    """The largest magnitude and the least but zero, wherever they are, and what is no number."""
    own, rng = code.whole, np.random.default_rng(6)
    for size in (1, 1, 1, 2, 3, 5, 8) * 4:
        a = rng.choice(SIZES, size).astype(np.float32)
        sizes = [abs(float(x)) for x in a if x]
        due = max(sizes, default=0.0), min(sizes, default=math.inf)
        assert own.extremes(a) == due
        zero, one = np.zeros((3, 2), np.float32), np.ones((3, 1), np.float32)
        of_ones = max(1.0, due[0]), min(1.0, due[1])
        for k in range(4):
            assert own.extremes_of_four(*zero[:k], a, *zero[k:]) == due
            assert own.extremes_of_four(*one[:k], a, *one[k:]) == of_ones
        for x in NO_NUMBERS:
            a[rng.integers(size)] = x
            assert not own.extremes(a)[0] < math.inf
            assert not own.extremes_of_four(*one, a)[0] < math.inf


def reaches(code):
    """A reach holds all magnitudes below it down to the least, and a fitting one is found."""
    own = code.whole
    for reach in (1.0, 2.0**128, 2.0**-97):
        below = reach * (1 - U)
        assert own.holds(reach, below, reach / 2**28)
        assert own.holds(reach, 0.0, math.inf)
        assert not own.holds(reach, reach, reach)
        assert not own.holds(reach, below, reach / 2**28 * (1 - U))
        assert not own.holds(reach, math.nan, reach / 2)
    assert own.holds(2.0**-98, 2.0**-99, 2.0**-149)
    assert not own.holds(2.0**-98, 2.0**-98, 2.0**-149)
    assert not own.holds(0.0, 0.0, math.inf)
    for largest in (1.0, 1.5, 2 - U, 2.0**-101, 2.0**-149, float(np.finfo(np.float32).max)):
        reach = 2.0 ** (math.frexp(largest)[1] + 2)
        assert own.fitting(largest, largest) == reach
        least = reach / 2**28
        assert own.fitting(largest, least) == reach
        assert own.fitting(largest, least * (1 - U)) == (reach if largest < 1e-29 else 0.0)
    assert own.fitting(0.0, math.inf) > 0
    for largest in (math.inf, math.nan):
        assert own.fitting(largest, 1.0) == 0.0


def stands_for(high, low, reach):
    """What two whole numbers mean."""
    return (int(high) * 2**51 + int(low)) * (Fraction(reach) ** 2 / 2**103)


def squares(code):
    """Squares are whole numbers of few bits where the reach holds them; sums of them are exact."""
    own = code.whole
    for e in (1, 128, -60, -90, -97, -98, -110, -145):
        for k in range(-2, 33):
            x = np.float32(math.ldexp(2 - 2.0**-23, e - k - 1) if -148 < e - k < 129 else 0)
            bits = x.view(np.uint32) | np.uint32(1)  # so that the last is needed
            row, reach = np.full(1, bits, np.uint32).view(np.float32), math.ldexp(1.0, e)
            sums = np.full((2, 4), -1)
            own.squares_of_each(row, -row, row, row, reach, sums)
            assert (sums == sums[:, :1]).all()
            (high, low), size = sums[:, 0], float(row[0])
            is_exact = stands_for(high, low, reach) == Fraction(size) ** 2
            few = 0 <= high <= 2**52 and abs(low) <= 2**50
            assert own.holds(reach, size, size) == (is_exact and few)
    for n, (rows, due) in SUMS.items():
        sums = np.full((2, 4), -1)
        own.squares_of_each(*rows, 4.0, sums)
        whole_sums(sums, due.sum(1), n)
        sums, columns = np.full((2, 2), -1), np.arange(2 * n, dtype=np.uint64).reshape(2, n)
        own.squares_of_two(*rows[:2], 4.0, sums, *columns)
        whole_sums(sums, due[:2].sum(1), n)
        columns -= np.arange(2 * n, dtype=np.uint64).reshape(2, n) + 2 * LEVELS
        whole_sums(columns.view(np.int64), due[:2].sum(0), 2)


def whole_sums(found, due, n):
    """Whole numbers (2, k) of sums of n squares each."""
    for (high, low), value in zip(found.T, due, strict=True):
        assert stands_for(high, low, 4.0) == value
        assert 0 <= high <= n * 2**52
        assert abs(low) <= n * 2**50


def drawn_rows(n):
    rows = np.random.default_rng([8, n]).uniform(-4, 4, (4, n)).astype(np.float32)
    rows[1] *= np.float32(2.0**-20)
    return rows, fractions(rows) ** 2


def fractions(a):
    return np.vectorize(Fraction, [object])(a.astype(float))


LEVELS = np.array([[16.0], [3 * 2.0**-48]]).view(np.uint64)  # the bits of M and N, of reach 4
SUMS = {n: drawn_rows(n) for n in (1, 2, 5, 24)}


def added(code):
    """Whole numbers become pairs, are added up, and are added to what there is."""
    own = code.whole
    numbers = 0, 1, -1, 2**32 - 1, 2**32, -(2**32) - 5, 2**62 + 2**30 + 1, 2**63 - 1, -(2**63)
    for a in numbers:
        near(own.scaled(np.int64(a), 2.0**-30), Fraction(a, 2**30), 0)
        for low in (0, -5, 2**40 + 1, 3 - 2**61):
            pair = own.real(np.int64(a), np.int64(low), 8.0)
            near(pair, stands_for(a, low, 8.0), 3 * U * U)
    rng = np.random.default_rng(9)
    for n in (1, 2, 7):
        columns = rng.integers(0, 2**40, (2, n))
        pairs = rng.uniform(1, 2, (2, n)) * [[1.0], [0.9]]
        values = exact_sums(pairs) + [stands_for(*x, 4.0) for x in columns.T]
        columns = columns.astype(np.uint64) + np.uint64(3 * n) * LEVELS
        own.pour(columns, 3 * n, 4.0, *pairs)
        within(pairs, values, 6 * U * U)
        assert not columns.any()


def spread(shape, kind):
    """Entries of like size, of sizes that change from block to block, or too far apart."""
    n, m = shape[1:]
    rng = np.random.default_rng([7, *shape])
    G = np.ldexp(
        rng.choice([-1, 1], shape) * rng.uniform(0.5, 1, shape), rng.integers(-6, 7, shape)
    )
    turn = (np.arange(n) // min(8 * max(1, 8 // m), 24))[:, None]
    if kind == "changing":
        G *= 2.0 ** (15 * (turn % 3))
    if kind in ("apart", "by turns"):
        far = np.where(np.arange(n * m).reshape(n, m) % 3 == 1, 2.0**31, 1.0)
        G *= np.where(turn % 2, far, 1.0) if kind == "by turns" else far
        G *= np.where(turn % 3, 1.0, 2.0**-9)
    if kind == "some zero":
        G[:, ::3], G[:, :9], G[:, :, 1::2] = 0, 0, 0
    return G.astype(np.float32)


@cache
def case(shape, kind):
    """A gradient, old R, and what is due: sums of squares by rows, columns, over R by columns."""
    G = spread(shape, kind)
    R_old = np.random.default_rng(1).uniform(0.5, 2, shape[:2])
    squares = fractions(G) ** 2
    w, beta_2, epsilon_1 = map(Fraction, RATES.tolist())
    R = beta_2 * fractions(R_old) + w * (squares.sum(2) + shape[2] * epsilon_1)
    return G, R_old, (squares.sum(2), squares.sum(1), (squares / R[:, :, None]).sum(1))


def observed(code, G, R_old):
    """Sums by rows and columns, and of ratios; what is not written is no number."""
    rows = np.full((2, *G.shape[:2]), np.nan)

    def of_strips(parts, first, last):
        ratios = np.full_like(parts, np.nan)
        code.survey.observe(G, R_old, RATES, rows, parts, ratios, first, last)

    def of_ratios(ratios, first, last):
        parts = np.full_like(ratios, np.nan)
        code.survey.observe(G, R_old, RATES, rows, parts, ratios, first, last)
        assert (np.abs(ratios[1, first:last]) <= 1e-14 * ratios[0, first:last]).all()

    with patch.object(code.survey, "np", SimpleNamespace(**vars(np) | {"empty": unwritten})):
        return rows, gathered(code, G, of_strips), gathered(code, G, of_ratios)


def unwritten(shape, dtype=float):
    """An array in which there is nothing that one could do with."""
    return np.full(shape, np.nan if np.dtype(dtype).kind == "f" else 2**62, dtype)


def survey(code):
    """Sums are within their bounds, and within 2^-100 where the entries are alike."""
    for shape in SHAPES:
        bound = code.bounds.Bounds(*shape)
        for kind in KINDS:
            G, R_old, due = case(shape, kind)
            rows, columns, ratios = observed(code, G, R_old)
            alike = kind in ("alike", "changing", "some zero")
            nearly(rows, due[0], NEAR if alike else bound.R)
            nearly(columns, due[1], NEAR if alike else bound.C)
            nearly(ratios, due[2], bound.mean_square_U(False))


def nearly(pairs, values, bound):
    """As `within`, of pairs of which the second may be larger than a place of the first."""
    for pair, value in zip(pairs.reshape(2, -1).T, values.flat, strict=True):
        assert abs(exactly(pair) - value) <= Fraction(bound) * value


def weighed(code):
    """What is added to a pair is added exactly, but for the roundings of what is added."""
    rng = np.random.default_rng(3)
    for n, m in ((1, 1), (4, 5), (7, 4), (10, 9)):
        A = rng.integers(-99, 99, (n, m)).astype(np.float32)
        f = np.append(rng.integers(1, 99, n), [0] * 3).astype(float)
        pair = 2.0**53 + 2 * rng.integers(0, 99, m), rng.uniform(1, 2, m).round(9)
        due = (fractions(A) ** 2 * fractions(f[:n])[:, None]).sum(0) + exact_sums(np.array(pair))
        lost = pair[1].copy()
        code.survey.weigh(A, f, *pair, np.full(m, np.nan), np.full((4, m), np.nan, np.float32))
        assert all(abs(exactly(x) - y) < 1e-12 for x, y in zip(np.array(pair).T, due, strict=True))
        assert (np.abs(pair[1] - lost) < 1.5).all()


def no_numbers(code):
    """What is no number is none in the sums of its row and column, and in no others."""
    strips = 3
    for i, j, x in zip((0, 13, 18), (0, 2, 4), NO_NUMBERS[1:], strict=True):
        G, R_old, due = case((1, 19, 5), "alike")
        G = G.copy()
        G[0, i, j] = x
        rows, parts = np.full((2, 1, 19), np.nan), np.full((2, 2, strips, 5), np.nan)
        code.survey.observe(G, R_old, RATES, rows, *parts, 0, strips)
        columns = parts[0].sum((0, 1))
        for k, sums, own in ((i, rows.sum(0), due[0]), (j, columns, due[1])):
            assert np.flatnonzero(~np.isfinite(sums)).tolist() == [k]
            others = np.delete(sums.reshape(-1), k) - np.delete(own.astype(float).reshape(-1), k)
            assert np.abs(others).max() < 1e-12


def turns(code):
    """As many rows as may be are added up in whole numbers, and no more; the rest in pairs."""
    most = code.whole.SUMMANDS
    exact, in_pairs = code.survey.sum_exactly, code.survey.sum_in_pairs
    two, pour = code.whole.squares_of_two, code.whole.pour
    poured, read = [], []

    def squares_of_two(x, *others):
        assert len(x) <= most
        two(x, *others)

    def sum_exactly(block, *others):
        read.append("w")
        exact(block, *others)

    def sum_in_pairs(*given):
        read.append("p")
        in_pairs(*given)

    def pouring(columns, count, *others):
        assert columns.dtype == np.uint64
        assert 0 < count <= most
        poured.append(count)
        pour(columns, count, *others)

    with (
        patch.multiple(code.survey, sum_exactly=sum_exactly, sum_in_pairs=sum_in_pairs),
        patch.multiple(code.whole, squares_of_two=squares_of_two, pour=pouring),
    ):
        for (p, n, m), kind, rows, ways in TURNS:
            poured[:], read[:] = [], []
            G, R_old = case((p, n, m), kind)[:2]
            strips = p * -(-n // code.loops.strip(n, m))
            parts = np.empty((2, 2, strips, m))
            code.survey.observe(G, R_old, RATES, np.empty((2, p, n)), *parts, 0, strips)
            assert poured == rows
            assert "".join(read) == ways


# Strip by strip.
BY_TURNS = "w" + 3 * "wwpw" + "p" + 3 * "wwwp" + "w" + 2 * "wwpw"

# A gradient, its rows that are added up together, in twos, and how blocks are read: whole, in
# pairs, or whole by the reach of the block before, in vain, and then to take that away.
TURNS = [
    ((1, 150, 9), "alike", [24, 24, 8, 24, 24, 8, 24, 14], 19 * "w"),
    ((1, 100, 1), "alike", [24, 24, 16, 24, 12], 5 * "w"),
    ((1, 150, 9), "changing", 18 * [8] + [6], 2 * ("w" + 6 * "www") + "w" + 4 * "www"),
    ((1, 150, 9), "by turns", 9 * [8] + [6], BY_TURNS),
    ((2, 5, 6), "apart", [], "pp"),
]


def worth(code):
    """The reading is for float32 of more than one row; a block has no rows but the array's."""
    own = code.survey.worthwhile
    assert own(np.ones((1, 2, 3), np.float32))
    assert not own(np.ones((2, 1, 3), np.float32))
    assert not own(np.ones((1, 2, 3)))
    blocks = [code.survey.rows_of_block(n, m) for n, m in [(3, 9), (2**20, 9), (2**20, 1)]]
    assert blocks == [3, 8, 24]


def arrays(code):
    """All that these loops give."""
    own = code.whole
    for n, (rows, _) in SUMS.items():
        sums, columns = np.empty((2, 4), np.int64), np.zeros((2, n), np.uint64)
        own.squares_of_each(*rows, 4.0, sums)
        yield sums.copy()
        own.squares_of_two(*rows[:2], 4.0, sums[:, :2], *columns)
        yield from (sums, columns)
        yield [*own.extremes(rows[0]), *own.extremes_of_four(*rows), own.fitting(4.0, 1.0)]
        yield own.real(*sums[:, 0], 4.0)
    for shape in SHAPES:
        for kind in KINDS:
            G, R_old, _ = case(shape, kind)
            yield from observed(code, G, R_old)
