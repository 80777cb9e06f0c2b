"""An implementation under audit: a builder in a process of its own, with a limit on its time."""

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np

from .wire import packed, unpacked

LIMITS = 6
"""As many times as long as one run may take, all that are lost may take together."""


class CannotRunError(RuntimeError):
    """The builder could not be imported, is none, or gave no answer."""


@dataclass(frozen=True, eq=False)
class Run:
    """What an implementation is asked: parameters, and gradients for them at t = 1, 2, ...

    `watch` lists the steps to look at, all if empty.  `hyperparameters` are those that differ from
    the implementation's defaults, by the paper's names.  For implementations that can:

    * `jump`: `step.jump(t)` comes before the first step, which then is step t of the paper; the
      statistics are those of a new optimizer, zero.
    * `split`: after this many steps `step.save()` is called and the run goes on to its end; then
      `build.load` makes a step of what was saved, and the run goes on to its end once more.  The
      trace has the second end, and says where the first was another.
    * `groups`: lists of indices, given to the builder: the parameters that form each group.
    """

    scenario: str
    params: tuple[np.ndarray, ...]
    grads: tuple[tuple[np.ndarray | None, ...], ...]
    hyperparameters: Mapping[str, float] = field(default_factory=dict)
    watch: tuple[int, ...] = ()
    jump: int | None = None
    split: int | None = None
    groups: tuple[tuple[int, ...], ...] | None = None

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps that are looked at."""
        return self.watch or tuple(range(1, len(self.grads) + 1))


@dataclass(frozen=True)
class Trace:
    """What it answered: the parameters after each step looked at, and what went wrong.

    `parted` says where the two ends of a split run differ in a bit, with both numbers.  `state`
    counts those kept for each parameter at the end, scalars left out, and `kept_in` lists their
    dtypes; None, and nothing, where that cannot be shown.
    `unlike` says what came back in another shape or dtype than its parameter, which ends the run.
    `lost`: it did not answer, or was not asked as it would not.
    """

    after: list[list[np.ndarray]]
    changed: list[str]
    error: str | None
    parted: list[dict[str, Any]] = field(default_factory=list)
    state: list[int] | None = None
    kept_in: list[str] = field(default_factory=list)
    lost: bool = False
    unlike: list[str] = field(default_factory=list)


def question(run: Run) -> dict[str, Any]:
    """The run as data, as it is sent."""
    asked = {name: getattr(run, name) for name in ("params", "grads", "watch", "groups")}
    asked |= {name: getattr(run, name) for name in ("jump", "split")}
    found: dict[str, Any] = packed(asked | {"hyperparameters": dict(run.hyperparameters)})
    return found


class Subject:
    """A builder, `module:function`, run in a subprocess; a context manager.

    `paths` are folders to import from before all others.  Raises CannotRunError with one clear line
    if it cannot be imported or started.  `lost` has each scenario and dtype in which a run was
    lost, to a crash or a hang, and why.
    """

    def __init__(self, target: str, seconds: float = 60.0, paths: Sequence[str] = ()) -> None:
        self.target, self.seconds, self.paths = target, seconds, paths
        self.lost: dict[str, str] = {}
        self.answered, self.wasted = False, 0.0
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def run(self, run: Run) -> Trace:
        """The trace of one run; a hang or a crash ends only its scenario in this dtype."""
        name, begun = f"{run.scenario}, {run.params[0].dtype}", time.monotonic()
        if why := self._given_up(name):
            return Trace([], [], f"not tried after {why}", lost=True)
        try:
            answer = self._ask(question(run))
        except CannotRunError as error:
            self.lost[name] = str(error)
            self.wasted += time.monotonic() - begun
            return Trace([], [], str(error), lost=True)
        self.answered = True
        return Trace(**unpacked(answer))

    def _given_up(self, name: str) -> str | None:
        """Why a scenario is tried no more: a run of it was lost, the first two of all, too many."""
        if name in self.lost:
            return "one without an answer"
        if not self.answered and len(self.lost) > 1:
            return "two runs without an answer"
        if self.wasted >= LIMITS * self.seconds:
            return f"runs without an answer took {self.wasted:.0f} s"
        return None

    @cached_property
    def can(self) -> tuple[str, ...]:
        """Which of "state", "jump" and "save" it has; none if it is lost on being asked."""
        try:
            return tuple(self._ask("can")["can"])
        except CannotRunError:
            return ()

    def _start(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed in _stop
        self.process = subprocess.Popen(
            [sys.executable, "-m", "adafactor_numba.audit.worker", self.target],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join(p for p in (*self.paths, *sys.path) if p)},
        )
        self._buffer = b""
        answer = self._answer()
        if "error" in answer:
            self._stop()
            raise CannotRunError(answer["error"])
        self.version, self.takes = answer["version"], tuple(answer["takes"])

    def _stop(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self._errors):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _ask(self, asked: Any) -> dict[str, Any]:
        if self.process.poll() is not None:
            self._start()
        line = json.dumps(asked) + "\n"
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line.encode("ascii"))
            self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        """The next line of the process, before its time is over."""
        assert self.process.stdout is not None
        end = time.monotonic() + self.seconds
        while b"\n" not in self._buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                self._stop()
                raise CannotRunError(f"no answer within {self.seconds:g} s")
            chunk = os.read(self.process.stdout.fileno(), 1 << 20)
            if not chunk:
                raise CannotRunError(self._ended())
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _ended(self) -> str:
        code = self.process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        self._stop()
        return f"the process ended with exit code {code}" + (f": {lines[-1]}" if lines else "")
