"""One parameter through one run, and what a method says its next values are.

Each step starts from the parameters that the implementation itself returned before it, so that
the expected step needs the history of gradients only, and errors do not pile up.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import flint
import numpy as np
import sympy as sp

from derivations.cases import scheduled
from derivations.evaluate import BALL, Numbers, Values, evaluate, exact
from derivations.method import ADAFACTOR, Method
from derivations.rule import UpdateRule

from .check import PRECISION
from .counting import schedule_counts, scheduled_floats, step_counts
from .subject import Run, Trace

UNWATCHED = 100
"""Steps that are not looked at, after which balls give up a strand; floats follow it to its end."""


@dataclass(frozen=True, eq=False)
class Observation:
    """Step t of one parameter: its gradient, and X before and after, where they are known."""

    t: int
    G: np.ndarray
    before: np.ndarray | None
    after: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Strand:
    """Parameter number `parameter` of a run; t counts its own updates."""

    run: Run
    parameter: int
    observations: tuple[Observation, ...]

    @property
    def start(self) -> np.ndarray:
        """The parameter before the first step."""
        return self.run.params[self.parameter]

    @cached_property
    def dtype(self) -> str:
        return str(self.start.dtype)

    @property
    def rank(self) -> int:
        return self.start.ndim

    @cached_property
    def repeats(self) -> tuple[tuple[bool, bool], ...]:
        """For each observation whether |G|, and whether -G, is that of the one before."""
        pairs = itertools.pairwise(o.G for o in self.observations)
        return ((False, False), *itertools.starmap(_repeats, pairs))

    @cached_property
    def least(self) -> Mapping[int, float]:
        """For each step, the least |G| of any entry at any step up to it."""
        found = itertools.accumulate((float(np.min(abs(o.G))) for o in self.observations), min)
        return dict(zip((o.t for o in self.observations), found, strict=True))

    def until(self, t: int) -> "Strand":
        """The strand up to its step t."""
        found = tuple(o for o in self.observations if o.t <= t)
        return self if len(found) == len(self.observations) else replace(self, observations=found)


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a method expects of one observation: X_new, the size of the step, K of the rule.

    K_work is K without the roundings of rho and beta_2.  `kept` is what a momentum rounded to one
    unit each time it is stored adds to the error, in these units; None without momentum.
    """

    strand: Strand
    observation: Observation
    values: Values
    X_new: Any
    move: np.ndarray
    K: int
    K_work: int
    kept: np.ndarray | None = None

    def error(self) -> np.ndarray:
        """|X found - X_new| of every entry, in the parameter's shape."""
        after = self.observation.after
        assert after is not None
        if self.X_new.dtype == object:
            with flint.ctx.workprec(PRECISION):
                return floats(_distance(after.astype(object), self.X_new))
        with np.errstate(all="ignore"):
            return np.asarray(np.abs(after.astype(np.float64) - self.X_new))


def strands(run: Run, trace: Trace, counting_skipped: bool = False) -> Iterator[Strand]:
    """The strands of a run; `counting_skipped`: t advances without a gradient, too.

    Once X is not finite, nothing more can be expected of it.  The first step of a run that jumps is
    step `run.jump`, from statistics of zero.  An empty parameter has no strand.
    """
    known = dict(zip(run.steps, trace.after, strict=False))
    for parameter, start in enumerate(run.params):
        if not start.size:
            continue
        found: list[Observation] = []
        t = 0 if run.jump is None else run.jump - 1
        before: np.ndarray | None = start
        for number, grads in enumerate(run.grads, 1):
            G = grads[parameter]
            after = known[number][parameter] if number in known else None
            if G is not None:
                t += 1
                found.append(Observation(t, G, before, after))
            elif counting_skipped:
                t += 1
            before = after if after is not None and np.all(np.isfinite(after)) else None
        yield Strand(run, parameter, tuple(found))


def predictions(
    method: Method,
    strand: Strand,
    numbers: Numbers = BALL,
    theta: float | None = None,
    counted: Method | None = None,
    tell: Callable[[], None] = lambda: None,
) -> Iterator[Prediction]:
    """What the method expects of every observation whose X is known before and after.

    `theta` is the value of the input of that name, if it has one; K is counted on the rules of
    `counted`, if given; `tell` is called at every step that is evaluated.  Steps that are not
    looked at cost nothing while |G| stays the same and the statistics do too.
    """
    start = strand.start
    layout = method.layout(start.shape)
    rule = layout.rule
    given = _hyperparameters(rule, strand, theta)
    counted = counted or method
    counted_rule = counted.layout(start.shape).rule
    carried: dict[str, Any] = {
        x.name: np.zeros(_shape(rule, x, layout.sizes)) for x in rule.inputs if x.becomes
    }
    K: dict[str, int] = {}
    K_work: dict[str, int] = {}
    kept: Any = 0.0
    settled, unwatched = False, 0
    for o, (same, turned) in zip(strand.observations, strand.repeats, strict=False):
        wanted = o.before is not None and o.after is not None
        if not wanted:
            idle = settled and same and not _changes(method, carried, o.t)
            unwatched += not idle
            if idle:
                carried = _turned(carried) if turned else carried
                continue
            if unwatched > UNWATCHED and numbers is BALL:
                return
        tell()
        X = layout.arranged(start if o.before is None else o.before)
        inputs = carried | given | _times(method, o.t, numbers, theta)
        try:
            values = evaluate(rule, inputs | {"X": X, "G": layout.arranged(o.G)}, numbers)
        except ArithmeticError:
            if method is not ADAFACTOR and _needs_no_value(o):
                return
            raise
        state = {x.name: values[x.becomes] for x in rule.inputs if x.becomes and x.name != "X"}
        expected = _turned(carried) if turned else carried
        settled = same and all(_alike(expected[name], state[name]) for name in state)
        counting = (counted, layout.sizes, counted_rule, o.t)
        K = step_counts(*counting, K, schedule_counts(counted.schedule, o.t))
        K_work = step_counts(*counting, K_work, {})
        kept = _kept(values, kept)
        if wanted:
            found = _prediction(strand, o, layout, values, K["X_new"], K_work["X_new"])
            yield replace(found, kept=_in_step(layout, values, kept)) if "M" in values else found
        carried = carried | state


