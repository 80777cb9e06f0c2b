"""Times of several steps that take turns, so that whatever the machine does happens to all.

A turn is one call for the caches and one or more that are timed; the order moves on by one from
round to round.  What is compared is compared within a round, and the median taken over the rounds.
"""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

TURN = 0.005  # seconds that a turn takes at least
ROUNDS = 5  # at least

Times = dict[str, list[float]]


def measured(steps: Mapping[str, Callable[[], object]], seconds: float) -> Times:
    """Seconds per call of each step, round by round, for about so many seconds in all."""
    end = perf_counter() + seconds
    calls = {name: _calls(step) for name, step in steps.items()}
    times: Times = {name: [] for name in steps}
    order = [*steps]
    while perf_counter() < end or len(times[order[0]]) < ROUNDS:
        for name in order:
            steps[name]()
            times[name].append(_timed(steps[name], calls[name]))
        order = [*order[1:], order[0]]
    return times


def ratio(above: list[float], below: list[float]) -> float:
    """The median of the ratios within each round."""
    return median(a / b for a, b in zip(above, below, strict=True))


def _calls(step: Callable[[], object]) -> int:
    """How many calls fill a turn; the first makes what is made once and is not counted."""
    step()
    return max(1, round(TURN / _timed(step, 1)))


def _timed(step: Callable[[], object], calls: int) -> float:
    start = perf_counter()
    for _ in range(calls):
        step()
    return (perf_counter() - start) / calls
