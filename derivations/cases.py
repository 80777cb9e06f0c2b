"""The inputs, as data, that reach every branch and every region of the domain of a rule.

A `Case` says what X, G and the statistics look like; `inputs(case, rule)` draws their numbers from
the case's own seed.
"""

import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from .evaluate import BALL, evaluate
from .method import Shape
from .rule import UpdateRule


@dataclass(frozen=True)
class Fill:
    """How an array is filled: a pattern, and the size of its ordinary entries."""

    pattern: str
    size: float = 1.0


@dataclass(frozen=True)
class Case:
    """One step of a rule: `statistics` says how what is carried relates to G.

    "zero": nothing is carried; "fresh": like G; "small": far below, so that the step is clipped;
    "large": far above, so that it is not.
    """

    sizes: Shape
    t: int = 2
    X: Fill = Fill("normal")
    G: Fill = Fill("normal")
    statistics: str = "fresh"
    d: float = 1.0
    epsilon_1: float = 1e-30
    epsilon_2: float = 1e-3
    dtype: str = "float64"

    @property
    def seed(self) -> int:
        """A number that depends on all of the case, the same on every machine."""
        return zlib.crc32(repr(self).encode())


TIMES = (1, 2, 3, 32, 100, 9_999, 10_000, 10_001, 2**14, 10**6)
"""t = 1 (beta_2 = 0); 32 and 2^14, where a schedule is rational; around 10^4, where rho turns."""

THRESHOLDS = (0.5, 1.0, 3.0, math.inf)
GRADIENTS = (
    *(Fill("normal", size) for size in (1e-20, 1e-15, 1e-5, 1.0, 1e10, 1e18)),
    Fill("zero"),
    Fill("one zero row"),
    Fill("one zero column"),
    Fill("equal"),
    Fill("bits"),
)
WEIGHTS = (Fill("zero"), Fill("normal", 1e-6), Fill("normal"), Fill("normal", 1e6), Fill("bits"))
STATISTICS = {"zero": 0.0, "fresh": 1.0, "small": 1e-12, "large": 1e6}
SIZES: Mapping[int, tuple[Shape, ...]] = {
    1: ((1,), (2,), (5,)),
    2: ((1, 1), (1, 4), (4, 1), (3, 4), (4, 3)),
    3: ((1, 1, 1), (2, 1, 3), (2, 3, 1), (3, 2, 4)),
}


def cases(rule: UpdateRule, sizes: tuple[Shape, ...] = ()) -> tuple[Case, ...]:
    """Every value of every aspect at least once, and the pairs that open branches together.

    `sizes` are those of the rule's axes; by default a few small ones, unequal and of one entry.

    >>> from derivations.adafactor import VECTOR
    >>> {case.t for case in cases(VECTOR)} == {*TIMES}
    True
    """
    shapes = sizes or SIZES[len(rule.input("X").indices)]
    found: dict[Case, None] = {}
    for dtype in ("float64", "float32"):
        for case in _varied(shapes):
            case = replace(case, dtype=dtype)
            if _squares_fit(case):
                found[case] = None
    return tuple(found)


def _varied(shapes: tuple[Shape, ...]) -> Iterator[Case]:
    for number, sizes in enumerate(shapes):
        base = Case(sizes)
        yield from (replace(base, t=t, statistics=s) for t in TIMES for s in ("fresh", "small"))
        yield from (replace(base, d=d, statistics=s) for d in THRESHOLDS for s in STATISTICS)
        yield from (replace(base, G=G, statistics=s) for G in GRADIENTS for s in ("fresh", "zero"))
        yield from (replace(base, G=G, t=1, statistics="zero", X=Fill("zero")) for G in GRADIENTS)
        yield from (replace(base, X=X, t=t) for X in WEIGHTS for t in (1, 10_001))
        yield from (replace(base, epsilon_1=e, t=t) for e in (1e-8, 1.0, 1e6) for t in (1, 2, 100))
        yield from (replace(base, epsilon_2=e, X=X) for e in (0.0, 10.0) for X in WEIGHTS[1:4])
        if number == 0:
            yield replace(base, G=Fill("bits"), X=Fill("bits"), d=math.inf, statistics="large")


def _squares_fit(case: Case) -> bool:
    """Uniform bit patterns of float64 square beyond every double; float32's do not."""
    return case.dtype == "float32" or "bits" not in (case.X.pattern, case.G.pattern)


def _filled(fill: Fill, shape: Shape, dtype: str, rng: np.random.Generator) -> Any:
    return _PATTERNS[fill.pattern](shape, fill.size, dtype, rng).astype(dtype)


def _normal(shape: Shape, size: float, dtype: str, rng: np.random.Generator) -> Any:
    return size * rng.standard_normal(shape)


def _bits(shape: Shape, size: float, dtype: str, rng: np.random.Generator) -> Any:
    """Uniform bit patterns of the finite numbers of `dtype`: all exponents alike."""
    width = np.dtype(dtype).itemsize
    patterns = np.frombuffer(rng.bytes(width * math.prod(shape)), dtype).reshape(shape)
    return np.where(np.isfinite(patterns), patterns, np.ones((), dtype))


def _without(axis: int) -> Callable[..., Any]:
    """Normal entries, with one row (axis -2) or one column (axis -1) of zeros."""

    def filled(shape: Shape, size: float, dtype: str, rng: np.random.Generator) -> Any:
        array = np.atleast_1d(_normal(shape, size, dtype, rng))
        axes = np.moveaxis(array, max(axis, -array.ndim), 0)
        axes[rng.integers(len(axes))] = 0
        return array.reshape(shape)

    return filled


_PATTERNS: Mapping[str, Callable[..., Any]] = {
    "normal": _normal,
    "zero": lambda shape, size, dtype, rng: np.zeros(shape),
    "equal": lambda shape, size, dtype, rng: size * rng.choice([-1.0, 1.0], shape),
    "one zero row": _without(-2),
    "one zero column": _without(-1),
    "bits": _bits,
}


def inputs(case: Case, rule: UpdateRule) -> dict[str, Any]:
    """The inputs of `rule` for the case, all but rho and beta_2, which t gives by a schedule."""
    rng = np.random.default_rng(case.seed)
    sizes = case.sizes or (1,)
    with np.errstate(over="ignore"):
        X, G = (_filled(fill, sizes, case.dtype, rng) for fill in (case.X, case.G))
    scalars = {"d": case.d, "epsilon_1": case.epsilon_1, "epsilon_2": case.epsilon_2}
    squares = np.square(G, dtype=np.float64) + case.epsilon_1
    factor = STATISTICS[case.statistics] * (case.t > 1)
    statistics = {
        "V_old": squares,
        "R_old": squares.sum(axis=-1),
        "C_old": squares.sum(axis=-2 if squares.ndim > 1 else -1),
    }
    names = {x.name for x in rule.inputs}
    return {"X": X, "G": G, **scalars} | {
        name: factor * rng.uniform(0.5, 2.0, value.shape) * value
        for name, value in statistics.items()
        if name in names
    }


@cache
def scheduled(schedule: UpdateRule, t: int) -> dict[str, Any]:
    """rho_t and beta_2t as balls."""
    values = evaluate(schedule, {"t": t}, BALL)
    return {step.name: values[step.name] for step in schedule.steps}


def choices(rule: UpdateRule) -> tuple[tuple[str, sp.Expr], ...]:
    """Every argument of every Max and Min, with its step: what `cases` must make the winner."""
    return tuple(
        (step.name, argument)
        for step in rule.steps
        for choice in sorted(step.value.atoms(sp.Max, sp.Min), key=str)
        for argument in choice.args
    )
