"""What an audit found, as data and as JSON."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Difference:
    """One step that differs, with the smallest case found; `index` is [parameter, i, j, ...].

    `got` and `expected` are entries of X_new, the only step that a black box shows.
    """

    step: str
    case: Mapping[str, Any]
    index: tuple[int, ...] = ()
    got: float | None = None
    expected: float | None = None
    off_by_ulp: float | None = None
    explained_ulp: float | None = None
    equivalent_steps: tuple[str, ...] = ()
    what: str = ""
    source: str = ""


@dataclass(frozen=True)
class Report:
    """The verdict of an audit: `agrees`, `differs` or `cannot run`, and what else was found.

    `precision` is the coarsest format in which float64 and float32 parameters are worked on;
    `precisions` has that of every dtype, float16 included.
    `state` counts the numbers kept, by shape; `state_dtypes` has their dtype for every dtype of a
    parameter; `flags` has for each what it `does`, and `why` that
    is not known; `properties` has for each law whether it `holds`.  None: it could not be asked.
    """

    implementation: str
    version: str
    verdict: str
    rule: str = ""
    variant: str | None = None
    axes: Mapping[str, str] = field(default_factory=dict)
    precision: str | None = None
    precisions: Mapping[str, str] = field(default_factory=dict)
    range: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    range_of: Mapping[str, str] = field(default_factory=dict)
    cases: int = 0
    variants_told_apart: int = 0
    variants_known: int = 0
    not_told_apart: tuple[tuple[str, str], ...] = ()
    equivalent: tuple[Mapping[str, str], ...] = ()
    scenarios_not_run: tuple[Mapping[str, str], ...] = ()
    differences: tuple[Difference, ...] = ()
    state: Mapping[str, int] = field(default_factory=dict)
    sublinear: bool | None = None
    state_dtypes: Mapping[str, str] = field(default_factory=dict)
    counts_skipped: bool | None = None
    flags: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    properties: tuple[Mapping[str, Any], ...] = ()
    why: str = ""
    seed: int = 0
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """0 agrees, 1 differs, 2 cannot run."""
        return {"agrees": 0, "differs": 1}.get(self.verdict, 2)

    @property
    def kept(self) -> str:
        """How much is kept for a matrix and in what, as far as that is known."""
        words = [f"{shape}: {count} numbers" for shape, count in self.state.items()][:1]
        if self.sublinear is not None:
            words.append("sublinear" if self.sublinear else "not sublinear")
        kept_in = self.state_dtypes
        if len({*kept_in.values()}) == 1:
            words += [f"in {min(kept_in.values())}"]
        elif all(found == dtype for dtype, found in kept_in.items()):
            words += ["in the parameter's dtype"] if kept_in else []
        else:
            words += [f"in {found} for {dtype}" for dtype, found in kept_in.items()]
        return ", ".join(words)

    def json(self) -> str:
        """The report as strict JSON: what is not finite is a string."""
        return json.dumps(plain(asdict(self)), indent=2, allow_nan=False)


def plain(value: Any) -> Any:
    """`value` with tuples as lists and every number that is not finite as a string."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value
