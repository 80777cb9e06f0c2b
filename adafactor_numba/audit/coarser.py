"""float16, too coarse and too narrow to find a rule in: judged by that of finer dtypes."""

from dataclasses import replace

from .besides import unanswered
from .examination import Examination, ends, precisions
from .findings import line_difference
from .judgement import FORMATS, judgements
from .misconduct import unsaid
from .precision import formats_of
from .report import Report
from .search import Path


def unjudged(report: Report, examination: Examination) -> Report:
    """The report, where no rule was found in finer dtypes: what shows without one is said."""
    why = "there is no rule of finer dtypes to judge by"
    lines = [{"scenario": f"all, {dtype}", "why": why} for dtype in examination.dtypes]
    shown = examination.misconduct.shown() if examination.paper else ()
    return replace(
        report,
        scenarios_not_run=(*report.scenarios_not_run, *lines),
        differences=tuple(unsaid(report.differences, shown)),
    )


def judged(report: Report, path: Path, examination: Examination) -> Report:
    """The report on finer dtypes, with what the path found there says of the ones examined.

    It can only add a difference.  If nothing came back as it should, the dtype is not taken.
    """
    paper = examination.paper
    not_run = [*report.scenarios_not_run, *examination.not_run()]
    if not paper:
        return replace(report, scenarios_not_run=tuple(not_run))
    if report.precision == "bfloat16":
        examination.formats = dict.fromkeys(examination.formats, FORMATS)
    seen = list(judgements(path.method, examination.strands)) if path.options else paper
    working = formats_of(seen, examination.formats) or {}
    ranges = examination.ranges(working, path.method)
    found = [*examination.beyond(ranges, working, seen, path.method)]
    if not working:
        found = line_difference(examination, path, seen, paper)[:1]
    alone = [replace(d, what=f"in {d.case['dtype']} alone: {d.what}") for d in found]
    found_ends = ends(ranges)
    differences = unsaid([*report.differences, *alone], examination.misconduct.shown())
    return replace(
        report,
        verdict="differs" if differences else "agrees",
        precisions={**report.precisions, **precisions(working)},
        range={**report.range, **found_ends["range"]},
        range_of={**report.range_of, **found_ends["range_of"]},
        cases=report.cases + len(paper),
        scenarios_not_run=(*not_run, *unanswered(examination.subject.lost, not_run)),
        differences=tuple(differences),
    )
