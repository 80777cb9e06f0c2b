"""The passes of a strict step over X and G: what one thread does, and all of them at once.

A thread has the strips, or the blocks, from one of `cuts` to the next.
"""

from typing import Any, NamedTuple

from numba import prange
from numba.extending import intrinsic, overload

from . import pairsums, survey, ziv
from .accumulator import Long, add_strips
from .loops import Floats, Integers, Stored, loop, together
from .singles import Singles


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

    f and c are pairs of doubles, and of float32 besides.  So many blocks are left to each thread.
    The positions of what is undecided are found (threads, ...); how many these are, and how many
    entries pairs decided, is counted (2, threads).
    """

    f: Floats
    c: Floats
    f32: Singles
    c32: Singles
    bounds: Floats
    left: Integers
    found: Integers
    counts: Integers


def borrowed(A: Stored) -> Stored:
    """A without its count of references, for which threads that share A would wait for each other.

    The caller keeps A alive.
    """
    return A


def _uncounted(context: Any, A: Any) -> Any:
    """The array A without its counter."""

    def written(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(A)(context, builder, arguments[0])
        for name in ("meminfo", "parent"):
            setattr(array, name, context.get_constant_null(array._datamodel.get_type(name)))
        return array._getvalue()

    return A(A), written


uncounted: Any = intrinsic(_uncounted)


@overload(borrowed, strict=False)
def _borrowed(A: Any) -> Any:
    return lambda A: uncounted(A)


def observe(
    G: Stored,
    R_old: Floats,
    rates: Floats,
    row_sums: Floats,
    parts: Floats,
    ratios: Floats,
    first: int,
    last: int,
) -> None:
    """Write the sums of the strips of G (p, n, m) from first to last, as `survey.observe` does.

    Where that is not worthwhile, those over R are not written.
    """
    if survey.worthwhile(G):
        survey.observe(G, R_old, rates, row_sums, parts, ratios, first, last)
    else:
        pairsums.observe(G, row_sums, parts, first, last)


@overload(observe, strict=False)
def _observe(
    G: Any, R_old: Any, rates: Any, row_sums: Any, parts: Any, ratios: Any, first: Any, last: Any
) -> Any:
    if G.dtype.bitwidth == 64:  # for which a survey is not even compiled
        return lambda G, R_old, rates, row_sums, parts, ratios, first, last: pairsums.observe(
            G, row_sums, parts, first, last
        )
    return observe


def _read_share(X: Stored, G: Stored, sums: Sums, cuts: Integers, k: int) -> None:
    """What thread k reads."""
    own_X, own_G = borrowed(X), borrowed(G)
    of_G = sums.R_old, sums.rates, sums.rows, sums.columns, sums.ratios
    sums.taken[k] = 1
    for s in range(cuts[k], cuts[k + 1]):
        observe(own_G, *of_G, s, s + 1)
        sums.taken[k] &= add_strips(sums.totals[k], own_X, s, s + 1)


read_share = loop(_read_share)


def _descend_share(X: Stored, G: Stored, move: Move, cuts: Integers, k: int) -> None:
    """What thread k moves, as far as there is room for what is found."""
    f, c, f32, c32, bounds = move.f, move.c, move.f32, move.c32, move.bounds
    own_X, own_G, found = borrowed(X), borrowed(G), move.found[k]
    blocks = cuts[k], cuts[k] + move.left[k]
    move.left[k], move.counts[0, k], move.counts[1, k] = ziv.descend(
        own_X, own_G, f, c, f32, c32, bounds, *blocks, found
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
        pairsums.measure(borrowed(G), f, columns, cuts[k], cuts[k + 1])


measure = together(_measure)


def _descend(X: Stored, G: Stored, move: Move, cuts: Integers) -> None:
    """Move the blocks that are left."""
    for k in prange(cuts.shape[0] - 1):
        descend_share(X, G, move, cuts, k)


descend = together(_descend)
