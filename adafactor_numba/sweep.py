"""One step of a whole list of parameters, in one call: the strips of all of them, over threads.

What stands in a table is where a parameter lies and what is known of it; a piece is some strips of
one parameter.  First all is read and nothing written but sums, so that a bad entry anywhere leaves
everything as it was.  Then group by group, each small enough to stay in a cache, the statistics
are updated and the weights moved.  Which thread does what changes no bit: a strip is always summed
in the same order, and the sums of the strips are added in the order of the strips.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import prange
from numpy.typing import NDArray

from . import matrix, vector
from .address import array
from .loops import (
    Floats,
    clipping,
    height,
    loop,
    relative_step,
    strip,
    sum_of_squares,
    together,
    total,
)

PARAMETER = np.dtype(
    [
        *((name, np.int64) for name in ("X", "G", "form", "factored", "known", "p", "n", "m")),
        *((f"{name}_strides", np.int64, 3) for name in ("X", "G")),
        *((name, np.int64) for name in ("strips", "first", "statistics", "scratch")),
        *((name, np.int64) for name in ("position", "t")),
        *((name, np.float64) for name in ("w", "beta_2", "rho", "scale", "sum_G", "sum_X")),
    ]
)
"""Addresses and strides in bytes, and which form of array they make; the sizes; where the sums of
its strips, its statistics and its scratch begin; its place among all parameters, and t; the rates
of the step; what came of it."""

PIECE = np.dtype([(name, np.int64) for name in ("parameter", "start", "stop")])
"""Some strips of one parameter."""

IDLE, PLAIN, STRIDED = range(3)  # forms: without a gradient, contiguous, any other
PHASES = ADVANCE, MEASURE, CLIP, DESCEND = tuple(range(4))  # of a step, after all was read

Table = NDArray[Any]


class Work(NamedTuple):
    """The tables: parameters, pieces, where the groups of parameters begin, and the cuts.

    cuts[group, k] is the first piece of thread k in a group.  `sums` (2, strips) are those of X,
    and of G or U; `statistics` and `scratch` belong to the parameters one after the other.
    """

    table: Table
    pieces: Table
    groups: NDArray[np.int64]
    cuts: NDArray[np.int64]
    statistics: Floats
    scratch: Floats
    sums: Floats


class Constants(NamedTuple):
    """What is the same for all parameters; `carry` asks for sum X^2 after the step.

    `seed` is that of stochastic rounding, -1 for none.
    """

    epsilon_1: float
    epsilon_2: float
    d: float
    seed: int
    carry: bool


def _weights(p: Any, like: Any) -> Any:
    return array(p.X, (p.p, p.n, p.m), p.X_strides, like)


def _gradient(p: Any, like: Any) -> Any:
    return array(p.G, (p.p, p.n, p.m), p.G_strides, like)


weights = loop(_weights)
gradient = loop(_gradient)


def _factors(p: Any, numbers: Floats, start: int) -> tuple[Floats, Floats]:
    """What belongs to the rows (p, n) and the columns (p, m) of a matrix, such as R and C."""
    middle, end = start + p.p * p.n, start + p.p * (p.n + p.m)
    return numbers[start:middle].reshape(p.p, p.n), numbers[middle:end].reshape(p.p, p.m)


def _moments(p: Any, work: Work) -> Floats:
    """V of a vector."""
    return work.statistics[p.statistics : p.statistics + p.n]


def _parts(p: Any, work: Work) -> Floats:
    """The sums of the columns of each strip."""
    first = p.scratch + p.p * (p.n + p.m)
    return work.scratch[first : first + p.strips * p.m].reshape(p.strips, p.m)


factors = loop(_factors)
moments = loop(_moments)
parts = loop(_parts)


def _place(p: Any, k: int) -> tuple[int, slice]:
    """Which matrix strip k is of, and which rows of it."""
    height, each = strip(p.n, p.m), p.strips // p.p
    start = k % each * height
    return k // each, slice(start, start + height)


place = loop(_place)


def _observe(work: Work, q: int, form: int, like: Any) -> None:
    """Write the sums of squares of the strips of X and G; those of a matrix by row and column."""
    piece = work.pieces[q]
    p = work.table[piece.parameter]
    if p.form != form:
        return
    X, G = weights(p, like), gradient(p, like)
    for k in range(piece.start, piece.stop):
        b, own = place(p, k)
        if not p.known:
            work.sums[0, p.first + k] = sum_of_squares(X[b, own])
        if p.factored:
            row_sums, _ = factors(p, work.scratch, p.scratch)
            matrix.sums(G[b, own], row_sums[b, own], parts(p, work)[k])
        else:
            work.sums[1, p.first + k] = sum_of_squares(G[b, own])


observe = loop(_observe)


def _gather(work: Work, i: int) -> None:
    """Add up the strips of a parameter: the sums over X and G, and those of the columns."""
    p = work.table[i]
    p.sum_X, p.sum_G = 0.0, 0.0
    for k in range(p.first, p.first + p.strips):
        p.sum_X += work.sums[0, k]
        if not p.factored:
            p.sum_G += work.sums[1, k]
    if p.factored:
        row_sums, column_sums = factors(p, work.scratch, p.scratch)
        column_sums[:] = 0.0
        for k in range(p.strips):
            matrix.add(column_sums[k // (p.strips // p.p)], parts(p, work)[k])
        for b in range(p.p):
            p.sum_G += total(row_sums[b])


gather = loop(_gather)


def _advance(work: Work, i: int, epsilon_1: float) -> None:
    """Update R and C of a matrix, and make r and c of what its squares added up to."""
    p = work.table[i]
    R, C = factors(p, work.statistics, p.statistics)
    r, c = factors(p, work.scratch, p.scratch)
    for b in range(p.p):
        matrix.update(R[b], r[b], p.m, p.w, p.beta_2, epsilon_1)
        matrix.update(C[b], c[b], p.n, p.w, p.beta_2, epsilon_1)
        matrix.scales(r[b], c[b], R[b], C[b])


advance = loop(_advance)


def _measure(work: Work, q: int, epsilon_1: float, form: int, like: Any) -> None:
    """Write the sums of squares of U of the strips, for which a vector's V is updated first."""
    piece = work.pieces[q]
    p = work.table[piece.parameter]
    if p.form != form:
        return
    G = gradient(p, like)
    for k in range(piece.start, piece.stop):
        b, own = place(p, k)
        if p.factored:
            r, c = factors(p, work.scratch, p.scratch)
            sum_U = matrix.sum_of_squares_of_U(G[b, own], r[b, own], c[b])
        else:
            V = moments(p, work)[own]
            vector.second_moment(V, G[b, own], p.w, p.beta_2, epsilon_1)
            sum_U = vector.sum_of_squares_of_U(G[b, own], V)
        work.sums[1, p.first + k] = sum_U


