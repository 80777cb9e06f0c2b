"""The steps to look at when no single symbol explains what was observed: by elimination.

A step that is one number (rho, alpha, the clipping) moves all entries of a parameter by one common
factor; a wrong array does not.  What the failing cases share, and the passing ones lack, names it.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .clue import Clue
from .judgement import Judgement

CAPPED = 10_000
"""Steps up to which rho_t is the same."""

EARLY = 6
"""Steps up to which every beta_2 that is not the paper's shows."""

READERS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("d",): ("U_hat",),
    ("epsilon_2",): ("alpha",),
}
"""The step that alone reads a hyperparameter."""

Steps = tuple[str, ...]
"""The step suspected, then those that are the same from outside."""


Found = Sequence[Clue]


def suspect(found: Sequence[Judgement], working: Mapping[str, str]) -> Steps:
    """The step of the rule, or what else the failing judgements point to."""
    findings = [Clue(j, working[j.strand.dtype]) for j in found]
    failing = [f for f in findings if f.fails]
    passing = [f for f in findings if not f.fails and f.finite]
    for narrow, named in RULES:
        failing = [f for f in failing if narrow(f)] or failing
        passing = [f for f in passing if narrow(f)]
        if steps := named(failing, passing):
            return steps
    return ("V",)


def _between(failing: Found, passing: Found) -> Steps:
    return () if any(f.alone for f in failing) else ("between parameters",)


def _over_time(failing: Found, passing: Found) -> Steps:
    """Only in runs that are saved and loaded, or where a gradient is missing or zero."""
    saved = all(f.judgement.strand.run.split is not None for f in failing)
    gaps = any(f.alone for f in failing) and all(f.interrupted for f in failing)
    return ("over time",) if saved or gaps else ()


def _hyperparameter(failing: Found, passing: Found) -> Steps:
    """Only where one hyperparameter has another value than the paper's, which one step reads."""
    varied = {tuple(f.judgement.strand.run.hyperparameters) for f in failing}
    return READERS.get(next(iter(varied)), ()) if len(varied) == 1 else ()


def _without_value(failing: Found, passing: Found) -> Steps:
    if any(f.finite for f in failing):
        return ()
    return ("V", "R", "C") if any(f.rank >= 2 for f in failing) else ("V",)


def _direction(failing: Found, passing: Found) -> Steps:
    """Moves without a gradient, though there is no momentum, or the wrong way.

    X_new may add a part of X, but not where X is zero.
    """
    moved = [f for f in failing if f.still and not f.turning]
    if moved:
        return ("U", "U_hat", "X_new") if any(f.resting for f in moved) else ("X_new",)
    wrong = [f for f in failing if f.ratios.size and np.all(f.ratios < 0)]
    return ("X_new",) if wrong else ()


def _batches(failing: Found, passing: Found) -> Steps:
    """Only parameters of rank above 2; alpha, if none of those from X = 0.

    Rows are rather off by the normaliser of another matrix than by their own sums.
    """
    if any(f.rank <= 2 for f in failing):
        return ()
    if not any(f.small for f in failing) and any(f.rank > 2 and f.small for f in passing):
        return ("alpha",)
    if all(f.common or f.steep for f in failing) and _clear(passing):
        return ("U_hat",)
    steps = _factor(failing)
    return ("V", "R") if "R" in steps else steps


def _clear(passing: Found) -> bool:
    return any(f.rank > 2 and not f.steep for f in passing)


def _weights(failing: Found, passing: Found) -> Steps:
    """Only where X is not small: alpha multiplies the move, X_new adds to it."""
    if any(f.small for f in failing):
        return ()
    return ("alpha",) if all(f.common or f.bands for f in failing) else ("X_new",)


def _stuck(failing: Found, passing: Found) -> Steps:
    """No X that is zero moves, and all others do: alpha lacks epsilon_2."""
    moving = [f for f in failing if not f.still]
    stuck = [not f.moved for f in moving if f.resting]
    others = [f.moved for f in moving if not f.small]
    return ("alpha",) if stuck and others and all(stuck) and all(others) else ()


def _number(failing: Found, passing: Found) -> Steps:
    """One of rho, alpha, U_hat, by what else the common factor depends on."""
    failing = [f for f in failing if f.moved]
    if not failing or not all(f.common for f in failing):
        return ()
    since = _since(failing, passing)
    if _clipping(failing, since):
        return ("U_hat",)
    if _of_one_rule(failing, since):
        late = all(f.t > 1 for f in failing)
        return ("V", "U", "U_hat", "beta_2") if late else ("V", "U", "U_hat")
    hard = {f.t for f in since if f.hard} & {f.t for f in failing}
    if hard and not any(f.hard for f in failing):
        return ("U_hat",) if _one([1.0, *map(_size, failing)]) else ("V", "U")
    moving = [f for f in (*failing, *passing) if not f.still and f.moved]
    by_t: dict[int, list[float]] = {}
    for f in moving:
        by_t.setdefault(f.t, []).append(f.factor)
    if all(_one(factors) for factors in by_t.values()):
        constant = _one([f.factor for f in moving])
        return ("rho", "alpha", "U_hat") if constant else ("rho",)
    by_size: dict[int, list[float]] = {}
    for f in moving:
        if f.resting and f.t <= CAPPED:
            by_size.setdefault(f.judgement.error.size, []).append(f.factor)
    if all(_one(factors) for factors in by_size.values()):
        return ("alpha",)
    return ("U_hat",) if any(f.clipped for f in failing) else ("rho", "alpha", "U_hat")


