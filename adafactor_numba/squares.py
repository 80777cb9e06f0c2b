"""Sums of squares of a block of a matrix, by rows and by columns.

ROWS rows are read together, each in four places while there are MANY entries left, so that many
streams of memory and many sums are under way at once.
"""

from numpy import float64

from .loops import LANES, MANY, ROWS, Floats, Stored, halved, inlined, loop


def _squares_of_places(A: Stored, i: int, j: int) -> tuple[float, float, float, float]:
    """The squares of four entries of row i, from column j on, LANES apart."""
    a, b = float64(A[i, j]), float64(A[i, LANES + j])
    c, d = float64(A[i, 2 * LANES + j]), float64(A[i, 3 * LANES + j])
    return a * a, b * b, c * c, d * d


squares_of_places = inlined(_squares_of_places)


def _squares_of_many(A: Stored, q: int, i: int, start: int, lanes: Floats, columns: Floats) -> None:
    """Add the squares of MANY columns of ROWS rows, i and those q apart, to lanes and columns."""
    for k in range(LANES):
        j = start + k
        a, b, c, d = squares_of_places(A, i, j)
        e, f, g, h = squares_of_places(A, q + i, j)
        lanes[k] += (a + b) + (c + d)
        lanes[LANES + k] += (e + f) + (g + h)
        a, b, c, d = a + e, b + f, c + g, d + h
        e, f, g, h = squares_of_places(A, 2 * q + i, j)
        s, t, u, v = squares_of_places(A, 3 * q + i, j)
        lanes[2 * LANES + k] += (e + f) + (g + h)
        lanes[3 * LANES + k] += (s + t) + (u + v)
        columns[j] += a + (e + s)
        columns[LANES + j] += b + (f + t)
        columns[2 * LANES + j] += c + (g + u)
        columns[3 * LANES + j] += d + (h + v)


squares_of_many = inlined(_squares_of_many)


def _squares_of_columns(
    A: Stored, q: int, i: int, start: int, count: int, lanes: Floats, columns: Floats
) -> None:
    """The same of as few as `count` columns."""
    for k in range(count):
        j = start + k
        a, b = float64(A[i, j]), float64(A[q + i, j])
        c, d = float64(A[2 * q + i, j]), float64(A[3 * q + i, j])
        a, b, c, d = a * a, b * b, c * c, d * d
        lanes[k] += a
        lanes[LANES + k] += b
        lanes[2 * LANES + k] += c
        lanes[3 * LANES + k] += d
        columns[j] += (a + b) + (c + d)


squares_of_columns = inlined(_squares_of_columns)


def _squares(A: Stored, q: int, row_sums: Floats, columns: Floats, lanes: Floats) -> None:
    """Write the sums of squares of the first ROWS q rows of A to row_sums, and add them to columns.

    The rows that are read together lie q apart; each is summed in LANES partial sums.
    """
    m = columns.shape[0]
    many, whole = m // MANY * MANY, m // LANES * LANES
    for i in range(q):
        lanes[:] = 0.0
        for start in range(0, many, MANY):
            squares_of_many(A, q, i, start, lanes, columns)
        for start in range(many, whole, LANES):
            squares_of_columns(A, q, i, start, LANES, lanes, columns)
        squares_of_columns(A, q, i, whole, m - whole, lanes, columns)
        for k in range(ROWS):
            row_sums[k * q + i] = halved(lanes[k * LANES : (k + 1) * LANES])


squares = loop(_squares)


def _squares_of_row(A: Stored, i: int, columns: Floats, lanes: Floats) -> float:
    """Return the sum of the squares of row i, in the order of `squares`; add them to columns."""
    m = columns.shape[0]
    many = m // MANY * MANY
    lanes[:] = 0.0
    for start in range(0, many, MANY):
        for k in range(LANES):
            j = start + k
            a, b, c, d = squares_of_places(A, i, j)
            lanes[k] += (a + b) + (c + d)
            columns[j] += a
            columns[LANES + j] += b
            columns[2 * LANES + j] += c
            columns[3 * LANES + j] += d
    for start in range(many, m, LANES):
        for k in range(min(LANES, m - start)):
            x = float64(A[i, start + k])
            lanes[k] += x * x
            columns[start + k] += x * x
    total: float = halved(lanes)
    return total


squares_of_row = loop(_squares_of_row)
