"""The bench: what it compares with, that turns are fair, and that what is wrong is seen."""

import json
import math
import sys
from dataclasses import asdict
from statistics import median

import numpy as np
import pytest
from typer.testing import CliRunner

from adafactor_numba.bench import comparison, floor, measurement, memory, peers, plan, plot, worker
from adafactor_numba.bench.case import Case
from adafactor_numba.bench.child import lines
from adafactor_numba.bench.comparison import compare
from adafactor_numba.bench.peers import OURS, UNCHANGED, Peer, Step
from adafactor_numba.bench.report import Report
from adafactor_numba.bench.result import FLOOR, Result
from adafactor_numba.bench.screen import duration, share
from adafactor_numba.bench.start import Imports
from adafactor_numba.bench.transformer import BASE
from adafactor_numba.bench.turns import ROUNDS, measured, ratio
from adafactor_numba.cli import app

TINY = Case("8 x 8", ((8, 8),), 1)
FIELDS = [
    *("name", "case", "shape", "dtype", "threads"),
    *("seconds", "ratio_to_floor", "ratio_to_ours"),
]


def quiet(_):
    """No progress."""


def nothing(X, G, threads):
    """A peer whose step does nothing."""
    return Step(lambda: None, lambda: 0)


def failing(X, G, threads):
    raise RuntimeError("of no use here")


def result(name, side, seconds, threads=1):
    return Result(name, f"{side} x {side}", [side, side], "float32", threads, seconds, 1.0, 1.0)


def test_the_transformer_has_the_paper_s_numbers_of_parameters():
    matrices = [shape for shape in BASE if len(shape) == 2]
    vectors = [shape for shape in BASE if len(shape) == 1]
    assert len(matrices) == 97
    assert sum(map(sum, matrices)) == 172_680
    assert sum(map(sum, vectors)) == 63_488
    assert Case("", BASE, 1).size == 63_047_680


@pytest.mark.parametrize(
    ("shape", "dtype", "carried", "expected"),
    [
        ((5, 2), "float32", False, 240),
        ((5, 2), "float32", True, 200),
        ((5, 2), "float64", False, 480),
        ((10,), "float32", False, 440),
        ((), "float32", True, 40),
    ],
)
def test_the_bytes_of_the_rule_are_those_of_its_lines(shape, dtype, carried, expected):
    assert Case("", (shape,), 1, dtype).bytes_of_the_rule(carried) == expected


def test_the_floor_of_a_matrix_is_three_additions_or_two_and_a_half():
    assert floor.floors(TINY) == 3
    assert floor.floors(TINY, carried=True) == 2.5


@pytest.mark.parametrize("threads", [1, 2])
def test_every_way_to_add_adds_to_every_entry(threads):
    X = np.arange(1001, dtype=np.float32)
    floor.add(X, np.float32(2))
    floor.add_shares(X, np.float32(3), threads)
    assert (X == np.arange(1001) + 5).all()
    assert len(floor.additions(Case("", ((8, 8),), threads))) == threads


def test_the_steps_take_turns_and_each_is_called_once_untimed_in_a_turn():
    calls = []
    steps = {name: (lambda name=name: calls.append(name)) for name in ("a", "b", "c")}
    times = measured(steps, 0.0)
    assert [len(found) for found in times.values()] == [ROUNDS] * 3
    turns = [name for k, name in enumerate(calls) if k == 0 or calls[k - 1] != name]
    assert turns[3:9] == ["a", "b", "c", "b", "c", "a"]
    assert all(t > 0 for found in times.values() for t in found)


def test_a_ratio_is_the_median_of_ratios_and_not_a_ratio_of_medians():
    above, below = [2.0, 30.0, 8.0], [1.0, 10.0, 8.0]
    assert ratio(above, below) == 2.0 != median(above) / median(below)


def test_results_are_those_of_floor_and_steps_and_compared_with_ours():
    found = {r.name: r for r in worker.results(TINY, {OURS: lambda: None, "b": quiet_sum}, 0.0)}
    assert [*found] == [FLOOR, OURS, "b"]
    assert found[FLOOR].seconds > 0
    assert found[FLOOR].ratio_to_floor == found[OURS].ratio_to_ours == 1.0
    assert found["b"].ratio_to_ours > 1


def quiet_sum():
    sum(range(100_000))


