"""The passes of a strict step over X and G, by one thread or by several at once.

A thread has the strips, or the blocks, from one of `cuts` to the next.
"""

from typing import NamedTuple

from numba import prange

from . import pairsums, survey, ziv
from .accumulator import Long, add_strips
from .loops import Floats, Integers, Stored, loop, together


class Sums(NamedTuple):
    """What is read, of X and G (p, n, m): sums of squares, and of squares over R.

    By rows (2, p, n), in strips by columns (2, strips, m), and over all of X (threads, LIMBS), as
    far as that is `taken` (threads,).  Given are R_old (p, n) and `rates`: w, beta_2, epsilon_1.
    """

    R_old: Floats
    rates: Floats
    rows: Floats
    columns: Floats
    ratios: Floats
    totals: Long
    taken: Integers


class Move(NamedTuple):
    """What X (p, n, m) is moved by: f c G, with f (2, p, n) and c (2, p, m), and its bounds.

    So many blocks are left to each thread.  The positions of what is undecided are found (threads,
    ...); how many these are, and how many entries pairs decided, is counted (2, threads).
    """

    f: Floats
    c: Floats
    bounds: Floats
    left: Integers
    found: Integers
    counts: Integers


def _read_share(X: Stored, G: Stored, sums: Sums, cuts: Integers, k: int) -> None:
    """What thread k reads."""
    sums.taken[k] = 1
    for s in range(cuts[k], cuts[k + 1]):
        if survey.worthwhile(G):
            of_rows = sums.R_old, sums.rates, sums.rows
            survey.observe(G, *of_rows, sums.columns, sums.ratios, s, s + 1)
        else:
            pairsums.observe(G, sums.rows, sums.columns, s, s + 1)
        sums.taken[k] &= add_strips(sums.totals[k], X, s, s + 1)


read_share = loop(_read_share)


def _descend_share(X: Stored, G: Stored, move: Move, cuts: Integers, k: int) -> None:
    """What thread k moves, as far as there is room for what is found."""
    blocks = cuts[k], cuts[k] + move.left[k]
    move.left[k], move.counts[0, k], move.counts[1, k] = ziv.descend(
        X, G, move.f, move.c, move.bounds, *blocks, move.found[k]
    )


descend_share = loop(_descend_share)


def _read(X: Stored, G: Stored, sums: Sums, cuts: Integers) -> None:
    """Sum up all strips, one thread after the other."""
    for k in range(cuts.shape[0] - 1):
        read_share(X, G, sums, cuts, k)


read = loop(_read)


def _read_together(X: Stored, G: Stored, sums: Sums, cuts: Integers) -> None:
    """The same at once."""
    for k in prange(cuts.shape[0] - 1):
        read_share(X, G, sums, cuts, k)


read_together = together(_read_together)


def _measure(G: Stored, f: Floats, columns: Floats, cuts: Integers) -> None:
    """Write sum_i f_i G_ij^2 (2, strips, m), f (2, p, n), one thread after the other."""
    for k in range(cuts.shape[0] - 1):
        pairsums.measure(G, f, columns, cuts[k], cuts[k + 1])


measure = loop(_measure)


def _measure_together(G: Stored, f: Floats, columns: Floats, cuts: Integers) -> None:
    """The same at once."""
    for k in prange(cuts.shape[0] - 1):
        pairsums.measure(G, f, columns, cuts[k], cuts[k + 1])


measure_together = together(_measure_together)


def _descend(X: Stored, G: Stored, move: Move, cuts: Integers) -> None:
    """Move the blocks that are left, one thread after the other."""
    for k in range(cuts.shape[0] - 1):
        descend_share(X, G, move, cuts, k)


descend = loop(_descend)


def _descend_together(X: Stored, G: Stored, move: Move, cuts: Integers) -> None:
    """The same at once."""
    for k in prange(cuts.shape[0] - 1):
        descend_share(X, G, move, cuts, k)


descend_together = together(_descend_together)
