"""Theorems put to the checkers, and their false neighbours, which must be refused for a reason.

An equation is refused by values at which its sides differ, an inequality by a solution of its
hypotheses with its negation; that a checker does not decide is no refusal.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

from derivations.calculus import equal

from . import rocq
from .sampling import difference
from .smt import SCRIPTS, Question, answers, asked, installed
from .theorem import Claim, Identity, Neighbour, Theorem

PROVED, FAILED, ABSENT = "proved", "failed", "absent"
CHECKERS = ("calculus", *SCRIPTS, "rocq")


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


def proofs(
    theorems: Iterable[Theorem], progress: Callable[[str], None] = lambda _: None
) -> Iterator[Proof]:
    """Each theorem proved, by its checkers side by side, and its neighbours refused."""
    for theorem in theorems:
        progress(theorem.name)
        proof = Proof(theorem)
        names = sorted(
            {name for c in theorem.claims for name in checkers_of(c)}, key=CHECKERS.index
        )
        with ThreadPoolExecutor(len(names)) as pool:
            proof.checkers = [*pool.map(partial(_verdict, theorem), names)]
        proof.false_neighbours = [_refusal(neighbour) for neighbour in theorem.neighbours]
        yield proof


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
    start, found, why = perf_counter(), PROVED, ""
    for claim in theorem.claims:
        if checker in checkers_of(claim):
            said = _said(claim, checker)
            if said == ABSENT:
                found = ABSENT
            elif said:
                found, why = FAILED, said
                break
    return Verdict(checker, found, perf_counter() - start, why)


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
    negation, hypotheses = answers((claim.negation(), claim.hypotheses()), solver)
    if negation.verdict == ABSENT:
        return ABSENT
    if negation.verdict != "unsat":
        return f"its negation is {negation.verdict} {negation.solution}".rstrip()
    if hypotheses.verdict != "sat":
        return f"its hypotheses are {hypotheses.verdict}: it says nothing"
    return ""


def _refusal(neighbour: Neighbour) -> Refusal:
    claim = neighbour.claim
    if isinstance(claim, rocq.Altered):
        if not rocq.installed():
            return Refusal(neighbour.name, None, "", "")
        try:
            found = rocq.refusal(claim)
        except TimeoutError as error:
            return Refusal(neighbour.name, False, "rocq", str(error))
        return Refusal(neighbour.name, bool(found), "rocq", found[:120])
    if isinstance(claim, rocq.Formal):
        raise TypeError(f"{neighbour.name}: a false neighbour in Rocq is an Altered")
    if isinstance(claim, Identity):
        found = difference(claim.left, claim.right, claim.given, claim.positive)
        refused = bool(found) and not equal(claim.left, claim.right, claim.given)
        return Refusal(neighbour.name, refused, "calculus", found)
    for solver in SCRIPTS:
        answer = asked(claim.negation(whole=True), solver)
        if answer.verdict != ABSENT:
            refused = answer.verdict == "sat"
            return Refusal(neighbour.name, refused, solver, answer.solution)
    return Refusal(neighbour.name, None, "", "")
