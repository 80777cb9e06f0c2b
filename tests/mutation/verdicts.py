"""What becomes of a changed source: the first check that fails, in a time that is counted."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from tests.mutants import sources

from .code import written
from .mutations import Mutation

Check = Callable[[SimpleNamespace], None]
LEAST = 2.0  # seconds of computing that every check has
TIMES = 20  # as long as on the right source, a check may take


@dataclass(frozen=True)
class Verdict:
    """A check and what it raised, or none, if the mutation survives; and the seconds it took."""

    mutation: Mutation
    check: str | None
    kind: str
    seconds: float


class Examination:
    """The checks of each module, which the right source has passed in a time that is measured."""

    def __init__(self, checks: Mapping[str, Sequence[Check]]) -> None:
        self._checks = checks
        self._limits: dict[Check, float] = {}
        with written(sources()) as code:
            for check in {check: None for each in checks.values() for check in each}:
                check(code)  # what all share is computed now
                start = time.process_time()
                check(code)
                self._limits[check] = LEAST + TIMES * (time.process_time() - start)

    def verdict(self, mutation: Mutation) -> Verdict:
        """The first check that a mutation fails, and how: by what it says, an error, or time."""
        start = time.process_time()

        def found(check: str | None, kind: str) -> Verdict:
            return Verdict(mutation, check, kind, time.process_time() - start)

        try:
            with limited(LEAST), written(sources() | {mutation.module: mutation.text}) as code:
                return found(*self._failed(code, mutation.module))
        except Exception as error:
            return found("import", type(error).__name__)

    def _failed(self, code: SimpleNamespace, module: str) -> tuple[str | None, str]:
        for check in self._checks[module]:
            try:
                with limited(self._limits[check]):
                    check(code)
            except Exception as error:
                return check.__name__, type(error).__name__
        return None, ""


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
