"""The parameters of one type of float, as the tables that `sweep` reads."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from . import sweep
from .half import FORMATS
from .hyperparameters import Hyperparameters, Rates
from .loops import BLOCK, strip
from .memory import SMALL, Array
from .ordinary import Bounds
from .parameter import Parameter

SERIAL = 2**16  # entries up to which threads are not worth their start; a parameter counts for OWN
OWN = 2**8


class Batch:
    """Parameters of one type, their statistics in one array, and room for their sums.

    `seed` is that of stochastic rounding, -1 for none; t counts the updates of each.
    """

    def __init__(self, parameters: Sequence[Parameter], seed: int = -1) -> None:
        self._parameters, self._seed = parameters, seed
        forms = np.array([parameter.form for parameter in parameters])
        table = self._table = np.zeros(len(parameters), sweep.PARAMETER)
        table["p"], table["n"], table["m"] = forms.T
        self._field = {name: table[name] for name in sweep.PARAMETER.names or ()}
        table["position"] = [parameter.position for parameter in parameters]
        table["factored"] = [parameter.factored for parameter in parameters]
        for p, parameter in zip(table, parameters, strict=True):
            p["X"], p["X_strides"] = _start(parameter.weights), parameter.weights.strides
            p["strips"] = p["p"] * -(-p["n"] // strip(p["n"], p["m"]))
        kept = np.where(table["factored"], table["p"] * (table["n"] + table["m"]), table["n"])
        parts = np.where(table["factored"], kept + 2 * table["strips"] * table["m"], 0)
        lengths = {"first": table["strips"], "statistics": kept, "scratch": parts}
        for name, length in lengths.items():
            table[name] = np.cumsum(length) - length
        self._sums = np.zeros((3, table["strips"].sum()))
        self._statistics, self._scratch = np.zeros(kept.sum()), np.empty(parts.sum())
        self.t = np.zeros(len(parameters), np.int64)
        for k, (start, parameter) in enumerate(zip(table["statistics"], parameters, strict=True)):
            parameter.keep(self._statistics[start : start + kept[k]], self.t[k : k + 1])
        self._sizes = forms.prod(axis=1)
        self._small = self._sizes <= SMALL
        self._worth = self._sizes.sum() + OWN * len(self._sizes) >= SERIAL
        self._copied = np.array([parameter.copied for parameter in parameters])
        plain = [parameter.weights.flags.c_contiguous for parameter in parameters]
        self._forms = np.where(plain, sweep.PLAIN, sweep.STRIDED)
        self._pieces = _pieces(table["strips"], self._sizes)
        dtype = parameters[0].weights.dtype
        self._like: list[tuple[int, Array]] = [
            (sweep.PLAIN, np.empty((1, 1, 1), dtype)),
            (sweep.STRIDED, np.empty((4, 4, 4), dtype)[::2, ::2, ::2]),
        ]
        self._work = sweep.Work(
            *(table, self._pieces, np.empty(0, np.int64)),
            *(self._statistics, self._scratch, self._sums),
        )
        self._arrange([False] * len(parameters))

    @property
    def nbytes(self) -> int:
        """Bytes of the statistics and of the room for sums."""
        return self._statistics.nbytes + self._scratch.nbytes + self._sums.nbytes

    def take(self, gradients: Sequence[Array | None]) -> None:
        """Note where the gradients lie, which were checked; None leaves its parameter idle.

        Small ones are copied, all at once; the others must stay where they are until `write`.
        """
        active = [G is not None for G in gradients]
        if active != self._active:
            self._arrange(active)
        for k in self._fetched:
            self._parameters[k].fetch()
        field, self._held = self._field, []
        if self._copies:
            copies = _joined([gradients[k] for k in self._copies])
            field["G"][self._small_ones] = _start(copies) + self._offsets
            self._held.append(copies)
        for k in self._large:
            G = gradients[k].reshape(self._parameters[k].form)  # type: ignore[union-attr]
            field["G"][k] = _start(G)
            self._held.append(G)
            if G.strides != self._strides.get(k):
                field["G_strides"][k] = self._strides[k] = G.strides
                field["form"][k] = self._forms[k] if G.flags.c_contiguous else sweep.STRIDED
                self._present = self._forms_in(field["form"])

    def _arrange(self, active: list[bool]) -> None:
        """Note which of the parameters are active, and where a copy of small gradients has each."""
        self._active, table = active, self._table
        self._strides: dict[int, tuple[int, ...]] = {}
        table["form"] = np.where(active, self._forms, sweep.IDLE)
        small = np.flatnonzero(active & self._small)
        n, m, itemsize = table["n"][small], table["m"][small], self._like[0][1].itemsize
        table["G_strides"][small] = np.stack([n * m, m, np.ones_like(m)], axis=1) * itemsize
        self._copies, self._large = small.tolist(), np.flatnonzero(active & ~self._small).tolist()
        self._offsets = (np.cumsum(self._sizes[small]) - self._sizes[small]) * itemsize
        self._small_ones = small if small.size < len(active) else slice(None)  # which is quicker
        self._fetched = np.flatnonzero(active & self._copied).tolist()
        self._moved: Any = slice(None) if all(active) else np.flatnonzero(active)
        self._present = self._forms_in(table["form"])

    def _forms_in(self, forms: Array) -> list[tuple[int, Array]]:
        """The forms that there are, each with an array of its kind."""
        return [(form, like) for form, like in self._like if form in forms]

    def read(
        self,
        rates: Mapping[int, Rates],
        constants: Hyperparameters,
        carry: bool,
        threads: int,
        bounds: Bounds,
        alone: bool,
    ) -> bool:
        """Read all for the next step of each; whether the sums of squares are within bounds.

        With `carry`, X is taken to stay as it is until the step after, and is not read for it, but
        for float16 and bfloat16, of which the sums are those before they are rounded.  If `alone`,
        there is nothing else to be read before anything is written: where all is of one form and
        within bounds, the same call moves it, and `write` only counts.
        """
        field = self._field
        np.add(self.t, 1, out=field["t"])
        for t, own in rates.items():
            which = slice(None) if len(rates) == 1 else field["t"] == t
            field["w"][which], field["beta_2"][which], field["rho"][which] = own
        epsilon_1, epsilon_2, d = constants.epsilon_1, constants.epsilon_2, constants.d
        carry &= self._like[0][1].dtype not in FORMATS
        same = sweep.Constants(epsilon_1, epsilon_2, d, self._seed, carry)
        self._given = self._shared(threads), same, bounds
        at_once = alone and len(self._present) == 1
        within = self._call(sweep.READ + sweep.WRITE if at_once else sweep.READ)
        self._written = at_once and within
        return within

    def sums(self) -> tuple[Array, Array]:
        """What `read` came to: not finite where an entry is not."""
        return self._field["sum_G"], self._field["sum_X"]

    def leave(self, which: list[int]) -> None:
        """Leave these parameters idle in this step, after which nothing is known of them."""
        self._field["form"][which], self._field["known"][which] = sweep.IDLE, 0
        self._active = []  # so that the next step arranges them anew
        self._moved = np.flatnonzero(self._field["form"])

    def write(self) -> None:
        """The step in place on X and the statistics, from what was read."""
        if not self._written:
            self._call(sweep.WRITE)
        _, same, _ = self._given
        self._field["known"][self._moved] = same.carry
        self.count(self._moved)
        for k in self._fetched:
            self._parameters[k].store()

    def count(self, which: Any) -> None:
        """Count an update of these."""
        self.t[which] += 1

    def release(self) -> None:
        """Hold no gradient any more."""
        self._held = []

    def tables(self, threads: int) -> sweep.Work:
        """What `sweep` reads, cut for so many threads."""
        if self._work.cuts.shape[0] != threads + 1:
            self._work = self._work._replace(cuts=self._cuts(threads))
        return self._work

    def _call(self, asked: int) -> bool:
        """What is asked of the loops, for each form that there is; whether it is within bounds."""
        (work, one), same, bounds = self._given
        step, within = sweep.step if one else sweep.step_together, True
        for form, like in self._present:
            within &= step(work, same, bounds, asked, form, like)
        return within

    def _shared(self, threads: int) -> tuple[sweep.Work, bool]:
        """The work for so many threads as are worth their start, and whether that is one."""
        threads = threads if self._worth else 1
        return self.tables(threads), threads == 1

    def _cuts(self, threads: int) -> Array:
        """cuts[k]: the first piece of thread k, so that entries are balanced."""
        parameter = self._pieces["parameter"]
        share = (self._pieces["stop"] - self._pieces["start"]) / self._table["strips"][parameter]
        done = np.concatenate([[0.0], np.cumsum(share * self._sizes[parameter])])
        return np.searchsorted(done, np.linspace(0.0, done[-1], threads + 1))


def _joined(arrays: list[Any]) -> Array:
    """The bytes of all arrays, each row after row."""
    try:
        return np.frombuffer(b"".join(arrays), np.uint8)  # a tenth of the time, where they lie so
    except TypeError:
        return np.concatenate(arrays, axis=None)


def _start(A: Array) -> int:
    """Where A begins in memory."""
    start: int = A.__array_interface__["data"][0]
    return start


def _pieces(strips: Array, sizes: Array) -> Array:
    """Every strip of every parameter, some together where they are small."""
    found = []
    for k, (count, size) in enumerate(zip(strips.tolist(), sizes.tolist(), strict=True)):
        together = max(1, BLOCK * count // size)
        found += [(k, i, min(count, i + together)) for i in range(0, count, together)]
    return np.array(found, sweep.PIECE)
