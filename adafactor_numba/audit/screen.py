"""A report on one screen of a terminal."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .report import Difference, Report

COLOURS = {"agrees": "green", "differs": "red", "cannot run": "yellow"}
MANY = 6
"""Scenarios not run that are shown."""

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
        for line in _lines(difference, file):
            console.print(Text(line), soft_wrap=True)


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    yield "rule", report.rule
    if report.variant:
        yield "variant", f"{report.variant}: explains every case"
    if report.precision:
        yield "precision", report.precision
    for dtype, ends in report.range.items():
        yield (
            "range",
            "{}: as the paper for |G| from {:.3g} to {:.3g}".format(dtype, *ends.values()),
        )
    told = f"{report.variants_told_apart} of {report.variants_known} variants told from the paper"
    yield "cases", f"{report.cases}; {told}; seed {report.seed}; {report.seconds:.1f} s"
    for scenario in report.scenarios_not_run[:MANY]:
        yield "not run", f"{scenario['scenario']}: {scenario['why']}"
    if more := len(report.scenarios_not_run[MANY:]):
        yield "not run", f"and {more} more scenarios, which the JSON lists"


def _lines(difference: Difference, file: Path | None) -> Iterator[str]:
    case = difference.case
    yield f"{difference.step} differs: {difference.what}"
    if difference.source:
        yield f"  the paper has it in {difference.source}"
    if len(difference.equivalent_steps) > 1:
        yield f"  the same from outside: {', '.join(difference.equivalent_steps)}"
    options = "".join(f", {k} = {v:g}" for k, v in case["hyperparameters"].items())
    yield (
        f"  smallest case: {case['scenario']}, shape {tuple(case['shape'])}, {case['dtype']}, "
        f"t = {case['t']}{options}"
    )
    yield from _numbers(case)
    if difference.index:
        yield (
            f"  X_new{list(difference.index)} is {difference.got!r}; the paper gives "
            f"{difference.expected!r}:"
        )
        yield (
            f"  off by {difference.off_by_ulp:.3g} ulp, of which rounding explains "
            f"{difference.explained_ulp:.3g}"
        )
    if "grads" in case:
        first = "" if file else "as a script: --json FILE, then "
        yield f"  {first}adafactor-numba audit --replay {file or 'FILE'}"


def _numbers(case: Mapping[str, Any]) -> Iterator[str]:
    if "grads" not in case or len(str(case["grads"])) > LONG:
        return
    for number, X in enumerate(case["params"]):
        name = f"[{number}]" if len(case["params"]) > 1 else ""
        yield f"    X{name} = {X}"
        yield f"    G{name} = {', then '.join(str(row[number]) for row in case['grads'])}"
