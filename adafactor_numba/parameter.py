"""One array of weights and the statistics of its gradients."""

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from .beyond import doubles, pair
from .half import FORMATS, seen
from .hyperparameters import LARGEST
from .loops import first_beyond
from .memory import Array
from .ordinary import statistics_are_ordinary
from .storage import rounded
from .wide import Wides

State: TypeAlias = dict[str, Any]

LARGEST_T = 2**53  # beyond, t is no double
LARGEST_EXPONENT = 2**20  # beyond that of any sum of squares of doubles

TYPES = "float64, float32, float16, bfloat16"

MEANINGS = {"R": "row statistics", "C": "column statistics", "V": "second moment"}


class Parameter:
    """Weights X of any rank and strides; t updates so far; V, or R and C where the rank is >= 2.

    Statistics beyond the ordinary have `exponents` beside them, and are A 2^exponents.

    The loops see `weights`, p matrices (p, n, m), a vector as (1, n, 1): X itself, unless it is not
    aligned or no strides give the leading axes as one; of float16 and bfloat16 the bits.  `where`
    names X in messages, `position` is its place among all parameters.
    """

    def __init__(self, where: str, X: object, position: int = 0) -> None:
        self.position = position
        self._given = _weights(where, X)
        self.X = self._given.view(np.ndarray)  # the caller may reshape what was given
        self.where = f"{where}: X (weights)"
        self.factored = self.X.ndim > 1
        *leading, n, m = self.X.shape if self.factored else (1, self.X.size, 1)
        self.form = (math.prod(leading), n, m)
        self._seen = seen(self.X)
        X = self._seen.reshape(self.form)
        self.copied = not (np.may_share_memory(X, self.X) and X.flags.aligned)
        self.weights = X.copy() if self.copied else X
        self._shapes = {"V": self.X.shape}
        if self.factored:
            self._shapes = {"R": self.X.shape[:-1], "C": (*self.X.shape[:-2], m)}
        self.keep(np.zeros(sum(map(math.prod, self._shapes.values()))), np.zeros(1, np.int64))

    def keep(self, numbers: Array, count: Array) -> None:
        """Keep the statistics in `numbers`, one after the other, and t in `count`: all are zero."""
        self._count = count
        self.statistics, start = {}, 0
        self.exponents: dict[str, Array] = {}
        for name, shape in self._shapes.items():
            size = math.prod(shape)
            self.statistics[name] = numbers[start : start + size].reshape(shape)
            start += size

    @property
    def t(self) -> int:
        """How many updates there were."""
        return int(self._count[0])

    def takes(self, G: object) -> bool:
        """Whether G is as it should be without a conversion; if not, `gradient` says why."""
        return type(G) is np.ndarray and G.dtype == self.X.dtype and G.shape == self.X.shape

    def gradient(self, where: str, G: object) -> Array:
        """G in the type of X, its shape checked; new only where G has another type."""
        where = f"{where}: G (gradient)"
        if np.ma.isMaskedArray(G):
            raise TypeError(f"{where} is a masked array, of which a step would read all; fill it")
        if not isinstance(G, np.ndarray | np.generic) or not _float(G.dtype):
            raise TypeError(f"{where} {_found(G)}; give an array of floats, or None to skip")
        if G.shape != self.X.shape:
            raise ValueError(f"{where} has shape {G.shape}, its parameter {self.X.shape}")
        return _converted(where, np.asarray(G), self.X.dtype)

    def scan(self, where: str, G: Array) -> None:
        """Raise a ValueError that names an entry of G or of X that is not finite."""
        for name, A in ((f"{where}: G (gradient)", G), (self.where, self.X)):
            k = first_beyond(seen(A).reshape(self.form), LARGEST)
            if k >= 0:
                index = list(map(int, np.unravel_index(k, A.shape)))
                raise ValueError(
                    f"{name} is {float(A[tuple(index)])} at {index}; give finite numbers, "
                    f"nothing was changed"
                )

    def check(self) -> None:
        """Raise a ValueError if X has become read-only."""
        if not self._given.flags.writeable:
            raise ValueError(f"{self.where} has become read-only; nothing was changed")

    def fetch(self) -> None:
        """Bring `weights` up to date, where they are a copy of X."""
        if self.copied:
            self.weights[...] = self._seen.reshape(self.form)

    def store(self) -> None:
        """Write `weights` back to X, where they are a copy."""
        if self.copied:
            self._seen[...] = self.weights.reshape(self.X.shape)

    def count(self) -> None:
        """Count an update."""
        self._count += 1

    def wide_statistics(self) -> dict[str, Wides]:
        """The statistics in wide numbers, as copies."""
        return {name: pair(A, self.exponents.get(name)) for name, A in self.statistics.items()}

    def move(self, X_new: Array, statistics: Mapping[str, Wides], seed: int) -> None:
        """Take over X_new, rounded to the type of X, and the statistics, and count the update."""
        with np.errstate(over="ignore"):
            if self.weights.dtype in FORMATS:
                bits = np.empty(X_new.shape, self.weights.dtype)
                noise = seed, self.t + 1, self.position, 0
                rounded(X_new.reshape(-1), bits.reshape(-1), noise, 0)
                X_new = bits
            self.weights[...] = X_new
        self.settle(statistics)
        self.store()
        self.count()

    def settle(self, statistics: Mapping[str, Wides]) -> None:
        """Keep statistics that are wide numbers: as doubles, where all of an array are ordinary."""
        for name, a in statistics.items():
            A = doubles(a)
            if statistics_are_ordinary(A):
                self.exponents.pop(name, None)
            else:
                A, self.exponents[name] = a
            self.statistics[name][...] = A

    def state(self) -> State:
        """The number t of updates and copies of the statistics, by name."""
        exponents = {f"{name}_exponent": e for name, e in self.exponents.items()}
        return {"t": self.t} | {name: A.copy() for name, A in (self.statistics | exponents).items()}

    def check_state(self, where: str, state: object) -> None:
        """Raise a TypeError or ValueError unless `state` can be that of such a parameter."""
        names = ["t", *self.statistics]
        exponents = {f"{name}_exponent": name for name in self.statistics}
        if not isinstance(state, Mapping) or set(state) - set(exponents) != set(names):
            found = list(state) if isinstance(state, Mapping) else f"a {type(state).__name__}"
            raise ValueError(f"{where} is {found}; give a mapping of {', '.join(names)}")
        t = state["t"]
        if isinstance(t, bool) or not isinstance(t, int | np.integer) or not 0 <= t <= LARGEST_T:
            raise ValueError(f"{where}['t'] (updates so far) is {t!r}; give an integer, 0 to 2^53")
        for name, A in self.statistics.items():
            _check_statistics(f"{where}[{name!r}] ({MEANINGS[name]})", state[name], A, int(t))
        for name in exponents.keys() & set(state):
            meaning = MEANINGS[exponents[name]]
            here = f"{where}[{name!r}] (exponents of the {meaning})"
            _check_exponents(here, state[name], self.statistics[exponents[name]])

    def load(self, state: Mapping[str, Any], strict: bool) -> None:
        """Take over t and the statistics from a state that was checked.

        Strict steps take doubles of any size, and so does this, if `strict`.
        """
        self._count[0] = state["t"]
        for name, A in self.statistics.items():
            exponents = state.get(f"{name}_exponent")
            if strict and exponents is None:
                A[...] = state[name]
                self.exponents.pop(name, None)
            else:
                self.settle({name: pair(state[name], exponents)})


