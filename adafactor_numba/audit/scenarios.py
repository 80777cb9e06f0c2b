"""What an implementation is asked: runs that each depend on as few steps of the rule as possible.

Most start at X = 0, where alpha = epsilon_2 rho and a step has all its digits.  Steps that are not
clipped come from gradients that shrink after t = 1, so that no builder need take d.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from .company import both_ways, grouped, missing, of_two_dtypes, saved, together
from .draw import BOTH, Draw, Shape
from .subject import Run

LATE = (
    *(1, 2, 3, 32, 100, 316, 1000, 1778, 3162, 4217, 5001, 5624, 7499, 8660),
    *(10_000, 10_001, 12_500, 15_000, 17_500),
)
"""Steps of a long run that are looked at: wherever rho_t or beta_2 may turn."""

JUMPS = (2, 31, 999, 3_162, 5_001, 7_499, 9_999, 12_500, 17_500, 20_000, 100_000)
"""Steps that are looked at after a jump."""


def runs(
    dtypes: Sequence[str], seed: int, takes: Sequence[str], can: Sequence[str] = ()
) -> Iterator[Run]:
    """Every scenario in every dtype that has its numbers, those of 10,000 steps last.

    Hyperparameters are varied that the builder takes; `can` is what `Subject.can` says.
    """
    with np.errstate(over="ignore"):
        yield from filter(_is_finite, _runs(dtypes, seed, takes, can))


def _is_finite(run: Run) -> bool:
    gradients = (G for row in run.grads for G in row if G is not None)
    return all(bool(np.all(np.isfinite(array))) for array in (*run.params, *gradients))


def _runs(
    dtypes: Sequence[str], seed: int, takes: Sequence[str], can: Sequence[str]
) -> Iterator[Run]:
    for dtype in dtypes:
        for number, scenario in enumerate(SCENARIOS):
            yield from scenario(Draw(np.random.default_rng((seed, number)), dtype))
        yield from _hyperparameters(Draw(np.random.default_rng((seed, 99)), dtype), takes)
        more = Draw(np.random.default_rng((seed, 98)), dtype)
        yield from (*grouped(more, takes), *both_ways(more, takes), *saved(more, can))
    for dtype in dtypes:
        yield from _long(Draw(np.random.default_rng((seed, 100)), dtype), can)


def _zero_gradient(draw: Draw) -> Iterator[Run]:
    for shape in ((3,), (2, 3)):
        X = (2.0 ** np.arange(int(np.prod(shape)))).reshape(shape).astype(draw.dtype)
        zero, g = draw.zeros(shape), draw.uneven(shape)
        yield draw.single("zero gradient", X, [zero, zero, g, zero])
        yield draw.single("zero gradient", draw.zeros(shape), [g, zero])
        yield draw.single("zero gradient", draw.zeros(shape), [zero, g])
        grads = [draw.uneven(shape, 8.0), zero, draw.uneven(shape), draw.uneven(shape, 0.5)]
        yield draw.single("zero gradient", draw.zeros(shape), grads)


def _one_entry(draw: Draw) -> Iterator[Run]:
    for shape in ((1,), (1, 1), ()):
        for size in (1.0, 0.25, 8.0):
            grads = [np.full(shape, size * (-1) ** t) for t in range(8)]
            yield draw.single("one entry", draw.zeros(shape), grads)


def _first_step(draw: Draw) -> Iterator[Run]:
    for shape in (*BOTH, (4,), (4, 4)):
        yield draw.single("first step", draw.zeros(shape), [draw.uneven(shape)])
    rank_one = np.outer([1.0, 2.0, -4.0], [1.0, -0.5])
    yield draw.single("first step", draw.zeros((3, 2)), [rank_one])


def _weights(draw: Draw) -> Iterator[Run]:
    for shape in ((3,), (2, 3)):
        grads = [draw.uneven(shape), draw.uneven(shape, 0.25)]
        for size in (0.0, 1e-5, 3e-4, 2e-3, 1.0, 300.0, 1e6):
            yield draw.single("size of X", draw.uneven(shape, size), grads)


def _unclipped(draw: Draw) -> Iterator[Run]:
    for shape in BOTH:
        for scenario, unit in (("not clipped", 1.0), ("not clipped, small", 2.0**-10)):
            grads = [draw.uneven(shape, size * unit) for size in (8.0, 1.0, 0.5, 1.0, 0.7, 0.4)]
            yield draw.single(scenario, draw.zeros(shape), grads)


def _clipped(draw: Draw) -> Iterator[Run]:
    for shape in BOTH:
        grads = [draw.uneven(shape, 4.0**t) for t in range(4)]
        yield draw.single("clipped", draw.zeros(shape), grads)
        steady = [draw.uneven(shape)] * 40
        grads = [*steady, draw.uneven(shape, 100.0), draw.uneven(shape, 1000.0)]
        yield draw.single("clipped", draw.zeros(shape), grads, watch=(39, 40, 41, 42))


def _growing(draw: Draw) -> Iterator[Run]:
    """RMS(X), and with it alpha, grows by a hundredth a step: what was averaged lags behind."""
    for shape in ((3,), (2, 3)):
        G = draw.uneven(shape)
        X = np.asarray(-np.sign(G) * 2e-3, draw.dtype)
        yield draw.single("growing X", X, [G] * 24)


def _ordinary(draw: Draw) -> Iterator[Run]:
    for shape in ((4,), (2, 3), (3, 2)):
        grads = [draw.normal(shape) for _ in range(5)]
        yield draw.single("ordinary", draw.normal(shape), grads)


def _sizes_of_G(draw: Draw) -> Iterator[Run]:
    for size in (1e-3, 1e-4, 1e-6, 1e-8, 1e-10, 1e-13, 2e-15, 1e-17, 1e2, 1e4, 1e6, 1e8, 1e10):
        for shape in ((3,), (2, 3)):
            grads = [draw.uneven(shape, size), draw.uneven(shape, size)]
            yield draw.single("size of G", draw.zeros(shape), grads)


def _zero_rows(draw: Draw) -> Iterator[Run]:
    """Zero at every step, then at the second of three alone, where statistics are not zero."""
    for axis in (0, 1):
        for X, zero in ((draw.normal((3, 4)), (0, 1, 2)), (draw.zeros((3, 4)), (1,))):
            grads = [draw.uneven((3, 4)) for _ in range(3)]
            for t in zero:
                np.moveaxis(grads[t], axis, 0)[1] = 0
            yield draw.single("zero row or column", X, grads)
    yield draw.single("zero row or column", draw.zeros((3,)), [[1.0, 0.0, -2.0], [0.5, 0.0, 1.0]])
    once = [[1.0, -2.0, 2.0], [0.5, 0.0, 1.0], [1.0, 1.0, -1.0]]
    yield draw.single("zero row or column", draw.zeros((3,)), once)


def _ranks(draw: Draw) -> Iterator[Run]:
    for shape in ((), (2, 2, 3), (4, 3, 2), (2, 1, 2, 3)):
        grads = [draw.uneven(shape, size) for size in (2.0, 0.5, 1.0)]
        yield draw.single("rank", draw.normal(shape), grads)


def _ranks_from_zero(draw: Draw) -> Iterator[Run]:
    for shape in ((2, 2, 3), (4, 3, 2), (2, 1, 2, 3)):
        grads = [draw.uneven(shape, 4.0**t) for t in range(3)]
        yield draw.single("rank from zero", draw.zeros(shape), grads)


def _least_sizes(draw: Draw) -> Iterator[Run]:
    """Around the sizes from which on some libraries factor, and axes that some prefer.

    In float16, which is judged by the rule of finer dtypes, that is known.
    """
    if draw.dtype == "float16":
        return
    for shape in ((16, 16), (17, 17), (32, 33), (128, 128), (17, 18, 3), (18, 3, 17)):
        yield draw.single("least size", draw.zeros(shape), [draw.uneven(shape)])


def _large(draw: Draw) -> Iterator[Run]:
    """Beyond the sizes at which loops are unrolled, cut in blocks or end in a remainder."""
    shapes: tuple[Shape, ...] = ((17,), (130,), (1025,), (33, 70))
    for shape in shapes if draw.dtype != "float16" else shapes[1::2]:
        grads = [draw.uneven(shape, size) for size in (2.0, 0.5)]
        for X in (draw.normal(shape), draw.zeros(shape)):
            yield draw.single("large", X, grads)


def _long(draw: Draw, can: Sequence[str]) -> Iterator[Run]:
    """Past t = 10^4, where rho_t turns from 1e-2 to 1 / sqrt t: by a jump, where that can be.

    Otherwise |G| = 1 for 10,000 steps, and once for 20,000, where beta_2 is beyond 0.9996: what is
    carried is known without evaluating them.
    """
    ends = {(1, 1): 10_000, (3,): 20_000} if draw.dtype == "float64" else {(3,): 10_000}
    for shape, end in ends.items():
        steady = np.ones(shape)
        uneven = steady.copy()
        uneven.flat[0] = 32.0 if uneven.size > 1 else 0.5
        late = (*(t for t in LATE if t <= end), *range(end + 1, end + 4))
        watch = tuple(sorted({number for t in late for number in (t - 1, t)} - {0}))
        if "jump" in can:
            yield from _jumps(draw, shape)
        else:
            grads = [steady * (-1) ** t for t in range(end)] + [uneven, -steady, uneven]
            yield draw.single("past t = 10^4", draw.zeros(shape), grads, watch=watch)


def _jumps(draw: Draw, shape: Shape) -> Iterator[Run]:
    """A large gradient, then small ones that are not clipped, though beta_2 is near 1."""
    for t in JUMPS:
        grads = [draw.uneven(shape, size) for size in (1.0, 0.005, 0.004, 0.006, 2.0)]
        yield draw.single("past t = 10^4", draw.zeros(shape), grads, jump=t)


def _hyperparameters(draw: Draw, takes: Sequence[str]) -> Iterator[Run]:
    values = {"d": (1024.0, 2.0, 0.5), "epsilon_1": (1e-4, 1.0), "epsilon_2": (0.125, 1e-5, 0.0)}
    for name, settings in values.items():
        asked = settings if draw.dtype != "float16" else settings[-1:]
        for value in asked if name in takes else ():
            for shape in ((3,), (2, 3)):
                grads = [draw.uneven(shape, 4.0**t) for t in range(2)]
                X = draw.normal(shape, 1e-4) if name == "epsilon_2" else draw.zeros(shape)
                scenario = f"hyperparameter {name}"
                yield draw.single(scenario, X, grads, hyperparameters={name: value})


SCENARIOS: tuple[Callable[[Draw], Iterator[Run]], ...] = (
    _zero_gradient,
    _one_entry,
    _first_step,
    _weights,
    _unclipped,
    _clipped,
    _growing,
    _ordinary,
    _sizes_of_G,
    _zero_rows,
    _ranks,
    _ranks_from_zero,
    _least_sizes,
    _large,
    together,
    of_two_dtypes,
    missing,
)
