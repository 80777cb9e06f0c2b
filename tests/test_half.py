"""float16 and bfloat16 by their bits: each pattern, each tie and both its neighbours, exactly.

What is expected comes from the formats' definition, in integers and doubles, not from a library.
"""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from adafactor_numba import half
from tests.arrays import bits

FORMATS = {"float16": (np.uint16, 10, 15), "bfloat16": (np.int16, 7, 127)}


def model(name):
    """The numbers from 0 to the largest, by their bits, and what would come next, for infinity."""
    _, digits, bias = FORMATS[name]
    size = np.arange(((2 * bias + 1) << digits) + 1)
    exponent, fraction = size >> digits, size & ((1 << digits) - 1)
    significand = np.where(exponent > 0, fraction + (1 << digits), fraction)
    return np.ldexp(significand.astype(float), np.maximum(exponent, 1) - bias - digits)


@pytest.fixture(params=FORMATS)
def form(request):
    """A format: its name, the type of its bits, all its positive numbers, the bits of infinity."""
    numbers = model(request.param)
    kind = FORMATS[request.param][0]
    return SimpleNamespace(kind=kind, numbers=numbers, infinity=len(numbers) - 1)


@pytest.fixture(params=["compiled", "plain"])
def loops(request):
    """The conversions, compiled or as their plain source."""
    if request.param == "plain":
        request.getfixturevalue("interpreted")
    return half


def narrowed(x, kind, loops=half):
    """The bits, as integers, of the numbers nearest to x."""
    found = np.empty(x.shape, kind)
    loops.narrow(x.reshape(-1), found.reshape(-1))
    return found.view(np.uint16)


def widened(patterns, kind, dtype=np.float64, loops=half):
    x = np.empty(patterns.shape, dtype)
    loops.widen(patterns.astype(np.uint16).view(kind).reshape(-1), x.reshape(-1))
    return x


def both_signs(x, patterns):
    return np.concatenate([x, -x]), np.concatenate([patterns, patterns + 0x8000])


def around(numbers):
    """Every tie between neighbours and every number, the doubles beside them, and the bits due."""
    k = np.arange(len(numbers) - 1)
    below, above = numbers[:-1], numbers[1:]
    tie = (below + above) / 2
    assert (tie - below == above - tie).all()
    x = [tie, np.nextafter(tie, 0), np.nextafter(tie, np.inf), below, np.nextafter(below, np.inf)]
    due = [k + k % 2, k, k + 1, k, k]
    return both_signs(np.concatenate([*x, np.nextafter(above, 0)]), np.concatenate([*due, k + 1]))


# To floats, and back


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_pattern_is_widened_to_what_it_stands_for(form, loops, dtype):
    with np.errstate(invalid="ignore"):
        found = widened(np.arange(2**16), form.kind, dtype, loops)
    numbers = np.append(form.numbers[:-1], np.inf)
    x, patterns = both_signs(numbers, np.arange(form.infinity + 1))
    assert bits(found[patterns]) == bits(x.astype(dtype))
    others = np.setdiff1d(np.arange(2**16), patterns)
    assert len(others) == 2 * (2**15 - 1 - form.infinity)
    assert np.isnan(found[others]).all()


def test_every_pattern_comes_back(form, loops):
    every = np.arange(2**16)
    with np.errstate(invalid="ignore"):
        back = narrowed(widened(every, form.kind, loops=loops), form.kind, loops)
    numbers = every & 0x7FFF <= form.infinity
    assert np.array_equal(back[numbers], every[numbers])
    assert (back[~numbers] & 0x7FFF > form.infinity).all()


def test_every_tie_goes_to_the_even_neighbour_and_what_is_beside_it_to_the_nearer(form, loops):
    x, due = around(form.numbers)
    assert np.array_equal(narrowed(x, form.kind, loops), due)


def test_only_what_lies_beyond_the_largest_number_and_half_a_step_is_infinite(form):
    largest, beyond = form.numbers[-2:]
    tie = (largest + beyond) / 2
    x = np.array([largest, np.nextafter(tie, 0), tie, beyond, 1.7e308, np.inf])
    due = form.infinity - np.array([1, 1, 0, 0, 0, 0])
    assert np.array_equal(narrowed(*[both_signs(x, due)[0], form.kind]), both_signs(x, due)[1])


def test_the_least_doubles_become_zeros_of_their_sign(form):
    x, due = both_signs(np.array([0.0, 5e-324, 2.0**-1022, form.numbers[1] / 2]), np.zeros(4, int))
    assert np.array_equal(narrowed(x, form.kind), due)


def test_doubles_of_all_exponents_are_rounded_as_numpy_rounds_them():
    rng = np.random.default_rng(1)
    x = np.ldexp(rng.uniform(-2, 2, 2**18), rng.integers(-28, 18, 2**18))
    with np.errstate(over="ignore"):
        due = x.astype(np.float16).view(np.uint16)
    assert np.array_equal(narrowed(x, np.uint16), due)
    assert len(np.unique(due)) > 2**15


