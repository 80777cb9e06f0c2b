"""All that is measured, one after the other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from . import plan
from .comparison import Limits, compare
from .memory import SHAPE, needed
from .peers import OURS, PEERS, missing
from .report import Report
from .result import processors
from .start import compile_all, first_step, first_steps, imports

EACH, SILENCE, BEGIN, END = 2.5, 60.0, 120.0, 145.0  # seconds, as `Limits` says
COMPILING, ALL = 60.0, 160.0  # seconds at most for that, and after which nothing goes on
PATIENCE = 20  # so many times that for the full bench


def benched(full: bool, threads: int | None, progress: Callable[[str], None]) -> Report:
    """Times beside the peers, memory, how it starts; ends within 3 minutes unless `full`."""
    found, threads = Report(), threads or processors()
    patience = PATIENCE if full else 1
    each = 2 * EACH if full else EACH
    limits = Limits(each, patience * SILENCE, patience * BEGIN, patience * END)
    cases = plan.full(threads) if full else plan.brief(threads)
    with _or_left_out(found, "compiling", progress):
        compile_all(patience * COMPILING)
    compare(cases, found, limits, progress)

    def left() -> float:
        return limits.left(patience * ALL)

    for name in [name for name in PEERS if name not in missing([*PEERS])] if full else [OURS]:
        with _or_left_out(found, f"memory: {name}", progress):
            found.memory.append(needed(name, SHAPE, threads, seconds=left()))
    with _or_left_out(found, "imports", progress):
        found.imports = imports(seconds=left())
    with _or_left_out(found, "first step", progress):
        found.first_steps["of a process, compiled before"] = first_step(left())
    if full:
        with _or_left_out(found, "compiling all anew", progress):
            compiling, after = first_steps()
            found.first_steps |= {"that compiles": compiling, "of the next process": after}
    found.seconds = perf_counter() - limits.start
    return found


@contextmanager
def _or_left_out(found: Report, what: str, progress: Callable[[str], None]) -> Iterator[None]:
    """What no process answers is left out."""
    progress(what)
    try:
        yield
    except (ChildProcessError, TimeoutError) as error:
        found.left_out.append(f"{what}: {error}")


def measured_accuracy(outputs: int, progress: Callable[[str], None]) -> Report:
    """How often a step is not the exact one, rounded once."""
    from .accuracy import subjects, tallies  # the derivations are read for this alone

    start = perf_counter()
    asked, absent = subjects()
    found, failed = tallies(asked, outputs, progress)
    return Report(accuracy=found, left_out=absent + failed, seconds=perf_counter() - start)
