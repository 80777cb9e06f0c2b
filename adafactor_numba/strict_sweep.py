"""Strict steps of a list of small parameters, in one call: all is read, and then all is written.

The loops are those of a step of its own, one thread for each parameter.  What they do not take, or
what pairs leave undecided, stays as it was, and is left to such a step.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import prange

from . import vectorpairs, vectorpasses, ziv
from .accumulator import LIMBS, add_strips, pair
from .address import array
from .bounds import SLACK
from .doubledouble import Pair
from .loops import Floats, Integers, height, inlined, loop, together
from .pairsums import gather, measure, quotients, roots, update
from .passes import observe
from .scale import factor, largest, mean_square_U, scaled
from .singles import fit, halves
from .strict_step import LARGEST
from .survey import worthwhile
from .sweep import READ, WRITE, Table, factors, gradient, moments, weights

TASK = np.dtype(
    [
        *((name, np.int64) for name in ("parameter", "sums", "rates", "state")),
        *((name, np.float64) for name in ("R", "C", "mean_square_U")),
        *((name, np.float64) for name in ("singles", "doubles", "pairs")),
        *((name, np.float64) for name in ("square", "rest")),
    ]
)
"""A parameter, by its place in the table of all; where its sums begin, and which rates it has;
whether it is LEFT, and if not, how many of its entries pairs decided after doubles; its bounds,
those of a move for a scale that is exact; sum X^2, a pair."""

LEFT = -1  # to a step of its own


class Work(NamedTuple):
    """The tables: parameters, as `sweep` has them, and tasks, of which cuts[k] is thread k's first.

    `sums` are what is kept of each between the calls; a row of rates (k, 5) has w and beta_2, which
    are pairs, and rho.
    """

    table: Table
    tasks: Table
    cuts: Integers
    statistics: Floats
    sums: Floats
    rates: Floats


class Constants(NamedTuple):
    """What is the same for all: of the rule, and the largest gradient that is taken."""

    epsilon_1: float
    epsilon_2: float
    d: float
    largest: float


def _row(address: int, p: Any, like: Any) -> Any:
    """The vector that lies there."""
    return array(address, (1, 1, p.n), p.X_strides, like)[0, 0]


row = loop(_row)


def _sums(p: Any, task: Any, work: Work) -> tuple[Floats, Floats, Floats]:
    """Sums of squares by rows (2, p, n) and columns (2, p, m), of those over R (2, strips, m)."""
    first = task.sums
    second = first + 2 * p.p * p.n
    third = second + 2 * p.p * p.m
    last = third + 2 * p.strips * p.m
    return (
        work.sums[first:second].reshape(2, p.p, p.n),
        work.sums[second:third].reshape(2, p.p, p.m),
        work.sums[third:last].reshape(2, p.strips, p.m),
    )


sums = loop(_sums)


def _read_matrix(p: Any, task: Any, work: Work, constants: Constants, like: Any) -> bool:
    """Sum up X and G of a matrix; whether all is taken."""
    R, C, ratios = sums(p, task, work)
    R_old, _ = factors(p, work.statistics, p.statistics)
    rates = work.rates[task.rates]
    own = np.array([rates[0], rates[2], constants.epsilon_1])
    totals = np.zeros((1, LIMBS), np.int64)
    parts, X, G = np.empty((2, p.strips, p.m)), weights(p, like), gradient(p, like)
    observe(G, R_old, own, R, parts, ratios, 0, p.strips)
    gather(parts, C)
    within = add_strips(totals[0], X, 0, p.strips)
    task.square, task.rest = pair(totals)
    return bool(within and largest(R, C) <= constants.largest * constants.largest)


read_matrix = inlined(_read_matrix)


def _read_vector(p: Any, task: Any, work: Work, constants: Constants, like: Any) -> bool:
    """Sum up X of a vector; whether it and G are taken."""
    totals = np.zeros((1, LIMBS), np.int64)
    X, G = row(p.X, p, like), row(p.G, p, like)
    within: bool = vectorpasses.read_share(X, G, constants.largest, totals[0], 0, p.n)
    task.square, task.rest = pair(totals)
    return within


read_vector = inlined(_read_vector)


def _own_factor(
    p: Any, task: Any, work: Work, constants: Constants, mean: Pair, lost: float
) -> tuple[Pair, float]:
    """What all of U is multiplied by, and its bound."""
    square, rho = (task.square, task.rest), work.rates[task.rates, 4]
    epsilon_2, size = constants.epsilon_2, p.p * p.n * p.m
    scale, bound, _ = factor(
        square, size, rho, epsilon_2, mean, task.mean_square_U, lost, constants.d
    )
    return scale, bound


own_factor = loop(_own_factor)


def _moves(task: Any, f: Floats, scale: Pair, bound: float) -> Floats:
    """The bounds of a move by f, which becomes 0 where the scale is."""
    if scale[0] == bound == 0.0:
        f[:] = 0.0
        return np.zeros(4)
    own = bound * SLACK
    return np.array([task.singles + own, task.doubles + own, task.pairs + own, ziv.TINY])


moves = loop(_moves)


def _settled(pairs: Floats, bound: float, rounded: Floats) -> bool:
    """Round pairs (2, p, n) to an array (p, n); whether all are decided."""
    undecided = ziv.settled(pairs.reshape(2, -1), bound, rounded.reshape(-1))
    return bool(undecided.size == 0)


settled = loop(_settled)


def _write_matrix(p: Any, task: Any, work: Work, constants: Constants, like: Any) -> int:
    """The step of a matrix, if it is decided; how many entries pairs decided, or LEFT."""
    X, G, rates = weights(p, like), gradient(p, like), work.rates[task.rates]
    R_old, C_old = factors(p, work.statistics, p.statistics)
    R, C, ratios = sums(p, task, work)
    w, beta_2 = (rates[0], rates[1]), (rates[2], rates[3])
    update(R_old, R, p.m, w, beta_2, constants.epsilon_1)
    update(C_old, C, p.n, w, beta_2, constants.epsilon_1)
    R_new, C_new = np.empty_like(R_old), np.empty_like(C_old)
    if not (settled(R, task.R, R_new) and settled(C, task.C, C_new)):
        return LEFT
    S = np.zeros((2, p.p))
    quotients(R, C, S)
    c, of_each = roots(C, (1.0, 0.0)), S
    if not worthwhile(G):
        of_each = np.zeros((2, p.p))
        of_each[0] = 1.0
        measure(G, R, ratios, 0, p.strips)
    mean, lost = mean_square_U(ratios, R, C, S, of_each, X.size)
    scale, bound = own_factor(p, task, work, constants, mean, lost)
    f, of_move = scaled(R, c, scale, bound)
    bounds = moves(task, f, scale, of_move)
    if not fit(f[0], c[0]):
        bounds[0] = math.inf
    most = min(p.n, height(p.m))
    x, found = X.copy(), np.empty(X.size + most * p.m, np.int64)
    blocks = p.p * -(-p.n // most)
    _, undecided, in_pairs = ziv.descend(
        x, G, f, c, halves(f[0]), halves(c[0]), bounds, 0, blocks, found
    )
    if undecided > 0:
        return LEFT
    X[:], R_old[:], C_old[:] = x, R_new, C_new
    return int(in_pairs)


write_matrix = inlined(_write_matrix)


def _write_vector(p: Any, task: Any, work: Work, constants: Constants, like: Any) -> int:
    """The same of a vector."""
    X, G, V_old = row(p.X, p, like), row(p.G, p, like), moments(p, work)
    rates = work.rates[task.rates]
    own = np.array([rates[0], rates[1], rates[2], rates[3], constants.epsilon_1])
    of = vectorpairs.Renewal(V_old, own)
    V, found = np.empty_like(V_old), np.empty(p.n, np.int64)
    if vectorpairs.settle(G, of, task.C, V, found, 0, p.n) > 0:
        return LEFT
    c = vectorpairs.ends(V)
    squares = vectorpairs.measure(G, of, X.itemsize == 8, 0, p.n)
    mean, lost = vectorpairs.mean_square_U(squares, c, p.n)
    scale, bound = own_factor(p, task, work, constants, mean, lost)
    one = np.zeros((2, 1, 1))
    one[0] = 1.0
    f, of_move = scaled(one, c, scale, bound)
    bounds = moves(task, f, scale, of_move)
    x, of_all = X.copy(), (f[0, 0, 0], f[1, 0, 0])
    undecided, in_pairs = vectorpairs.descend(x, G, of, V, of_all, bounds, found, 0, p.n)
    if undecided > 0:
        return LEFT
    X[:], V_old[:] = x, V
    return int(in_pairs)


write_vector = inlined(_write_vector)


def _read_share(work: Work, constants: Constants, k: int, like: Any) -> None:
    """What thread k reads."""
    for i in range(work.cuts[k], work.cuts[k + 1]):
        task = work.tasks[i]
        p = work.table[task.parameter]
        if p.factored:
            within = read_matrix(p, task, work, constants, like)
        else:
            within = read_vector(p, task, work, constants, like)
        task.state = 0 if within and task.square <= LARGEST * LARGEST else LEFT


read_share = loop(_read_share)


def _write_share(work: Work, constants: Constants, k: int, like: Any) -> None:
    """The steps of thread k, of what is not left."""
    for i in range(work.cuts[k], work.cuts[k + 1]):
        task = work.tasks[i]
        p = work.table[task.parameter]
        if task.state != LEFT and p.factored:
            task.state = write_matrix(p, task, work, constants, like)
        elif task.state != LEFT:
            task.state = write_vector(p, task, work, constants, like)


write_share = loop(_write_share)


def _left(tasks: Table) -> int:
    """How many are left."""
    count = 0
    for task in tasks:
        count += task.state == LEFT
    return count


left = loop(_left)


def _step(work: Work, constants: Constants, asked: int, like: Any) -> bool:
    """Read all, if asked, and then step what is not left, if asked.

    One thread follows the other.  If both are asked, it steps only where nothing is left after
    reading.  Returns whether nothing was.
    """
    all_taken = True
    if asked & READ:
        for k in range(work.cuts.shape[0] - 1):
            read_share(work, constants, k, like)
        all_taken = left(work.tasks) == 0
    if asked & WRITE and all_taken:
        for k in range(work.cuts.shape[0] - 1):
            write_share(work, constants, k, like)
    return all_taken


def _step_together(work: Work, constants: Constants, asked: int, like: Any) -> bool:
    """The same, all threads at once."""
    all_taken = True
    if asked & READ:
        for k in prange(work.cuts.shape[0] - 1):
            read_share(work, constants, k, like)
        all_taken = left(work.tasks) == 0
    if asked & WRITE and all_taken:
        for k in prange(work.cuts.shape[0] - 1):
            write_share(work, constants, k, like)
    return all_taken


step = loop(_step)
step_together = together(_step_together)
