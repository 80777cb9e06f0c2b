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

BRIEF, FULL = 130.0, 3600.0  # seconds after which no case is begun
EACH = {False: 4.0, True: 6.0}  # seconds for each case


def benched(full: bool, threads: int | None, progress: Callable[[str], None]) -> Report:
    """Times beside the peers, memory, how it starts; begun within two minutes unless `full`."""
    found = Report()
    threads = threads or processors()
    progress("how it starts")
    found.imports = imports()
    start = perf_counter()
    found.first_steps["of a process, compiled before"] = first_step()
    cases = plan.full(threads) if full else plan.brief(threads)
    compare(
        cases,
        found,
        EACH[full],
        (FULL if full else BRIEF) - (perf_counter() - start),
        progress,
    )
    for name in [n for n in PEERS if n not in missing([*PEERS])] if full else [OURS]:
        progress(f"memory: {name}")
        try:
            found.memory.append(needed(name, SHAPE, threads))
        except ChildProcessError as error:
            found.left_out.append(f"memory, {name}: {error}")
    if full:
        progress("compiling all anew")
        compiling, after = first_steps()
        found.first_steps["that compiles"] = compiling
        found.first_steps["of the next process"] = after
    return found


def measured_accuracy(outputs: int, progress: Callable[[str], None]) -> Report:
    """How often a step is not the exact one, rounded once."""
    from .accuracy import subjects, tallies

    asked, absent = subjects()
    found, failed = tallies(asked, outputs, progress)
    return Report(accuracy=found, left_out=absent + failed)
