"""Implementations with one flag each: what it does is known, or is not, or is nothing."""

import numpy as np

from .plain import Plain


class Decaying(Plain):
    """X decays by some share."""

    def __init__(self, params, *, weight_decay=0.0):
        super().__init__(params)
        self.weight_decay = weight_decay

    def X_new(self, X, alpha, U_hat):
        return super().X_new(X, alpha, U_hat) - self.share(alpha) * X

    def share(self, alpha):
        return alpha * self.weight_decay


class DecaysBySquare(Decaying):
    def share(self, alpha):
        return alpha * self.weight_decay**2


class DecaysByConstant(Decaying):
    """Told from a decay by rho past t = 10^4 only."""

    def share(self, alpha):
        return 1e-2 * self.weight_decay


class DecaysByRho(Decaying):
    """It can jump, so that it need not go there."""

    def rho(self, t):
        self.rate = super().rho(t)
        return self.rate

    def share(self, alpha):
        return self.rate * self.weight_decay

    def jump(self, t):
        for state in self.states:
            state["t"] = t - 1


class DecayIgnored(Decaying):
    def share(self, alpha):
        return 0.0


class DecayInOtherOrder(Decaying):
    """The sum of X and its share is taken apart again: it rounds, and that is all."""

    def X_new(self, X, alpha, U_hat):
        more = self.weight_decay * X
        return Plain.X_new(self, (X + more) - more, alpha, U_hat)


class DecayRefused(Decaying):
    def __init__(self, params, *, weight_decay=0.0):
        if weight_decay:
            raise ValueError("no decay")
        super().__init__(params)


class Unscaled(Plain):
    """Without the parameter scale unless it is asked for."""

    def __init__(self, params, *, scale_parameter=False):
        super().__init__(params)
        self.scale_parameter = scale_parameter

    def alpha(self, X, rho):
        return super().alpha(X, rho) if self.scale_parameter else rho


class WithMomentum(Plain):
    """Momentum by default, whose decay can be set."""

    def __init__(self, params, *, beta_1=0.9):
        super().__init__(params)
        self.beta_1 = beta_1

    def updated(self, state, X, G):
        self.current = state
        return super().updated(state, X, G)

    def X_new(self, X, alpha, U_hat):
        step = alpha * U_hat
        old = self.current.get("M", np.zeros_like(step))
        M = self.current["M"] = self.beta_1 * old + (1 - self.beta_1) * step
        return X - M


class Unexplained(Decaying):
    """No known rule without the flag either."""

    def U(self, G, V):
        return np.cbrt(super().U(G, V))
