"""Theorems put to the checkers, and their false neighbours, which must be refused for a reason.

An equation is refused by values at which its sides differ, an inequality by a solution of its
hypotheses with its negation; that a checker does not decide is no refusal.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from textwrap import shorten
from threading import Lock
from time import perf_counter
from typing import Any, TypeAlias

from derivations.calculus import equal

from . import rocq
from .sampling import difference
from .smt import SCRIPTS, Question, answers, asked, installed
from .theorem import Claim, Identity, Neighbour, Theorem

PROVED, FAILED, ABSENT = "proved", "failed", "absent"
CHECKERS = ("calculus", *SCRIPTS, "rocq")
AT_A_TIME = 4  # theorems: a solver is a process of its own, and so is Rocq
SESSIONS = 2  # of Rocq, in which altered theorems are tried
CALCULUS = Lock()  # SymPy works in this process, for one theorem at a time


@dataclass
class Verdict:
    """What a checker says of a theorem, and in how many seconds; why, if it failed."""

    name: str
    verdict: str
    seconds: float
    why: str = ""


@dataclass(frozen=True)
class Refusal:
    """Whether a false neighbour was refused, by which checker, and with what counterexample.

    None where no checker that could is installed.
    """

    name: str
    refused: bool | None
    by: str
    counterexample: str

    @property
    def line(self) -> str:
        """What a terminal shows of it."""
        said = {True: "refused", False: "NOT REFUSED", None: "unchecked"}[self.refused]
        return f"{said}: {self.name}" + (f" ({self.counterexample})" if self.counterexample else "")


@dataclass
class Proof:
    """A theorem with what the checkers say of it and of its neighbours."""

    theorem: Theorem
    checkers: list[Verdict] = field(default_factory=list)
    false_neighbours: list[Refusal] = field(default_factory=list)

    @property
    def proved(self) -> bool | None:
        """Whether every checker that is there proves its part; None if a part has none."""
        verdicts = [v.verdict for v in self.checkers]
        if FAILED in verdicts:
            return False
        parts = {checkers_of(claim) for claim in self.theorem.claims}
        there = {v.name for v in self.checkers if v.verdict == PROVED}
        return True if all(there & {*part} for part in parts) else None

    @property
    def holds(self) -> bool | None:
        """Whether it is proved, and no neighbour is."""
        refused = [n.refused for n in self.false_neighbours]
        if self.proved is False or False in refused:
            return False
        return None if self.proved is None or None in refused else True

    @property
    def line(self) -> str:
        """What a terminal shows of it."""
        said = {True: "proved", False: "FAILED", None: "unchecked"}[self.proved]
        each = (f"{v.name} {v.verdict} {v.seconds:.2f} s {v.why}".rstrip() for v in self.checkers)
        return f"{said}: {self.theorem.name} ({'; '.join(each)})"

    def as_json(self) -> dict[str, Any]:
        """As `prove --json` writes it."""
        return {
            "name": self.theorem.name,
            "statement": self.theorem.statement,
            "proved": self.proved,
            "checkers": [
                {"name": v.name, "verdict": v.verdict, "seconds": v.seconds} for v in self.checkers
            ],
            "false_neighbours": [asdict(n) for n in self.false_neighbours],
        }


Refused: TypeAlias = Mapping[str, Future[dict[rocq.Altered, str]]]
"""Where Rocq's proofs of altered theorems fail, by file: one process tries all of a file."""


def proofs(
    theorems: Iterable[Theorem], progress: Callable[[str], None] = lambda _: None
) -> Iterator[Proof]:
    """Each theorem proved, and its neighbours refused; several at a time, but told in order."""
    chosen = [*theorems]
    with ThreadPoolExecutor(AT_A_TIME) as pool, ThreadPoolExecutor(SESSIONS) as sessions:
        try:
            refused = {
                file: sessions.submit(rocq.refusals, altered)
                for file, altered in _altered(chosen).items()
                if rocq.installed()
            }
            found = [(theorem.name, pool.submit(_proof, theorem, refused)) for theorem in chosen]
            for name, proof in found:
                progress(name)
                yield proof.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            sessions.shutdown(wait=False, cancel_futures=True)


def _altered(theorems: Iterable[Theorem]) -> dict[str, tuple[rocq.Altered, ...]]:
    """The altered theorems in Rocq, by file."""
    found: dict[str, tuple[rocq.Altered, ...]] = {}
    for neighbour in (n for theorem in theorems for n in theorem.neighbours):
        if isinstance(of := neighbour.claim, rocq.Altered):
            found[of.file] = (*found.get(of.file, ()), of)
    return found


