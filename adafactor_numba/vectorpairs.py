"""The sums and the moves of a strict step on a vector, in pieces of which the pairs stay near.

V is made anew in each pass, of V_old (n,) and of G (n,): to read pairs again would cost more.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy import float64

from .doubledouble import Pair, divide, fast_two_sum, multiply, two_sum
from .loops import Floats, Integers, Stored, loop
from .pairsums import decay, extract, invert, square, square_row, sum_of_pairs
from .ziv import in_doubles, in_pairs, retried, settled

PIECE = 2**11  # entries that are worked on together, and partial sums of a vector


class Renewal(NamedTuple):
    """What V is made of: V_old (n,), and `rates`: w and beta_2, each a pair, and epsilon_1."""

    V_old: Floats
    rates: Floats


def _fits(G: Stored, largest: float) -> bool:
    """Whether all entries of G (n,) are numbers of at most this magnitude."""
    good = True
    for k in range(G.shape[0]):
        good &= bool(abs(float64(G[k])) <= largest)
    return good


fits = loop(_fits)


def _renew(G: Stored, of: Renewal, first: int, last: int, high: Floats, low: Floats) -> None:
    """Write V from first to last to the pairs (k,), k >= last - first."""
    g, old = G[first:last], of.V_old[first:last]
    square_row(g, high, low)
    w, v, beta_2, b, epsilon_1 = of.rates
    decay(old, high, low, (epsilon_1, 0.0), (w, v), (beta_2, b))


renew = loop(_renew)


def _inverse_roots(G: Stored, of: Renewal, first: int, last: int, c: Floats) -> None:
    """Write 1 / sqrt V from first to last to the pairs c (2, k), k >= last - first."""
    k = last - first
    renew(G, of, first, last, c[0], c[1])
    invert(c[0, :k], c[1, :k], 1.0, 0.0)
    extract(c[0, :k], c[1, :k], (1.0, 0.0))


inverse_roots = loop(_inverse_roots)


def _invert_roots(V: Floats, c: Floats) -> None:
    """Write 1 / sqrt V (k,) to c, in doubles."""
    for k in range(V.shape[0]):
        c[k] = 1.0 / math.sqrt(V[k])


invert_roots = loop(_invert_roots)


def _ends(V: Floats) -> Floats:
    """The least and the largest 1 / sqrt V (2, 1, 2) of V (n,), in doubles."""
    c = np.zeros((2, 1, 2))
    c[0, 0, 0], c[0, 0, 1] = 1.0 / math.sqrt(V.max()), 1.0 / math.sqrt(V.min())
    return c


ends = loop(_ends)


def _add_ratios(g: Stored, old: Floats, of: Renewal, high: Floats, low: Floats) -> None:
    """Add g^2 / V (k,), in doubles, to the partial sums."""
    w, _, beta_2, _, epsilon_1 = of.rates
    for k in range(g.shape[0]):
        x = float64(g[k]) * float64(g[k])
        y = x / (beta_2 * old[k] + w * (x + epsilon_1))
        high[k], e = two_sum(high[k], y)
        low[k] += e


add_ratios = loop(_add_ratios)


def _add_products(g: Stored, inverse: Floats, high: Floats, low: Floats) -> None:
    """Add g^2 times the pairs (2, k) to the partial sums."""
    for k in range(g.shape[0]):
        x, y = square(g[k])
        x, y = multiply(x, y, inverse[0, k], inverse[1, k])
        high[k], e = two_sum(high[k], x)
        low[k] += e + y


add_products = loop(_add_products)


def _measure(G: Stored, of: Renewal, pairs: bool, first: int, last: int) -> Pair:
    """The sum of G^2 / V from first to last, of summands in pairs or in doubles."""
    most = min(PIECE, last - first)
    high, low, V = np.zeros(most), np.zeros(most), np.empty((2, most))
    for start in range(first, last, PIECE):
        stop = min(start + PIECE, last)
        k = stop - start
        if pairs:
            renew(G, of, start, stop, V[0], V[1])
            invert(V[0, :k], V[1, :k], 1.0, 0.0)
            add_products(G[start:stop], V, high, low)
        else:
            add_ratios(G[start:stop], of.V_old[start:stop], of, high, low)
    for k in range(most):
        high[k], low[k] = fast_two_sum(high[k], low[k])
    return sum_of_pairs(high, low)


measure = loop(_measure)


def _mean_square_U(total: Pair, ends: Floats, size: int) -> tuple[Pair, float]:
    """The mean of U^2, and what may be lost of it below the range of doubles.

    `total` is the sum of G^2 / V, of which `ends` of 1 / sqrt V (2, 1, 2) are.
    """
    lost = 2.0**-1060 * (1.0 + ends.max() ** 2)
    return divide(total[0], total[1], float(size), 0.0), lost


mean_square_U = loop(_mean_square_U)


def _settle(
    G: Stored, of: Renewal, bound: float, new: Floats, found: Integers, first: int, last: int
) -> int:
    """Write V from first to last, rounded, to new (n,), and from found[first] on what is undecided.

    These are positions; how many they are.
    """
    V, count = np.empty((2, PIECE)), 0
    for start in range(first, last, PIECE):
        stop = min(start + PIECE, last)
        renew(G, of, start, stop, V[0], V[1])
        for i in settled(V[:, : stop - start], bound, new[start:stop]):
            found[first + count] = start + i
            count += 1
    return count


settle = loop(_settle)


def _descend(
    X: Stored,
    G: Stored,
    of: Renewal,
    V: Floats,
    f: Pair,
    bounds: Floats,
    found: Integers,
    first: int,
    last: int,
) -> tuple[int, int]:
    """Move X (n,) from first to last by f G / sqrt V, V (n,) rounded.

    `bounds` are as in `ziv.descend`.  The positions of what remains undecided, and stays as it
    is, are written from found[first] on: how many these are, and how many entries pairs decided
    after doubles.
    """
    c, old = np.empty((2, PIECE)), np.empty(PIECE, X.dtype)
    count, decided = 0, 0
    for start in range(first, last, PIECE):
        stop = min(start + PIECE, last)
        x, g = X[start:stop], G[start:stop]
        if X.itemsize < 8:
            invert_roots(V[start:stop], c[0])
            undecided = in_doubles(x, g, f[0], c[0], bounds[1], old)
        else:
            inverse_roots(G, of, start, stop, c)
            undecided = in_pairs(x, g, f, c[0], c[1], bounds[2], bounds[3], old)
        if undecided:
            inverse_roots(G, of, start, stop, c)
            more, sure = retried(x, g, f, c[0], c[1], bounds, old, start, found[first + count :])
            count, decided = count + more, decided + sure
    return count, decided


descend = loop(_descend)


def _again(X: Stored, G: Stored, of: Renewal, f: Pair, bounds: Floats, which: Integers) -> Integers:
    """Move those entries of X (n,) by f G / sqrt V, in pairs; the positions that stay undecided."""
    c, old = np.empty((2, 1)), np.empty(1, X.dtype)
    found, count = np.empty_like(which), 0
    for at in which:
        inverse_roots(G, of, at, at + 1, c)
        x, g = X[at : at + 1], G[at : at + 1]
        if in_pairs(x, g, f, c[0], c[1], bounds[2], bounds[3], old):
            X[at], found[count] = old[0], at
            count += 1
    return found[:count]


again = loop(_again)
