"""Float32 moved by pairs of float32: 48 digits, and twice as many numbers at once as of doubles.

Of a move f c g, f = f_0 + f_1 and c = c_0 + c_1 are such pairs, so f c = w_0 + w_1 and f c g is
p + (w_0 g - p) + w_1 g, of which a fused multiply-add rounds each part once.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy import float32, uint32
from numpy.typing import NDArray

from .compiler import inlined
from .doubledouble import U
from .fused import multiply_add
from .loops import Floats, loop

Singles: TypeAlias = NDArray[np.float32]

UNIT = 2.0**-24  # the relative error of one operation on float32
MOVE = 2 * U + 27 * UNIT**2  # that of a move, of doubles f and c each rounded once, and its rests
RANGE = 2.0**45  # of f and of c, of which f c and the low parts are neither too large nor too small
TINY = 2.0**-120  # more than all can be off by below the range of float32


def _fit(f: Floats, c: Floats) -> bool:
    """Whether all of f (p, n) and c (p, m) are numbers of the range that pairs of float32 take."""
    return bool(
        f.min() * RANGE >= 1.0 and c.min() * RANGE >= 1.0 and f.max() <= RANGE and c.max() <= RANGE
    )


fit = loop(_fit)


def _halves(a: Floats) -> Singles:
    """Doubles (p, k) as pairs (2, p, k), to UNIT^2 of them."""
    pairs = np.empty((2, *a.shape), float32)
    for b in range(a.shape[0]):
        for k in range(a.shape[1]):
            high = float32(a[b, k])
            pairs[0, b, k], pairs[1, b, k] = high, float32(a[b, k] - float(high))
    return pairs


halves = loop(_halves)


def _moved(x: Any, g: Any, f_0: Any, f_1: Any, c_0: Any, c_1: Any) -> tuple[Any, Any, Any]:
    """x - f c g, as a number s and a rest, and what the bound of a move is a share of.

    x - p is s and, as in `two_sum`, what s leaves of it, of which the second half is p + z.
    """
    w_0 = f_0 * c_0
    w_1 = multiply_add(f_1, c_0, multiply_add(f_0, c_1, multiply_add(f_0, c_0, -w_0)))
    p = w_0 * g
    s = x - p
    z = s - x
    rest = (x - (s - z)) - multiply_add(w_1, g, multiply_add(w_0, g, z))
    return s, rest, abs(p) + abs(s)


moved = inlined(_moved)


def _ends(x: Any, g: Any, f_0: Any, f_1: Any, c_0: Any, c_1: Any, bound: Any) -> tuple[Any, Any]:
    """The ends of x - f c g, rounded; f c g is within `bound`, which is MOVE at least."""
    s, rest, size = moved(x, g, f_0, f_1, c_0, c_1)
    e = multiply_add(bound, size, float32(TINY))
    return s + (rest - e), s + (rest + e)


ends = inlined(_ends)


def _in_singles(
    x: Singles,
    y: Singles,
    g: Singles,
    h: Singles,
    f: tuple[float, float],
    e: tuple[float, float],
    c_0: Singles,
    c_1: Singles,
    bound: float,
    old: Singles,
) -> bool:
    """Move two rows x, y (m,) by f c g and e c h, or neither; what they were is in old (2, ...).

    Whether an entry is undecided, and so neither was moved.
    """
    m, undecided = x.shape[0], uint32(0)
    one, other = old[0, :m], old[1, :m]
    for j in range(m):
        x_j, y_j = x[j], y[j]
        one[j], other[j] = x_j, y_j
        x[j], a = ends(x_j, g[j], f[0], f[1], c_0[j], c_1[j], bound)
        y[j], b = ends(y_j, h[j], e[0], e[1], c_0[j], c_1[j], bound)
        undecided = uint32(undecided + uint32(x[j] != a) + uint32(y[j] != b))
    if undecided:
        x[:], y[:] = one, other
    return bool(undecided > 0)


in_singles = loop(_in_singles)
