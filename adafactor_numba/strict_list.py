"""The small parameters of one type of float, whose strict steps are taken together."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from . import strict_sweep
from .batch import OWN, SERIAL, Batch
from .bounds import Bounds
from .certificate import Certificate
from .hyperparameters import Hyperparameters
from .memory import Array
from .parameter import Parameter
from .strict_step import Rates, largest_gradient, misfits
from .survey import worthwhile
from .sweep import IDLE, PLAIN, READ, WRITE
from .vectorbounds import VectorBounds

MOST = 2**18  # entries of what one thread has to itself, in a list of
ENOUGH = 4  # times as many; in any list it has what has SERIAL


class StrictList:
    """Those of a batch that are small beside all of it; what does not lie row by row is left.

    `read` and then `write` are one step, and nothing is written in between.
    """

    def __init__(self, batch: Batch, parameters: Sequence[Parameter]) -> None:
        self._batch, self._parameters = batch, parameters
        self._like = np.empty((1, 1, 1), parameters[0].weights.dtype)
        self._doubles = self._like.itemsize < 8
        table = batch.tables(1).table
        self._sizes = table["p"] * table["n"] * table["m"]
        self._small = self._sizes <= max(SERIAL, min(MOST, self._sizes.sum() // ENOUGH))
        factors = table["p"] * (table["n"] + table["m"])
        pairs = factors + table["strips"] * table["m"]
        self._kept = np.where(table["factored"], 2 * pairs, 0)
        self._entries = np.where(table["factored"], factors, table["n"])
        self._every = np.zeros(len(table), strict_sweep.TASK)
        self._every["parameter"] = np.arange(len(table))
        bounds = cache(_bounds)
        for task, parameter in zip(self._every, parameters, strict=True):
            doubles = worthwhile(parameter.weights) if parameter.factored else self._doubles
            own = bounds(parameter.form, parameter.factored, not doubles)
            task["R"], task["C"], task["mean_square_U"] = own[:3]
            task["singles"], task["doubles"], task["pairs"] = own[3:]
        self._copied = np.array([parameter.copied for parameter in parameters])
        self._arranged: Any = None
        self._given: Any = None

    def read(
        self,
        gradients: Sequence[Array | None],
        rates: Mapping[int, Rates],
        constants: Hyperparameters,
        threads: int,
        alone: bool,
    ) -> list[int]:
        """Read for the next step of each; the places of those of which `write` takes it.

        If `alone`, there are no others to be read before anything is written; where none of these
        is left, the same call steps them all, and `write` only counts.
        """
        fit = not any(misfits(constants, own.rho) for own in rates.values())
        self._taken: list[int] = []
        if not (fit and self._small.any()):
            return []
        self._batch.take(gradients)
        work = self._batch.tables(1)
        self._arrange(work.table["form"], threads)
        if not self._places:
            return []
        tasks, which = self._tasks, self._tasks["parameter"]
        if len(rates) == 1:
            tasks["rates"] = 0
        else:
            tasks["rates"] = np.searchsorted([*rates], self._batch.t[which] + 1)
        of_each = np.array([[*own.w, *own.beta_2, own.rho] for own in rates.values()])
        tables = work.table, tasks, self._cuts, work.statistics, np.empty(self._length), of_each
        own = constants.epsilon_1, constants.epsilon_2, constants.d, largest_gradient(constants)
        self._given = strict_sweep.Work(*tables), strict_sweep.Constants(*own)
        wide = [task for k, task in self._places.items() if self._parameters[k].exponents]
        at_once = alone and self._all and not wide
        all_taken = self._call(READ + WRITE if at_once else READ)
        self._written = at_once and all_taken
        self._taken = [*self._places]
        if wide or not all_taken:
            tasks["state"][wide] = strict_sweep.LEFT
            self._taken = which[tasks["state"] >= 0].tolist()
        return self._taken

    def write(self) -> tuple[Certificate, list[int]]:
        """The steps of those that pairs decide; the places of the others of them."""
        if not self._taken:
            return Certificate(), []
        if not self._written:
            self._call(WRITE)
        self._given = None
        state, which = self._tasks["state"], self._tasks["parameter"]
        left: list[int] = []
        if state.min() < 0:
            which, state = which[state >= 0], state[state >= 0]
            left = sorted({*self._taken}.difference(which.tolist()))
        own: Any = slice(None) if which.size == self._every.size else which  # which is quicker
        self._batch.count(own)
        for k in which[self._copied[which]].tolist():
            self._parameters[k].store()
        entries, in_pairs = int(self._sizes[own].sum()), int(state.sum())
        in_pairs = in_pairs if self._doubles else entries
        first, statistics = entries - in_pairs, int(self._entries[own].sum())
        return Certificate(first, in_pairs, statistics_pairs=statistics), left

    def _arrange(self, forms: Array, threads: int) -> None:
        """Note which parameters are for these loops now, and which thread has which."""
        if (key := (forms.tobytes(), threads)) == self._arranged:
            return
        self._arranged = key
        which = np.flatnonzero(self._small & (forms == PLAIN))
        self._tasks, self._places = self._every[which], {k: i for i, k in enumerate(which.tolist())}
        self._all = which.size == np.count_nonzero(forms != IDLE)
        ends = np.cumsum(self._kept[which])
        self._tasks["sums"], self._length = ends - self._kept[which], ends[-1] if ends.size else 0
        done = np.concatenate([[0], np.cumsum(self._sizes[which] + OWN)])
        threads = threads if done[-1] >= SERIAL else 1
        self._cuts = np.searchsorted(done, np.linspace(0, done[-1], threads + 1))

    def _call(self, asked: int) -> bool:
        """What is asked of the loops, on threads if these are worth their start."""
        step = strict_sweep.step if len(self._cuts) == 2 else strict_sweep.step_together
        return bool(step(*self._given, asked, self._like))


def _bounds(form: tuple[int, int, int], factored: bool, pairs: bool) -> tuple[float, ...]:
    """Those of the statistics, of the mean of U^2, and of a move by a scale that is exact.

    The mean is of pairs, or of doubles.
    """
    p, n, m = form
    if factored:
        of_matrices = Bounds(p, n, m)
        mean = of_matrices.mean_square_U(pairs)
        return of_matrices.R, of_matrices.C, mean, *of_matrices.move(0.0)
    of_vector = VectorBounds(n)
    mean = of_vector.mean_square_U(pairs)
    return of_vector.C, of_vector.C, mean, *of_vector.move(0.0)
