"""Times of several steps that take turns, so that whatever the machine does happens to all.

A turn is one call for the caches and one or more that are timed; one that takes longer than the
caches need is timed at once.  The order moves on by one from round to round.  What is compared is
compared within a round, and the median taken over the rounds.
"""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

TURN = 0.005  # seconds that a turn takes at least
LONG = 0.1  # seconds of a call beside which the caches, and others' threads, do not matter
ROUNDS = 5  # at least

Times = dict[str, list[float]]


def measured(steps: Mapping[str, Callable[[], object]], seconds: float) -> Times:
    """Seconds per call of each step, round by round, for about so many seconds in all."""
    end = perf_counter() + seconds
    calls, long = {}, {}
    for name, step in steps.items():
        step()  # makes what is made once
        once = _timed(step, 1)
        calls[name], long[name] = max(1, round(TURN / once)), once > LONG
    times: Times = {name: [] for name in steps}
    order = [*steps]
    while perf_counter() < end or len(times[order[0]]) < ROUNDS:
        for name in order:
            if not long[name]:
                steps[name]()
            times[name].append(_timed(steps[name], calls[name]))
        order = [*order[1:], order[0]]
    return times


def ratio(above: list[float], below: list[float]) -> float:
    """The median of the ratios within each round."""
    return median(a / b for a, b in zip(above, below, strict=True))


def _timed(step: Callable[[], object], calls: int) -> float:
    start = perf_counter()
    for _ in range(calls):
        step()
    return (perf_counter() - start) / calls
