"""The paper's rule in other forms and orders: none of them may be called wrong."""

import math

import numpy as np

from .plain import Plain


class Means(Plain):
    """Means where the paper has sums."""

    def rows(self, squares):
        return squares.mean(axis=-1)

    def columns(self, squares):
        return squares.mean(axis=-2)

    def V(self, R, C):
        return R / R.mean(axis=-2, keepdims=True) * C


class ProductFirst(Plain):
    """The outer product, then the division."""

    def V(self, R, C):
        return (R * C) / R.sum(axis=-2, keepdims=True)


class NormaliserOfColumns(Plain):
    """The sum of C, which is the sum of R."""

    def V(self, R, C):
        return R * (C / C.sum(axis=-1, keepdims=True))


class RootsFirst(Plain):
    """A root for each factor of V; U multiplied by their inverses."""

    def V(self, R, C):
        return np.sqrt(R.sum(axis=-2, keepdims=True) / R) * (1 / np.sqrt(C))

    def second_moment(self, state, squares, t):
        V = super().second_moment(state, squares, t)
        return V if squares.ndim >= 2 else 1 / np.sqrt(V)

    def U(self, G, V):
        return G * V


class InverseRoot(Plain):
    """A product with the inverse of the root, a clip by the inverse of the threshold."""

    def U(self, G, V):
        return G * (1 / np.sqrt(V))

    def clipped(self, U):
        return U * min(1, self.d / self.rms(U)) if np.any(U) else U


class Lerp(Plain):
    """The average as a move from old to new, by a weight that is not recomputed."""

    def beta_2(self, t):
        return t**-0.8

    def average(self, old, new, beta_2):
        w = beta_2
        return old + w * (new - old)


class Norms(Plain):
    """RMS as norm / sqrt N; the power by exponential and logarithm."""

    def rms(self, A):
        return np.linalg.norm(A.ravel()) / math.sqrt(A.size)

    def beta_2(self, t):
        return 1 - math.exp(-0.8 * math.log(t))


class FromZero(Plain):
    """t counted from 0."""

    t_first = 0

    def rho(self, t):
        return super().rho(t + 1)

    def beta_2(self, t):
        return -math.expm1(-0.8 * math.log1p(t))


class Epsilon1Outside(Plain):
    """epsilon_1 added as often as there are entries, once they are summed."""

    def squares(self, G):
        return G**2 if G.ndim >= 2 else super().squares(G)

    def rows(self, squares):
        return squares.sum(axis=-1) + squares.shape[-1] * self.epsilon_1

    def columns(self, squares):
        return squares.sum(axis=-2) + squares.shape[-2] * self.epsilon_1


class CountsEveryCall(Plain):
    """t advances without a gradient, too: the paper is silent about this."""

    def __call__(self, grads):
        for state, G in zip(self.states, grads, strict=True):
            state["t"] += G is None
        return super().__call__(grads)


class Float32(Plain):
    """Work in float32, whatever is stored."""

    work = np.float32
    precision = "float32"

    def rho(self, t):
        return np.float32(super().rho(t))

    def beta_2(self, t):
        return np.float32(super().beta_2(t))


class Float32Schedule(Plain):
    """Work in float64, but for rho and beta_2."""

    precision = "float32"

    def rho(self, t):
        return float(np.float32(super().rho(t)))

    def beta_2(self, t):
        return float(np.float32(super().beta_2(t)))


class Native(Plain):
    """Work in the parameter's own type: in float32, that of float32."""

    precision = "float32"

    def worked(self, array):
        return array


class Float32Storage(Plain):
    """Work in float64; only the statistics are kept in float32."""

    precision = "float32"

    def average(self, old, new, beta_2):
        return super().average(old, new, beta_2).astype(np.float32)


def entry_by_entry(params, epsilon_1=1e-30, epsilon_2=1e-3, d=1.0):
    """Scalars of Python, loops over entries, no array operation; ranks 0 to 2."""
    X = [param.tolist() if param.ndim == 2 else [param.ravel().tolist()] for param in params]
    t, R, C = [0] * len(X), [{} for _ in X], [{} for _ in X]

    def rms(A):
        return math.sqrt(sum(a * a for row in A for a in row) / sum(map(len, A)))

    def update(k, G, factored):
        t[k] += 1
        w = t[k] ** -0.8
        n, m = len(G), len(G[0])
        squares = [[g * g + epsilon_1 for g in row] for row in G]
        if factored:
            for i in range(n):
                R[k][i] = (1 - w) * R[k].get(i, 0) + w * sum(squares[i])
            for j in range(m):
                C[k][j] = (1 - w) * C[k].get(j, 0) + w * sum(row[j] for row in squares)
            total = sum(R[k].values())
            U = [
                [G[i][j] / math.sqrt(R[k][i] / total * C[k][j]) for j in range(m)] for i in range(n)
            ]
        else:
            for j in range(m):
                C[k][j] = (1 - w) * C[k].get(j, 0) + w * squares[0][j]
            U = [[G[0][j] / math.sqrt(C[k][j]) for j in range(m)]]
        alpha = max(epsilon_2, rms(X[k])) * min(0.01, 1 / math.sqrt(t[k]))
        scale = alpha / max(1.0, rms(U) / d)
        X[k] = [[X[k][i][j] - scale * U[i][j] for j in range(m)] for i in range(n)]

    def step(grads):
        for k, G in enumerate(grads):
            if G is not None and G.ndim > 2:
                raise NotImplementedError("only vectors and matrices")
            if G is not None:
                update(k, G.tolist() if G.ndim == 2 else [G.ravel().tolist()], G.ndim == 2)
                X[k] = _stored(X[k], params[k].dtype)
        return [
            np.array(x, param.dtype).reshape(param.shape)
            for x, param in zip(X, params, strict=True)
        ]

    return step


def _stored(X, dtype):
    return np.array(X, dtype).tolist()


entry_by_entry.precision = "float64"
