"""What a run over all mutations says, and what is wrong with it."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .verdicts import Verdict

SIZE = re.compile(r"[A-Z]+ = \d")
KINDS = {"AssertionError": "a value", "TimeoutError": "time"}


@dataclass(frozen=True)
class Survivor:
    """A mutation that is no change: `shown` says how that is seen, `why` the reason."""

    module: str
    function: str
    before: str
    after: str
    shown: str
    why: str

    @property
    def name(self) -> tuple[str, str, str, str]:
        return self.module, self.function, self.before, self.after

    def is_shown(self, verdict: Verdict) -> bool:
        if self.shown == "size":
            return not self.function and bool(SIZE.match(self.before))
        return self.shown == "bits" and verdict.same


def listed(folder: Path) -> list[Survivor]:
    """The survivors of the lists in a folder; those of one entry share their reason."""
    return [
        Survivor(entry["module"], entry["function"], *change, entry["shown"], entry["why"])
        for file in sorted(folder.glob("*.toml"))
        for entry in tomllib.loads(file.read_text())["survivor"]
        for change in entry["changes"]
    ]


def faults(verdicts: Sequence[Verdict], survivors: Sequence[Survivor]) -> Iterator[str]:
    """A mutation that survives and is not listed; what is listed and is not as it is said."""
    expected = {survivor.name: survivor for survivor in survivors}
    alive = {verdict.mutation.name: verdict for verdict in verdicts if verdict.check is None}
    for name, verdict in alive.items():
        if name not in expected:
            bits = "the same bits" if verdict.same else "other bits"
            yield f"survives, with {bits}: {text(name)}"
        elif not expected[name].is_shown(verdict):
            yield f"is not shown by its {expected[name].shown}: {text(name)}"
    there = {verdict.mutation.name for verdict in verdicts}
    for name in expected:
        if name not in alive:
            what = "is listed, yet noticed" if name in there else "is listed, yet not made"
            yield f"{what}: {text(name)}"


def text(name: tuple[str, str, str, str]) -> str:
    module, function, before, after = name
    where = f"{module}.{function}" if function else module
    return f"{where}\n  - {before}\n  + {after}"


def table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """How many mutations of each module there are, what noticed them, how many nothing did."""
    for module in dict.fromkeys(v.mutation.module for v in verdicts):
        own = [v for v in verdicts if v.mutation.module == module]
        dead = [v for v in own if v.check is not None]
        how = Counter(KINDS.get(v.raised, "an error") for v in dead)
        kinds = ", ".join(f"{how[kind]} by {kind}" for kind in ("a value", "an error", "time"))
        by = ", ".join(
            f"{check} {count}" for check, count in Counter(v.check for v in dead).items()
        )
        yield (
            f"{module:9} {len(own):4} mutants, {len(dead):4} killed ({kinds}), "
            f"{len(own) - len(dead):2} equivalent; {by}"
        )
