"""What accuracy is asked of: weights and gradients of four kinds, steps t and thresholds d."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from .format import Format

Drawn = np.ndarray[Any, Any]
Draw = Callable[[np.random.Generator, tuple[int, ...], Format], tuple[Drawn, Drawn]]

SHAPES = ((4096,), (257,), (64, 64), (32, 32), (3, 300), (200, 2), (160, 450), (3, 9, 14))
SHARES = (0.16, 0.16, 0.34, 0.16, 0.06, 0.06, 0.02, 0.04)
TIMES = (1, 2, 10, 1_000, 10_000, 16_384, 1_000_000)
"""At 10^4 the two bounds of rho meet; at 2^14 rho = 1/128 is a double."""
PARTS = (1, 4)  # of the format's range, over which magnitudes are drawn
THRESHOLDS = (0.1, 1.0, 3.0, float("inf"))


class Trial(NamedTuple):
    """Weights, two gradients, the number of the first step, and d; `like` training or `any`."""

    like: str
    X: Drawn
    G: tuple[Drawn, Drawn]
    t: int
    d: float


def trials(format: Format) -> Iterator[Trial]:
    """One after the other, without end, the same each time."""
    for seed in count():
        rng = np.random.default_rng(seed)
        shape = SHAPES[rng.choice(len(SHAPES), p=SHARES)]
        like, draw = KINDS[seed % len(KINDS)]
        (X, G), (_, other) = (draw(rng, shape, format) for _ in range(2))
        t, d = TIMES[rng.integers(len(TIMES))], THRESHOLDS[rng.integers(len(THRESHOLDS))]
        yield Trial(like, X, (G, other), t, d)


def _patterns(
    rng: np.random.Generator, shape: tuple[int, ...], format: Format
) -> tuple[Drawn, Drawn]:
    """Every pattern of bits of a finite number is as likely as every other."""
    dtype = format.dtype()
    unsigned = np.dtype(f"u{dtype.itemsize}")
    drawn, open_ = np.empty((2, *shape), dtype), np.ones((2, *shape), bool)
    while open_.any():
        bits = rng.integers(0, 2 ** (8 * dtype.itemsize), open_.sum(), unsigned)
        drawn[open_] = bits.view(dtype)
        open_ = ~np.isfinite(drawn.astype(np.float32))
    return drawn[0], drawn[1]


def _magnitudes(
    rng: np.random.Generator, shape: tuple[int, ...], format: Format
) -> tuple[Drawn, Drawn]:
    """Of either sign, the logarithm uniform over all of the format's range or a quarter of it."""
    part = rng.choice(PARTS)
    exponents = rng.uniform(format.least / part, format.beyond / part, (2, *shape))
    magnitudes = np.minimum(2.0**exponents, format.largest)
    drawn = rng.choice([-1.0, 1.0], exponents.shape) * magnitudes
    X, G = drawn.astype(format.dtype())
    return X, G


def _training(
    rng: np.random.Generator, shape: tuple[int, ...], format: Format
) -> tuple[Drawn, Drawn]:
    """Normal weights, and gradients whose rows differ in size."""
    X, G = rng.standard_normal((2, *shape))
    rows = rng.lognormal(0, 2, (*shape[:-1], 1) if len(shape) > 1 else shape)
    return (0.02 * X).astype(format.dtype()), (1e-3 * rows * G).astype(format.dtype())


def _dead(rng: np.random.Generator, shape: tuple[int, ...], format: Format) -> tuple[Drawn, Drawn]:
    """The same, but half of the rows and of the columns have no gradient, some no weights."""
    X, G = _training(rng, shape, format)
    if G.ndim > 1:
        G[..., rng.random(shape[-2]) < 0.5, :] = 0
    G[..., rng.random(shape[-1]) < 0.5] = 0
    X[rng.random(shape[0]) < 0.25] = 0
    return X, G


TRAINING, ANY = "training", "any"
KINDS: tuple[tuple[str, Draw], ...] = (
    (TRAINING, _training),
    (ANY, _patterns),
    (TRAINING, _dead),
    (ANY, _magnitudes),
)
