"""The bench: what it compares with, that turns are fair, and that what is wrong is seen."""

import json
import math
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from adafactor_numba.bench import comparison, floor, measurement, peers, plan, worker
from adafactor_numba.bench.case import Case
from adafactor_numba.bench.child import lines
from adafactor_numba.bench.comparison import Limits, compare
from adafactor_numba.bench.memory import Memory
from adafactor_numba.bench.peers import OURS, OWN, PEERS, STRICT, UNCHANGED, Peer, Step
from adafactor_numba.bench.report import Report
from adafactor_numba.bench.result import FLOOR, Result
from adafactor_numba.bench.screen import duration, share, show
from adafactor_numba.bench.start import Imports
from adafactor_numba.bench.title import title
from adafactor_numba.bench.transformer import BASE
from adafactor_numba.bench.turns import ROUNDS, measured, ratio
from adafactor_numba.cli import app

TINY = Case(((8, 8),), 1)
NAMED = "8 x 8, float32, on 1"
FIELDS = [
    *("name", "shape", "dtype", "threads"),
    *("seconds", "ratio_to_floor", "ratio_to_ours"),
]
at_once = partial(Limits, each=0.0, silence=300.0, begin=600.0, end=900.0)


def quiet(_):
    """No progress."""


def nothing(X, G, threads):
    """A peer whose step does nothing."""
    return Step(lambda: None, lambda: 0)


def failing(X, G, threads):
    raise RuntimeError("of no use here")


def test_the_transformer_has_the_paper_s_numbers_of_parameters():
    matrices = [shape for shape in BASE if len(shape) == 2]
    vectors = [shape for shape in BASE if len(shape) == 1]
    assert len(matrices) == 97
    assert sum(map(sum, matrices)) == 172_680
    assert sum(map(sum, vectors)) == 63_488
    assert Case(BASE, 1).size == 63_047_680


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
    assert Case((shape,), 1, dtype).bytes_of_the_rule(carried) == expected


def test_the_floor_of_a_matrix_is_three_additions_or_two_and_a_half():
    assert floor.floors(TINY) == 3
    assert floor.floors(TINY, carried=True) == 2.5


@pytest.mark.parametrize("threads", [1, 2])
def test_every_way_to_add_adds_to_every_entry(threads):
    X = np.arange(1001, dtype=np.float32)
    floor.add(X, np.float32(2))
    floor.add_shares(X, np.float32(3), threads)
    assert (X == np.arange(1001) + 5).all()
    assert len(floor.additions(Case(((8, 8),), threads))) == threads


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
    steps = {OURS: lambda: None, UNCHANGED: lambda: None, STRICT: quiet_sum, "b": quiet_sum}
    found = worker.results(TINY, steps, 0.0)
    plain, unchanged = ({r.name: r for r in found[kind]} for kind in ("results", "unchanged"))
    assert [*plain] == [FLOOR, OURS, UNCHANGED, STRICT, "b"]
    assert [*unchanged] == [FLOOR, UNCHANGED, "b"]
    assert plain[FLOOR].seconds > 0
    assert plain[FLOOR].ratio_to_floor == plain[OURS].ratio_to_ours == 1.0
    assert unchanged[FLOOR].ratio_to_floor == unchanged[UNCHANGED].ratio_to_ours == 1.0
    assert unchanged[FLOOR].seconds == pytest.approx(plain[FLOOR].seconds * 2.5 / 3, rel=2.0**-51)
    assert min(plain["b"].ratio_to_ours, unchanged["b"].ratio_to_ours) > 1
    assert plain["b"].seconds == unchanged["b"].seconds
    assert not worker.results(TINY, {OURS: quiet_sum}, 0.0)["unchanged"]


def quiet_sum():
    sum(range(100_000))


def answers(case, names):
    """What the worker says of a case, each kind together."""
    said = [*worker.answered(case, names, 0.0, math.inf)]
    assert [answer for answer in said if "ended" in answer] == said[-1:]
    kinds = ("asked", "left_out", "results")
    return [[answer[kind] for answer in said if kind in answer] for kind in kinds]


