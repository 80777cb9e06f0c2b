"""What audits of several implementations found, side by side, as a page of Markdown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from derivations.equivalents import EQUIVALENTS
from derivations.variants import AXES, HIDDEN

from .names import ADAPTERS, NOT_RUN
from .report import Difference, Report

PAGE = """\
# Implementations, as they were found to be

This page is written by `make table`, from the audits of `make audit-peers`; nothing on it is
written by hand. `adafactor-numba audit NAME` repeats one of them.

## Verdicts

{verdicts}

*t*: whether it advances for a parameter without a gradient. *state*: how many numbers are kept for
a matrix, whether that is sublinear, and in which dtype.

## Ranges

Between which |G| the step is the paper's, if it is at |G| = 1; otherwise that of the variant, in
parentheses.

{ranges}

## Answers, axis by axis

Where a cell is empty, the answer is the paper's; where it is a question mark, the line that no
known answer explains is one that this axis changes. The source of each answer is in
`derivations/variants.py`.

{answers}

No audit can tell these apart, which is a theorem each; `adafactor-numba derive NAME` prints its
proof:

{equivalents}

## Flags

What each flag does that the library documents, beside the answers above.

{flags}

## Differences

Each with the smallest case that was found.

{differences}

## Not run

{not_run}
"""

DTYPES = ("float64", "float32", "float16")
Row = Sequence[str]


def page(reports: Iterable[Report]) -> str:
    """The whole page, the reports in the order given."""
    found = [*reports]
    flags = dict.fromkeys(name for report in found for name in report.flags)
    shown = [axis for axis in AXES if axis.name not in HIDDEN]
    return PAGE.format(
        verdicts=table(
            ("name", "implementation", "version", "verdict", "precision", "t", "state"),
            map(_verdict, found),
        ),
        ranges=table(
            ("name", *DTYPES),
            ((r.implementation, *(_range(r, d) for d in DTYPES)) for r in found),
        ),
        answers=table(
            ("name", *(axis.name for axis in shown)),
            ((r.implementation, *(_answer(r, axis.name) for axis in shown)) for r in found),
        ),
        equivalents="\n".join(f"* {e.name}: {e.theorem}" for e in EQUIVALENTS),
        flags=table(
            ("name", *flags),
            ((r.implementation, *(_flag(r.flags.get(f)) for f in flags)) for r in found),
        ),
        differences="\n".join(line for r in found for line in _differences(r)),
        not_run="\n".join(f"* {name}: {why}." for name, why in NOT_RUN.items()),
    )


def table(head: Row, rows: Iterable[Row]) -> str:
    """A table of Markdown."""
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(
        "| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines
    )


def _verdict(report: Report) -> Row:
    what = ADAPTERS[report.implementation].what
    counts = {None: "no step without one", True: "advances", False: "waits"}
    return (
        f"`{report.implementation}`",
        what,
        report.version,
        f"**{report.verdict}**" + (f": {report.variant}" if report.variant else ""),
        report.precision or "unknown",
        counts[report.counts_skipped],
        report.kept or "not shown",
    )


def _range(report: Report, dtype: str) -> str:
    if dtype not in report.range:
        return ""
    found = "{:.1g} to {:.1g}".format(*report.range[dtype].values())
    return found if report.range_of[dtype] == "paper" else f"({found})"


def _answer(report: Report, axis: str) -> str:
    steps = {a.name: a.step for a in AXES}
    line = report.differences[0].step if report.differences and not report.variant else None
    answers = [report.axes[axis]] if axis in report.axes else []
    return ", ".join([*answers, *(["?"] if steps[axis] == line else [])])


def _flag(flag: Mapping[str, str | None] | None) -> str:
    if flag is None:
        return ""
    return flag["does"] or "not known"


def _differences(report: Report) -> Iterator[str]:
    for difference in report.differences:
        yield f"* `{report.implementation}`, **{difference.step}**: {difference.what}"
        yield f"  ({', '.join(_case(difference))})"


def _case(difference: Difference) -> Iterator[str]:
    case = difference.case
    yield from ([difference.source] if difference.source else [])
    yield f"shape {str(case['shape']).replace('[', '(').replace(']', ')')}"
    yield f"t = {case['t']}"
    if difference.got is not None and difference.expected is not None:
        yield f"{difference.got:.10g} for {difference.expected:.10g}"
