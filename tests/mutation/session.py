"""A session of cosmic-ray: which of its mutants are tried, and what became of them.

    python -m tests.mutation.session thin SESSION EVERY
    python -m tests.mutation.session report SESSION

The first marks all but one in EVERY as skipped.
"""

import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any


def is_chosen(key: str, every: int) -> bool:
    """Whether this is one of the mutants, one in `every`, that are tried; the same each time."""
    return zlib.crc32(key.encode()) % every == 0


def thin(file: str, every: int) -> None:
    """Mark all mutants but one in `every` as skipped."""
    from cosmic_ray.work_db import use_db
    from cosmic_ray.work_item import WorkerOutcome, WorkResult

    with use_db(file) as session:
        for item in list(session.pending_work_items):
            (change,) = item.mutations
            key = f"{change.module_path} {change.operator_name} {change.occurrence}"
            if not is_chosen(key, every):
                session.set_result(item.job_id, WorkResult(worker_outcome=WorkerOutcome.SKIPPED))


def tried(file: str) -> Iterator[tuple[str, bool, str]]:
    """Of every mutant that was tried its module, whether it was killed, and the change."""
    from cosmic_ray.work_db import WorkDB, use_db
    from cosmic_ray.work_item import WorkerOutcome

    with use_db(file, WorkDB.Mode.open) as session:
        for item, result in session.completed_work_items:
            if result.worker_outcome != WorkerOutcome.SKIPPED:
                yield str(item.mutations[0].module_path), result.is_killed, result.diff or ""


def report(found: Iterable[tuple[str, bool, str]]) -> Iterator[str]:
    """Each change that no test noticed, then how many of each module there are, and of all."""
    found = list(found)
    yield from (diff for _, is_killed, diff in found if not is_killed)
    all_of, killed = Counter(m for m, *_ in found), Counter(m for m, k, _ in found if k)
    for module, count in sorted(all_of.items()):
        yield f"{module}: {killed[module]} of {count} killed"
    yield f"{len(found)} mutants, {killed.total()} killed, {len(found) - killed.total()} survive"


def main(command: str, file: str, *arguments: Any) -> None:
    if command == "thin":
        thin(file, int(*arguments))
    else:
        print(*report(tried(file)), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