def test_a_peer_that_raises_is_left_out_and_ends_no_other(monkeypatch):
    monkeypatch.setitem(peers.PEERS, "bad", Peer("numba", failing))
    monkeypatch.setitem(peers.PEERS, "few", Peer("numba", nothing, most=0))
    asked, left_out, (found,) = answers(TINY, [OURS, "bad", "few"])
    assert asked == [OURS, "bad", ""]
    assert [r["name"] for r in found] == [FLOOR, OURS]
    assert left_out == [
        f"bad: {NAMED}: RuntimeError: of no use here",
        f"few: {NAMED}: is not asked for more than 0 parameters",
    ]


def test_where_only_ours_is_asked_that_is_said(monkeypatch):
    monkeypatch.setitem(peers.PEERS, "theirs", Peer("numba", nothing))
    asked, left_out, _ = answers(Case(((8, 8),), 1, alone=True), ["theirs", OURS, STRICT])
    assert asked == [OURS, STRICT, ""]
    assert left_out == [f"{NAMED}: all but ours"]


def test_ours_that_raises_is_no_peer_left_out(monkeypatch):
    monkeypatch.setitem(peers.PEERS, OURS, Peer("numba", failing))
    with pytest.raises(RuntimeError, match="of no use"):
        [*worker.answered(TINY, [OURS], 0.0, math.inf)]


def test_no_case_is_begun_after_the_end_or_without_the_memory(monkeypatch):
    (late,) = worker.answered(TINY, [OURS], 0.0, 0.0)
    assert late["left_out"].endswith("no time was left")
    monkeypatch.setattr(worker, "memory", lambda: 0.0)
    (large,) = worker.answered(TINY, [OURS], 0.0, math.inf)
    assert large["left_out"].startswith(f"{NAMED}: takes")
    assert late["ended"]
    assert large["ended"]


def test_a_missing_peer_is_no_failure_and_is_named(monkeypatch):
    absent = {"theirs": Peer("no_such_module", nothing)}
    ours = {name: peers.PEERS[name] for name in (OURS, UNCHANGED)}
    for module in (peers, comparison):
        monkeypatch.setattr(module, "PEERS", ours | absent)
    report = Report()
    compare([TINY, Case(((4,), (2, 2)), 1)], report, at_once(), quiet)
    assert report.left_out == ["theirs: no_such_module is not installed"]
    assert [r.name for r in report.results] == [FLOOR, OURS, UNCHANGED] * 2
    assert [r.name for r in report.unchanged] == [FLOOR, UNCHANGED] * 2
    document = json.loads(report.json())
    assert [*document][:3] == ["machine", "floor_seconds", "results"]
    assert document["floor_seconds"] == report.results[0].seconds > 0
    assert [[*r] for r in document["results"]] == [FIELDS] * 6
    assert [[*r] for r in document["unchanged"]] == [FIELDS] * 4
    assert [r["shape"] for r in document["results"][::3]] == [[8, 8], [[4], [2, 2]]]
    assert [r.entries for r in report.results[::3]] == [64, 8]


def test_the_page_says_what_every_key_of_the_json_is():
    page = (Path(__file__).parents[1] / "docs" / "bench.md").read_text()
    keys = [*json.loads(Report().json()), *FIELDS, *(field.name for field in fields(Memory))]
    assert [key for key in keys if f"`{key}`" not in page] == []


