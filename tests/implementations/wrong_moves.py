"""The paper's rule with one defect each, from U_hat on: clipping, moves, parameters, arguments."""

import numpy as np

from .wrong import Wrong

# U_hat


class DIgnored(Wrong):
    step = "U_hat"

    def clipped(self, U):
        return U / max(1, self.rms(U))


class DTwice(Wrong):
    """Clipped at 2 by one who takes no d."""

    step = "U_hat"
    variant = "clipping at d = 2"

    def __init__(self, params):
        super().__init__(params, d=2.0)


class MinForMaxInClipping(Wrong):
    step = "U_hat"

    def clipped(self, U):
        return U / min(1, self.rms(U) / self.d) if np.any(U) else U


class AlwaysNormed(Wrong):
    step = "U_hat"

    def clipped(self, U):
        return U / (self.rms(U) / self.d) if np.any(U) else U


class ClippedByRow(Wrong):
    step = "U_hat"

    def clipped(self, U):
        row = np.sqrt(np.mean(U**2, axis=-1, keepdims=True)) if U.ndim >= 2 else self.rms(U)
        return U / np.maximum(1, row / self.d)


class ClippedByEntry(Wrong):
    step = "U_hat"

    def clipped(self, U):
        return np.clip(U, -self.d, self.d)


class NotClipped(Wrong):
    step = "U_hat"
    variant = "no clipping"

    def clipped(self, U):
        return U


class ClippedByNorm(Wrong):
    step = "U_hat"

    def clipped(self, U):
        return U / max(1, np.linalg.norm(U.ravel()) / self.d)


class ClippedByTheLargest(Wrong):
    step = "U_hat"

    def clipped(self, U):
        return U / max(1, np.abs(U).max() / self.d)


# X_new


class Ascent(Wrong):
    step = "X_new"

    def X_new(self, X, alpha, U_hat):
        return X + alpha * U_hat


class Decay(Wrong):
    step = "X_new"

    def X_new(self, X, alpha, U_hat):
        return X - 1e-2 * X - alpha * U_hat


class DecayByAlpha(Wrong):
    step = "X_new"

    def X_new(self, X, alpha, U_hat):
        return X - alpha * (U_hat + 0.1 * X)


class Momentum(Wrong):
    step = "X_new"
    variant = "momentum over U_hat"

    def updated(self, state, X, G):
        self.state = state
        return super().updated(state, X, G)

    def X_new(self, X, alpha, U_hat):
        self.state["M"] = 0.9 * self.state.get("M", 0.0) + (1 - 0.9) * U_hat
        return X - alpha * self.state["M"]


class HalfMomentum(Momentum):
    """A decay that is not the variant's."""

    variant = None

    def X_new(self, X, alpha, U_hat):
        self.state["M"] = 0.5 * self.state.get("M", 0.0) + 0.5 * U_hat
        return X - alpha * self.state["M"]


class AlphaAfterwards(Wrong):
    """alpha from the parameters that a first try of the step gives."""

    step = "alpha"

    def X_new(self, X, alpha, U_hat):
        scale = max(self.epsilon_2, self.rms(X))
        return X - self.alpha(X - alpha * U_hat, alpha / scale) * U_hat


# between parameters


class LeakingRate(Wrong):
    """Every parameter's rate is multiplied by the one before."""

    step = "between parameters"

    def __call__(self, grads):
        self.leak = 1.0
        return super().__call__(grads)

    def alpha(self, X, rho):
        own = super().alpha(X, rho) * self.leak
        self.leak *= 1.5
        return own


class StateByShape(Wrong):
    """Parameters of one shape share their state."""

    step = "between parameters"

    def __init__(self, params, *, epsilon_1=1e-30, epsilon_2=1e-3, d=1.0):
        super().__init__(params, epsilon_1=epsilon_1, epsilon_2=epsilon_2, d=d)
        states = {X.shape: {"t": 0} for X in params}
        self.states = [states[X.shape] for X in params]


class StoredAsTheFirst(Wrong):
    """Every parameter is rounded to the first one's type."""

    step = "between parameters"

    def X_new(self, X, alpha, U_hat):
        return super().X_new(X, alpha, U_hat).astype(self.X[0].dtype)


class OneCounter(Wrong):
    """t counts the parameters' updates together."""

    step = "between parameters"

    def updated(self, state, X, G):
        self.t = getattr(self, "t", 0) + 1
        state["t"] = self.t - 1
        return super().updated(state, X, G)


class ScaleOfTheFirst(Wrong):
    step = "between parameters"

    def alpha(self, X, rho):
        return super().alpha(self.X[0].astype(float), rho)


# arguments


class GradientsSquaredInPlace(Wrong):
    step = "arguments"

    def __call__(self, grads):
        new = super().__call__(grads)
        for G in grads:
            if G is not None:
                G *= G
        return new


class CallersParameters(Wrong):
    """The caller's own arrays are updated."""

    step = "arguments"

    def __init__(self, params, *, epsilon_1=1e-30, epsilon_2=1e-3, d=1.0):
        super().__init__(params, epsilon_1=epsilon_1, epsilon_2=epsilon_2, d=d)
        self.given = params

    def __call__(self, grads):
        new = super().__call__(grads)
        for given, X in zip(self.given, new, strict=True):
            given[...] = X
        return new


class KeepsTheFirstGradient(Wrong):
    """The gradients' own memory becomes the state."""

    step = "arguments"

    def __call__(self, grads):
        self.kept = getattr(self, "kept", grads)
        new = super().__call__(grads)
        for own, G in zip(self.kept, grads, strict=True):
            if own is not None and G is not None:
                own += G
        return new


class ReturnedArraysChange(Wrong):
    """The same arrays are returned every time."""

    step = "arguments"

    def __call__(self, grads):
        new = super().__call__(grads)
        self.returned = getattr(self, "returned", new)
        for returned, X in zip(self.returned, new, strict=True):
            returned[...] = X
        return self.returned
