"""Implementations that can all an audit may ask for, one right, the others with one defect each.

`step` is where the defect lies, `what` a part of what is to be said of it.
"""

import copy

import numpy as np

from .plain import Plain


class Whole(Plain):
    """The paper's rule with the usual options, groups, a state to see, save and load."""

    options = ("epsilon_1", "epsilon_2", "d", "beta_1", "weight_decay", "maximize")
    options += ("scale_parameter", "relative_step", "warmup_init", "foreach", "groups")

    def __init__(
        self,
        params,
        *,
        epsilon_1=1e-30,
        epsilon_2=1e-3,
        d=1.0,
        beta_1=None,
        weight_decay=0.0,
        maximize=False,
        scale_parameter=True,
        relative_step=True,
        warmup_init=False,
        foreach=False,
        groups=None,
    ):
        super().__init__(params, epsilon_1=epsilon_1, epsilon_2=epsilon_2, d=d)
        self.beta_1, self.weight_decay, self.maximize = beta_1, weight_decay, maximize
        self.scale_parameter, self.relative_step = scale_parameter, relative_step
        self.warmup_init, self.foreach = warmup_init, foreach
        self.groups = [[*range(len(params))]] if groups is None else groups
        self.begin(params)

    def begin(self, params):
        """What a defect does with the parameters it is given."""

    def __call__(self, grads):
        for group in self.groups:
            only = [G if k in group else None for k, G in enumerate(grads)]
            super().__call__([-G if self.maximize and G is not None else G for G in only])
        return [X.copy() for X in self.X]

    def updated(self, state, X, G):
        self.current = state
        return super().updated(state, X, G)

    def rho(self, t):
        if not self.relative_step:
            return 1e-2
        return min(1e-6 * t if self.warmup_init else 1e-2, t**-0.5)

    def alpha(self, X, rho):
        return super().alpha(X, rho) if self.scale_parameter else rho

    def X_new(self, X, alpha, U_hat):
        step = alpha * U_hat
        if self.beta_1 is not None:
            old = self.current.get("M", np.zeros_like(step))
            step = self.current["M"] = self.beta_1 * old + (1 - self.beta_1) * step
        return X - alpha * self.weight_decay * X - step

    def state(self):
        return self.states

    def jump(self, t):
        for state in self.states:
            state["t"] = t - 1

    def save(self):
        return copy.deepcopy((self.X, self.states, self.settings()))

    def settings(self):
        return {name: getattr(self, name) for name in self.options}

    @classmethod
    def load(cls, saved):
        X, states, settings = copy.deepcopy(saved)
        new = cls(X, **settings)
        new.states = states
        return new


class Defect(Whole):
    step: str
    what: str


# over time


class StateLost(Defect):
    step = "over time"
    what = "after save and load"

    @classmethod
    def load(cls, saved):
        X, states, settings = saved
        return super().load((X, [{"t": state["t"]} for state in states], settings))


class TimeLost(Defect):
    step = "over time"
    what = "after save and load"

    @classmethod
    def load(cls, saved):
        X, states, settings = saved
        return super().load((X, [state | {"t": 0} for state in states], settings))


class SavedInSinglePrecision(Defect):
    step = "over time"
    what = "after save and load"

    def save(self):
        X, states, settings = super().save()
        rounded = [{k: np.float64(np.float32(v)) for k, v in state.items()} for state in states]
        return X, rounded, settings


class SavesWhatGoesOn(Defect):
    """What is saved is the state itself, which the old step goes on to change."""

    step = "over time"
    what = "after save and load"

    def save(self):
        return self.X, self.states, self.settings()


class SavingRounds(Defect):
    """Both ends go on from what saving has changed."""

    step = "over time"
    what = "once it was saved"

    def save(self):
        self.X = [np.asarray(np.float16(X), X.dtype) for X in self.X]
        return super().save()


class JumpsOneTooFar(Defect):
    step = "over time"
    what = "after a jump to t = 1"

    def jump(self, t):
        super().jump(t + 1)


class Drawn(Defect):
    step = "over time"
    what = "a second run"
    rng = np.random.default_rng(0)

    def alpha(self, X, rho):
        return super().alpha(X, rho) * self.rng.uniform(0.9, 1.1)


class CountsBetweenBuilds(Defect):
    """t is counted in the class, for all that are built from it."""

    step = "over time"
    what = "a second run"
    calls = 0

    def __call__(self, grads):
        for state in self.states:
            state["t"] = type(self).calls
        type(self).calls += 1
        return super().__call__(grads)