WORKER = """
import os, time
from adafactor_numba.bench import peers, worker

def does(what):
    return peers.Peer("numba", lambda X, G, threads: peers.Step(what, lambda: 0))

peers.PEERS |= {
    peers.OURS: does(lambda: None),
    "sleeps": does(lambda: time.sleep(1000)),
    "dies": does(lambda: os._exit(3)),
    "last": does(lambda: None),
}
worker.main()
"""


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("sleeps", "a process said nothing for 9 s"),
        ("dies", "a process ended with 3: nothing was said"),
    ],
)
def test_a_peer_that_hangs_or_ends_the_process_is_left_out_and_the_rest_goes_on(
    name, why, monkeypatch
):
    for module in (peers, comparison):
        asked = dict.fromkeys([OURS, name, "last"], Peer("numba", nothing))
        monkeypatch.setattr(module, "PEERS", asked)
    monkeypatch.setattr(comparison, "WORKER", ("-c", WORKER))
    report = Report()
    compare([TINY, Case(((4,),), 1)], report, Limits(0.0, 9.0, 60.0, 100.0), quiet)
    assert report.left_out == [f"{name}: {NAMED}: {why}; it is asked no further"]
    assert [r.name for r in report.results] == [FLOOR, OURS, "last"] * 2


def test_where_ours_fails_the_case_is_left_out_and_the_next_is_tried(monkeypatch):
    monkeypatch.setattr(comparison, "WORKER", ("-c", "raise KeyError('ours')"))
    report = Report()
    compare([TINY, Case(((8, 8),), 2)], report, at_once(), quiet)
    absent = len(peers.missing([*PEERS]))
    assert report.left_out[absent:] == [
        f"the rounds: {case}: a process ended with 1: KeyError: 'ours'"
        for case in (NAMED, "8 x 8, float32, on 2")
    ]


def test_a_process_that_fails_when_all_is_answered_leaves_nothing_out(monkeypatch):
    ends = """print('{"ended": true}'); raise SystemExit(1)"""
    monkeypatch.setattr(comparison, "WORKER", ("-c", ends))
    report = Report()
    compare([TINY], report, at_once(), quiet)
    assert len(report.left_out) == len(peers.missing([*PEERS]))


def test_when_the_time_is_up_nobody_is_to_blame(monkeypatch):
    for module in (peers, comparison):
        asked = dict.fromkeys([OURS, "sleeps"], Peer("numba", nothing))
        monkeypatch.setattr(module, "PEERS", asked)
    monkeypatch.setattr(comparison, "WORKER", ("-c", WORKER))
    report = Report()
    compare([TINY, Case(((4,),), 1)], report, Limits(0.0, 60.0, 60.0, 4.0), quiet)
    assert report.left_out[0].endswith(f"{NAMED}: the time was up")
    assert report.left_out[1:] == ["vector of 4e0, float32, on 1: no time was left"]


def test_nothing_is_begun_when_the_time_is_up():
    report = Report()
    compare([TINY], report, Limits(0.0, 60.0, 60.0, 0.0), quiet)
    assert report.left_out[-1] == f"{NAMED}: no time was left"
    assert not report.results


def test_a_process_is_killed_that_says_nothing_or_does_not_end():
    start = perf_counter()
    with pytest.raises(TimeoutError, match="said nothing for 0 s"):
        [*lines(["-c", "import time; time.sleep(1000)"], silence=0.2)]
    with pytest.raises(TimeoutError, match="time was up"):
        [*lines(["-c", "while True: print(1, flush=True)"], seconds=1.0)]
    with pytest.raises(TimeoutError, match="time was up"):
        [*lines(["-c", "import time; time.sleep(1000)"], seconds=-1.0)]
    assert perf_counter() - start < 100


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


def test_the_brief_plan_has_both_types_at_4096_beside_all_peers_and_first_the_floor_of_float32():
    first, *_ = cases = plan.brief(2)
    assert first == Case(((4096, 4096),), 2)
    assert {Case(((4096, 4096),), 2, "float64"), Case(((4096, 4096),), 1)} <= {*cases}


def test_cases_are_called_by_their_sizes():
    shapes = [((8192, 16),), ((10**6,),), ((16,), (2, 8), (3,)), BASE]
    assert [*map(title, shapes)] == [
        *("8192 x 16", "vector of 1e6", "3 of at most 16", "Transformer, base")
    ]


