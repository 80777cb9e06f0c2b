"""Processes of their own, in which something is measured that what was done before would change."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from queue import Empty, SimpleQueue
from threading import Thread
from time import perf_counter

MOST = 10_000.0  # seconds: as good as no limit


def lines(
    arguments: list[str],
    question: str = "",
    environment: Mapping[str, str] | None = None,
    silence: float = MOST,
    seconds: float = MOST,
) -> Iterator[str]:
    """What Python prints, line by line, given `question` to read.

    Raises ChildProcessError with the last line that was complained if the process fails, and
    TimeoutError if it says nothing for `silence` seconds, or goes on after `seconds`: it is killed.
    """
    places = os.pathsep.join(place for place in sys.path if place)
    end = perf_counter() + seconds
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "PYTHONPATH": places, **(environment or {})},
            text=True,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(question)
        said: SimpleQueue[str] = SimpleQueue()
        reader = Thread(target=_pass_on, args=(process.stdout, said), daemon=True)
        reader.start()
        try:
            while line := said.get(timeout=max(0.0, min(silence, end - perf_counter()))):
                yield line
        except BaseException as error:  # that nobody asks further is one
            process.kill()
            reader.join(1)
            if not isinstance(error, Empty):
                raise
            if perf_counter() >= end:
                raise TimeoutError("the time was up") from None
            raise TimeoutError(f"a process said nothing for {silence:.0f} s") from None
        if process.wait():
            errors.seek(0)
            complaints = errors.read().strip().splitlines() or ["nothing was said"]
            raise ChildProcessError(f"a process ended with {process.returncode}: {complaints[-1]}")


def _pass_on(lines: Iterable[str], said: "SimpleQueue[str]") -> None:
    """Every line, and then an empty one, which a process cannot say."""
    for line in chain(lines, [""]):
        said.put(line)