def _proof(theorem: Theorem, refused: Refused) -> Proof:
    names = sorted({name for c in theorem.claims for name in checkers_of(c)}, key=CHECKERS.index)
    checkers = [_verdict(theorem, name) for name in names]
    return Proof(theorem, checkers, [_refusal(n, refused) for n in theorem.neighbours])


def missing(checkers: Iterable[str]) -> list[str]:
    """Those of the checkers that are not installed."""
    there = {"calculus", *installed(), *(["rocq"] if rocq.installed() else [])}
    return [name for name in checkers if name not in there]


def checkers_of(claim: Claim) -> tuple[str, ...]:
    """The checkers that decide a claim, any of which is enough."""
    if isinstance(claim, rocq.Formal):
        return ("rocq",)
    return ("calculus",) if isinstance(claim, Identity) else tuple(SCRIPTS)


def _verdict(theorem: Theorem, checker: str) -> Verdict:
    with CALCULUS if checker == "calculus" else nullcontext():
        return _timed(theorem, checker)


def _timed(theorem: Theorem, checker: str) -> Verdict:
    start, found, why = perf_counter(), PROVED, ""
    for claim in theorem.claims:
        if checker in checkers_of(claim):
            said = _said(claim, checker)
            if said == ABSENT:
                found = ABSENT
            elif said:
                found, why = FAILED, said
                break
    return Verdict(checker, found, _seconds(theorem, checker, perf_counter() - start), why)


def _seconds(theorem: Theorem, checker: str, passed: float) -> float:
    """The seconds that passed; in Rocq those of the files, in which others stand as well."""
    if checker != "rocq" or not rocq.installed():
        return passed
    files = {claim.file for claim in theorem.claims if isinstance(claim, rocq.Formal)}
    return sum(rocq.seconds(file) for file in files)


def _said(claim: Claim, checker: str) -> str:
    """Why a claim is not proved; empty if it is, and `absent` where the checker is not there."""
    if isinstance(claim, rocq.Formal):
        return rocq.failure(claim) if rocq.installed() else ABSENT
    return _identity(claim) if isinstance(claim, Identity) else _question(claim, checker)


def _identity(claim: Identity) -> str:
    """Why it is not proved; empty if it is."""
    if not equal(claim.left, claim.right, claim.given):
        return "the sides are not equal by linearity and cancellation"
    return difference(claim.left, claim.right, claim.given, claim.positive)


def _question(claim: Question, solver: str) -> str:
    """Why it is not proved: its negation has a solution, or its hypotheses have none."""
    with CALCULUS:
        scripts = claim.negation(), claim.hypotheses()
    negation, hypotheses = answers(scripts, solver)
    if negation.verdict == ABSENT:
        return ABSENT
    if negation.verdict != "unsat":
        return f"its negation is {negation.verdict} {negation.solution}".rstrip()
    if hypotheses.verdict != "sat":
        return f"its hypotheses are {hypotheses.verdict}: it says nothing"
    return ""


def _refusal(neighbour: Neighbour, refused: Refused) -> Refusal:
    claim = neighbour.claim
    if isinstance(claim, rocq.Formal):
        raise TypeError(f"{neighbour.name}: a false neighbour in Rocq is an Altered")
    if isinstance(claim, rocq.Altered):
        return _unproved(neighbour.name, claim, refused)
    if isinstance(claim, Identity):
        with CALCULUS:
            return _unequal(neighbour.name, claim)
    return _solved(neighbour.name, claim)


def _unproved(name: str, claim: rocq.Altered, refused: Refused) -> Refusal:
    if claim.file not in refused:
        return Refusal(name, None, "", "")
    try:
        found = refused[claim.file].result()[claim]
    except (TimeoutError, ValueError) as error:
        return Refusal(name, False, "rocq", str(error))
    return Refusal(name, bool(found), "rocq", shorten(found, 160, placeholder=" ..."))


def _unequal(name: str, claim: Identity) -> Refusal:
    found = difference(claim.left, claim.right, claim.given, claim.positive)
    refused = bool(found) and not equal(claim.left, claim.right, claim.given)
    return Refusal(name, refused, "calculus", found)


def _solved(name: str, claim: Question) -> Refusal:
    with CALCULUS:
        script = claim.negation(whole=True)
    said = Refusal(name, None, "", "")
    for solver in SCRIPTS:
        answer = asked(script, solver)
        if answer.verdict != ABSENT:
            said = Refusal(name, answer.verdict == "sat", solver, answer.solution)
        if said.refused:
            break
    return said
