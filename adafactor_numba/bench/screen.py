"""A report as a terminal shows it."""

from collections.abc import Iterable
from itertools import groupby

from rich.console import Console
from rich.table import Table

from .peers import OURS, PEERS, UNCHANGED
from .report import Report
from .result import FLOOR, Result

OTHERS = [name for name in PEERS if name not in (OURS, UNCHANGED)]


def show(report: Report, console: Console) -> None:
    """Print what was measured, and what was not."""
    if report.results:
        console.print(_times(report.results))
        console.print(
            "[dim]floor: an addition in place, over as many bytes as a step must move; / floor: "
            f"our step over it; X unchanged: RMS(X) carried over. {', '.join(OTHERS)}: their step "
            "over ours. Medians of one alternating run.[/]",
            highlight=False,
        )
    if report.accuracy:
        console.print(_accuracy(report))
    for line in _lines(report):
        console.print(line, highlight=False, soft_wrap=True, markup=False)


def _times(results: Iterable[Result]) -> Table:
    """A row for each case: seconds of floor and ours, then ratios."""
    found = [*results]
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("parameters")
    headers = ("threads", "floor", "ours", "ns / entry", "/ floor", "X un- changed", *OTHERS)
    for header in headers:
        table.add_column(header, justify="right", max_width=12)
    for (case, dtype, threads), group in groupby(found, lambda r: (r.case, r.dtype, r.threads)):
        by_name = {r.name: r for r in group}
        ours = by_name[OURS]
        table.add_row(
            case if dtype == "float32" else f"{case}, {dtype}",
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


def _accuracy(report: Report) -> Table:
    """A row for each optimizer and format."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("optimizer")
    table.add_column("stored in")
    for like in ("like training", "any numbers"):
        for header in (f"{like}: outputs", "not finite", "misrounded", "largest error"):
            table.add_column(header, justify="right", max_width=14)
    for (dtype, name), group in groupby(
        sorted(
            report.accuracy, key=lambda t: [*{t.dtype: 0 for t in report.accuracy}].index(t.dtype)
        ),
        lambda t: (t.dtype, t.name),
    ):
        cells = (
            (
                f"{t.outputs:,}",
                share(t.not_finite, t.outputs),
                share(t.misrounded, t.outputs),
                f"{t.largest_error:.3g} ulp",
            )
            for t in group
        )
        table.add_row(name, dtype, *(cell for four in cells for cell in four))
    return table


def share(count: int, of: int) -> str:
    """A count as a percentage; 0 is none at all."""
    return "0" if count == 0 else f"{100 * count / of:.2g} %"


def duration(seconds: float) -> str:
    """Seconds in the unit that suits them."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def _lines(report: Report) -> Iterable[str]:
    """Memory, start, and what was left out."""
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
