"""Rules that break laws: `breaks` are the names of those that their moves do not keep.

Most are the paper's rule with one change, made so that it breaks one law and no other.
"""

import numpy as np

from .plain import Plain


class Lawless(Plain):
    """It breaks the laws named in `breaks`, and for those in `unasked` it does not move."""

    breaks: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()


class RowsOnly(Lawless):
    """Columns are not told apart, where there are several rows."""

    breaks = ("transposition",)

    def V(self, R, C):
        return R / C.shape[-1] + 0 * C if R.shape[-2] > 1 else super().V(R, C)


class FirstEntry(Lawless):
    """A matrix, or vector, whose first gradient is not its largest moves by half."""

    breaks = ("permutation",)

    def updated(self, state, X, G):
        axes = tuple(range(G.ndim))[-2:]
        largest = np.abs(G).max(axis=axes, keepdims=True)
        first = np.abs(G[tuple(slice(0, 1) if a in axes else slice(None) for a in range(G.ndim))])
        self.share = np.where(first < largest, 0.5, 1.0)
        return super().updated(state, X, G)

    def X_new(self, X, alpha, U_hat):
        return super().X_new(X, alpha, self.share * U_hat)


class LargeEpsilon1(Lawless):
    """Too small to be seen where |G| is about 1."""

    breaks = ("scale",)

    def squares(self, G):
        return G**2 + 1e-20


class EpsilonInTheRoot(Lawless):
    """So large that it is."""

    breaks = ("scale", "powers of two")

    def U(self, G, V):
        return G / (np.sqrt(V) + 1e-8)


class NotClipped(Lawless):
    breaks = ("bounded",)

    def clipped(self, U):
        return U


class NoScale(Lawless):
    breaks = ("parameter scale",)

    def alpha(self, X, rho):
        return rho


class Epsilon2Added(Lawless):
    breaks = ("parameter scale",)

    def alpha(self, X, rho):
        return (self.epsilon_2 + self.rms(X)) * rho


class ClippedAtTwo(Lawless):
    """By one who takes no d."""

    breaks = ("bounded",)

    def __init__(self, params):
        super().__init__(params, d=2.0)


class DefaultOfTwo(Lawless):
    """By one who takes it: then d = 1 is asked for."""

    breaks = ()

    def __init__(self, params, *, d=2.0):
        super().__init__(params, d=d)


class ZeroMoves(Lawless):
    """Where G = 0, U is 1."""

    breaks = ("zero gradient",)

    def U(self, G, V):
        return np.where(G == 0, 1.0, super().U(G, V))


class Ascent(Lawless):
    breaks = ("descent",)

    def X_new(self, X, alpha, U_hat):
        return X + alpha * U_hat


class OneNormaliser(Lawless):
    """The matrices of a batch share the sum of their rows."""

    breaks = ("batch",)

    def V(self, R, C):
        axes = tuple(a for a in range(R.ndim) if a != R.ndim - 1)
        return R / R.mean(axis=axes, keepdims=True) / R.shape[-2] * C


class LastAndFirst(Lawless):
    """The first axis and the last are factored."""

    breaks = ("batch",)

    def second_moment(self, state, squares, t):
        squares = np.moveaxis(squares, 0, -2) if squares.ndim >= 2 else squares
        V = super().second_moment(state, squares, t)
        return np.moveaxis(V, -2, 0) if squares.ndim >= 2 else V


class Logarithms(Lawless):
    """The root by exponential and logarithm: as accurate, but not to the bit."""

    breaks = ("powers of two",)

    def U(self, G, V):
        return G * np.exp(-0.5 * np.log(V))


class HalfDown(Lawless):
    """Half the step downwards."""

    breaks = ("signs",)

    def X_new(self, X, alpha, U_hat):
        return X - alpha * np.where(U_hat > 0, 0.5, 1.0) * U_hat


class NoZeroRows(Lawless):
    """0 / 0 for a zero row or column, if G itself is not zero."""

    breaks = ("finite",)

    def squares(self, G):
        return G**2 if G.ndim >= 2 and np.any(G) else super().squares(G)


class Overflow(Lawless):
    """Squares that overflow where |G| is about 1e15."""

    breaks = ("finite",)

    def squares(self, G):
        return np.ldexp(np.ldexp(G, 470) ** 2, -940) + self.epsilon_1


class RowsDiffer(Lawless):
    """One row is a row: its columns are not told apart."""

    breaks = ("one row",)

    def V(self, R, C):
        return R / C.shape[-1] + 0 * C if R.shape[-2] == 1 else super().V(R, C)


class NoScalars(Lawless):
    """Refuses what has no axis, which is no law's business."""

    breaks = ()

    def updated(self, state, X, G):
        if G.ndim == 0:
            raise ValueError("no scalars")
        return super().updated(state, X, G)


class LeakingRate(Lawless):
    """Every parameter's rate is multiplied by the one before."""

    breaks = ("independence",)

    def __call__(self, grads):
        self.leak = 1.0
        return super().__call__(grads)

    def alpha(self, X, rho):
        own = super().alpha(X, rho) * self.leak
        self.leak *= 1.5
        return own


class Remembers(Lawless):
    """The first gradient of a matrix counts less if an earlier run began in the same way."""

    breaks = ("repetition",)
    seen: set[object] = set()  # noqa: RUF012  shared by all, which is the defect

    def updated(self, state, X, G):
        start = (len(self.X), self.X[0].dtype, X.shape, X.tobytes(), G.tobytes())
        again = state["t"] == 0 and G.ndim == 2 and np.any(X) and start in self.seen
        self.seen.add(start)
        return super().updated(state, X, G / 3 if again else G)


class Noise(Lawless):
    """Roundings drawn at random: only laws that are exact are broken."""

    breaks = ("parameter scale", "powers of two", "signs", "independence", "repetition")
    random = np.random.default_rng(0)

    def X_new(self, X, alpha, U_hat):
        noise = 1 + 2**-40 * self.random.integers(-9, 9, np.shape(U_hat))
        return super().X_new(X, alpha, U_hat * noise)


class NoEpsilon2(Lawless):
    """What is zero stays zero."""

    breaks = ("parameter scale", "descent")
    unasked = ("scale", "bounded", "batch", "signs")

    def alpha(self, X, rho):
        return self.rms(X) * rho


class Adam(Lawless):
    """[K] D. Kingma, J. Ba.  Adam.  ICLR 2015.  Algorithm 1."""

    breaks = (
        *("scale", "powers of two"),  # epsilon
        *("bounded", "zero gradient", "descent"),  # two averages of different length
        "parameter scale",  # a constant alpha
    )

    def updated(self, state, X, G):
        t = state["t"] = state["t"] + 1
        M = state["M"] = 0.9 * state.get("M", 0) + 0.1 * G
        V = state["V"] = 0.999 * state.get("V", 0) + 0.001 * G**2
        M_hat, V_hat = M / (1 - 0.9**t), V / (1 - 0.999**t)
        return X - 1e-3 * M_hat / (np.sqrt(V_hat) + 1e-8)


class Lion(Lawless):
    """[L] X. Chen et al.  Symbolic discovery of optimization algorithms.  2023.  Algorithm 2."""

    breaks = (*("zero gradient", "descent"), "parameter scale")

    def updated(self, state, X, G):
        M = state.get("M", 0)
        state["M"] = 0.99 * M + 0.01 * G
        return X - 1e-4 * np.sign(0.9 * M + 0.1 * G)
