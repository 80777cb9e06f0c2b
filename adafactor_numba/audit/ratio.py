"""How far something moves beside the paper's step, in words, where no change of a line says it."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from .clue import Clue

CLOSE = 1e-6
"""How far apart two numbers may be that are told as one, beside themselves."""

POWERS: dict[str, Callable[[Clue], float]] = {
    "t": lambda f: float(f.t),
    "the number of entries": lambda f: float(f.judgement.error.size),
    "RMS(U)": lambda f: math.sqrt(f.value("mean_square_U", 1.0)),
}
"""What the ratio may be a power of."""


def described(failing: Sequence[Clue]) -> str:
    """One ratio, a power, or between which the ratios of the moves that fail are."""
    ratios = [r for f in failing if f.finite for r in f.ratios.tolist() if math.isfinite(r)]
    if not ratios:
        return "there is no number" if not any(f.finite for f in failing) else "it moves at all"
    if not all(f.common for f in failing if f.finite and f.ratios.size):
        return f"entries move from {min(ratios):.4g} to {max(ratios):.4g} times as far"
    moving = [f for f in failing if f.finite and f.ratios.size]
    factors = np.array([f.factor for f in moving])
    if _same(factors):
        return f"it moves {factors[0]:.10g} times as far"
    for name, of in POWERS.items():
        if (power := _power(factors, np.array([*map(of, moving)]))) is not None:
            return f"it moves {name}^{power:.6g} times as far"
    return f"it moves from {factors.min():.4g} to {factors.max():.4g} times as far"


def of_size(failing: Sequence[Clue], passing: Sequence[Clue]) -> str:
    """Up to which size matrices fail, if those that only differ in size pass beyond."""
    fail, ok = ([_size(f) for f in found if _of_any_size(f)] for found in (failing, passing))
    beyond = [size for size in ok if size > max(fail, default=size)]
    if not beyond or any(f.rank < 2 for f in failing):
        return ""
    return f", in matrices of up to {max(fail)} rows or columns, not of {min(beyond)}"


def _of_any_size(f: Clue) -> bool:
    return f.judgement.strand.run.scenario == "least size"


def _size(f: Clue) -> int:
    return int(min(f.judgement.error.shape))


def _same(numbers: np.ndarray) -> bool:
    return bool(np.ptp(numbers) <= CLOSE * np.abs(numbers).max())


def _power(factors: np.ndarray, x: np.ndarray) -> float | None:
    """The p, if there is one, for which each factor is x^p, x not always the same."""
    if np.any(factors <= 0) or np.any(x <= 0) or _same(x):
        return None
    telling = x != 1
    powers = np.log(factors[telling]) / np.log(x[telling])
    ones = np.abs(factors[~telling] - 1)
    return float(powers[0]) if _same(powers) and np.all(ones <= CLOSE) else None
