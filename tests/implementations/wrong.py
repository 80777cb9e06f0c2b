"""The paper's rule with one defect each; `step` is the line that is wrong.

The sections follow the steps of the rule.  `variant` is the name under which a defect is known.
"""

import numpy as np

from .plain import Plain


class Wrong(Plain):
    """An implementation with a defect in the line `step`."""

    step: str
    variant: str | None = None


# rho


class TwiceTheCap(Wrong):
    step = "rho"

    def rho(self, t):
        return min(2e-2, t**-0.5)


class NoCap(Wrong):
    step = "rho"
    variant = "rho = 1 / sqrt t"

    def rho(self, t):
        return t**-0.5


class CapOnly(Wrong):
    step = "rho"
    variant = "rho = 1e-2"

    def rho(self, t):
        return 1e-2


class RhoOneStepEarly(Wrong):
    step = "rho"

    def rho(self, t):
        return super().rho(t + 1)


class RhoOneStepLate(Wrong):
    step = "rho"

    def rho(self, t):
        return super().rho(max(t - 1, 1))


class CapNearly(Wrong):
    """A relative error that is far beyond float32's rounding, and still small."""

    step = "rho"

    def rho(self, t):
        return min(1.0001e-2, t**-0.5)


class SmallCap(Wrong):
    step = "rho"
    variant = "rho at most 1e-3"

    def rho(self, t):
        return min(1e-3, t**-0.5)


# beta_2


class Exponent(Wrong):
    step = "beta_2"

    def beta_2(self, t):
        return 1 - t**-0.79


class ExponentNearly(Wrong):
    step = "beta_2"

    def beta_2(self, t):
        return 1 - t**-0.801


class Swapped(Wrong):
    """beta_2 and 1 - beta_2 in each other's place, but for the first step."""

    step = "beta_2"

    def beta_2(self, t):
        return t**-0.8 if t > 1 else 0.0


class Beta2OneStepEarly(Wrong):
    step = "beta_2"
    variant = "beta_2 from t + 1"

    def beta_2(self, t):
        return super().beta_2(t + 1)


class Beta2Capped(Wrong):
    step = "beta_2"
    variant = "beta_2 at most 0.999"

    def beta_2(self, t):
        return min(0.999, super().beta_2(t))


class Beta2Constant(Wrong):
    step = "beta_2"
    variant = "beta_2 = 0.999"

    def beta_2(self, t):
        return 0.999


class BiasCorrected(Wrong):
    """As in Adam: a constant decay, and division by 1 - beta_2^t."""

    step = "beta_2"

    def beta_2(self, t):
        return 0.9 * (1 - 0.9 ** (t - 1)) / (1 - 0.9**t)


# alpha


class MinForMax(Wrong):
    step = "alpha"

    def alpha(self, X, rho):
        return min(self.epsilon_2, self.rms(X)) * rho


class NoScale(Wrong):
    step = "alpha"
    variant = "no parameter scale"

    def alpha(self, X, rho):
        return rho


class NormOfX(Wrong):
    step = "alpha"

    def alpha(self, X, rho):
        return max(self.epsilon_2, np.linalg.norm(X.ravel())) * rho


class Epsilon2Squared(Wrong):
    step = "alpha"

    def alpha(self, X, rho):
        return max(self.epsilon_2**2, self.rms(X)) * rho


class Epsilon2Added(Wrong):
    step = "alpha"

    def alpha(self, X, rho):
        return (self.epsilon_2 + self.rms(X)) * rho


class OwnEpsilon2(Wrong):
    step = "alpha"

    def alpha(self, X, rho):
        return max(2e-3, self.rms(X)) * rho


class MeanSquareOfX(Wrong):
    step = "alpha"

    def alpha(self, X, rho):
        return max(self.epsilon_2, self.rms(X) ** 2) * rho


# R and C


class LargeEpsilon1(Wrong):
    step = "R"

    def squares(self, G):
        return G**2 + 1e-8


class TenTimesEpsilon1(Wrong):
    """Another default, seen where |G| is about 1e-15, beyond the range of float32."""

    step = "R"

    def __init__(self, params, *, epsilon_1=1e-29, epsilon_2=1e-3, d=1.0):
        super().__init__(params, epsilon_1=epsilon_1, epsilon_2=epsilon_2, d=d)


class Epsilon1Squared(Wrong):
    step = "R"

    def squares(self, G):
        return G**2 + 1e-15


class NoEpsilon1(Wrong):
    """0 / 0 where the gradient is zero."""

    step = "V"
    variant = "no eps1"

    def squares(self, G):
        return G**2


class NoEpsilon1InMatrices(Wrong):
    """0 / 0 for a zero row."""

    step = "R"

    def squares(self, G):
        return G**2 if G.ndim >= 2 else super().squares(G)


class Epsilon1InRowsOnly(Wrong):
    step = "C"

    def columns(self, squares):
        return (squares - self.epsilon_1).sum(axis=-2)


class LargeEpsilon1InColumns(Wrong):
    step = "C"

    def columns(self, squares):
        return (squares + 1e-8).sum(axis=-2)


class NotSquared(Wrong):
    step = "R"

    def squares(self, G):
        return np.abs(G) + self.epsilon_1


class AxesExchanged(Wrong):
    """Rows and columns exchanged, which only a square matrix allows."""

    step = "R"

    def rows(self, squares):
        return squares.sum(axis=-2 if squares.shape[-1] == squares.shape[-2] else -1)

    def columns(self, squares):
        return squares.sum(axis=-1 if squares.shape[-1] == squares.shape[-2] else -2)


class StaleR(Wrong):
    """The row statistics of the step before."""

    step = "R"

    def averaged(self, state, name, new, t):
        old = state.get(name)
        average = super().averaged(state, name, new, t)
        return old if name == "R" and old is not None else average


class CNeverUpdated(Wrong):
    step = "C"

    def averaged(self, state, name, new, t):
        if name == "C" and "C" in state:
            return state["C"]
        return super().averaged(state, name, new, t)


class RNotAveraged(Wrong):
    step = "R"

    def averaged(self, state, name, new, t):
        return new if name == "R" else super().averaged(state, name, new, t)


# V


class NoNormaliser(Wrong):
    step = "V"

    def V(self, R, C):
        return R * C


class MeansWithSums(Wrong):
    step = "V"

    def V(self, R, C):
        return R / R.mean(axis=-2, keepdims=True) * C


class RowsOnly(Wrong):
    step = "V"

    def V(self, R, C):
        return R / C.shape[-1] + 0 * C


class NotFactored(Wrong):
    step = "V"
    variant = "nothing factored"

    def second_moment(self, state, squares, t):
        return self.averaged(state, "V", squares, t)


class VNotAveraged(Wrong):
    """A vector's second moment forgets."""

    step = "V"

    def averaged(self, state, name, new, t):
        return new if name == "V" else super().averaged(state, name, new, t)


# U


class NoRoot(Wrong):
    step = "U"

    def U(self, G, V):
        return G / V


class EpsilonInTheRoot(Wrong):
    step = "U"

    def U(self, G, V):
        return G / (np.sqrt(V) + 1e-8)


class CubeRoot(Wrong):
    step = "U"

    def U(self, G, V):
        return G / np.cbrt(V)