measure = loop(_measure)


def _clip(work: Work, i: int, epsilon_2: float, d: float) -> None:
    """Write the scale of a parameter: alpha, divided by what U is divided by."""
    p = work.table[i]
    size = p.p * p.n * p.m
    sum_U = 0.0
    for k in range(p.first, p.first + p.strips):
        sum_U += work.sums[1, k]
    p.scale = relative_step(p.sum_X / size, p.rho, epsilon_2) / clipping(sum_U / size, d)


clip = loop(_clip)


def _descend(work: Work, q: int, seed: int, carry: bool, form: int, like: Any) -> None:
    """Move the strips of X; with `carry`, write their new sums of squares."""
    piece = work.pieces[q]
    p = work.table[piece.parameter]
    if p.form != form:
        return
    X, G, most = weights(p, like), gradient(p, like), height(p.m)
    for k in range(piece.start, piece.stop):
        b, strip = place(p, k)
        sum_X = 0.0
        for start in range(strip.start, min(strip.stop, p.n), most):
            own = slice(start, min(start + most, strip.stop))
            noise = seed, p.t, p.position, (b * p.n + start) * p.m
            if p.factored:
                r, c = factors(p, work.scratch, p.scratch)
                matrix.descend_strip(X[b, own], G[b, own], r[b, own], c[b], p.scale, noise)
            else:
                V = moments(p, work)[own]
                vector.descend(X[b, own], G[b, own], V, p.scale, noise)
            if carry:
                sum_X += sum_of_squares(X[b, own])
        work.sums[0, p.first + k] = sum_X


descend = loop(_descend)


def _reading(work: Work, thread: int, form: int, like: Any) -> None:
    """What one thread reads."""
    for group in range(work.cuts.shape[0]):
        for q in range(work.cuts[group, thread], work.cuts[group, thread + 1]):
            observe(work, q, form, like)


reading = loop(_reading)


def _writing(
    work: Work, constants: Constants, group: int, phase: int, thread: int, form: int, like: Any
) -> None:
    """What one thread does in one phase of a group."""
    if phase in (ADVANCE, CLIP):
        first, threads = work.groups[group], work.cuts.shape[1] - 1
        for i in range(first + thread, work.groups[group + 1], threads):
            p = work.table[i]
            if p.form == form and phase == CLIP:
                clip(work, i, constants.epsilon_2, constants.d)
            elif p.form == form and p.factored:
                advance(work, i, constants.epsilon_1)
        return
    for q in range(work.cuts[group, thread], work.cuts[group, thread + 1]):
        if phase == MEASURE:
            measure(work, q, constants.epsilon_1, form, like)
        else:
            descend(work, q, constants.seed, constants.carry, form, like)


writing = loop(_writing)


def _read(work: Work, form: int, like: Any) -> None:
    """Sum the squares of all that is of one form, one thread after the other."""
    for thread in range(work.cuts.shape[1] - 1):
        reading(work, thread, form, like)


def _read_together(work: Work, form: int, like: Any) -> None:
    """The same, all threads at once."""
    for thread in prange(work.cuts.shape[1] - 1):
        reading(work, thread, form, like)


def _write(work: Work, constants: Constants, form: int, like: Any) -> None:
    """The step of all that is of one form, one thread after the other."""
    for group in range(work.cuts.shape[0]):
        for phase in PHASES:
            for thread in range(work.cuts.shape[1] - 1):
                writing(work, constants, group, phase, thread, form, like)


def _write_together(work: Work, constants: Constants, form: int, like: Any) -> None:
    """The same, all threads at once in each phase."""
    for group in range(work.cuts.shape[0]):
        for phase in PHASES:
            for thread in prange(work.cuts.shape[1] - 1):
                writing(work, constants, group, phase, thread, form, like)


def _gather_all(work: Work, largest_G: float, largest_X: float, least_X: float) -> bool:
    """Add up the strips of every parameter that has a gradient; whether all are within bounds."""
    within = True
    for i in range(work.table.shape[0]):
        p = work.table[i]
        if p.form != IDLE:
            gather(work, i)
            within &= p.sum_G <= largest_G and least_X <= p.sum_X <= largest_X
    return within


read = loop(_read)
read_together = together(_read_together)
write = loop(_write)
write_together = together(_write_together)
gather_all = loop(_gather_all)
