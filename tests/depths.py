"""How deep the loops' own sums are: their plain source, run on numbers that only know a depth."""

import numpy as np

from adafactor_numba import loops, matrix, vector
from adafactor_numba.audit.source import interpreted, scope
from proofs.rounding import MatrixDepths, VectorDepths


class Deep:
    """A number with the additions on the longest way to it; a product is a term, of depth 0.

    What is divided by a count of terms is still the sum that it was.
    """

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
        return Deep() if isinstance(other, Deep) else self

    def __rtruediv__(self, other):
        return Deep()


def full(shape, value):
    return np.full(shape, value, object)


NAMES = scope(number=lambda x: x, larger=max, smaller=min, zero=0.0, unwritten=None)
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
        X=MATRIX.mean_square(full((1, n, m), Deep())).depth,
    )


def of_a_vector(n):
    V, G = full(n, Deep()), full(n, Deep())
    return VectorDepths(
        X=VECTOR.mean_square(full(n, Deep())).depth,
        U=VECTOR.mean_square_of_U(G, V, Deep(), Deep(), Deep()).depth,
    )