def test_a_peer_that_raises_is_left_out_and_ends_no_other(monkeypatch):
    monkeypatch.setitem(peers.PEERS, "bad", Peer("numba", failing))
    monkeypatch.setitem(peers.PEERS, "few", Peer("numba", nothing, most=0))
    first, second = worker.answered(TINY, [OURS, "bad", "few"], 0.0, math.inf)
    assert [r["name"] for r in first["results"]] == [FLOOR, OURS]
    assert second["left_out"] == "bad: 8 x 8, float32: RuntimeError: of no use here"


def test_ours_that_raises_is_no_peer_left_out(monkeypatch):
    monkeypatch.setitem(peers.PEERS, OURS, Peer("numba", failing))
    with pytest.raises(RuntimeError, match="of no use"):
        [*worker.answered(TINY, [OURS], 0.0, math.inf)]


def test_no_case_is_begun_after_the_end_or_without_the_memory(monkeypatch):
    (late,) = worker.answered(TINY, [OURS], 0.0, 0.0)
    assert late["left_out"].endswith("no time was left")
    monkeypatch.setattr(worker, "memory", lambda: 0.0)
    (large,) = worker.answered(TINY, [OURS], 0.0, math.inf)
    assert large["left_out"].startswith("8 x 8: takes")


def test_a_missing_peer_is_no_failure_and_is_named(monkeypatch):
    absent = {"theirs": Peer("no_such_module", nothing)}
    ours = {name: peers.PEERS[name] for name in (OURS, UNCHANGED)}
    for module in (peers, comparison):
        monkeypatch.setattr(module, "PEERS", ours | absent)
    report = Report()
    compare([TINY, Case("2 of 4", ((4,), (2, 2)), 1)], report, 0.0, 60.0, quiet)
    assert report.left_out == ["theirs: no_such_module is not installed"]
    assert [r.name for r in report.results] == [FLOOR, OURS, UNCHANGED] * 2
    document = json.loads(report.json())
    assert {"machine", "floor_seconds", "results"} <= {*document}
    assert document["floor_seconds"] == report.results[0].seconds > 0
    assert [[*r] for r in document["results"]] == [FIELDS] * 6
    assert [r["shape"] for r in document["results"][::3]] == [[8, 8], [[4], [2, 2]]]
    assert [r.entries for r in report.results[::3]] == [64, 8]


def test_a_process_that_fails_is_told_and_the_rest_goes_on(monkeypatch):
    monkeypatch.setattr(comparison, "missing", lambda names: [])
    monkeypatch.setattr(comparison, "PEERS", {"unknown there": Peer("numba", nothing)})
    report = Report()
    compare([TINY, Case("8 x 8", ((8, 8),), 2)], report, 0.0, 60.0, quiet)
    assert [why.split(":")[0] for why in report.left_out] == ["on 1", "on 2"]
    assert all("KeyError" in why for why in report.left_out)


def test_a_process_says_its_lines_and_its_last_complaint():
    assert [*lines(["-c", "print(input()); print(2)"], "1\n")] == ["1\n", "2\n"]
    with pytest.raises(ChildProcessError, match="ended with 1: ValueError: why"):
        [*lines(["-c", "raise ValueError('why')"])]


def test_a_process_is_left_as_many_processors_as_there_are_threads():
    source = """
from adafactor_numba.bench import result, worker
worker.confine(1)
print(result.processors())
"""
    (line,) = lines(["-c", source])
    assert int(line) == 1 or not hasattr(__import__("os"), "sched_setaffinity")


def test_the_brief_plan_has_each_number_of_threads_in_one_process_and_the_full_all_of_it():
    for threads in (1, 2, 6):
        for cases in (plan.brief(threads), plan.full(threads)):
            order = [case.threads for case in cases]
            assert order == sorted(order, key=order.index)
            assert len({*cases}) == len(cases)
        assert {*plan.brief(threads)} <= {*plan.full(threads)}
    assert plan.fewer(6) == [1, 2, 4]
    assert {case.dtype for case in plan.full(2)} == {"float32", "float64"}
    assert sum(math.prod(shape) <= 16 for shape in plan.small(1000)) == 1000


def test_what_a_step_allocates_raises_the_peak_once_it_is_full():
    source = """
import numpy as np
from adafactor_numba.bench.memory import MIB, full, peak
spent = np.ones(8 * MIB)
del spent
held, before = full(), peak()
small = np.ones(1000)
print(peak() - before)
large = np.ones(2 * MIB)
print(peak() - before)
"""
    little, much = map(int, lines(["-c", source]))
    assert little < memory.MIB < 15 * memory.MIB < much


