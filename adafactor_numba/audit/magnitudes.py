"""Inputs of every magnitude there is, and the hyperparameters at their ends, as data."""

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from adafactor_numba.beyond import pair
from derivations.method import Shape

MOST, LEAST = float(np.finfo(np.float64).max), math.ulp(0.0)

ORDINARY = {"rho": 1e-2, "beta_2": 0.5, "epsilon_1": 1e-30, "epsilon_2": 1e-3, "d": 1.0}
ENDS: Mapping[str, tuple[float, ...]] = {
    "rho": (0.0, LEAST, 1.0, MOST),
    "beta_2": (0.0, LEAST, math.nextafter(1, 0)),
    "epsilon_1": (LEAST, 1e-300, 1.0, MOST),
    "epsilon_2": (0.0, LEAST, MOST),
    "d": (LEAST, 0.1, MOST, math.inf),
}
SHAPES: Mapping[int, tuple[Shape, ...]] = {
    1: ((5,), (1,)),
    2: ((3, 4), (1, 1), (4, 1), (1, 5)),
    3: ((2, 3, 2),),
}


def patterns(shape: Shape, seed: int) -> dict[str, Any]:
    """Arrays of weights or gradients by name, from the least to the largest double."""
    rng = np.random.default_rng([seed, *shape])
    drawn = np.frombuffer(rng.bytes(8 * math.prod(shape)), np.float64).reshape(shape)
    unit = rng.standard_normal(shape)
    columns = np.arange(shape[-1])
    far_apart = unit * np.where(columns % 2, 1e300, 1e-300)
    one_huge = np.ones(shape)
    one_huge.flat[rng.integers(one_huge.size)] = MOST
    return {
        "bits": np.where(np.isfinite(drawn), drawn, 1.0),
        "largest": np.copysign(MOST, unit),
        "least": np.copysign(LEAST, unit),
        "one huge": one_huge,
        "1e300 beside 1e-300": far_apart,
        "1e300 above 1e-300": np.moveaxis(far_apart, -1, 0).reshape(shape),
        "a dead column": unit * (columns > 0) * 1e-200,
        "zero": np.zeros(shape),
        "ordinary": unit,
    }


PATTERNS = tuple(patterns((1,), 0))


def statistics(kind: str, shape: Shape, seed: int) -> Any:
    """What is carried: "zero", positive doubles of all "bits", or "wide" numbers beyond them."""
    if kind == "zero":
        return np.zeros(shape)
    A = np.abs(patterns(shape, seed)["bits"]) + LEAST
    exponents = np.random.default_rng([seed, *shape]).integers(-3000, 3000, shape)
    return A if kind == "bits" else pair(A, exponents)


KINDS = ("zero", "bits", "wide")


def inputs(
    shape: Shape, X: str, G: str, kind: str, seed: int = 0, **scalars: float
) -> dict[str, Any]:
    """The inputs of the rule for such a shape."""
    names: dict[str, Shape] = {"V_old": shape}
    if len(shape) > 1:
        names = {"R_old": shape[:-1], "C_old": (*shape[:-2], shape[-1])}
    carried = {name: statistics(kind, s, seed) for name, s in names.items()}
    drawn = {"X": patterns(shape, seed + 1)[X], "G": patterns(shape, seed)[G]}
    return drawn | carried | ORDINARY | scalars


def extremes(rank: int) -> Iterator[dict[str, Any]]:
    """Every pattern of X with every one of G and what is carried, and every end of a scalar."""
    first, *others = SHAPES[rank]
    for X, G, kind in itertools.product(PATTERNS, PATTERNS, KINDS):
        yield inputs(first, X, G, kind)
    for shape, G, kind in itertools.product(others, PATTERNS, KINDS):
        yield inputs(shape, "bits", G, kind)
    for (name, ends), G, kind in itertools.product(ENDS.items(), PATTERNS, KINDS):
        yield from (inputs(first, "ordinary", G, kind, 0, **{name: end}) for end in ends)