def _repeats(a: np.ndarray, b: np.ndarray) -> tuple[bool, bool]:
    """Whether |b| is |a|, and whether b is -a."""
    if a is b:
        return True, not np.any(a)
    return np.array_equal(abs(a), abs(b)), np.array_equal(a, -b)


def _turned(carried: dict[str, Any]) -> dict[str, Any]:
    """What is carried, once all gradients were the opposite: momentum turns, squares stay."""
    return {**carried, "M_old": -carried["M_old"]} if "M_old" in carried else carried


def _changes(method: Method, carried: Mapping[str, Any], t: int) -> bool:
    """Whether a momentum that was settled moves on at t, as rho is another one."""
    if "M_old" not in carried:
        return False
    before, now = (scheduled_floats(method.schedule, s)["rho"] for s in (t - 1, t))
    return bool(before != now)


def _kept(values: Values, before: Any) -> Any:
    """The sum, over the past, of what is left of each |M|, and of each part it was given.

    Both are rounded: what is averaged before, and M when it is stored.
    """
    if "M" not in values:
        return before
    beta_1, M = float(values["beta_1"]), floats(values["M"])
    with np.errstate(all="ignore"):
        given = M - beta_1 * floats(values["M_old"])
        return beta_1 * before + np.abs(M) + np.abs(given)


def _in_step(layout: Any, values: Values, kept: Any) -> np.ndarray:
    """What is kept, as a part of X_new: times alpha if X_new multiplies M by it."""
    with np.errstate(all="ignore"):
        step, M = (np.abs(floats(a)).max() for a in (values["X_new"] - values["X"], values["M"]))
        return np.asarray(layout.restored(kept * np.nan_to_num(step / M)))


def _needs_no_value(o: Observation) -> bool:
    """Whether a method may have none, as 0/0 at a zero gradient, or where none was found.

    The paper has a value always.
    """
    return not np.any(o.G) or (o.after is not None and not np.all(np.isfinite(o.after)))


def _prediction(
    strand: Strand, o: Observation, layout: Any, values: Values, K: int, K_work: int
) -> Prediction:
    X_new = layout.restored(values["X_new"])
    with np.errstate(all="ignore"):
        move = np.abs(floats(values["X_new"] - values["X"]))
    if "M_old" in values:
        move = np.full_like(move, move.max())
    return Prediction(strand, o, values, X_new, layout.restored(move), K, K_work)


def _hyperparameters(rule: UpdateRule, strand: Strand, theta: float | None) -> dict[str, Any]:
    """The values the run asks for, else those of the rule, in the parameter's dtype; and theta."""
    defaults = _defaults(rule, strand.dtype, theta)
    asked = {k: v for k, v in strand.run.hyperparameters.items() if k in defaults}
    return {**defaults, **asked} | ({} if theta is None else {"theta": theta})


@lru_cache(maxsize=10_000)
def _defaults(rule: UpdateRule, dtype: str, theta: float | None) -> Mapping[str, Any]:
    """The rule's defaults as numbers: machine_epsilon is that of the dtype; theta may be one."""
    known = {"machine_epsilon": float(np.finfo(dtype).eps), "theta": theta}
    return {
        x.name: exact(
            x.default.subs({s: sp.Rational(known[s.name]) for s in x.default.free_symbols})
        )
        for x in rule.inputs
        if x.default is not None
    }


def _shape(rule: UpdateRule, x: Any, sizes: tuple[int, ...]) -> tuple[int, ...]:
    known = dict(zip(rule.shape(rule.input("X")), sizes, strict=True))
    return tuple(known[size] for size in rule.shape(x))


def _times(method: Method, t: int, numbers: Numbers, theta: float | None = None) -> dict[str, Any]:
    """rho_t and beta_2t."""
    if numbers is BALL and theta is None:
        return scheduled(method.schedule, t)
    return scheduled_floats(method.schedule, t, theta)


def _alike(a: Any, b: Any) -> bool:
    """Whether two statistics are the same as far as their numbers can tell."""
    a, b = np.asarray(a), np.asarray(b)
    if b.dtype != object:
        with np.errstate(all="ignore"):
            return bool(np.all(np.abs(a - b) <= 2.0**-50 * np.abs(b)))
    return all(
        isinstance(x, flint.arb) and x.overlaps(y) for x, y in zip(a.flat, b.flat, strict=True)
    )


def floats(array: Any) -> np.ndarray:
    """Of whatever kind of number, rounded to float64."""
    return np.asarray(array).astype(np.float64)


def _distance_of(x: float, y: flint.arb) -> float:
    return float(abs(flint.arb(float(x)) - y).upper()) if np.isfinite(x) else np.inf


_distance = np.frompyfunc(_distance_of, 2, 1)
