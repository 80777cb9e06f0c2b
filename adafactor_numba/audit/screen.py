"""A report on one screen of a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .report import Difference, Report

COLOURS = {"agrees": "green", "differs": "red", "cannot run": "yellow"}
MANY = 6
"""Scenarios not run that are shown, and laws that fail."""

LONG = 300
"""Characters beyond which the numbers of a case are left to the JSON."""


def show(report: Report, console: Console, file: Path | None = None) -> None:
    """Print the verdict, what supports it, and each difference; `file` holds the JSON, if any."""
    verdict = Text(report.verdict, style=f"bold {COLOURS[report.verdict]}")
    console.print(Text.assemble((report.implementation, "bold"), f" {report.version}: ", verdict))
    if report.why:
        console.print(Text(report.why))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column()
    for label, value in _facts(report):
        table.add_row(label, Text(value))
    console.print(table)
    for difference in report.differences:
        console.print()
        for line in _lines(difference):
            console.print(Text(line), soft_wrap=True)
        if difference is report.differences[0] and "grads" in difference.case:
            first = "" if file else "as a script: --json FILE, then "
            console.print(
                Text(f"  {first}adafactor-numba audit --replay {file or 'FILE'}"), soft_wrap=True
            )


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    if report.rule:
        yield "rule", report.rule
    if report.variant:
        yield "variant", f"{report.variant}: explains every case"
    if report.precision:
        yield "precision", report.precision
    for dtype, ends in report.range.items():
        whose, (least, greatest) = report.range_of[dtype], ends.values()
        yield "range", f"{dtype}: as the {whose} for |G| from {least:.3g} to {greatest:.3g}"
    told = f"{report.variants_told_apart} of {report.variants_known} variants told from the paper"
    yield "cases", f"{report.cases}; {told}; seed {report.seed}; {report.seconds:.1f} s"
    yield from _besides(report)
    for scenario in report.scenarios_not_run[:MANY]:
        yield "not run", f"{scenario['scenario']}: {scenario['why']}"
    if more := len(report.scenarios_not_run[MANY:]):
        yield "not run", f"and {more} more scenarios, which the JSON lists"


def _besides(report: Report) -> Iterator[tuple[str, str]]:
    """What was found beside the arithmetic, where there is something to say."""
    if report.kept:
        yield "state", report.kept
    if report.counts_skipped:
        yield "t", "advances without a gradient, too"
    if report.flags:
        yield "flags", "; ".join(_flags(report.flags))
    if report.properties:
        yield "properties", _held([law["holds"] for law in report.properties])
    failing = [law for law in report.properties if law["holds"] is False]
    for law in failing[:MANY]:
        yield "", f"{law['name']} fails: {law['detail'].partition('; ')[0]}"
    if more := len(failing[MANY:]):
        yield "", f"and {more} more fail, which the JSON lists"


def _held(holds: Sequence[bool | None]) -> str:
    unasked = f", {holds.count(None)} could not be asked" if None in holds else ""
    return f"{holds.count(True)} of {len(holds)} hold{unasked}"


def _flags(flags: Mapping[str, Mapping[str, str | None]]) -> Iterator[str]:
    """What flags do, those together that do the same."""
    found: dict[str, list[str]] = {}
    for name, flag in flags.items():
        found.setdefault(flag["does"] or f"not known ({flag['why']})", []).append(name)
    yield from (f"{', '.join(names)}: {does}" for does, names in found.items())


def _lines(difference: Difference) -> Iterator[str]:
    case = difference.case
    yield f"{difference.step} differs: {difference.what}"
    if difference.source:
        yield f"  the paper has it in {difference.source}"
    if len(difference.equivalent_steps) > 1:
        yield f"  the same from outside: {', '.join(difference.equivalent_steps)}"
    yield f"  {'smallest ' if difference.index else ''}case: {', '.join(_asked(case))}"
    yield from _numbers(case)
    if difference.index:
        whose = "the other run" if "other" in case else "the paper"
        yield (
            f"  X_new{list(difference.index)} is {difference.got!r}; {whose} gives "
            f"{difference.expected!r}:"
        )
        yield (
            f"  off by {difference.off_by_ulp:.3g} ulp, of which rounding explains "
            f"{difference.explained_ulp:.3g}"
        )


def _asked(case: Mapping[str, Any]) -> Iterator[str]:
    """What was asked: the scenario, shapes and dtypes, the step, and what only some cases have."""
    shape, dtype = case["shape"], case["dtype"]
    several = any(isinstance(part, (list, tuple)) for part in shape)
    yield case["scenario"]
    yield f"shapes {', '.join(str(tuple(s)) for s in shape)}" if several else f"shape {(*shape,)}"
    yield dtype if isinstance(dtype, str) else " and ".join(dict.fromkeys(dtype))
    yield f"t = {case['t']}"
    for name, value in case["hyperparameters"].items():
        yield f"{name} = {value if isinstance(value, bool) else format(value, 'g')}"
    if "groups" in case:
        yield f"groups {' '.join(str([*group]) for group in case['groups'])}"
    if "jump" in case:
        yield f"jumped to t = {case['jump']}"
    if "split" in case:
        yield f"saved and loaded after step {case['split']}"


def _numbers(case: Mapping[str, Any]) -> Iterator[str]:
    if "grads" not in case or len(str(case["grads"])) > LONG:
        return
    for number, X in enumerate(case["params"]):
        name = f"[{number}]" if len(case["params"]) > 1 else ""
        yield f"    X{name} = {X}"
        yield f"    G{name} = {', then '.join(str(row[number]) for row in case['grads'])}"
