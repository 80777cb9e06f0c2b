"""What a source of the 16-bit formats and of the random words must pass, by their definitions."""

import itertools
from functools import cache
from types import FunctionType, SimpleNamespace

import ml_dtypes
import numpy as np

from tests.test_half import FORMATS, around, both_signs, model, parts
from tests.test_philox import KNOWN, numbers

NAN = 0x7FFF
NOISE = 3, 5, 7, 100
NO_SEED = 0, 5, 7, 100


@cache
def forms():
    """Of each format the type of its bits, its numbers, and some of its patterns.

    Those are the first and last ones, those around the least normal number, and some between.
    """
    return [
        SimpleNamespace(kind=kind, numbers=model(name), some=some(1 << digits, len(model(name))))
        for name, (kind, digits, _) in FORMATS.items()
    ]


def some(normal, length):
    edges = {k + step for k in (4, normal, length - 5) for step in range(-4, 5)}
    return np.array(sorted(edges | {*range(0, length, 997)}))


def widening(code):
    """Bits stand for the number of their pattern, in both signs, or for a NaN."""
    for form in forms():
        x, patterns = both_signs(np.append(form.numbers[:-1], np.inf)[form.some], form.some)
        for dtype in (np.float32, np.float64):
            found = np.empty(len(x), dtype)
            code.half.widen(patterns.astype(np.uint16).view(form.kind), found)
            assert np.array_equal(found, x.astype(dtype))
            assert np.array_equal(np.signbit(found), patterns >= 0x8000)
            beyond = np.array([len(form.numbers), NAN, 0xFFFF], np.uint16).view(form.kind)
            code.half.widen(beyond, found[:3])
            assert np.isnan(found[:3]).all()


def nearest(code):
    """A double goes to the nearest number, of two to the even one; beyond them to infinity."""
    for form in forms():
        every, bits_due = around(form.numbers)
        chosen = np.flatnonzero(np.isin(bits_due & NAN, form.some))
        largest = len(form.numbers) - 2
        special, specially = both_signs(
            np.array([0.0, 5e-324, 1.7e308, np.inf]), np.array([0, 0, largest + 1, largest + 1])
        )
        for x, due in ((every[chosen], bits_due[chosen]), (special, specially)):
            found = np.empty(len(x), form.kind)
            code.half.narrow(x, found)
            assert np.array_equal(found.view(np.uint16), due)
        format = code.half.format_of(found)
        assert code.half.nearest(np.nan, format) & NAN > largest + 1
        for k in form.some[:-1]:
            assert code.half.nearest(form.numbers[k], format) == k
            assert code.half.drawn(form.numbers[k], 0, format) == k


def chance(code):
    """As many of all words round up as is the part of the way; what needs no rounding stays."""
    for form in forms():
        x, part, words = (A[form.some[:-3]] for A in parts(form.numbers, 1))
        for word, up in (
            (2**32 - 1 - part, 0),
            (np.minimum(2**32 - part, 2**32 - 1), part > 0),
            (words, words >= 2**32 - part),
        ):
            for sign in (1, -1):
                found = drawn(code, sign * x, word, form.kind)
                assert np.array_equal(found & NAN, form.some[:-3] + up)
                assert (found >> 15 == (sign < 0)).all()
        x, due = both_signs(form.numbers[form.some[:-1]], form.some[:-1])
        for word in (0, 2**32 - 1):
            assert np.array_equal(drawn(code, x, np.full(x.shape, word), form.kind), due)
        largest, beyond = form.numbers[-2:]
        x = np.array([np.nextafter((largest + beyond) / 2, 0), (largest + beyond) / 2, np.nan])
        for word in (0, 2**32 - 1):
            found = drawn(code, x, np.full(3, word), form.kind)
            assert np.array_equal(found[:2], len(form.numbers) - np.array([2, 1]))
            assert found[2] & NAN > len(form.numbers) - 1


def drawn(code, x, words, kind):
    found = np.empty(x.shape, kind)
    code.half.narrow_by(x, words.astype(np.uint32), found)
    return found.view(np.uint16)


