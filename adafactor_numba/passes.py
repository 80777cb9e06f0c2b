"""The passes of a strict step over X and G: what one thread does, and all of them at once.

A thread has the strips, or the blocks, from one of `cuts` to the next.
"""

from typing import Any, NamedTuple

from numba import prange
from numba.extending import overload

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


def observe(G: Stored, sums: Sums, s: int) -> None:
    """Sum up strip s of G."""
    if survey.worthwhile(G):
        of_rows = sums.R_old, sums.rates, sums.rows
        survey.observe(G, *of_rows, sums.columns, sums.ratios, s, s + 1)
    else:
        pairsums.observe(G, sums.rows, sums.columns, s, s + 1)


@overload(observe, strict=False)
def _observe(G: Any, sums: Any, s: Any) -> Any:
    if G.dtype.bitwidth == 64:  # for which a survey is not even compiled
        return lambda G, sums, s: pairsums.observe(G, sums.rows, sums.columns, s, s + 1)
    return observe


def _read_share(X: Stored, G: Stored, sums: Sums, cuts: Integers, k: int) -> None:
    """What thread k reads."""
    sums.taken[k] = 1
    for s in range(cuts[k], cuts[k + 1]):
        observe(G, sums, s)
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
    """Sum up all strips."""
    for k in prange(cuts.shape[0] - 1):
        read_share(X, G, sums, cuts, k)


read = together(_read)


def _measure(G: Stored, f: Floats, columns: Floats, cuts: Integers) -> None:
    """Write sum_i f_i G_ij^2 (2, strips, m), f (2, p, n)."""
    for k in prange(cuts.shape[0] - 1):
        pairsums.measure(G, f, columns, cuts[k], cuts[k + 1])


measure = together(_measure)


def _descend(X: Stored, G: Stored, move: Move, cuts: Integers) -> None:
    """Move the blocks that are left."""
    for k in prange(cuts.shape[0] - 1):
        descend_share(X, G, move, cuts, k)


descend = together(_descend)