@pytest.mark.parametrize(("shape", "strips"), [((2048, 1024), 16), ((16, 131_072), 2)])
def test_a_step_of_ours_keeps_numbers_for_rows_and_columns_and_no_copy_of_the_matrix(shape, strips):
    (n, m), found = shape, memory.needed(OURS, shape)
    assert found.weights == 4 * n * m
    assert found.kept == 16 * (n + m) + strips * (16 * m + 24)
    assert 0 <= found.raised < found.weights // 4


@pytest.fixture
def small(monkeypatch):
    """A bench of two small cases and nothing else."""
    cases = [TINY, Case("16 x 16", ((16, 16),), 1)]
    ours = {name: peers.PEERS[name] for name in (OURS, UNCHANGED)}
    for module in (peers, comparison, measurement):
        monkeypatch.setattr(module, "PEERS", ours)
    monkeypatch.setattr(plan, "brief", lambda threads: cases)
    monkeypatch.setattr(plan, "full", lambda threads: cases)
    monkeypatch.setattr(measurement, "EACH", {False: 0.0, True: 0.0})
    monkeypatch.setattr(measurement, "SHAPE", (64, 64))
    monkeypatch.setattr(measurement, "imports", lambda: Imports(1.0, 1.1, 1.1))
    monkeypatch.setattr(measurement, "first_step", lambda: 0.5)
    monkeypatch.setattr(measurement, "first_steps", lambda: (20.0, 0.5))


@pytest.mark.parametrize("options", [[], ["--full"]])
def test_the_command_prints_the_cases_and_writes_the_figures(options, small, tmp_path):
    file = tmp_path / "bench.json"
    run = CliRunner().invoke(app, ["bench", "--json", str(file), *options])
    assert run.exit_code == 0, run.output
    for words in ("8 x 8", "16 x 16", "import adafactor_numba", "keeps 3,096", "ended"):
        assert words in run.output
    assert ("that compiles" in run.output) == bool(options)
    assert len(json.loads(file.read_text())["results"]) == 6


def test_a_picture_needs_matplotlib_and_the_command_says_so(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    run = CliRunner().invoke(app, ["bench", "--plot", str(tmp_path / "x.png")])
    assert run.exit_code == 2
    assert "pip install 'adafactor-numba[plot]'" in run.output


def test_accuracy_has_no_picture(tmp_path):
    run = CliRunner().invoke(app, ["bench", "--accuracy", "--plot", str(tmp_path / "x.png")])
    assert run.exit_code == 2
    assert "--accuracy measures none" in run.output


def test_a_picture_is_drawn_of_two_sizes_and_refused_of_one(tmp_path):
    pytest.importorskip("matplotlib", reason="needs matplotlib: make test EXTRAS=plot")
    found = [result(name, side, side * 1e-6) for name in (FLOOR, OURS) for side in (8, 16)]
    plot.plot([*found, *(result(r.name, 32, 1.0, threads=2) for r in found)], tmp_path / "x.svg")
    text = (tmp_path / "x.svg").read_text()
    assert text.count("<!-- 1 thread") == 0 < len(text)
    with pytest.raises(plot.NoPlotError, match="no two sizes"):
        plot.plot(found[::2], tmp_path / "y.svg")
    with pytest.raises(plot.NoPlotError, match="cannot be written"):
        plot.plot(found, tmp_path / "y.nosuchformat")


def test_lists_of_parameters_and_oblong_matrices_are_no_line_of_a_picture():
    oblong = Result(OURS, "", [2, 3], "float32", 1, 1.0, 1.0, 1.0)
    several = Result(OURS, "", [[2, 2], [3]], "float32", 1, 1.0, 1.0, 1.0)
    assert [plot._kind(r) for r in (oblong, several)] == [None, None]
    assert plot._kind(result(OURS, 8, 1.0)) == "square matrices"
    assert [*asdict(oblong)] == FIELDS


def test_figures_are_printed_in_units_that_suit_them():
    assert [duration(t) for t in (2.0, 0.0125, 3e-6, 5e-8)] == ["2 s", "12.5 ms", "3 us", "50 ns"]
    assert [share(0, 7), share(1, 10**7), share(1, 3)] == ["0", "1e-05 %", "33.3 %"]
