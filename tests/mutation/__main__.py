"""Every mutation of the loops' sources is noticed by a check, but those listed as no change.

    python -m tests.mutation [module ...]

Exits with 1 if one is not noticed and not listed, or is listed and noticed, not made, or not shown
to be no change.
"""

import sys
from pathlib import Path

from .code import originals
from .mutations import mutations
from .plan import CHECKS
from .report import faults, listed, table
from .verdicts import verdicts

SURVIVORS = Path(__file__).with_name("survivors")


def main(chosen: list[str]) -> int:
    if unknown := {*chosen} - {*CHECKS}:
        print(f"no module {', '.join(sorted(unknown))}; there are {', '.join(CHECKS)}")
        return 2
    texts, names = originals(), chosen or [*CHECKS]
    found = list(verdicts((m for name in names for m in mutations(name, texts[name])), CHECKS))
    wrong = list(faults(found, [s for s in listed(SURVIVORS) if s.module in names]))
    alive = sum(verdict.check is None for verdict in found)
    print(*table(found), *wrong, sep="\n")
    print(
        f"{len(found)} mutants, {len(found) - alive} killed, {alive} survive, {len(wrong)} faults"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
