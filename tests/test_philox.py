"""The generator gives the words that its authors publish, and no two entries the same counter."""

import types

import numpy as np
import pytest

from adafactor_numba import philox

# The known answers that come with Random123, the authors' library: counter, key, words.
KNOWN = [
    ("00000000 " * 4, "00000000 " * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff " * 4, "ffffffff " * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


def numbers(text):
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize("f", [philox.philox, philox._philox])
@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_the_words_are_those_that_are_known(f, counter, key, words):
    page = np.repeat(np.array(numbers(counter), np.uint32), philox.LANES)
    f(page, *map(np.uint64, numbers(key)))
    assert np.array_equal(page, np.repeat(numbers(words), philox.LANES))


def counters(*where):
    """The counters of a page, as integers, and its key."""
    keys = []
    scope = vars(philox) | {"philox": lambda words, *key: keys.append(tuple(map(int, key)))}
    page = np.zeros(philox.PAGE, np.uint32)
    types.FunctionType(philox._page.__code__, scope)(page, *where)
    parts = page.reshape(4, philox.LANES).astype(object)
    return [sum(int(w) << 32 * k for k, w in enumerate(lane)) for lane in parts.T], keys[0]


@pytest.mark.parametrize("seed", [0, 2**63 - 1, 0x0123456789ABCDEF])
@pytest.mark.parametrize("t", [1, 2**53 - 1, 0x12345678ABCDE])
@pytest.mark.parametrize("index", [0, 2**32 - 1])
@pytest.mark.parametrize("number", [0, 2**37 - 1, 0x123456789])
def test_a_counter_tells_its_number_t_and_parameter_and_the_key_the_seed(seed, t, index, number):
    found, key = counters(seed, t, index, number)
    assert found == [index << 96 | t << 43 | number * philox.LANES + k for k in range(philox.LANES)]
    assert key[0] + (key[1] << 32) == seed


def test_compiled_and_plain_pages_are_the_same():
    pages = [np.zeros(philox.PAGE, np.uint32) for _ in range(2)]
    philox.page(pages[0], 2**63 - 1, 2**53 - 1, 2**32 - 1, 2**37 - 1)
    philox._page(pages[1], 2**63 - 1, 2**53 - 1, 2**32 - 1, 2**37 - 1)
    assert np.array_equal(*pages)
