"""All that a bench found, as it is written down."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .result import FLOOR, Result, machine


@dataclass
class Report:
    """Times, memory, how it starts, accuracy; what was left out, and why.

    `unchanged` compares with ours while nobody else writes to X, and with the floor of that.
    """

    results: list[Result] = field(default_factory=list)
    unchanged: list[Result] = field(default_factory=list)
    memory: list[Any] = field(default_factory=list)
    imports: Any = None
    first_steps: dict[str, float] = field(default_factory=dict)
    accuracy: list[Any] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def floor_seconds(self) -> float | None:
        """The floor of the first case, which is the largest square by default."""
        return next((r.seconds for r in self.results if r.name == FLOOR), None)

    def json(self) -> str:
        """JSON, a line for each result; docs/bench.md says what stands where."""
        parts = {
            "machine": json.dumps(machine()),
            "floor_seconds": json.dumps(self.floor_seconds),
            "results": _lines(self.results),
            "unchanged": _lines(self.unchanged),
            "memory": _lines(self.memory),
            "imports": json.dumps(self.imports and asdict(self.imports)),
            "first_steps": json.dumps(self.first_steps),
            "accuracy": _lines(self.accuracy),
            "left_out": json.dumps(self.left_out),
            "seconds": json.dumps(self.seconds),
        }
        return "{" + ",\n ".join(f'"{name}": {text}' for name, text in parts.items()) + "}"


def _lines(found: Sequence[Any]) -> str:
    return "[" + ",\n  ".join(json.dumps(asdict(each)) for each in found) + "]"
