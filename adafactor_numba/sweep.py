"""One step of a whole list of parameters, in one call: the strips of all of them, over threads.

What stands in a table is where a parameter lies and what is known of it; a piece is some strips of
one parameter.  First all is read and nothing written but sums, so that a bad entry anywhere leaves
everything as it was.  Then group by group, each small enough to stay in a cache, the statistics
are updated and the weights moved.  Which thread does what changes no bit: a strip is always summed
in the same order, and the sums of the strips are added in the order of the strips.
"""

from typing import Any

import numpy as np
from numba import carray, prange, types
from numba.extending import intrinsic, overload
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from . import matrix, vector
from .loops import (
    Floats,
    clipping,
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
        *((name, np.float64) for name in ("w", "beta_2", "rho", "scale", "sum_G", "sum_X")),
    ]
)
"""Addresses and strides in bytes, and which form of array they make; the sizes; where the sums of
its strips, its statistics and its scratch begin; the rates of the step; what came of it."""

PIECE = np.dtype([(name, np.int64) for name in ("parameter", "start", "stop")])
"""Some strips of one parameter."""

IDLE, PLAIN, STRIDED = range(3)  # forms: without a gradient, contiguous, any other

Table = NDArray[Any]


@intrinsic
def pointer(context: Any, address: Any, like: Any) -> Any:
    """The address, an integer, as a pointer to entries of the type of `like`."""
    del context
    kind = types.CPointer(like.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del signature
        return builder.inttoptr(arguments[0], context.get_value_type(kind))

    return kind(types.int64, like), generate


def array(address: int, form: tuple[int, int, int], strides: Any, like: NDArray[Any]) -> Any:
    """The array of three axes that lies there; one that is contiguous, if `like` is."""
    raise NotImplementedError


@overload(array, strict=False)
def _array(address: Any, form: Any, strides: Any, like: Any) -> Any:
    if like.layout == "C":
        return lambda address, form, strides, like: carray(pointer(address, like), form)

    def strided(address: Any, form: Any, strides: Any, like: Any) -> Any:
        start = carray(pointer(address, like), (1,))
        return as_strided(start, form, (strides[0], strides[1], strides[2]))

    return strided


def _weights(p: Any, like: Any) -> Any:
    return array(p.X, (p.p, p.n, p.m), p.X_strides, like)


def _gradient(p: Any, like: Any) -> Any:
    return array(p.G, (p.p, p.n, p.m), p.G_strides, like)


weights, gradient = loop(_weights), loop(_gradient)


def _rows(p: Any, numbers: Floats, start: int) -> Floats:
    """The part of `numbers` that belongs to the rows of a matrix: R, sums of rows, r."""
    return numbers[start : start + p.p * p.n].reshape(p.p, p.n)


def _columns(p: Any, numbers: Floats, start: int) -> Floats:
    """The part of `numbers` that belongs to the columns of a matrix: C, sums of columns, c."""
    first = start + p.p * p.n
    return numbers[first : first + p.p * p.m].reshape(p.p, p.m)


def _parts(p: Any, scratch: Floats) -> Floats:
    """The sums of the columns of each strip."""
    first = p.scratch + p.p * (p.n + p.m)
    return scratch[first : first + p.strips * p.m].reshape(p.strips, p.m)


rows, columns, parts = loop(_rows), loop(_columns), loop(_parts)


def _observe(
    table: Table, pieces: Table, sums: Floats, scratch: Floats, form: int, like: Any
) -> None:
    """Write the sums of squares of the strips of X and G; those of a matrix by row and column."""
    for piece in pieces:
        p = table[piece.parameter]
        if p.form != form:
            continue
        X, G, height = weights(p, like), gradient(p, like), strip(p.n, p.m)
        for k in range(piece.start, piece.stop):
            b, start = k // (p.strips // p.p), k % (p.strips // p.p) * height
            own = slice(start, start + height)
            if not p.known:
                sums[0, p.first + k] = sum_of_squares(X[b, own])
            if p.factored:
                matrix.sums(G[b, own], rows(p, scratch, p.scratch)[b, own], parts(p, scratch)[k])
            else:
                sums[1, p.first + k] = sum_of_squares(G[b, own])


observe = loop(_observe)


def _gather(table: Table, sums: Floats, scratch: Floats) -> None:
    """Add up the strips: the sums over X and G, and those of the columns of matrices."""
    for i in range(table.shape[0]):
        p = table[i]
        if p.form == IDLE:
            continue
        p.sum_X, p.sum_G = 0.0, 0.0
        for k in range(p.first, p.first + p.strips):
            p.sum_X += sums[0, k]
            if not p.factored:
                p.sum_G += sums[1, k]
        if p.factored:
            row_sums, column_sums = rows(p, scratch, p.scratch), columns(p, scratch, p.scratch)
            column_sums[:] = 0.0
            for k in range(p.strips):
                matrix.add(column_sums[k // (p.strips // p.p)], parts(p, scratch)[k])
            for b in range(p.p):
                p.sum_G += total(row_sums[b])


gather = loop(_gather)


def _advance(
    table: Table,
    first: int,
    last: int,
    statistics: Floats,
    scratch: Floats,
    epsilon_1: float,
    form: int,
) -> None:
    """Update R and C of matrices, and make r and c of what their squares added up to."""
    for i in range(first, last):
        p = table[i]
        if p.form != form or not p.factored:
            continue
        R, C = rows(p, statistics, p.statistics), columns(p, statistics, p.statistics)
        r, c = rows(p, scratch, p.scratch), columns(p, scratch, p.scratch)
        for b in range(p.p):
            matrix.update(R[b], r[b], p.m, p.w, p.beta_2, epsilon_1)
            matrix.update(C[b], c[b], p.n, p.w, p.beta_2, epsilon_1)
            matrix.scales(r[b], c[b], R[b], C[b])


advance = loop(_advance)


def _measure(
    table: Table,
    pieces: Table,
    statistics: Floats,
    sums: Floats,
    scratch: Floats,
    epsilon_1: float,
    form: int,
    like: Any,
) -> None:
    """Write the sums of squares of U of the strips, for which a vector's V is updated first."""
    for piece in pieces:
        p = table[piece.parameter]
        if p.form != form:
            continue
        G, height = gradient(p, like), strip(p.n, p.m)
        for k in range(piece.start, piece.stop):
            b, start = k // (p.strips // p.p), k % (p.strips // p.p) * height
            own = slice(start, start + height)
            if p.factored:
                r, c = rows(p, scratch, p.scratch), columns(p, scratch, p.scratch)
                sums[1, p.first + k] = matrix.sum_of_squares_of_U(G[b, own], r[b, own], c[b])
            else:
                V = rows(p, statistics, p.statistics)[0, own]
                vector.second_moment(V, G[b, own], p.w, p.beta_2, epsilon_1)
                sums[1, p.first + k] = vector.sum_of_squares_of_U(G[b, own], V)


measure = loop(_measure)


def _clip(
    table: Table, first: int, last: int, sums: Floats, epsilon_2: float, d: float, form: int
) -> None:
    """Write scale, alpha divided by what U is divided by."""
    for i in range(first, last):
        p = table[i]
        if p.form != form:
            continue
        size = p.p * p.n * p.m
        sum_U = 0.0
        for k in range(p.first, p.first + p.strips):
            sum_U += sums[1, k]
        p.scale = relative_step(p.sum_X / size, p.rho, epsilon_2) / clipping(sum_U / size, d)


clip = loop(_clip)


def _descend(
    table: Table,
    pieces: Table,
    statistics: Floats,
    sums: Floats,
    scratch: Floats,
    carry: bool,
    form: int,
    like: Any,
) -> None:
    """Move the strips of X, the last first; with `carry`, write their sums of squares."""
    for q in range(pieces.shape[0] - 1, -1, -1):
        p = table[pieces[q].parameter]
        if p.form != form:
            continue
        X, G, height = weights(p, like), gradient(p, like), strip(p.n, p.m)
        for k in range(pieces[q].stop - 1, pieces[q].start - 1, -1):
            b, start = k // (p.strips // p.p), k % (p.strips // p.p) * height
            own = slice(start, start + height)
            if p.factored:
                r, c = rows(p, scratch, p.scratch), columns(p, scratch, p.scratch)
                matrix.descend_strip(X[b, own], G[b, own], r[b, own], c[b], p.scale)
            else:
                V = rows(p, statistics, p.statistics)[0, own]
                vector.descend(X[b, own], G[b, own], V, p.scale)
            if carry:
                sums[0, p.first + k] = sum_of_squares(X[b, own])


descend = loop(_descend)


def _read(
    table: Table,
    pieces: Table,
    cuts: Table,
    sums: Floats,
    scratch: Floats,
    form: int,
    like: Any,
) -> None:
    """What a step reads before it writes anything but sums."""
    threads = cuts.shape[1] - 1
    for thread in prange(threads):
        for group in range(cuts.shape[0]):
            own = pieces[cuts[group, thread] : cuts[group, thread + 1]]
            observe(table, own, sums, scratch, form, like)


read, read_together = loop(_read), together(_read)


def _write(
    table: Table,
    pieces: Table,
    groups: Table,
    cuts: Table,
    statistics: Floats,
    sums: Floats,
    scratch: Floats,
    constants: tuple[float, float, float],
    carry: bool,
    form: int,
    like: Any,
) -> None:
    """The step itself, group by group; `constants` are epsilon_1, epsilon_2 and d."""
    epsilon_1, epsilon_2, d = constants
    threads = cuts.shape[1] - 1
    for group in range(cuts.shape[0]):
        first, last = groups[group], groups[group + 1]
        many = last - first
        for thread in prange(threads):
            start, stop = first + many * thread // threads, first + many * (thread + 1) // threads
            advance(table, start, stop, statistics, scratch, epsilon_1, form)
        for thread in prange(threads):
            own = pieces[cuts[group, thread] : cuts[group, thread + 1]]
            measure(table, own, statistics, sums, scratch, epsilon_1, form, like)
        clip(table, first, last, sums, epsilon_2, d, form)
        for thread in prange(threads):
            own = pieces[cuts[group, thread] : cuts[group, thread + 1]]
            descend(table, own, statistics, sums, scratch, carry, form, like)


write, write_together = loop(_write), together(_write)