# between parameters


class CounterOfGroups(Defect):
    """Every group advances the one t."""

    step = "between parameters"
    what = "groups"

    calls = 0

    def __call__(self, grads):
        for group in self.groups:
            self.calls += 1
            for k in group:
                self.states[k]["t"] = self.calls - 1
            Plain.__call__(self, [G if k in group else None for k, G in enumerate(grads)])
        return [X.copy() for X in self.X]


class RateOfTheGroup(Defect):
    """The first of a group sets the rate of the others."""

    step = "between parameters"
    what = "parameter"

    def __call__(self, grads):
        for group in self.groups:
            self.rate = None
            for k in group:
                Plain.__call__(self, [G if j == k else None for j, G in enumerate(grads)])
        return [X.copy() for X in self.X]

    def alpha(self, X, rho):
        self.rate = super().alpha(X, rho) if self.rate is None else self.rate
        return self.rate


class ScaleOfTheLast(Defect):
    step = "between parameters"
    what = "order"

    def alpha(self, X, rho):
        return super().alpha(self.X[-1].astype(float), rho)


class TwinsShareTheirState(Defect):
    step = "between parameters"
    what = "of parameter 0 moves parameter"

    def begin(self, params):
        states = {X.shape: {"t": 0} for X in params}
        self.states = [states[X.shape] for X in params]


class MovesWithoutGradient(Defect):
    """A missing gradient repeats the step before."""

    step = "between parameters"
    what = "without a gradient"

    def __call__(self, grads):
        old = [X.copy() for X in self.X]
        super().__call__(grads)
        moves = getattr(self, "moves", [0.0] * len(old))
        for k, G in enumerate(grads):
            self.X[k] = np.asarray(self.X[k] + (moves[k] if G is None else 0), old[k].dtype)
        self.moves = [new - X for new, X in zip(self.X, old, strict=True)]
        return [X.copy() for X in self.X]


class ForeachUnclipped(Defect):
    step = "between parameters"
    what = "foreach"

    def clipped(self, U):
        return U if self.foreach else super().clipped(U)


# arguments


class TakesTheGroups(Defect):
    step = "arguments"
    what = "the list of groups was changed"

    def __call__(self, grads):
        new = super().__call__(grads)
        self.groups.sort(reverse=True)
        return new


class EmptiesTheGradients(Defect):
    step = "arguments"
    what = "the list of gradients was changed"

    def __call__(self, grads):
        new = super().__call__(grads)
        grads.clear()
        return new


class ReplacesParameters(Defect):
    """The arrays are left as they are, but others are in their places."""

    step = "arguments"
    what = "parameter 0 was changed"

    def begin(self, params):
        params[:] = [X + 1 for X in params]


class ReturnsTheGradients(Defect):
    """The new parameters are written where the gradients were."""

    step = "arguments"
    what = "gradient 0"

    def __call__(self, grads):
        for k, X in enumerate(super().__call__(grads)):
            if grads[k] is not None:
                grads[k][...] = X
        return [X if G is None else G for X, G in zip(self.X, grads, strict=True)]


class MaximizeTurnsGradients(Defect):
    """In place: they are the caller's."""

    step = "arguments"
    what = "gradient 0 was changed"

    def __call__(self, grads):
        if self.maximize:
            for G in grads:
                np.negative(G, out=G)
        return super().__call__(grads)


class LastMustBeSmall(Defect):
    """Takes no list whose last parameter is a vector."""

    step = "between parameters"
    what = "raises ValueError"

    def __call__(self, grads):
        if len(self.X) > 1 and self.X[-1].ndim == 1:
            raise ValueError("the last is a vector")
        return super().__call__(grads)


class DecayIgnored(Defect):
    step = "arguments"
    what = "weight_decay changes nothing"

    def X_new(self, X, alpha, U_hat):
        self.weight_decay = 0.0
        return super().X_new(X, alpha, U_hat)


class MaximizeIgnored(Defect):
    step = "arguments"
    what = "maximize changes nothing"

    def __init__(self, params, *, maximize=False, groups=None):
        super().__init__(params, groups=groups)


class DIgnored(Defect):
    step = "arguments"
    what = "d changes nothing"

    def clipped(self, U):
        return U / max(1, self.rms(U))
