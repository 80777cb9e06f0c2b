"""How time grows: over entries, parameters and threads, every optimizer and the floor."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

from .peers import OURS
from .result import FLOOR, Result

MARKS = "os^vDPX*"
LARGE = 2**24  # entries from which on time is drawn over threads
ORDER = ("square matrices", "vectors", "small parameters", "threads")

Line = dict[float, float]


class NoPlotError(RuntimeError):
    """There is nothing to draw with, or nothing to draw."""


class Panel(NamedTuple):
    """What is drawn, over what, and of what one takes the time."""

    title: str
    across: str
    each: str


def library() -> Any:
    """matplotlib's figures, which need no screen."""
    try:
        from matplotlib import figure
    except ImportError as error:
        raise NoPlotError(f"--plot: {error}; pip install 'adafactor-numba[plot]'") from None
    return figure


def plot(results: Iterable[Result], file: Path) -> None:
    """Write a picture to the file, whose name says in which format."""
    try:
        drawing(results).savefig(file, dpi=120)
    except (OSError, ValueError) as error:
        raise NoPlotError(f"{file}: cannot be written: {error}") from None


def drawing(results: Iterable[Result]) -> Any:
    """A figure with a panel for all that was measured of two sizes or more."""
    found = panels(results)
    if not found:
        raise NoPlotError("--plot: no two sizes were measured")
    names = [*dict.fromkeys(name for lines in found.values() for name in lines if name != FLOOR)]
    styles: dict[str, dict[str, Any]] = {
        name: {"marker": mark, "color": f"C{k % 10}", "linewidth": 3 if name == OURS else 1.5}
        for k, (name, mark) in enumerate(zip(names, cycle(MARKS), strict=False))
    }
    rows, columns = -(-len(found) // 2), min(2, len(found))
    figure = library().Figure(figsize=(6.5 * columns, 4.5 * rows + 0.9), layout="constrained")
    axes = [*figure.subplots(rows, columns, squeeze=False).flat]
    for ax, (panel, lines) in zip(axes, found.items(), strict=False):
        _draw(ax, panel, lines, styles)
    for ax in axes[len(found) :]:
        ax.set_axis_off()
    handles = {h.get_label(): h for ax in axes for h in ax.get_legend_handles_labels()[0]}
    figure.legend(handles=[*handles.values()], loc="outside lower center", ncols=3, frameon=False)
    return figure


def panels(results: Iterable[Result]) -> dict[Panel, dict[str, Line]]:
    """The lines of each panel by name; nanoseconds over sizes, of which there are two or more."""
    found: dict[Panel, dict[str, Line]] = {}
    for r in results:
        for panel, x, each in _places(r):
            found.setdefault(panel, {}).setdefault(r.name, {})[x] = r.seconds / each * 1e9
    drawn = {panel: lines for panel, lines in found.items() if len(lines[FLOOR]) > 1}
    return dict(sorted(drawn.items(), key=lambda item: ORDER.index(item[0].title.split(",")[0])))


def _places(result: Result) -> Iterator[tuple[Panel, int, int]]:
    """The panels that a result is drawn in, where, and by what its time is divided."""
    shapes, entries, many = result.shapes, result.entries, len(result.shapes)
    of = f"{result.dtype}, {result.threads} thread{'s' * (result.threads > 1)}"
    if many > 1:
        if entries <= 16 * many:
            yield Panel(f"small parameters, {of}", "parameters", "parameter"), many, many
        return
    (shape,) = shapes
    if len(shape) == 1:
        yield Panel(f"vectors, {of}", "entries", "entry"), entries, entries
    elif len(shape) == 2 and shape[0] == shape[1]:
        yield Panel(f"square matrices, {of}", "entries", "entry"), entries, entries
        if entries >= LARGE:
            panel = Panel(f"threads, {result.title} {result.dtype}", "threads", "entry")
            yield panel, result.threads, entries


def _draw(
    ax: Any, panel: Panel, lines: Mapping[str, Line], styles: Mapping[str, Mapping[str, Any]]
) -> None:
    """A line for each name; what lies under the floor is grey."""
    from matplotlib.ticker import LogLocator

    for name, line in lines.items():
        points = [*zip(*sorted(line.items()), strict=True)]
        if name == FLOOR:
            ax.plot(*points, "k--", label=FLOOR)
        else:
            ax.plot(*points, label=name, **styles[name])
    sizes, floor = zip(*sorted(lines[FLOOR].items()), strict=True)
    ax.set(xscale="log", yscale="log", xlabel=panel.across, title=panel.title)
    ax.set_ylabel(f"nanoseconds per {panel.each}")
    if panel.across == "threads":
        ax.set_xticks(sizes, sizes)
        ax.minorticks_off()
    lowest, highest = ax.get_ylim()
    ax.fill_between(sizes, lowest, floor, color="0.92", zorder=0)
    ax.set_ylim(lowest, highest)
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.grid(True, which="both", alpha=0.2)
