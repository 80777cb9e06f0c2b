"""Adafactor, [S] Algorithm 6, for arrays of any rank: what is checked around the loops."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
from numba import config

from . import schedule
from .certificate import Certificate
from .hyperparameters import RANGES, Hyperparameters, Rates, Schedule
from .memory import SMALL, intervals, overlapping, reaches
from .ordinary import bounds, constants_are_ordinary, rate_is_ordinary, sums_are_ordinary

Arrays: TypeAlias = Sequence[Any] | Mapping[Any, Any]
State: TypeAlias = dict[str, Any]

KIND = attrgetter("__class__", "dtype", "shape")
WRITEABLE = attrgetter("flags.writeable")


class Adafactor:
    """Updates arrays of floats in place, each with its own t and statistics.

    `params` is a sequence or a mapping of arrays of any rank and strides that share no memory.
    Rank 0 and 1 are vectors; from rank 2 on the last two axes are factored, leading axes are a
    batch, RMS and clipping over the whole array.  Where no strides give the leading axes as one,
    a step works on a copy of the array and writes it back.

    Every finite input gives what the rule gives, an infinity only where that is beyond the type;
    what squares or quotients of doubles do not reach is slower, as `ordinary.py` says.

    rho and beta_2 are numbers or functions of t, by default the paper's schedules.  An error
    leaves every array, statistic and t as it was.

    What is stored is rounded once, to nearest.  With a seed as `stochastic_rounding`, float16 and
    bfloat16 (of ml_dtypes) are rounded up or down by chance: the expectation is what was rounded,
    to 2^-32 of the distance between neighbours, so that steps too small to be seen add up.  The
    same seed gives the same bits at the same t, place of a parameter in `params` and of an entry
    in it.  The seed is not part of `state_dict`.

    With `strict`, for float32 and float64, every number that a step stores is the exact one,
    rounded once, as `strict.py` says in full; `certificate` counts how those of the last step were
    decided.  Some inputs that are very large are refused: rows and columns of G of a norm above
    2^420 sqrt(epsilon_1), X of one above 2^490.

    `threads` share a step, by default as many as Numba has; the bits are the same for any number.
    With `params_unchanged_between_steps` sum X^2 is taken from the last step and X read once less,
    which is right only if nobody else writes to the parameters.  (Of 16 bits it is read anew.)

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
        stochastic_rounding: int | None = None,
        strict: bool = False,
        threads: int | None = None,
        params_unchanged_between_steps: bool = False,
    ) -> None:
        self.strict, self.certificate = _flag("strict", strict), Certificate()
        self._threads = _threads(threads)
        unchanged = params_unchanged_between_steps
        self._carry = _flag("params_unchanged_between_steps", unchanged)
        self.hyperparameters = Hyperparameters(rho, beta_2, epsilon_1, epsilon_2, d)
        self._ordinary = constants_are_ordinary(self.hyperparameters)
        self._bounds = bounds(self.hyperparameters.epsilon_2)
        arrays = _named("params", params)
        self._mapping = isinstance(params, Mapping)
        from .batch import Batch  # the loops: half as long to load as Numba, so only when needed
        from .parameter import Parameter

        self._parameters = {
            name: Parameter(f"params[{name!r}]", X, position)
            for position, (name, X) in enumerate(arrays.items())
        }
        weights = {name: parameter.X for name, parameter in self._parameters.items()}
        if pair := overlapping(weights):
            first, second = pair
            raise ValueError(
                f"params[{second!r}]: X (weights) shares memory with "
                f"{'itself' if first == second else f'params[{first!r}]'}; give each weight once"
            )
        for name, X in weights.items():
            if strict and X.dtype.itemsize == 2:
                raise TypeError(
                    f"params[{name!r}]: X (weights) has type {X.dtype.name}; strict steps are of "
                    f"float32 and float64"
                )
        self._given = [*arrays.values()]
        self._kinds = [(np.ndarray, X.dtype, X.shape) for X in weights.values()]
        self._apart = [name for name, X in weights.items() if strict or not 0 < X.size <= SMALL]
        self._occupied = intervals(weights.values())
        self._seed = _seed(stochastic_rounding)
        kinds: dict[Any, list[Hashable]] = {}
        for name, X in weights.items():
            if X.size:
                kinds.setdefault(X.dtype, []).append(name)
        self._batches = [
            (names, Batch([self._parameters[name] for name in names], self._seed))
            for names in kinds.values()
        ]
        self._lists: list[tuple[list[Hashable], Any]] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes kept beside the parameters: the statistics, and room for the sums of a step.

        Of p matrices of n rows and m columns, 8 p (n + m) each, and 16 m for every strip of rows
        that threads can share, 16 of them at most.
        """
        return sum(batch.nbytes for _, batch in self._batches)

    def step(self, grads: Arrays) -> None:
        """One step in place on the parameters from `grads`, which has their form; None skips one.

        A gradient of another type of float is converted where that is exact.  A parameter of size
        0 stays as it is, its t too.  Raises a ValueError or TypeError that names parameter and
        index, and whatever a function rho or beta_2 raises, before anything is written.
        """
        given = self._same_form("grads", grads)
        rates = self._rates(given)
        gradients = self._gradients(given)
        try:
            if self.strict:
                self._step_strictly(gradients, rates)
            else:
                self._step(gradients, rates)
        finally:
            for _, batch in self._batches:
                batch.release()

    def _step(self, gradients: Mapping[Hashable, Any], rates: Mapping[int, Rates]) -> None:
        """All are read, and any entry that is not finite raises, before the first is written."""
        wide: list[Hashable] = []
        for names, batch in self._batches:
            batch.take([gradients[name] for name in names])
            wide += self._read(names, batch, gradients, rates)
        moves = [self._move(name, gradients[name], rates) for name in wide]
        for _, batch in self._batches:
            batch.write()
        for name, (X_new, statistics) in zip(wide, moves, strict=True):
            self._parameters[name].move(X_new, statistics, self._seed)

    def _step_strictly(self, gradients: Mapping[Hashable, Any], rates: Mapping[int, Rates]) -> None:
        """All are read, and any entry out of range raises, before the first is written."""
        from . import strict as strictly

        exact = {t: strictly.rates(self.hyperparameters, t, given) for t, given in rates.items()}
        if self._lists is None:
            self._lists = self._strict_lists()
        small: set[Hashable] = set()
        alone = len(self._lists) == 1
        for names, own in self._lists:
            given = [gradients[name] for name in names]
            taken = own.read(given, exact, self.hyperparameters, self._threads, alone)
            small.update([names[k] for k in taken])
        steps = {
            name: self._read_strictly(name, G, exact)
            for name, G in gradients.items()
            if G is not None and name not in small
        }
        self.certificate = Certificate()
        for names, own in self._lists:
            certificate, left = own.write()
            self.certificate += certificate
            for name in [names[k] for k in left]:
                steps[name] = self._read_strictly(name, gradients[name], exact)
        for name, step in steps.items():
            self.certificate += step.write()
            self._parameters[name].store()
            self._parameters[name].count()

    def _read_strictly(self, name: Hashable, G: Any, rates: Mapping[int, Any]) -> Any:
        """A strict step of a parameter; it has read all."""
        from . import strict as strictly

        parameter = self._parameters[name]
        if parameter.exponents:
            raise ValueError(
                f"params[{name!r}]: the state has exponents, and strict steps take doubles; "
                f"nothing was changed"
            )
        parameter.fetch()
        given = parameter.weights, G.reshape(parameter.form), parameter.statistics
        own = rates[parameter.t + 1], self.hyperparameters, self._threads
        step = strictly.step(*given, *own)
        if not step.fits:
            parameter.scan(f"grads[{name!r}]", G)
            beyond = step.beyond(parameter.where, f"grads[{name!r}]: G (gradient)")
            raise ValueError(f"{beyond}; nothing was changed")
        return step

    def _strict_lists(self) -> list[tuple[list[Hashable], Any]]:
        """The parameters of each type, with those of them whose strict steps are taken together."""
        from .strict_list import StrictList

        return [
            (names, StrictList(batch, [self._parameters[name] for name in names]))
            for names, batch in self._batches
        ]

    def _gradients(self, given: dict[Hashable, Any]) -> dict[Hashable, Any]:
        """Each in the type of its parameter and in no parameter's memory, or None to skip it."""
        if not self._as_they_should_be(given.values()):
            for name, G in given.items():
                if G is not None and not self._parameters[name].takes(G):
                    given[name] = self._parameters[name].gradient(f"grads[{name!r}]", G)
        if not all(map(WRITEABLE, self._given)):
            for name, G in given.items():
                if G is not None and G.size:
                    self._parameters[name].check()
        for name in self._apart:
            G = given[name]
            if G is None or not G.size:
                given[name] = None
            elif G.size <= SMALL or reaches(G, self._occupied):
                given[name] = G.copy()
        return given

    def _as_they_should_be(self, gradients: Iterable[Any]) -> bool:
        """Whether there are all of them, and none needs a conversion."""
        try:
            return [*map(KIND, gradients)] == self._kinds
        except AttributeError:
            return False

    def _all_ordinary(self, parameters: Iterable[Any], rates: Mapping[int, Rates]) -> bool:
        """Whether the statistics, the constants and these rates are ordinary, and sums may be."""
        return (
            self._ordinary
            and all(rate_is_ordinary(own.rho) for own in rates.values())
            and not any(parameter.exponents for parameter in parameters)
        )

    def _read(
        self,
        names: Sequence[Hashable],
        batch: Any,
        gradients: Mapping[Hashable, Any],
        rates: Mapping[int, Rates],
    ) -> list[Hashable]:
        """Have the batch sum all squares, and leave out what is not ordinary: returned by name.

        The only batch moves at once, if all of it is ordinary.  Raises a ValueError for an entry
        that is not finite.
        """
        parameters = [self._parameters[name] for name in names]
        all_ordinary = self._all_ordinary(parameters, rates)
        own = self._carry, self._threads, self._bounds
        alone = len(self._batches) == 1 and all_ordinary
        if batch.read(rates, self.hyperparameters, *own, alone) and all_ordinary:
            return []
        sum_G, sum_X = batch.sums()
        ordinary = sums_are_ordinary(sum_G, sum_X, self.hyperparameters.epsilon_2)
        ordinary &= self._ordinary
        ordinary &= [not parameter.exponents for parameter in parameters]
        unusual = [t for t, own in rates.items() if not rate_is_ordinary(own.rho)]
        ordinary &= ~np.isin(batch.t + 1, unusual)
        wide = [k for k in np.flatnonzero(~ordinary).tolist() if gradients[names[k]] is not None]
        for k in wide:
            parameters[k].scan(f"grads[{names[k]!r}]", gradients[names[k]])
        batch.leave(wide)
        return [names[k] for k in wide]

    def _move(self, name: Hashable, G: Any, rates: Mapping[int, Rates]) -> Any:
        """What a parameter and its statistics become, in wide numbers."""
        from .beyond import moved

        parameter = self._parameters[name]
        statistics = parameter.wide_statistics()
        own = rates[parameter.t + 1]
        X, G = (A.reshape(parameter.form) for A in (parameter.X, G))
        return moved(X, G, statistics, own, self.hyperparameters), statistics

    def _rates(self, given: Mapping[Hashable, Any]) -> dict[int, Rates]:
        """The rates of every t that a parameter with a gradient comes to."""
        times: set[int] = set()
        for names, batch in self._batches:
            of_each = zip(batch.t.tolist(), names, strict=True)
            times |= {t + 1 for t, name in of_each if given[name] is not None}
        return {t: self.hyperparameters.at(t) for t in sorted(times)}

    def __reduce__(self) -> Any:
        """Copied or unpickled, it goes on from the same state, with the copies of its arrays.

        A shallow copy has the same arrays, and a state of its own.
        """
        names, arrays = self._parameters, self._given
        given = dict(zip(names, arrays, strict=True)) if self._mapping else arrays
        options = {name: getattr(self.hyperparameters, name) for name in RANGES} | {
            "stochastic_rounding": self._seed if self._seed >= 0 else None,
            "strict": self.strict,
            "threads": self._threads,
            "params_unchanged_between_steps": self._carry,
        }
        return _resumed, (type(self), given, options, self.state_dict())

    def state_dict(self) -> dict[Hashable, State]:
        """By index or key: {"t", "R", "C"}, or {"t", "V"} for vectors; the arrays are copies.

        Where some are too large or small for the loops over doubles, as after gradients of 1e200,
        there are integers "R_exponent" beside "R", which then stands for R 2^R_exponent.
        """
        return {name: parameter.state() for name, parameter in self._parameters.items()}

    def load_state_dict(self, state: Mapping[Any, State]) -> None:
        """Copy in what `state_dict` returned; a state that cannot be raises and changes nothing."""
        if not isinstance(state, Mapping):
            raise TypeError(f"state is a {type(state).__name__}; give what state_dict returned")
        self._check_names("state", state)
        for name, parameter in self._parameters.items():
            parameter.check_state(f"state[{name!r}]", state[name])
        for name, parameter in self._parameters.items():
            parameter.load(state[name], self.strict)

    def _same_form(self, where: str, arrays: Arrays) -> dict[Hashable, Any]:
        """`arrays` by index or key, once it has the form of the parameters."""
        if isinstance(arrays, Mapping) != self._mapping:
            form = "mapping" if self._mapping else "sequence"
            raise TypeError(f"{where} is a {type(arrays).__name__}; params is a {form}")
        named = _named(where, arrays)
        self._check_names(where, named)
        return {name: named[name] for name in self._parameters} if self._mapping else named

    def _check_names(self, where: str, named: Mapping[Hashable, Any]) -> None:
        if named.keys() == self._parameters.keys():
            return
        missing = [name for name in self._parameters if name not in named]
        unknown = [name for name in named if name not in self._parameters]
        if missing or unknown:
            raise ValueError(
                f"{where} has {len(named)} entries, params {len(self._parameters)}: it lacks "
                f"{_some(missing)} and has {_some(unknown)} beside; give one for each of params"
            )