@pytest.fixture
def small(monkeypatch):
    """A bench of two small cases and nothing else."""
    cases = [TINY, Case(((16, 16),), 1)]
    ours = {name: peers.PEERS[name] for name in (OURS, UNCHANGED)}
    for module in (peers, comparison, measurement):
        monkeypatch.setattr(module, "PEERS", ours)
    monkeypatch.setattr(plan, "brief", lambda threads: cases)
    monkeypatch.setattr(plan, "full", lambda threads: cases)
    monkeypatch.setattr(measurement, "EACH", 0.0)
    monkeypatch.setattr(measurement, "SHAPE", (64, 64))
    monkeypatch.setattr(measurement, "compile_all", lambda seconds: None)
    monkeypatch.setattr(measurement, "imports", lambda seconds: Imports(1.0, 1.1, 1.1))
    monkeypatch.setattr(measurement, "first_step", lambda seconds: 0.5)
    monkeypatch.setattr(measurement, "first_steps", lambda: (20.0, 0.5))


@pytest.mark.parametrize("options", [[], ["--full"]])
def test_the_command_prints_the_cases_and_writes_the_figures(options, small, tmp_path):
    file = tmp_path / "bench.json"
    run = CliRunner().invoke(app, ["bench", "--json", str(file), *options])
    assert run.exit_code == 0, run.output
    for words in ("8 x 8", "16 x 16", "import adafactor_numba", "it keeps 3,096", "ended"):
        assert words in run.output
    assert ("that compiles" in run.output) == bool(options)
    assert len(json.loads(file.read_text())["results"]) == 6


def test_what_no_process_answers_is_left_out(small, monkeypatch):
    def late(*_, **__):
        raise TimeoutError("the time was up")

    for name in ("compile_all", "needed", "imports", "first_step"):
        monkeypatch.setattr(measurement, name, late)
    report = measurement.benched(False, 1, quiet)
    assert report.left_out == [
        f"{what}: the time was up"
        for what in ("compiling", f"memory: {OURS}", "imports", "first step")
    ]
    assert len(report.results) == 6


@pytest.mark.parametrize("option", [["--full"], ["--threads", "1"], ["--plot", "x.png"]])
def test_accuracy_measures_no_times(option):
    run = CliRunner().invoke(app, ["bench", "--accuracy", *option])
    assert run.exit_code == 2
    assert f"{option[0]} is of times" in run.output


def large(names, own, dtype="float32"):
    """Results of 4096 x 4096: the k-th takes k + 1 times as long as `own`."""
    return [
        Result(name, [4096, 4096], dtype, 2, float(k + 1), 1.5, k + 1.0)
        for k, name in enumerate([FLOOR, own, *names])
    ]


def test_the_table_has_strict_and_unchanged_in_rows_of_at_most_100_columns(capsys):
    others = [name for name in PEERS if name not in OWN]
    report = Report()
    for dtype in ("float32", "float64"):
        report.results += large([STRICT, *others], OURS, dtype)
        report.unchanged += large(others, UNCHANGED, dtype)
    report.results.append(replace(report.results[0], shape=[8, 8]))
    report.results.append(replace(report.results[1], shape=[8, 8]))
    show(report, Console(width=80))
    printed = capsys.readouterr().out.splitlines()
    assert max(map(len, printed)) <= 100
    heads, rows = printed[1], printed[2:7]
    assert heads.index("floors") < heads.index("strict") < heads.index("foreach")
    assert [row.rsplit(maxsplit=9)[1:] for row in rows[:2]] == [
        ["s", "119", "1.50", "3", "4", "5", "6", "7", "8"],
        ["2", "s", "119", "1.50", "3", "4", "5", "6", "7"],
    ]
    assert [row[:20].strip() for row in rows] == [
        *("4096 x 4096", "X unchanged", "4096 x 4096 float64", "X unchanged", "8 x 8")
    ]


def test_figures_are_printed_in_units_that_suit_them():
    assert [duration(t) for t in (2.0, 0.0125, 3e-6, 5e-8)] == ["2 s", "12.5 ms", "3 us", "50 ns"]
    assert [share(0, 7), share(1, 10**7), share(1, 3)] == ["0", "1e-05 %", "33.3 %"]
