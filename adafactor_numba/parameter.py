"""One array of weights and the statistics of its gradients."""

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from .half import seen
from .hyperparameters import LARGEST
from .loops import first_beyond
from .memory import Array

State: TypeAlias = dict[str, Any]

LARGEST_T = 2**53  # beyond, t is no double

TYPES = "float64, float32, float16, bfloat16"

MEANINGS = {"R": "row statistics", "C": "column statistics", "V": "second moment"}


class Parameter:
    """Weights X of any rank and strides; t updates so far; V, or R and C where the rank is >= 2.

    The loops see `weights`, p matrices (p, n, m), a vector as (1, n, 1): X itself, unless it is not
    aligned or no strides give the leading axes as one; of float16 and bfloat16 the bits.  `where`
    names X in messages, `position` is its place among all parameters.
    """

    def __init__(self, where: str, X: object, position: int = 0) -> None:
        self.position = position
        self._given = _weights(where, X)
        self.X = self._given.view(np.ndarray)  # the caller may reshape what was given
        self.where = f"{where}: X (weights)"
        self.t = 0
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
        self.keep(np.zeros(sum(map(math.prod, self._shapes.values()))))

    def keep(self, numbers: Array) -> None:
        """Keep the statistics, which are zero, in `numbers`, one after the other."""
        self.statistics, start = {}, 0
        for name, shape in self._shapes.items():
            size = math.prod(shape)
            self.statistics[name] = numbers[start : start + size].reshape(shape)
            start += size

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

    def scan(self, where: str, G: Array | None, largest: float) -> None:
        """Raise a ValueError that names an entry of G or of X that is not finite or too large."""
        if G is not None:
            self._scan(f"{where}: G (gradient)", G, largest)
        self._scan(self.where, self.X, LARGEST)

    def _scan(self, where: str, A: Array, largest: float) -> None:
        k = first_beyond(seen(A).reshape(self.form), largest)
        if k < 0:
            return
        index = list(map(int, np.unravel_index(k, A.shape)))
        x = float(A[tuple(index)])
        why = "give finite numbers"
        if math.isfinite(x):
            why = f"beyond {largest:.3g} a step may leave the range of float64"
        raise ValueError(f"{where} is {x} at {index}; {why}, nothing was changed")

    def check(self) -> None:
        """Raise a ValueError if X has become read-only."""
        if not self._given.flags.writeable:
            raise ValueError(f"{self.where} has become read-only; nothing was changed")

    def fetch(self) -> None:
        """Bring `weights` up to date, where they are a copy of X."""
        if self.copied:
            self.weights[...] = self._seen.reshape(self.form)

    def store(self) -> None:
        """Write `weights` back to X, where they are a copy, and count the update."""
        if self.copied:
            self._seen[...] = self.weights.reshape(self.X.shape)
        self.t += 1

    def state(self) -> State:
        """The number t of updates and copies of the statistics, by name."""
        return {"t": self.t} | {name: A.copy() for name, A in self.statistics.items()}

    def check_state(self, where: str, state: object, largest: float) -> None:
        """Raise a TypeError or ValueError unless `state` can be that of such a parameter."""
        names = ["t", *self.statistics]
        if not isinstance(state, Mapping) or set(state) != set(names):
            found = list(state) if isinstance(state, Mapping) else f"a {type(state).__name__}"
            raise ValueError(f"{where} is {found}; give a mapping of {', '.join(names)}")
        t = state["t"]
        if isinstance(t, bool) or not isinstance(t, int | np.integer) or not 0 <= t <= LARGEST_T:
            raise ValueError(f"{where}['t'] (updates so far) is {t!r}; give an integer, 0 to 2^53")
        for name, A in self.statistics.items():
            here = f"{where}[{name!r}] ({MEANINGS[name]})"
            _check_statistics(here, state[name], A, int(t), largest)

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over t and the statistics from a state that was checked."""
        self.t = int(state["t"])
        for name, A in self.statistics.items():
            A[...] = state[name]


def _weights(where: str, X: object) -> Array:
    """X, if it can be updated in place."""
    if not isinstance(X, np.ndarray) or not _taken(X.dtype):
        raise TypeError(f"{where}: X (weights) {_found(X)}; give an array of one of {TYPES}")
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


def _check_statistics(where: str, found: object, A: Array, t: int, largest: float) -> None:
    """Raise unless `found` can be what A holds after t updates: zero at first, then positive."""
    if not isinstance(found, np.ndarray) or found.dtype != A.dtype:
        raise TypeError(f"{where} {_found(found)}; give a float64 array")
    if found.shape != A.shape:
        raise ValueError(f"{where} has shape {found.shape}; its parameter needs {A.shape}")
    if not (np.abs(found) <= largest).all():
        raise ValueError(f"{where} has a nan, or more than any gradients come to, {largest:.3g}")
    if not (found > 0 if t else found == 0).all():
        raise ValueError(f"{where} is {'not positive' if t else 'not zero'} after t = {t} updates")
