"""Processes of their own, in which something is measured that what was done before would change."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping


def lines(
    arguments: list[str], question: str = "", environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """What Python prints, line by line, given `question` to read.

    Raises ChildProcessError with the last line that was complained if the process fails.
    """
    places = os.pathsep.join(place for place in sys.path if place)
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
        with process.stdin:
            process.stdin.write(question)
        yield from process.stdout
        if process.wait():
            errors.seek(0)
            said = errors.read().strip().splitlines() or ["nothing was said"]
            raise ChildProcessError(f"a process ended with {process.returncode}: {said[-1]}")
