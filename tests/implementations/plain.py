"""Adafactor in plain NumPy, written apart from the derivation, one method for every line.

A class is a builder: `Plain(params, ...)` is called with gradients and returns the parameters.
"""

import numpy as np


class Plain:
    """The paper's rule in float64; another implementation is this one with some lines replaced."""

    work = np.float64
    t_first = 1
    precision = "float64"

    def __init__(self, params, *, epsilon_1=1e-30, epsilon_2=1e-3, d=1.0):
        self.epsilon_1, self.epsilon_2, self.d = epsilon_1, epsilon_2, d
        self.X = [X.copy() for X in params]
        self.states = [{"t": self.t_first - 1} for _ in params]

    def __call__(self, grads):
        for number, G in enumerate(grads):
            if G is not None:
                X = self.X[number]
                new = self.updated(self.states[number], self.worked(X), self.worked(G))
                self.X[number] = np.asarray(new).astype(X.dtype)
        return [X.copy() for X in self.X]

    def worked(self, array):
        """`array` in the type in which the work is done."""
        return array.astype(self.work)

    def updated(self, state, X, G):
        state["t"] += 1
        t = state["t"]
        alpha = self.alpha(X, self.rho(t))
        V = self.second_moment(state, self.squares(G), t)
        return self.X_new(X, alpha, self.clipped(self.U(G, V)))

    def rho(self, t):
        return min(1e-2, t**-0.5)

    def beta_2(self, t):
        return 1 - t**-0.8

    def alpha(self, X, rho):
        return max(self.epsilon_2, self.rms(X)) * rho

    def rms(self, A):
        return np.sqrt(np.mean(A**2))

    def squares(self, G):
        return G**2 + self.epsilon_1

    def second_moment(self, state, squares, t):
        if squares.ndim < 2:
            return self.averaged(state, "V", squares, t)
        R = self.averaged(state, "R", self.rows(squares), t)
        C = self.averaged(state, "C", self.columns(squares), t)
        return self.V(R[..., :, None], C[..., None, :])

    def averaged(self, state, name, new, t):
        """The running average of `new`, kept in the state."""
        state[name] = self.average(state.get(name, np.zeros_like(new)), new, self.beta_2(t))
        return state[name]

    def average(self, old, new, beta_2):
        return beta_2 * old + (1 - beta_2) * new

    def rows(self, squares):
        return squares.sum(axis=-1)

    def columns(self, squares):
        return squares.sum(axis=-2)

    def V(self, R, C):
        return R / R.sum(axis=-2, keepdims=True) * C

    def U(self, G, V):
        return G / np.sqrt(V)

    def clipped(self, U):
        return U / max(1, self.rms(U) / self.d)

    def X_new(self, X, alpha, U_hat):
        return X - alpha * U_hat
