"""A report as a terminal shows it."""

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from .peers import OURS, PEERS, UNCHANGED
from .report import Report
from .result import FLOOR, Result

if TYPE_CHECKING:  # reading it takes the derivations, and a second
    from .accuracy import Tally

WIDTH = 100
HEADERS = {
    "threads": "thr.",
    "ns / entry": "ns /\nentry",
    "unchanged": "un-\nchanged",
    "transformers": "trans-\nformers",
}
LEGEND = (
    "floor: an addition in place over the bytes that the rule moves, line by line. unchanged: with "
    "RMS(X) carried over, over its own floor. The others: their step over ours. Medians of one run "
    "in which all take turns."
)
OTHERS = [name for name in PEERS if name not in (OURS, UNCHANGED)]


def show(report: Report, console: Console) -> None:
    """Print what was measured, and what was not, in lines of at least WIDTH."""
    console.width = max(console.width, WIDTH)
    if report.results:
        console.print(_times(report.results))
        console.print(LEGEND, highlight=False)
    if report.accuracy:
        console.print(_accuracy(report.accuracy))
    for line in _lines(report):
        console.print(line, highlight=False, soft_wrap=True, markup=False)


def _times(results: Iterable[Result]) -> Table:
    """A row for each case: seconds of floor and ours, then ratios."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 0, 0, 1))
    table.add_column("parameters", no_wrap=True)
    for header in ("threads", "floor", "ours", "ns / entry", "in floors", "unchanged", *OTHERS):
        table.add_column(HEADERS.get(header, header.replace(" ", "\n", 1)), justify="right")
    for (case, dtype, threads), group in groupby(results, lambda r: (r.case, r.dtype, r.threads)):
        by_name = {r.name: r for r in group}
        ours = by_name[OURS]
        table.add_row(
            case if dtype == "float32" else f"{case} {dtype}",
            str(threads),
            duration(by_name[FLOOR].seconds),
            duration(ours.seconds),
            f"{ours.seconds / ours.entries * 1e9:.3g}",
            f"{ours.ratio_to_floor:.2f}",
            _ratio(by_name.get(UNCHANGED), "ratio_to_floor"),
            *(_ratio(by_name.get(name), "ratio_to_ours") for name in OTHERS),
        )
    return table


def _ratio(result: Result | None, name: str) -> str:
    return "" if result is None else f"{getattr(result, name):.3g}"


def _accuracy(tallies: Iterable["Tally"]) -> Table:
    """A row for each format and optimizer: on numbers like those of training, and on any."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 0, 0, 1))
    table.add_column("stored in")
    table.add_column("optimizer", no_wrap=True)
    for like in ("training", "any"):
        table.add_column(f"{like}:\noutputs", justify="right", no_wrap=True)
        for header in ("not\nfinite", "mis-\nrounded", "largest\nerror, ulp"):
            table.add_column(header, justify="right", no_wrap=True)
    names = [*dict.fromkeys(tally.dtype for tally in tallies)]
    ordered = sorted(tallies, key=lambda tally: names.index(tally.dtype))
    for (dtype, name), group in groupby(ordered, lambda tally: (tally.dtype, tally.name)):
        table.add_row(dtype, name, *(cell for tally in group for cell in _cells(tally)))
    return table


def _cells(tally: "Tally") -> Iterable[str]:
    yield f"{tally.outputs:,}"
    yield share(tally.not_finite, tally.outputs)
    yield share(tally.misrounded, tally.outputs)
    yield f"{tally.largest_error:.3g}" if tally.not_finite < tally.outputs else ""


def share(count: int, of: int) -> str:
    """A count as a percentage; 0 is none at all."""
    return "0" if count == 0 else f"{100 * count / of:.3g} %"


def duration(seconds: float) -> str:
    """Seconds in the unit that suits them."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def _lines(report: Report) -> Iterable[str]:
    """Memory, start, what was left out, how long it took."""
    for m in report.memory:
        yield (
            f"memory      {m.name}: beside X and G of {m.weights:,} bytes each keeps {m.kept:,}, "
            f"a step takes {m.raised:,} more"
        )
    if report.imports:
        i = report.imports
        yield (
            f"start       import numba {duration(i.numba)}, import adafactor_numba "
            f"{duration(i.ours)}: {i.ratio:.2f} times"
        )
    for what, seconds in report.first_steps.items():
        yield f"start       first step {what}: {duration(seconds)}"
    for why in report.left_out:
        yield f"left out    {why}"
    yield f"ended       after {report.seconds:.0f} s"
