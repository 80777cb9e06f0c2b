"""All that is measured, one after the other."""

from collections.abc import Callable
from time import perf_counter

from . import plan
from .comparison import compare
from .memory import SHAPE, needed
from .peers import OURS, PEERS, missing
from .report import Report
from .result import processors
from .start import first_step, first_steps, imports

ENDS = {False: 100.0, True: 3600.0}  # seconds after which no case is begun
EACH = {False: 3.0, True: 6.0}  # seconds for each case


def benched(full: bool, threads: int | None, progress: Callable[[str], None]) -> Report:
    """Times beside the peers, memory, how it starts; ends within 3 minutes unless `full`."""
    start, found = perf_counter(), Report()
    threads = threads or processors()
    progress("how it starts")
    found.imports = imports()
    found.first_steps["of a process, compiled before"] = first_step()
    cases = plan.full(threads) if full else plan.brief(threads)
    compare(cases, found, EACH[full], ENDS[full] - (perf_counter() - start), progress)
    names = [name for name in PEERS if name not in missing([*PEERS])] if full else [OURS]
    _remember(found, names, threads, progress)
    if full:
        progress("compiling all anew")
        compiling, after = first_steps()
        found.first_steps |= {"that compiles": compiling, "of the next process": after}
    found.seconds = perf_counter() - start
    return found


def _remember(
    found: Report, names: list[str], threads: int, progress: Callable[[str], None]
) -> None:
    """Add what memory each of these needs."""
    for name in names:
        progress(f"memory: {name}")
        try:
            found.memory.append(needed(name, SHAPE, threads))
        except ChildProcessError as error:
            found.left_out.append(f"memory, {name}: {error}")


def measured_accuracy(outputs: int, progress: Callable[[str], None]) -> Report:
    """How often a step is not the exact one, rounded once."""
    from .accuracy import subjects, tallies  # the derivations are read for this alone

    start = perf_counter()
    asked, absent = subjects()
    found, failed = tallies(asked, outputs, progress)
    return Report(accuracy=found, left_out=absent + failed, seconds=perf_counter() - start)
