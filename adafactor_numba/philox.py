"""Philox4x32-10: random words of a counter and a key, and of nothing else.

J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw.  *Parallel Random Numbers: As Easy as 1, 2, 3.*
SC 2011.  Four words of 32 bits make a counter, two a key.
"""

from typing import Any

import numpy as np
from numpy import uint64
from numpy.typing import NDArray

from .compiler import loop

ROUNDS = 10
FIRST, SECOND = uint64(0xD2511F53), uint64(0xCD9E8D57)  # by which words are multiplied
ADDED, BESIDE = uint64(0x9E3779B9), uint64(0xBB67AE85)  # to the key, from round to round
WORD, LENGTH = uint64(0xFFFFFFFF), uint64(32)

LANES = 64  # counters that are worked on side by side
PAGE = 4 * LANES  # their words

Words = NDArray[np.uint32]


def _philox(words: Words, key: Any, other: Any) -> None:
    """Replace counters by random words: `words` (PAGE,) has all first words, then all second."""
    for _ in range(ROUNDS):
        for k in range(LANES):
            x = FIRST * uint64(words[k])
            y = SECOND * uint64(words[2 * LANES + k])
            words[k] = (y >> LENGTH) ^ words[LANES + k] ^ key
            words[LANES + k] = y & WORD
            words[2 * LANES + k] = (x >> LENGTH) ^ words[3 * LANES + k] ^ other
            words[3 * LANES + k] = x & WORD
        key, other = (key + ADDED) & WORD, (other + BESIDE) & WORD


philox = loop(_philox)


def _page(words: Words, seed: int, t: int, index: int, number: int) -> None:
    """Write the random words of a page to `words` (PAGE,).

    The key is the seed.  A counter is its own number, in 43 bits, then t in 53 and the index of a
    parameter in 32.
    """
    for k in range(LANES):
        counter = number * LANES + k
        words[k] = counter & 0xFFFFFFFF
        words[LANES + k] = (counter >> 32 | t << 11) & 0xFFFFFFFF
        words[2 * LANES + k] = t >> 21 & 0xFFFFFFFF
        words[3 * LANES + k] = index
    philox(words, uint64(seed & 0xFFFFFFFF), uint64(seed >> 32))


page = loop(_page)
