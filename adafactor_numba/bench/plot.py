"""Time per entry over the number of entries, every optimizer and the floor."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .result import FLOOR, Result

MARKS = "os^vDPX*"


class NoPlotError(RuntimeError):
    """There is nothing to draw with, or nothing to draw."""


def library() -> Any:
    """matplotlib's figures, which need no screen."""
    try:
        from matplotlib import figure
    except ImportError as error:
        raise NoPlotError(f"--plot: {error}; pip install 'adafactor-numba[plot]'") from None
    return figure


def plot(results: Iterable[Result], file: Path) -> None:
    """Write a picture to the file, whose name says in which format."""
    panels: dict[tuple[str, str, int], list[Result]] = {}
    for result in results:
        if (kind := _kind(result)) is not None:
            panels.setdefault((kind, result.dtype, result.threads), []).append(result)
    panels = {key: found for key, found in panels.items() if len({r.entries for r in found}) > 1}
    if not panels:
        raise NoPlotError("--plot: no two sizes were measured")
    rows, columns = -(-len(panels) // 2), min(2, len(panels))
    figure = library().Figure(figsize=(7 * columns, 5 * rows + 0.7), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flat
    for ax, ((kind, dtype, threads), found) in zip(axes, panels.items(), strict=False):
        _draw(ax, found)
        ax.set_title(f"{kind}, {dtype}, {threads} thread{'s' * (threads > 1)}")
    for ax in [*axes][len(panels) :]:
        ax.set_axis_off()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    try:
        figure.savefig(file, dpi=120)
    except (OSError, ValueError) as error:
        raise NoPlotError(f"{file}: cannot be written: {error}") from None


def _kind(result: Result) -> str | None:
    """Square matrices, vectors; others are no line over one size."""
    if len(result.shapes) > 1:
        return None
    (shape,) = result.shapes
    if len(shape) == 1:
        return "vectors"
    return "square matrices" if len(shape) == 2 and shape[0] == shape[1] else None


def _draw(ax: Any, results: list[Result]) -> None:
    """A line for each name; what lies under the floor is grey."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for r in results:
        lines.setdefault(r.name, []).append((r.entries, r.seconds / r.entries * 1e9))
    floor = [*zip(*sorted(lines.pop(FLOOR)), strict=True)]
    ax.plot(*floor, "k--", label=FLOOR)
    for mark, (name, points) in zip(MARKS, lines.items(), strict=False):
        ax.plot(*zip(*sorted(points), strict=True), marker=mark, label=name)
    ax.fill_between(*floor, [ax.get_ylim()[0]] * len(floor[0]), color="0.9")
    ax.set(xscale="log", yscale="log", xlabel="entries", ylabel="nanoseconds per entry")
    ax.grid(True, which="both", alpha=0.2)
