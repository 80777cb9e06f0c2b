"""The cases that are measured, those first that matter most: there may be no time for the last."""

from .case import Case
from .transformer import BASE, Shape

SQUARES = (64, 256, 1024, 4096)
SMALL: tuple[Shape, ...] = ((16,), (4, 4), (1,), (2, 8), (7,), (3, 5), (), (16, 1))
"""At most 16 entries each."""

MATRICES = ((8192, 4096), (1_000_000, 16), (16, 1_000_000), (100_000, 8), (8, 100_000))
VECTORS = tuple(10**k for k in range(2, 9))


def small(count: int) -> tuple[Shape, ...]:
    """So many parameters of at most 16 entries."""
    return tuple(SMALL[k % len(SMALL)] for k in range(count))


def brief(threads: int) -> list[Case]:
    """What takes less than 3 minutes; how the time grows with entries, parameters and threads."""
    largest = SQUARES[-1]
    return [
        *(_matrix(side, side, threads) for side in reversed(SQUARES)),
        _matrix(largest, largest, threads, "float64"),
        *(_vector(n, threads) for n in (10**6, 10**4)),
        *(Case(small(k), threads) for k in (1000, 100, 10)),
        Case(BASE, threads),
        *(_matrix(largest, largest, k, alone=k > 1) for k in fewer(threads)),
    ]


def full(threads: int) -> list[Case]:
    """All of it: every size, float64 too, on one thread and on all."""
    found = brief(threads)
    for dtype in ("float32", "float64"):
        for k in (*fewer(threads)[:1], threads):
            found += [
                _matrix(n, m, k, dtype) for n, m in (*((side, side) for side in SQUARES), *MATRICES)
            ]
            found += [_vector(n, k, dtype) for n in VECTORS]
    return sorted({*found}, key=lambda case: (-case.threads, case.dtype, found.index(case)))


def fewer(threads: int) -> list[int]:
    """One thread, two, four and so on below `threads`."""
    return [2**k for k in range(threads.bit_length()) if 2**k < threads]


def _matrix(n: int, m: int, threads: int, dtype: str = "float32", *, alone: bool = False) -> Case:
    return Case(((n, m),), threads, dtype, alone)


def _vector(n: int, threads: int, dtype: str = "float32") -> Case:
    return Case(((n,),), threads, dtype)
