"""The picture of a bench: who is in it, in which panel, and where."""

import sys

import pytest
from typer.testing import CliRunner

from adafactor_numba.bench import plot
from adafactor_numba.bench.peers import OURS, PEERS
from adafactor_numba.bench.result import FLOOR, Result
from adafactor_numba.cli import app

SQUARES, VECTORS = "square matrices, float32, 2 threads", "vectors, float32, 2 threads"
FEW, THREADS = "small parameters, float32, 2 threads", "threads, 4096 x 4096 float32"
NAMES = [FLOOR, *PEERS, "a ninth", "a tenth"]


def results(shape, threads=2, names=NAMES):
    """The k-th of the names takes k + 1 seconds."""
    return [
        Result(name, shape, "float32", threads, k + 1.0, 1.0, 1.0) for k, name in enumerate(names)
    ]


def everything():
    """Sizes, counts and threads; and what is no line over one of them."""
    several = [[[2, 3]] * k for k in (10, 1000)]
    others = [[2, 3], [[2, 2], [300]], [2, 2, 2]]
    shapes = [[8, 8], [4096, 4096], [10], [1000], *several, *others]
    return [r for shape in shapes for r in results(shape)] + results([4096, 4096], threads=1)


def needs_matplotlib():
    pytest.importorskip("matplotlib", reason="needs matplotlib: make test EXTRAS=plot")


def test_there_is_a_panel_for_entries_parameters_and_threads_with_a_line_for_each():
    found = plot.panels(everything())
    assert [panel.title for panel in found] == [SQUARES, VECTORS, FEW, THREADS]
    assert [panel.across for panel in found] == ["entries", "entries", "parameters", "threads"]
    assert all([*lines] == NAMES for lines in found.values())
    ours = [lines[OURS] for lines in found.values()]
    assert [[*line] for line in ours] == [[64, 2**24], [10, 1000], [10, 1000], [2, 1]]
    assert ours[0] == {64: 2e9 / 64, 2**24: 2e9 / 2**24}
    assert ours[2] == {10: 2e8, 1000: 2e6}
    assert ours[3] == {2: 2e9 / 2**24, 1: 2e9 / 2**24}


def test_one_size_makes_no_panel():
    assert not plot.panels([*results([8, 8]), *results([10]), *results([8, 8], threads=1)])


def test_the_figure_draws_the_lines_of_every_panel_and_names_all():
    needs_matplotlib()
    measured = everything() + results([100], names=[FLOOR, OURS, "late"])
    figure = plot.drawing(measured)
    axes = figure.get_axes()
    for ax, (panel, lines) in zip(axes, plot.panels(measured).items(), strict=True):
        assert ax.get_title() == panel.title
        assert ax.get_ylabel() == f"nanoseconds per {panel.each}"
        drawn = {line.get_label(): line for line in ax.get_lines()}
        assert [*drawn] == [*lines]
        for name, line in lines.items():
            assert drawn[name].get_xydata().tolist() == [[*point] for point in sorted(line.items())]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [*NAMES, "late"]
    styles = [(line.get_marker(), line.get_color()) for line in axes[1].get_lines()]
    assert len({*styles}) == len(NAMES) + 1


def test_the_file_has_every_name_and_title(tmp_path):
    needs_matplotlib()
    plot.plot(everything(), tmp_path / "x.svg")
    text = (tmp_path / "x.svg").read_text()
    for words in (*NAMES, SQUARES, VECTORS, FEW, THREADS, "parameters", "threads"):
        assert text.count(f"<!-- {words} -->") == 1
    assert text.count("<!-- entries -->") == 2


def test_a_single_size_and_an_unknown_kind_of_file_are_refused(tmp_path):
    needs_matplotlib()
    with pytest.raises(plot.NoPlotError, match="no two sizes"):
        plot.plot(results([8, 8]), tmp_path / "y.svg")
    with pytest.raises(plot.NoPlotError, match="cannot be written"):
        plot.plot(everything(), tmp_path / "y.nosuchformat")


def test_a_picture_needs_matplotlib_and_the_command_says_so(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    run = CliRunner().invoke(app, ["bench", "--plot", str(tmp_path / "x.png")])
    assert run.exit_code == 2
    assert "pip install 'adafactor-numba[plot]'" in run.output
