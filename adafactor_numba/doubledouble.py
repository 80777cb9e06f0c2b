"""Pairs of doubles (x, y), whose sum x + y is the number and whose x is that sum rounded.

Sums and products of two doubles are exact pairs; every other operation is within PAIR of its
value, relatively.  The algorithms, in this very order, and smaller bounds than PAIR, with proofs:
M. Joldes, J.-M. Muller, V. Popescu, ACM TOMS 44(2), 2017 (3 u^2 for add, 3 u^2 for times, 7 u^2
for multiply, 15 u^2 and a little for divide); V. Lefevre, N. Louvet, J.-M. Muller, J. Picot,
L. Rideau, ACM TOMS 49(1), 2023 (25/8 u^2 for root).

Bounds hold where no product leaves the doubles in either direction: |x y| from 2^-960 on.  Above
their range a NaN or an infinity comes out.
"""

import math
from typing import TypeAlias

from .fused import multiply_add
from .loops import loop

Pair: TypeAlias = tuple[float, float]

U = 2.0**-53  # the relative error of one operation on doubles
PAIR = 16 * U * U  # that of one operation on pairs, at most


def _two_sum(a: float, b: float) -> Pair:
    """a + b."""
    x = a + b
    z = x - a
    return x, (a - (x - z)) + (b - z)


two_sum = loop(_two_sum)


def _fast_two_sum(a: float, b: float) -> Pair:
    """a + b where |a| >= |b|."""
    x = a + b
    return x, b - (x - a)


fast_two_sum = loop(_fast_two_sum)


def _two_product(a: float, b: float) -> Pair:
    """The product a b."""
    x = a * b
    return x, multiply_add(a, b, -x)


two_product = loop(_two_product)


def _add(x: float, y: float, a: float, b: float) -> Pair:
    """(x + y) + (a + b)."""
    s, e = two_sum(x, a)
    f, g = two_sum(y, b)
    s, e = fast_two_sum(s, e + f)
    return fast_two_sum(s, g + e)


add = loop(_add)


def _times(x: float, y: float, a: float) -> Pair:
    """(x + y) a."""
    s, e = two_product(x, a)
    s, f = fast_two_sum(s, y * a)
    return fast_two_sum(s, f + e)


times = loop(_times)


def _multiply(x: float, y: float, a: float, b: float) -> Pair:
    """(x + y) (a + b)."""
    s, e = two_product(x, a)
    return fast_two_sum(s, e + (x * b + y * a))


multiply = loop(_multiply)


def _divide(x: float, y: float, a: float, b: float) -> Pair:
    """(x + y) / (a + b)."""
    q = x / a
    s, e = times(a, b, q)
    return fast_two_sum(q, ((x - s) + (y - e)) / a)


divide = loop(_divide)


def _root(x: float, y: float) -> Pair:
    """sqrt(x + y), of a positive pair or (0, 0)."""
    if x == 0.0:
        return 0.0, 0.0
    s = math.sqrt(x)
    p, e = two_product(s, s)
    return fast_two_sum(s, (((x - p) - e) + y) / (2.0 * s))


root = loop(_root)
