"""The parameters of one type of float, as the tables that `sweep` reads."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from . import sweep
from .hyperparameters import Hyperparameters, Rates
from .loops import BLOCK, strip
from .memory import SMALL, Array
from .parameter import Parameter

GROUP = 2**20  # entries of the parameters that are worked on before the next ones
SERIAL = 2**16  # entries up to which threads are not worth their start; a parameter counts for OWN
OWN = 2**8


class Batch:
    """Parameters of one type, their statistics in one array, and room for their sums.

    `seed` is that of stochastic rounding, -1 for none.
    """

    def __init__(self, parameters: Sequence[Parameter], seed: int = -1) -> None:
        self._parameters, self._seed = parameters, seed
        forms = np.array([parameter.form for parameter in parameters])
        table = self._table = np.zeros(len(parameters), sweep.PARAMETER)
        table["p"], table["n"], table["m"] = forms.T
        table["position"] = [parameter.position for parameter in parameters]
        table["factored"] = [parameter.factored for parameter in parameters]
        for p, parameter in zip(table, parameters, strict=True):
            p["X"], p["X_strides"] = _start(parameter.weights), parameter.weights.strides
            p["strips"] = p["p"] * -(-p["n"] // strip(p["n"], p["m"]))
        kept = np.where(table["factored"], table["p"] * (table["n"] + table["m"]), table["n"])
        parts = np.where(table["factored"], kept + table["strips"] * table["m"], 0)
        lengths = {"first": table["strips"], "statistics": kept, "scratch": parts}
        for name, length in lengths.items():
            table[name] = np.cumsum(length) - length
        self._sums = np.zeros((2, table["strips"].sum()))
        self._statistics, self._scratch = np.zeros(kept.sum()), np.empty(parts.sum())
        for p, length, parameter in zip(table, kept, parameters, strict=True):
            parameter.keep(self._statistics[p["statistics"] : p["statistics"] + length])
        self._sizes = forms.prod(axis=1)
        self._small = self._sizes <= SMALL
        self._copied = np.array([parameter.copied for parameter in parameters])
        plain = [parameter.weights.flags.c_contiguous for parameter in parameters]
        self._forms = np.where(plain, sweep.PLAIN, sweep.STRIDED)
        self._pieces = _pieces(table["strips"], self._sizes)
        self._groups = _groups(self._sizes)
        self._cut = np.empty((0, 0), np.int64)
        dtype = parameters[0].weights.dtype
        self._like = {
            sweep.PLAIN: np.empty((1, 1, 1), dtype),
            sweep.STRIDED: np.empty((4, 4, 4), dtype)[::2, ::2, ::2],
        }

    def take(self, gradients: Sequence[Array | None]) -> None:
        """Note where the gradients lie, which were checked; None leaves its parameter idle.

        Small ones are copied, all at once; the others must stay where they are until `write`.
        """
        table = self._table
        active = np.array([G is not None for G in gradients])
        for k in np.flatnonzero(active & self._copied).tolist():
            self._parameters[k].fetch()
        table["form"] = np.where(active, self._forms, sweep.IDLE)
        self._held: list[Any] = []
        small = np.flatnonzero(active & self._small)
        if small.size:
            copies = np.concatenate([gradients[k] for k in small.tolist()], axis=None)
            starts = np.cumsum(self._sizes[small]) - self._sizes[small]
            table["G"][small] = _start(copies) + starts * copies.itemsize
            table["G_strides"][small] = self._packed(small, copies.itemsize)
            self._held.append(copies)
        for k in np.flatnonzero(active & ~self._small).tolist():
            G = gradients[k].reshape(self._parameters[k].form)  # type: ignore[union-attr]
            table["G"][k], table["G_strides"][k] = _start(G), G.strides
            if not G.flags.c_contiguous:
                table["form"][k] = sweep.STRIDED
            self._held.append(G)

    def _packed(self, which: Array, itemsize: int) -> Array:
        """The strides of contiguous arrays of the forms of these parameters."""
        n, m = self._table["n"][which], self._table["m"][which]
        return np.stack([n * m, m, np.ones_like(m)], axis=1) * itemsize

    def read(self, threads: int) -> tuple[Array, Array]:
        """The sums of squares of each gradient and each X; not finite where an entry is not."""
        threads = self._together(threads)
        work = self._work(threads)
        for form, like in self._present():
            (sweep.read if threads == 1 else sweep.read_together)(work, form, like)
        sweep.gather_all(work)
        return self._table["sum_G"], self._table["sum_X"]

    def leave(self, which: list[int]) -> None:
        """Leave these parameters idle in this step, after which nothing is known of them."""
        self._table["form"][which], self._table["known"][which] = sweep.IDLE, 0

    def write(
        self,
        t: Array,
        rates: Mapping[int, Rates],
        constants: Hyperparameters,
        carry: bool,
        threads: int,
    ) -> None:
        """One step in place on X and the statistics, from what was read; t of each parameter.

        With `carry`, X is taken to stay as it is until the next step, and is not read for it.
        """
        threads = self._together(threads)
        table, work = self._table, self._work(threads)
        for each in np.unique(t[table["form"] != sweep.IDLE]).tolist():
            table["w"][t == each], table["beta_2"][t == each], table["rho"][t == each] = rates[each]
        table["t"] = t
        same = sweep.Constants(
            constants.epsilon_1, constants.epsilon_2, constants.d, self._seed, carry
        )
        for form, like in self._present():
            (sweep.write if threads == 1 else sweep.write_together)(work, same, form, like)
        table["known"] = np.where(table["form"], carry, table["known"])
        for k in np.flatnonzero(table["form"]).tolist():
            self._parameters[k].store()

    def _together(self, threads: int) -> int:
        """How many of so many threads are worth their start."""
        return threads if self._sizes.sum() + OWN * len(self._sizes) >= SERIAL else 1

    def _work(self, threads: int) -> sweep.Work:
        return sweep.Work(
            self._table,
            self._pieces,
            self._groups,
            self._cuts(threads),
            self._statistics,
            self._scratch,
            self._sums,
        )

    def _present(self) -> list[tuple[int, Array]]:
        """The forms that there are, each with an array of its kind."""
        return [(form, like) for form, like in self._like.items() if form in self._table["form"]]

    def _cuts(self, threads: int) -> Array:
        """cuts[group, k]: the first piece of thread k in a group, so that entries are balanced."""
        if self._cut.shape[1] == threads + 1:
            return self._cut
        parameter = self._pieces["parameter"]
        share = (self._pieces["stop"] - self._pieces["start"]) / self._table["strips"][parameter]
        done = np.concatenate([[0.0], np.cumsum(share * self._sizes[parameter])])
        ends = np.searchsorted(parameter, self._groups)
        self._cut = np.array(
            [
                np.searchsorted(done, np.linspace(done[start], done[stop], threads + 1))
                for start, stop in pairwise(ends)
            ]
        )
        return self._cut


def _start(A: Array) -> int:
    """Where A begins in memory."""
    start: int = A.__array_interface__["data"][0]
    return start


def _groups(sizes: Array) -> Array:
    """Where the groups of parameters begin: each of at most GROUP entries, or one parameter."""
    starts, entries = [0], 0
    for k, size in enumerate(sizes.tolist()):
        if entries and entries + size > GROUP:
            starts.append(k)
            entries = 0
        entries += size
    return np.array([*starts, len(sizes)])


def _pieces(strips: Array, sizes: Array) -> Array:
    """Every strip of every parameter, some together where they are small."""
    found = []
    for k, (count, size) in enumerate(zip(strips.tolist(), sizes.tolist(), strict=True)):
        together = max(1, BLOCK * count // size)
        found += [(k, i, min(count, i + together)) for i in range(0, count, together)]
    return np.array(found, sweep.PIECE)