def test_what_is_rounded_to_float32_first_or_cut_off_is_told_apart(form):
    x, due = around(form.numbers)
    with np.errstate(over="ignore"):
        twice = narrowed(x.astype(np.float32).astype(float), form.kind)
    assert np.count_nonzero(twice != due) > len(due) / 10
    cut = np.searchsorted(form.numbers, np.abs(x), side="right") - 1 + 0x8000 * np.signbit(x)
    assert np.count_nonzero(cut != due) > len(due) / 10


# By chance


def drawn(x, words, kind, loops=half):
    """The bits, as integers, of the numbers that x become with these words."""
    found = np.empty(x.shape, kind)
    loops.narrow_by(x, words.astype(np.uint32), found)
    return found.view(np.uint16)


def parts(numbers, seed):
    """Between all neighbours a number so many 2^-32 of the way up, and a word for each."""
    rng = np.random.default_rng(seed)
    part, words = rng.integers(0, 2**32, (2, len(numbers) - 2))
    x = numbers[:-2] + np.diff(numbers)[:-1] * (part * 2.0**-32)
    return x, part, words


def test_as_many_of_all_words_round_up_as_is_the_part_of_the_way(form, loops):
    """x + part: the last of the words that round down and the first that rounds up stand apart."""
    x, part, words = parts(form.numbers, 1)
    k = np.arange(len(x))
    for word, up in (
        (2**32 - 1 - part, 0),
        (np.minimum(2**32 - part, 2**32 - 1), part > 0),
        (words, words >= 2**32 - part),
        (0 * part, 0),
        (0 * part + 2**32 - 1, part > 0),
    ):
        for sign in (1, -1):
            found = drawn(sign * x, word, form.kind, loops)
            assert np.array_equal(found & 0x7FFF, k + up)
            assert (found >> 15 == (sign < 0)).all()


def test_what_needs_no_rounding_never_moves(form, loops):
    for word in (0, 1, 2**31, 2**32 - 1):
        x, due = both_signs(form.numbers[:-1], np.arange(form.infinity))
        assert np.array_equal(drawn(x, np.full(x.shape, word), form.kind, loops), due)


def test_beyond_the_largest_number_chance_has_no_say(form):
    largest, beyond = form.numbers[-2:]
    tie = (largest + beyond) / 2
    x = np.array([largest, np.nextafter(tie, 0), tie, beyond, 1.7e308, np.inf])
    for word in (0, 2**32 - 1):
        assert np.array_equal(drawn(x, np.full(6, word), form.kind), narrowed(x, form.kind))
    assert np.isnan(widened(drawn(np.array([np.nan]), np.array([7]), form.kind), form.kind))


def by_chance(x, kind, noise, start=0):
    found = np.empty(x.shape, kind)
    half.draw(x, found, noise, start)
    return found.view(np.uint16)


def test_an_entry_has_its_word_wherever_it_is_cut_off(form):
    x = np.random.default_rng(2).standard_normal(1000)
    noise = 5, 7, 11, 3
    whole = by_chance(x, form.kind, noise)
    for start, stop in ((0, 1), (1, 257), (252, 253), (253, 600), (999, 1000), (5, 1000)):
        assert np.array_equal(by_chance(x[start:stop], form.kind, noise, start), whole[start:stop])
        later = (*noise[:3], noise[3] + start)
        assert np.array_equal(by_chance(x[start:stop], form.kind, later), whole[start:stop])
    assert not np.array_equal(by_chance(x, form.kind, noise, 1), whole)


OTHERS = [(6, 7, 11, 3), (5, 8, 11, 3), (5, 7, 12, 3), (5 + 2**32, 7, 11, 3)]


@pytest.mark.parametrize("other", OTHERS)
def test_another_seed_t_or_parameter_is_other_chance(form, other):
    """Words that agree by chance in as many bits of 1000 have a probability below 1e-9."""
    x = np.full(1000, form.numbers[1] / 2)
    same = by_chance(x, form.kind, (5, 7, 11, 3)) == by_chance(x, form.kind, other)
    assert abs(np.count_nonzero(same) - 500) <= hoeffding(1000)


def hoeffding(n, probability=1e-9):
    """How far n tosses leave what they are expected to be with this probability at most."""
    return math.sqrt(n * math.log(2 / probability) / 2)


@pytest.mark.parametrize("part", [0.001, 0.25, 0.7])
def test_the_expectation_is_what_was_rounded(form, part):
    n = 2**18
    for k in (0, 1, form.infinity // 2, form.infinity - 2):
        x = form.numbers[k] + part * (form.numbers[k + 1] - form.numbers[k])
        ups = np.count_nonzero(by_chance(np.full(n, x), form.kind, (1, 2, 3, 4)) != k)
        assert abs(ups - part * n) <= hoeffding(n)
        nearest = np.count_nonzero(narrowed(np.full(n, x), form.kind) != k)
        assert abs(nearest - part * n) > hoeffding(n) or part == 0.001