def _weights(where: str, X: object) -> Array:
    """X, if it can be updated in place."""
    if not isinstance(X, np.ndarray) or not _taken(X.dtype):
        raise TypeError(f"{where}: X (weights) {_found(X)}; give an array of one of {TYPES}")
    if np.ma.isMaskedArray(X):
        raise TypeError(f"{where}: X (weights) is a masked array, all of which is updated; fill it")
    if not X.flags.writeable:
        raise ValueError(f"{where}: X (weights) is read-only, and is updated in place; give a copy")
    return X


def _taken(dtype: np.dtype[Any]) -> bool:
    return dtype.isnative and dtype.name in TYPES.split(", ")


def _float(dtype: np.dtype[Any]) -> bool:
    return dtype.kind == "f" or dtype.name == "bfloat16"


def _found(A: object) -> str:
    if not isinstance(A, np.ndarray | np.generic):
        return f"is a {type(A).__name__}"
    order = "" if A.dtype.isnative else " in foreign byte order"
    return f"has type {A.dtype.name}{order}"


def _converted(where: str, G: Array, dtype: np.dtype[Any]) -> Array:
    """G in `dtype`, where that is exact; a NaN stays one."""
    if G.dtype == dtype:
        return G
    with np.errstate(all="ignore"):
        converted = G.astype(dtype)
        rounded = (converted != G) & ~np.isnan(G)
    if rounded.any():
        index = np.argwhere(rounded)[0].tolist()
        raise ValueError(
            f"{where} is {G[tuple(index)]} at {index}, which is no {dtype.name}, the type of its "
            f"parameter; round it yourself: G.astype({dtype.name!r})"
        )
    return converted


def _check_statistics(where: str, found: object, A: Array, t: int) -> None:
    """Raise unless `found` can be what A holds after t updates: zero at first, then positive."""
    if not isinstance(found, np.ndarray) or found.dtype != A.dtype:
        raise TypeError(f"{where} {_found(found)}; give a float64 array")
    if found.shape != A.shape:
        raise ValueError(f"{where} has shape {found.shape}; its parameter needs {A.shape}")
    if not np.isfinite(found).all():
        raise ValueError(f"{where} has an entry that is not finite, as no gradients make it")
    if not (found > 0 if t else found == 0).all():
        raise ValueError(f"{where} is {'not positive' if t else 'not zero'} after t = {t} updates")


def _check_exponents(where: str, found: object, A: Array) -> None:
    """Raise unless `found` can be the exponents of numbers of A's shape."""
    if not isinstance(found, np.ndarray) or found.dtype != np.int64:
        raise TypeError(f"{where} {_found(found)}; give an int64 array")
    if found.shape != A.shape:
        raise ValueError(f"{where} has shape {found.shape}; its parameter needs {A.shape}")
    if not ((found >= -LARGEST_EXPONENT) & (found <= LARGEST_EXPONENT)).all():
        raise ValueError(f"{where} goes beyond what gradients come to; give some within +-2^20")
