"""Adafactor, [S] Algorithm 6, for arrays of any rank: what is checked around the loops."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from . import schedule
from . import strict as strictly
from .batch import Batch
from .certificate import Certificate
from .hyperparameters import LARGEST, Hyperparameters, Rates, Schedule
from .memory import Array, intervals, overlapping, reaches
from .parameter import Parameter, State

Arrays: TypeAlias = Sequence[Any] | Mapping[Any, Any]


class Adafactor:
    """Updates float32 or float64 arrays in place, each with its own t and statistics.

    `params` is a sequence or a mapping of arrays of any rank and strides that share no memory.
    Rank 0 and 1 are vectors; from rank 2 on the last two axes are factored, leading axes are a
    batch, RMS and clipping over the whole array.  Where no strides give the leading axes as one,
    a step works on a copy of the array and writes it back.

    rho and beta_2 are numbers or functions of t, by default the paper's schedules.  An error
    leaves every array, statistic and t as it was.

    With `strict`, every number that a step stores is the exact one, rounded once, as `strict.py`
    says in full; `certificate` counts how those of the last step were decided.

    >>> import numpy as np
    >>> X = np.zeros((2, 2))
    >>> Adafactor([X]).step([np.array([[1.0, -1.0], [1.0, 1.0]])])
    >>> X
    array([[-1.e-05,  1.e-05],
           [-1.e-05, -1.e-05]])
    """

    def __init__(
        self,
        params: Arrays,
        *,
        rho: Schedule = schedule.rho,
        beta_2: Schedule = schedule.beta_2,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        d: float = 1.0,
        strict: bool = False,
    ) -> None:
        self.strict, self.certificate = strict, Certificate()
        self.hyperparameters = Hyperparameters(rho, beta_2, epsilon_1, epsilon_2, d)
        arrays = _named("params", params)
        self._mapping = isinstance(params, Mapping)
        self._parameters = {name: Parameter(f"params[{name!r}]", X) for name, X in arrays.items()}
        weights = {name: parameter.X for name, parameter in self._parameters.items()}
        if pair := overlapping(weights):
            first, second = pair
            raise ValueError(
                f"params[{second!r}]: X (weights) shares memory with "
                f"{'itself' if first == second else f'params[{first!r}]'}; give each weight once"
            )
        self._occupied = intervals(weights.values())
        self._threads = 1
        kinds: dict[Any, list[Hashable]] = {}
        for name, X in weights.items():
            if X.size:
                kinds.setdefault(X.dtype, []).append(name)
        self._batches = [
            (names, Batch([self._parameters[name] for name in names])) for names in kinds.values()
        ]

    def step(self, grads: Arrays) -> None:
        """One step in place on the parameters from `grads`, which has their form; None skips one.

        A gradient of another type of float is converted where that is exact.  A parameter of size
        0 stays as it is, its t too.  Raises a ValueError or TypeError that names parameter and
        index, and whatever a function rho or beta_2 raises, before anything is written.
        """
        given = self._same_form("grads", grads)
        rates = self._rates(name for name, G in given.items() if G is not None)
        gradients = {name: self._gradient(name, G) for name, G in given.items()}
        if self.strict:
            self._step_strictly(gradients)
            return
        for names, batch in self._batches:
            batch.take([gradients[name] for name in names])
            self._read(names, batch, gradients)
        for names, batch in self._batches:
            t = np.array([self._parameters[name].t + 1 for name in names])
            batch.write(t, rates, self.hyperparameters, False, self._threads)

    def _step_strictly(self, gradients: Mapping[Hashable, Array | None]) -> None:
        """All are read, and any entry out of range raises, before the first is written."""
        steps = {}
        for name, G in gradients.items():
            if G is not None:
                parameter = self._parameters[name]
                rates = strictly.rates(self.hyperparameters, parameter.t + 1)
                parameter.fetch()
                weights, statistics = parameter.weights, parameter.statistics
                steps[name] = strictly.Step(
                    *(weights, G.reshape(parameter.form), statistics, rates),
                    *(self.hyperparameters, self._threads),
                )
                if not steps[name].fits:
                    largest = self.hyperparameters.largest_gradient
                    parameter.scan(f"grads[{name!r}]", G, largest)
        self.certificate = Certificate()
        for name, step in steps.items():
            self.certificate += step.write()
            self._parameters[name].store()

    def _gradient(self, name: Hashable, G: Any) -> Array | None:
        """The gradient of a parameter to update, in its type and in no parameter's memory."""
        if G is None:
            return None
        parameter = self._parameters[name]
        if not parameter.takes(G):
            G = parameter.gradient(f"grads[{name!r}]", G)
        if not G.size:
            return None
        parameter.check()
        return G.copy() if reaches(G, self._occupied) else G

    def _read(self, names: Sequence[Hashable], batch: Batch, gradients: Arrays) -> None:
        """Have the batch sum all squares; raise a ValueError for an entry out of range."""
        sum_G, sum_X = batch.read(self._threads)
        largest = self.hyperparameters.largest_gradient
        for k in np.flatnonzero(~((sum_G <= largest**2) & (sum_X <= LARGEST**2))):
            name = names[k]
            self._parameters[name].scan(f"grads[{name!r}]", gradients[name], largest)

    def _rates(self, names: Iterable[Hashable]) -> dict[int, Rates]:
        """The rates of every t that a parameter of these names comes to."""
        times = sorted({self._parameters[name].t + 1 for name in names})
        return {t: self.hyperparameters.at(t) for t in times}

    def state_dict(self) -> dict[Hashable, State]:
        """By index or key: {"t", "R", "C"}, or {"t", "V"} for vectors; the arrays are copies."""
        return {name: parameter.state() for name, parameter in self._parameters.items()}

    def load_state_dict(self, state: Mapping[Any, State]) -> None:
        """Copy in what `state_dict` returned; a state that cannot be raises and changes nothing."""
        if not isinstance(state, Mapping):
            raise TypeError(f"state is a {type(state).__name__}; give what state_dict returned")
        self._check_names("state", state)
        for name, parameter in self._parameters.items():
            largest = self.hyperparameters.largest_statistic(parameter.X.size)
            parameter.check_state(f"state[{name!r}]", state[name], largest)
        for name, parameter in self._parameters.items():
            parameter.load(state[name])

    def _same_form(self, where: str, arrays: Arrays) -> dict[Hashable, Any]:
        """`arrays` by index or key, once it has the form of the parameters."""
        if isinstance(arrays, Mapping) != self._mapping:
            form = "mapping" if self._mapping else "sequence"
            raise TypeError(f"{where} is a {type(arrays).__name__}; params is a {form}")
        named = _named(where, arrays)
        self._check_names(where, named)
        return named

    def _check_names(self, where: str, named: Mapping[Hashable, Any]) -> None:
        missing = [name for name in self._parameters if name not in named]
        unknown = [name for name in named if name not in self._parameters]
        if missing or unknown:
            raise ValueError(
                f"{where} has {len(named)} entries, params {len(self._parameters)}: it lacks "
                f"{_some(missing)} and has {_some(unknown)} beside; give one for each of params"
            )


def _named(where: str, arrays: object) -> dict[Hashable, Any]:
    """The arrays by key or index."""
    if isinstance(arrays, Mapping):
        return dict(arrays)
    if isinstance(arrays, Sequence):
        return dict(enumerate(arrays))
    raise TypeError(f"{where} is a {type(arrays).__name__}; give a list or a dict of arrays")


def _some(names: list[Hashable]) -> str:
    """A few of the names."""
    return f"{names[:3]}{' and more' if len(names) > 3 else ''}" if names else "none"