def _resumed(
    kind: type[Adafactor], params: Arrays, options: dict[str, Any], state: Mapping[Any, State]
) -> Adafactor:
    """An optimizer that has this state."""
    optimizer = kind(params, **options)
    optimizer.load_state_dict(state)
    return optimizer


def _flag(name: str, given: object) -> bool:
    """What is either True or False."""
    if not isinstance(given, bool | np.bool_):
        raise ValueError(f"{name} is {given!r}; give True or False")
    return bool(given)


def _threads(threads: object) -> int:
    """How many threads share a step."""
    if threads is None:
        return int(config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    if isinstance(threads, bool) or not isinstance(threads, int | np.integer) or threads < 1:
        raise ValueError(f"threads is {threads!r}; give an integer from 1 on, or None for Numba's")
    return int(threads)


def _seed(given: object) -> int:
    """The seed of stochastic rounding, -1 for none."""
    if given is None:
        return -1
    where, way_out = "stochastic_rounding (seed)", "give an integer from 0 to 2^63 - 1, or None"
    if isinstance(given, bool) or not isinstance(given, int | np.integer):
        raise TypeError(f"{where} is {given!r}; {way_out}")
    if not 0 <= given < 2**63:
        raise ValueError(f"{where} is {given}; {way_out}")
    return int(given)


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
