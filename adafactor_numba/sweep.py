"""One step of a whole list of parameters, in one call: the strips of all of them, over threads.

What stands in a table is where a parameter lies and what is known of it; a piece is some strips of
one parameter.  First all is read and nothing written but sums, so that a bad entry anywhere leaves
everything as it was.  Then the statistics are updated and the weights moved.  Which thread does
what changes no bit: a strip is always summed in the same order, and the sums of the strips are
added in the order of the strips.
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
from .ordinary import Bounds

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
READ, WRITE = 1, 2  # what is asked of a step: one of them, or both as their sum
PHASES = ADVANCE, DESCEND = 0, 1  # of a step, after all was read

Table = NDArray[Any]


class Work(NamedTuple):
    """The tables: parameters and pieces, of which cuts[k] is the first of thread k.

    `sums` (3, strips) are those of the squares of X, of a vector's G and of its U; `statistics` and
    `scratch` belong to the parameters one after the other.
    """

    table: Table
    pieces: Table
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
    """What each strip adds to the columns: the sums of G^2, and of G^2 / R."""
    first = p.scratch + p.p * (p.n + p.m)
    return work.scratch[first : first + 2 * p.strips * p.m].reshape(p.strips, 2, p.m)


factors = loop(_factors)
moments = loop(_moments)
parts = loop(_parts)


def _place(p: Any, k: int) -> tuple[int, slice]:
    """Which matrix strip k is of, and which rows of it."""
    height, each = strip(p.n, p.m), p.strips // p.p
    start = k % each * height
    return k // each, slice(start, start + height)


place = loop(_place)


def _observe(work: Work, q: int, epsilon_1: float, form: int, like: Any) -> None:
    """Write what the strips of X and G add up to."""
    piece = work.pieces[q]
    p = work.table[piece.parameter]
    if p.form != form:
        return
    X, G = weights(p, like), gradient(p, like)
    for k in range(piece.start, piece.stop):
        b, own = place(p, k)
        if not p.known:
            work.sums[0, p.first + k] = (
                matrix.sum_of_squares(X[b, own]) if p.factored else sum_of_squares(X[b, own])
            )
        if p.factored:
            R, _ = factors(p, work.statistics, p.statistics)
            row_sums, _ = factors(p, work.scratch, p.scratch)
            columns, ratios = parts(p, work)[k, 0], parts(p, work)[k, 1]
            matrix.observe(
                *(G[b, own], R[b, own], row_sums[b, own], columns, ratios),
                *(p.w, p.beta_2, epsilon_1),
            )
        else:
            V, sum_G, sum_U = moments(p, work), 0.0, 0.0
            for start in range(own.start, min(own.stop, p.n), height(1)):
                block = slice(start, min(start + height(1), own.stop))
                g, v = G[b, block], V[block]
                sum_G += sum_of_squares(g)
                sum_U += vector.sum_of_squares_of_U(g, v, p.w, p.beta_2, epsilon_1)
            work.sums[1, p.first + k], work.sums[2, p.first + k] = sum_G, sum_U


observe = loop(_observe)


def _gather(work: Work, i: int) -> None:
    """Add up the squares of X and G of a parameter."""
    p = work.table[i]
    p.sum_X, p.sum_G = 0.0, 0.0
    for k in range(p.first, p.first + p.strips):
        p.sum_X += work.sums[0, k]
        if not p.factored:
            p.sum_G += work.sums[1, k]
    if p.factored:
        row_sums, _ = factors(p, work.scratch, p.scratch)
        for b in range(p.p):
            p.sum_G += total(row_sums[b])


gather = loop(_gather)


def _advance(work: Work, i: int, epsilon_1: float) -> float:
    """Update R and C of a matrix, make r and c of its sums, and return sum U^2."""
    p = work.table[i]
    R, C = factors(p, work.statistics, p.statistics)
    r, c = factors(p, work.scratch, p.scratch)
    each, sum_U = p.strips // p.p, 0.0
    for b in range(p.p):
        own = parts(p, work)[b * each : (b + 1) * each]
        for k in range(1, each):
            matrix.add(own[0, 0], own[k, 0])
            matrix.add(own[0, 1], own[k, 1])
        matrix.update(R[b], r[b], p.m, p.w, p.beta_2, epsilon_1)
        matrix.update(C[b], own[0, 0], p.n, p.w, p.beta_2, epsilon_1)
        matrix.scales(r[b], c[b], R[b], C[b])
        sum_U += matrix.sum_of_squares_of_U(own[0, 1], R[b], C[b])
    return sum_U


advance = loop(_advance)


def _clip(work: Work, i: int, constants: Constants) -> None:
    """Update the statistics of a matrix; write alpha, divided by what U is divided by."""
    p = work.table[i]
    size, sum_U = p.p * p.n * p.m, 0.0
    if p.factored:
        sum_U = advance(work, i, constants.epsilon_1)
    else:
        for k in range(p.first, p.first + p.strips):
            sum_U += work.sums[2, k]
    alpha = relative_step(p.sum_X / size, p.rho, constants.epsilon_2)
    p.scale = alpha / clipping(sum_U / size, constants.d)


clip = loop(_clip)


def _descend(work: Work, q: int, constants: Constants, form: int, like: Any) -> None:
    """Move the strips of X, and V of a vector; with `carry`, write their new sums of squares."""
    piece = work.pieces[q]
    p = work.table[piece.parameter]
    if p.form != form:
        return
    X, G = weights(p, like), gradient(p, like)
    for k in range(piece.stop - 1, piece.start - 1, -1):
        b, own = place(p, k)
        noise = constants.seed, p.t, p.position, (b * p.n + own.start) * p.m
        if p.factored:
            r, c = factors(p, work.scratch, p.scratch)
            of_matrix = r[b, own], c[b], p.scale, noise, constants.carry
            work.sums[0, p.first + k] = matrix.descend_strip(X[b, own], G[b, own], *of_matrix)
        else:
            V = moments(p, work)[own]
            rates = p.w, p.beta_2, constants.epsilon_1
            of_vector = V, p.scale, *rates, noise, constants.carry
            work.sums[0, p.first + k] = vector.descend(X[b, own], G[b, own], *of_vector)


descend = loop(_descend)


def _reading(work: Work, thread: int, epsilon_1: float, form: int, like: Any) -> None:
    """What one thread reads."""
    for q in range(work.cuts[thread], work.cuts[thread + 1]):
        observe(work, q, epsilon_1, form, like)


reading = loop(_reading)


def _writing(
    work: Work, constants: Constants, phase: int, thread: int, form: int, like: Any
) -> None:
    """What one thread does in one phase."""
    if phase == ADVANCE:
        for i in range(thread, work.table.shape[0], work.cuts.shape[0] - 1):
            if work.table[i].form == form:
                clip(work, i, constants)
    else:
        for q in range(work.cuts[thread + 1] - 1, work.cuts[thread] - 1, -1):
            descend(work, q, constants, form, like)


writing = loop(_writing)


def _gathering(work: Work, bounds: Bounds, form: int) -> bool:
    """Add up what was read of one form; whether all of it is within bounds."""
    within = True
    for i in range(work.table.shape[0]):
        p = work.table[i]
        if p.form == form:
            gather(work, i)
            within &= (
                p.sum_G <= bounds.gradient and bounds.least_weights <= p.sum_X <= bounds.weights
            )
    return within


gathering = loop(_gathering)


def _step(
    work: Work, constants: Constants, bounds: Bounds, asked: int, form: int, like: Any
) -> bool:
    """Read all that is of one form, if asked, and then move it, if asked and within bounds.

    One thread does its part after the other.  Returns whether what was read is within bounds.
    """
    within = True
    if asked & READ:
        for thread in range(work.cuts.shape[0] - 1):
            reading(work, thread, constants.epsilon_1, form, like)
        within = gathering(work, bounds, form)
    if asked & WRITE and within:
        for phase in PHASES:
            for thread in range(work.cuts.shape[0] - 1):
                writing(work, constants, phase, thread, form, like)
    return within


def _step_together(
    work: Work, constants: Constants, bounds: Bounds, asked: int, form: int, like: Any
) -> bool:
    """The same, all threads at once where they read and in each phase."""
    within = True
    if asked & READ:
        for thread in prange(work.cuts.shape[0] - 1):
            reading(work, thread, constants.epsilon_1, form, like)
        within = gathering(work, bounds, form)
    if asked & WRITE and within:
        for phase in PHASES:
            for thread in prange(work.cuts.shape[0] - 1):
                writing(work, constants, phase, thread, form, like)
    return within


step = loop(_step)
step_together = together(_step_together)
