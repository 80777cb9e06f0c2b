"""Which way through Max and Min the rule goes, and that the source goes the same."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class UnlikeError(ArithmeticError):
    """The source does what the rule does not: another root, another choice, a magnitude."""


@dataclass
class Choices:
    """A way: for each choice of the rule, in its order, which of both operands it takes.

    Nothing says which of two symbols is larger, so that either may be.  Once the way is `settled`
    a choice between other operands than the rule's is an UnlikeError.
    """

    way: tuple[int, ...]
    equal: Callable[[Any, Any], bool]
    settled: bool = False
    met: list[tuple[str, Any, Any, Any]] = field(default_factory=list)

    def larger(self, a: Any, b: Any) -> Any:
        """What takes the place of max(a, b)."""
        return self._taken("max", a, b)

    def smaller(self, a: Any, b: Any) -> Any:
        """What takes the place of min(a, b)."""
        return self._taken("min", a, b)

    def _taken(self, kind: str, a: Any, b: Any) -> Any:
        for known, x, y, taken in self.met:
            if known == kind and (self._same(a, b, x, y) or self._same(b, a, x, y)):
                return taken
        if self.settled or len(self.met) == len(self.way):
            raise UnlikeError(f"the rule has no {kind} of these two")
        taken = (a, b)[self.way[len(self.met)]]
        self.met.append((kind, a, b, taken))
        return taken

    def _same(self, a: Any, b: Any, x: Any, y: Any) -> bool:
        return self.equal(a, x) and self.equal(b, y)