def by_place(code, x, kind, noise=NOISE):
    """The bits of x (n,), each entry by the word of its place."""
    seed, t, index, first = noise
    words = np.empty((-(-(first + len(x)) // code.philox.PAGE), code.philox.PAGE), np.uint32)
    for number, page in enumerate(words):
        code.philox.page(page, seed, t, index, number)
    return drawn(code, x, words.reshape(-1)[first : first + len(x)], kind)


def places(code):
    """The word of an entry is that of its place, whatever the piece of the array."""
    x = np.linspace(-2, 2, 600)
    for form in forms():
        due = by_place(code, x, form.kind)
        for start, stop in ((0, 1), (0, 600), (155, 157), (156, 412), (300, 600)):
            found = np.empty(stop - start, form.kind)
            code.half.draw(x[start:stop], found, NOISE, start)
            assert np.array_equal(found.view(np.uint16), due[start:stop])


def views(code):
    """A float16 or bfloat16 array is seen as its bits in place, another as it is."""
    for dtype, kind in ((np.float16, np.uint16), (ml_dtypes.bfloat16, np.int16)):
        A = np.ones(3, dtype)
        seen = code.half.seen(A)
        assert seen.dtype == kind
        assert np.shares_memory(A, seen)
    for dtype in (np.float32, np.float64):
        assert code.half.seen(np.ones(3, dtype)).dtype == dtype


def words(code):
    """The words are those that the authors publish."""
    LANES = code.philox.LANES
    for counter, key, known in KNOWN:
        page = np.repeat(np.array(numbers(counter), np.uint32), LANES)
        code.philox.philox(page, *map(np.uint64, numbers(key)))
        assert np.array_equal(page, np.repeat(numbers(known), LANES))


def counters(code):
    """A counter tells its number, t and the parameter; the key is the seed."""
    seeds, times = (0, 0x0123456789ABCDEF), (1, 2**53 - 1, 0x12345678ABCDE)
    for where in itertools.product(seeds, times, (0, 2**32 - 1), (0, 2**37 - 1, 0x123456789)):
        seed, t, index, number = where
        page, given = given_to_philox(code, where)
        lanes = page.reshape(4, code.philox.LANES).T.tolist()
        for k, lane in enumerate(lanes):
            due = index << 96 | t << 43 | number * len(lanes) + k
            assert sum(word << 32 * k for k, word in enumerate(lane)) == due
        assert given[0] is page
        assert [*map(int, given[1:])] == [seed & 0xFFFFFFFF, seed >> 32]


def given_to_philox(code, where):
    """A page of counters, and what its words are to be made of."""
    page, given = np.zeros(code.philox.PAGE, np.uint32), []
    scope = vars(code.philox) | {"philox": lambda *all_of_it: given.extend(all_of_it)}
    FunctionType(code.philox.page.__code__, scope)(page, *where)
    return page, given


def noise(code):
    """Weights stored by chance are those of doubles, each rounded by the word of its place."""
    rng = np.random.default_rng(1)
    for (n, m), form in itertools.product(((130, 1), (37, 9), (5, 3)), forms()):
        numbers = form.numbers[len(form.numbers) // 3 : len(form.numbers) // 2]
        X, G = rng.choice(numbers, (2, n, m))
        factors = rng.uniform(0.5, 2.0, n), rng.uniform(0.5, 2.0, m)
        of_a_matrix = X, G, (*factors, 0.01)
        of_a_vector = X[:, 0], G[:, 0], (factors[0], 0.01, 0.25, 0.75, 1e-30)
        for chance in (NOISE, NO_SEED):
            by_chance(code, code.matrix.descend_strip, *of_a_matrix, form, chance)
            by_chance(code, code.vector.descend, *of_a_vector, form, chance)


def by_chance(code, descend, X, G, others, form, chance):
    moved = X.copy()
    descend(moved, G, *map(np.copy, others))
    due = by_place(code, moved.reshape(-1), form.kind, chance)
    X_new = bits_of(X, form)
    descend(X_new, bits_of(G, form), *map(np.copy, others), chance)
    assert np.array_equal(X_new.view(np.uint16).reshape(-1), due)


def bits_of(x, form):
    """The bits of numbers of the format."""
    return np.searchsorted(form.numbers, x).astype(np.uint16).view(form.kind)
