"""A report as a terminal shows it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from .peers import OURS, OWN, PEERS, STRICT, UNCHANGED
from .report import Report
from .result import FLOOR, Result
from .title import title
from .trial import ANY, TRAINING

if TYPE_CHECKING:  # reading it takes the derivations, and a second
    from .accuracy import Tally

WIDTH = 100
LARGE = 2**24  # entries from which on the reading that is saved is worth a row
HEADERS = {
    "threads": "thr.",
    "ns / entry": "ns /\nentry",
    "transformers": "trans-\nformers",
}
LEGEND = (
    "floor: additions in place over the bytes that the rule moves, line by line. X unchanged: the "
    "same beside ours with RMS(X) carried over, and a floor that reads X once less. strict: ours "
    "with strict=True. That and the columns right of it are the step of each over ours: by 6, ours "
    "takes a sixth. Medians of one run in which all take turns."
)
LIKE = {
    TRAINING: "Weights and gradients as training has them:",
    ANY: "Any patterns of bits and any magnitudes:",
}
OTHERS = [name for name in PEERS if name not in OWN]


def show(report: Report, console: Console) -> None:
    """Print what was measured, and what was not, in lines of at least WIDTH."""
    console.width = max(console.width, WIDTH)
    if report.results:
        console.print(_times(report))
        console.print(LEGEND, highlight=False)
    if report.accuracy:
        for like, words in LIKE.items():
            console.print(words)
            console.print(_accuracy(report.accuracy, like))
    for line in _lines(report):
        console.print(line, highlight=False, soft_wrap=True, markup=False)


def _times(report: Report) -> Table:
    """A row for each case: seconds of floor and ours, then ratios; two where it is large."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 0, 0, 1))
    table.add_column("parameters", no_wrap=True)
    for header in ("threads", "floor", "ours", "ns / entry", "in floors", "strict", *OTHERS):
        table.add_column(HEADERS.get(header, header.replace(" ", "\n", 1)), justify="right")
    unchanged = dict(_cases(report.unchanged))
    for (case, threads), by_name in _cases(report.results):
        table.add_row(case, *_row(by_name, OURS))
        if by_name[OURS].entries >= LARGE and (case, threads) in unchanged:
            table.add_row("  X unchanged", *_row(unchanged[case, threads], UNCHANGED))
    return table


def _cases(results: Iterable[Result]) -> Iterator[tuple[tuple[str, int], dict[str, Result]]]:
    """The results of each case by name; the case is called as in the first column."""
    for (shapes, dtype, threads), group in groupby(
        results, lambda r: (r.shapes, r.dtype, r.threads)
    ):
        suffix = "" if dtype == "float32" else f" {dtype}"
        yield (title(shapes) + suffix, threads), {r.name: r for r in group}


def _row(by_name: Mapping[str, Result], own: str) -> Iterator[str]:
    ours = by_name[own]
    yield str(ours.threads)
    yield duration(by_name[FLOOR].seconds)
    yield duration(ours.seconds)
    yield f"{ours.seconds / ours.entries * 1e9:.3g}"
    yield f"{ours.ratio_to_floor:.2f}"
    for name in (STRICT, *OTHERS):
        yield f"{by_name[name].ratio_to_ours:.3g}" if name in by_name else ""


def _accuracy(tallies: Sequence["Tally"], like: str) -> Table:
    """A row for each format and optimizer."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 0, 0, 2))
    table.add_column("stored in")
    table.add_column("optimizer", no_wrap=True)
    for header in ("outputs", "refused", "not finite", "misrounded", "largest error, ulp"):
        table.add_column(header, justify="right", no_wrap=True)
    names = [*dict.fromkeys(tally.dtype for tally in tallies)]
    for tally in sorted(tallies, key=lambda tally: names.index(tally.dtype)):
        if tally.like == like:
            table.add_row(tally.dtype, tally.name, *_cells(tally))
    return table


def _cells(tally: "Tally") -> Iterator[str]:
    yield f"{tally.outputs:,}"
    yield f"{tally.refused:,}"
    for count in (tally.not_finite, tally.misrounded):
        yield share(count, tally.outputs) if tally.outputs else ""
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
        kept = "" if m.kept is None else f", the process {m.kept:,} more than before"
        yield (
            f"memory      {m.name}: beside X and G of {m.weights:,} bytes each it keeps "
            f"{m.counted:,}{kept}; a step takes {m.raised:,}"
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
