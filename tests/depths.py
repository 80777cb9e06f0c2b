"""How deep the loops' own sums are: their plain source, run on numbers that only know a depth."""

import types

import numpy as np

from adafactor_numba import loops, matrix, vector
from adafactor_numba.audit.source import interpreted
from proofs.rounding import MatrixDepths, VectorDepths


class Deep:
    """A number with the additions on the longest way to it; a product is a term, of depth 0."""

    def __init__(self, depth=0):
        self.depth = depth

    def __add__(self, other):
        if isinstance(other, Deep):
            return Deep(1 + max(self.depth, other.depth))
        if other == 0:
            return self
        raise TypeError(f"{other} is added to a sum")

    __radd__ = __add__

    def __mul__(self, other):
        return self if isinstance(other, float) and other == 1 else Deep()

    __rmul__ = __mul__

    def __truediv__(self, other):
        return Deep()

    __rtruediv__ = __truediv__


def full(shape, value):
    return np.full(shape, value, object)


NAMES = {
    "float64": lambda x: x,
    "np": types.SimpleNamespace(
        zeros=lambda shape: full(shape, 0.0),
        empty=lambda shape: full(shape, None),
        empty_like=lambda a: full(a.shape, None),
        zeros_like=lambda a: full(a.shape, 0.0),
    ),
}
LOOPS, MATRIX, VECTOR = (interpreted(module, **NAMES) for module in (loops, matrix, vector))


def deepest(value):
    return max(x.depth for x in np.ravel(value))


def of_a_matrix(n, m):
    """With w = 1.0, which leaves the depth of what it weighs, R = beta_2 R_old + (sum + ...)."""
    R, C, ratios = full(n, Deep()), full(m, Deep()), full(m, None)
    MATRIX.second_moment(R, C, full((n, m), Deep()), ratios, 1.0, Deep(), Deep())
    return MatrixDepths(
        row=deepest(R) - 2,
        column=deepest(C) - 2,
        ratio=deepest(ratios),
        S=deepest(LOOPS.total(full(n, Deep()))),
        U=deepest(LOOPS.total(full(m, Deep()))),
        X=sum_over(MATRIX.mean_square, full((1, n, m), Deep())),
    )


def of_a_vector(n):
    V, G = full(n, Deep()), full(n, Deep())
    return VectorDepths(
        X=sum_over(VECTOR.mean_square, full(n, Deep())),
        U=sum_over(VECTOR.mean_square_of_U, G, V, Deep(), Deep(), Deep()),
    )


def sum_over(mean, *given):
    """The depth of the sum that a mean divides."""
    seen = []

    class Seen(Deep):
        def __add__(self, other):
            return Seen(super().__add__(other).depth)

        __radd__ = __add__

        def __mul__(self, other):
            return Seen()

        def __truediv__(self, other):
            seen.append(self.depth)
            return Seen()

        __rtruediv__ = __truediv__

    own = [full(x.shape, Seen()) if isinstance(x, np.ndarray) else Seen() for x in given]
    mean(*own)
    return seen[-1]