def _since(failing: Found, passing: Found) -> list[Clue]:
    """Those that pass from the first t on at which any fails: what goes wrong late, was right."""
    first = min(f.t for f in failing)
    return [f for f in passing if f.t >= first]


def _of_one_rule(failing: Found, passing: Found) -> bool:
    """Whether only vectors fail, or only matrices, and the others move as they should."""
    return len({f.rank > 1 for f in failing}) == 1 and any(
        (f.rank > 1) != (failing[0].rank > 1) and f.moved for f in passing
    )


def _size(f: Clue) -> float:
    """RMS(U_hat) / d as it was found, if one factor explains it."""
    expected = min(np.sqrt(f.value("mean_square_U", 0.0)) / f.value("d", 1.0), 1.0)
    return f.factor * float(expected)


def _one(factors: Sequence[float]) -> bool:
    """Whether all are the same, far more closely than two formulas would be by chance."""
    return not factors or bool(np.ptp(factors) <= 1e-4 * np.abs(factors).max())


def _clipping(failing: Found, passing: Found) -> bool:
    """Whether most that may be clipped fail, and nothing else that could show it."""
    uneven = [f for f in failing if f.several]
    steep = [f for f in (*failing, *passing) if f.several and f.steep]
    return (
        bool(uneven)
        and all(f.touching for f in uneven)
        and 2 * len(uneven) > len(steep)
        and any(f.several and not f.steep and not f.still for f in passing)
    )


def _clip(failing: Found, passing: Found) -> Steps:
    return ("U_hat",) if _clipping(failing, passing) else ()


def _sign(failing: Found, passing: Found) -> Steps:
    """The sign of the step alone: all entries move as far."""
    uneven = [f for f in failing if f.several and f.moved and np.ptp(np.abs(f.moves[0])) > 0]
    return ("U_hat", "U", "X_new") if uneven and all(f.level for f in uneven) else ()


def _stale(failing: Found, passing: Found) -> Steps:
    """V as it was before the step."""
    later = [f for f in failing if f.rank < 2 and f.several and f.t > 1 and not f.still]
    return ("U", "V") if later and all(f.stale for f in later) else ()


def _array(failing: Found, passing: Found) -> Steps:
    """One of beta_2, R, C, V, U, by the ranks and times that fail."""
    vectors = [f for f in failing if f.rank < 2 and f.several]
    matrices = [f for f in failing if f.rank == 2]
    showing = [f for f in passing if f.several and f.remembers]
    if showing and min(f.t for f in failing) > max(f.t for f in showing):
        return ("beta_2",)
    if not matrices:
        return ("V",)
    if not vectors:
        return _factor(matrices)
    if all(f.tiny for f in failing):
        return ("V", "U", "R", "C")
    if any(f.t == 1 for f in vectors):
        return ("U", "V")
    growing = [f for f in showing if 1 < f.t <= EARLY]
    early = [f for f in vectors if f.t <= EARLY]
    return ("V", "U") if 4 * len(growing) > len(early) else ("beta_2",)


def _factor(matrices: Found) -> Steps:
    """R, C or V, by which way log V found / V expected varies in the matrices that fail.

    What R is, V may as well have read.
    """
    rows = columns = rest = 0.0
    for f in matrices:
        shape = f.judgement.error.shape
        if min(shape) < 2 or f.ratios.size != np.prod(shape) or np.any(f.ratios <= 0):
            continue
        logarithm = -2 * np.log(f.ratios).reshape(shape)
        logarithm -= logarithm.mean(axis=(-2, -1), keepdims=True)
        by_row = logarithm.mean(axis=-1, keepdims=True)
        by_column = logarithm.mean(axis=-2, keepdims=True)
        rows += float(np.sum(by_row**2)) * shape[-1]
        columns += float(np.sum(by_column**2)) * shape[-2]
        rest += float(np.sum((logarithm - by_row - by_column) ** 2))
    total = rows + columns + rest
    if total and rows > 0.95 * total:
        return ("R", "V")
    if total and columns > 0.95 * total:
        return ("C", "V")
    return ("V",)


def _all(f: Clue) -> bool:
    return True


RULES: tuple[tuple[Callable[[Clue], bool], Callable[[Found, Found], Steps]], ...] = (
    (_all, _over_time),
    (_all, _between),
    (_all, _hyperparameter),
    (lambda f: f.alone, _without_value),
    (lambda f: f.finite, _direction),
    (_all, _batches),
    (lambda f: f.rank <= 2, _weights),
    (lambda f: f.rank <= 2, _stuck),
    (_all, _number),
    (_all, _clip),
    (_all, _sign),
    (_all, _stale),
    (_all, _array),
)
"""In order: what is left to look at, and the question then asked of it, which may name a step."""
