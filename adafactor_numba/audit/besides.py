"""What a report says beside the arithmetic: what is kept, what flags do, which laws hold."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from .conduct import Conduct
from .flagged import Known, flagged, misused
from .interview import Finding, Interview
from .properties import Property, properties


def besides(
    interview: Interview, conducted: Conduct, known: Known, dtypes: Sequence[str]
) -> tuple[dict[str, Any], list[Finding]]:
    """Fields of a report, by name, as data, and what flags do wrong.

    Laws are asked in each of the dtypes.
    """
    found = flagged(interview, conducted.flags, known)
    wrong = [*misused(interview, found, known.dtype), *interview.meddling]
    laws = properties(interview.subject, dtypes, interview.seed)
    fields = {
        "state": dict(conducted.state),
        "sublinear": conducted.sublinear,
        "state_dtypes": dict(conducted.state_dtypes),
        "flags": {name: asdict(flag) for name, flag in found.items()},
        "properties": tuple(map(_law, laws)),
    }
    return fields, wrong


def _law(found: Property) -> dict[str, Any]:
    """A property as data, with a case only if it fails."""
    data = asdict(found)
    return data if found.case else {name: data[name] for name in data if name != "case"}


def unanswered(
    refused: Mapping[str, str], known: Sequence[Mapping[str, str]]
) -> Iterator[dict[str, str]]:
    """The scenarios, each with its dtype, that were refused beside what is known, and why."""
    named = {line["scenario"] for line in known}
    for name, why in refused.items():
        if not named & {name, f"all, {name.rpartition(', ')[2]}"}:
            yield {"scenario": name, "why": why}
