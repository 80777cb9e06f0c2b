"""What becomes of a changed source: the first check that fails, in a time that is counted."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np

from .code import originals, written
from .mutations import Mutation
from .outputs import outputs

Check = Callable[[SimpleNamespace], None]
LEAST = 2.0  # seconds of computing that every check has
TIMES = 20  # as long as on the right source, a check may take


@dataclass(frozen=True)
class Verdict:
    """The check that failed and what it raised; of a survivor, whether its bits are the same."""

    mutation: Mutation
    check: str | None
    raised: str = ""
    same: bool = False


class Examination:
    """The checks of each module, which the right source has passed in a time that is measured."""

    def __init__(self, checks: Mapping[str, Sequence[Check]]) -> None:
        self._checks = checks
        self._limits: dict[Check, float] = {}
        with np.errstate(all="ignore"), written(originals()) as code:
            for check in {check: None for each in checks.values() for check in each}:
                check(code)  # what all sources share is computed now
                start = time.process_time()
                check(code)
                self._limits[check] = LEAST + TIMES * (time.process_time() - start)

    @cached_property
    def _right(self) -> str:
        with written(originals()) as code:
            return outputs(code)

    def verdict(self, mutation: Mutation) -> Verdict:
        """The first check that the mutation fails, by what it says, by an error or by time."""
        check = "import"
        try:
            with np.errstate(all="ignore"), ExitStack() as stack:
                with limited(LEAST):
                    code = stack.enter_context(
                        written(originals() | {mutation.module: mutation.text})
                    )
                for examine in self._checks[mutation.module]:
                    check = examine.__name__
                    with limited(self._limits[examine]):
                        examine(code)
                return Verdict(mutation, None, same=self._same(code))
        except Exception as error:
            return Verdict(mutation, check, type(error).__name__)

    def _same(self, code: SimpleNamespace) -> bool:
        right = self._right
        try:
            with limited(TIMES):
                return outputs(code) == right
        except Exception:
            return False


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in what computes for longer; it may wait for others as long as it will."""

    def over(*_: Any) -> None:
        raise TimeoutError(f"more than {seconds:.3g} s")

    before = signal.signal(signal.SIGPROF, over)
    left, _ = signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, left)
        signal.signal(signal.SIGPROF, before)


def verdicts(
    mutations: Iterable[Mutation],
    checks: Mapping[str, Sequence[Check]],
    processes: int | None = None,
) -> Iterator[Verdict]:
    """Those of all mutations in their order, from so many processes, by default all there are."""
    context = multiprocessing.get_context("spawn")
    processes = processes or len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(processes, context, _prepare, (checks,)) as pool:
        yield from pool.map(_verdict, mutations, chunksize=4)


def _prepare(checks: Mapping[str, Sequence[Check]]) -> None:
    global _examination
    _examination = Examination(checks)


def _verdict(mutation: Mutation) -> Verdict:
    return _examination.verdict(mutation)


_examination: Examination
