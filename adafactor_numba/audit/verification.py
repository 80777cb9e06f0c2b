"""What `verify` checks: the rules, their derivation, the loops against them, our own audited."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from adafactor_numba.loops import BLOCK, LANES, LEAST, MANY, ROWS
from derivations.adafactor import MATRIX, SCHEDULE, TENSOR, VECTOR
from derivations.cases import Case, cases
from derivations.equivalents import EQUIVALENTS
from derivations.factorization import derivation
from derivations.rule import UpdateRule
from derivations.variants import VARIANTS
from proofs.catalogue import THEOREMS
from proofs.prove import CHECKERS, missing, proofs

from . import swept, symbols
from .beyond import wide_deviations
from .bridge import on_balls, parted
from .check import COMPILED, Deviation, deviations, schedule_deviations
from .field import field
from .magnitudes import extremes
from .names import target
from .properties import WORKING
from .verdict import audit

RULES = (SCHEDULE, VECTOR, MATRIX, TENSOR)
STRADDLING = {
    VECTOR: ((ROWS - 1,), (ROWS,), (LANES + 1,), (ROWS * LANES + 1,)),
    MATRIX: ((ROWS + 1, LANES), (ROWS, LANES + 1), (2 * ROWS + 1, MANY + LANES + 1)),
    TENSOR: ((2, ROWS + 1, LANES + 1),),
}
"""Sizes on both sides of what the loops read and add up at once."""
FORMAL = STRADDLING | {MATRIX: (STRADDLING[MATRIX][0], (ROWS + 1, MANY + LANES + 1))}
"""The same, where a root is taken of every entry."""
ENOUGH = -100
"""log2 of the chance that what is seen modulo a prime is not so."""
LARGE = {
    VECTOR: (BLOCK + 1,),
    MATRIX: (2 * LEAST + 1, BLOCK // (2 * LEAST) + 1),
    TENSOR: (2, 3 * LEAST + 1, BLOCK // (4 * LEAST) + 1),
}
"""More than one block of the loops, and an odd number of them."""


class RefutedError(AssertionError):
    """What was checked does not hold; the message says where."""


@dataclass(frozen=True)
class Check:
    """The outcome of one check."""

    name: str
    ok: bool
    detail: str
    seconds: float


def verification(progress: Callable[[str], None] = lambda _: None) -> Iterator[Check]:
    """Every check in turn; one that fails, or breaks, does not end the others."""
    for name, check in CHECKS:
        progress(name)
        start = time.monotonic()
        try:
            ok, detail = True, check()
        except RefutedError as error:
            ok, detail = False, str(error)
        except Exception as error:
            ok, detail = False, f"{type(error).__name__}: {error}"
        yield Check(name, ok, detail, time.monotonic() - start)


def _rules() -> str:
    """The rules and variants were checked when they were built; here they are counted."""
    steps = sum(len(rule.steps) for rule in RULES)
    return f"{steps} steps in {len(RULES)} rules, {len(VARIANTS)} named variants"


def _factorization() -> str:
    lines = derivation()
    for line in lines:
        if not line.verified:
            raise RefutedError(f"not verified: {line.says}")
    return f"V = R C / sum R as a minimiser: {len(lines)} lines verified for all n and m"


def _equivalents() -> str:
    for equivalent in EQUIVALENTS:
        if not equivalent.verified:
            raise RefutedError(f"not verified: {equivalent.name}")
    return f"{len(EQUIVALENTS)} questions that no audit can answer, a proof for each"


def _theorems() -> str:
    """Every theorem, by the checkers that are installed; what none of them decides is counted."""
    found = [*proofs(THEOREMS)]
    for proof in found:
        if proof.holds is False:
            raise RefutedError(f"{proof.theorem.name}: not proved, or a false neighbour is")
    holding = sum(proof.holds is True for proof in found)
    refused = sum(len(proof.false_neighbours) for proof in found if proof.holds)
    return (
        f"{holding} of {len(found)} theorems hold, {refused} false neighbours refused; "
        f"not installed: {', '.join(missing(CHECKERS)) or 'none'}"
    )


def _schedules() -> str:
    _refute(schedule_deviations(COMPILED))
    return "rho_t and beta_2t within their counted rounding, t from 1 to 10^6"


def _loops(rule: UpdateRule) -> Callable[[], str]:
    def check() -> str:
        large = Case(LARGE[rule], t=100, statistics="small", d=3.0)
        found = [*cases(rule), *cases(rule, STRADDLING[rule])[::7], large]
        for case in found:
            _refute(deviations(COMPILED, rule, case))
        return f"every step within its counted rounding in {len(found)} cases"

    return check


def _source() -> str:
    """The plain source of the compiled loops on balls, at sizes around what they read at once."""
    loops = on_balls(COMPILED)
    found = [
        (rule, Case(sizes, t=100, statistics="small", d=3.0))
        for rule, shapes in STRADDLING.items()
        for sizes in shapes
    ]
    for rule, case in found:
        if steps := parted(rule, case, loops):
            raise RefutedError(f"{rule.name}, {case.sizes}: {', '.join(steps)} part from the rule")
    return f"the loops' source on balls is the rule, to 30 digits, in {len(found)} shapes"


def _symbols() -> str:
    """The same on numbers modulo a prime, on every way; then the sweep, over one of each rank."""
    algebra = field(832)
    loops = symbols.on_symbols(algebra)
    shared = {name: algebra.variable() for name in swept.SHARED}
    drawn = {
        (rule, sizes): symbols.points(rule, sizes, algebra, shared)
        for rule, shapes in FORMAL.items()
        for sizes in shapes
    }
    chances = []
    for (rule, sizes), found in drawn.items():
        for at in found:
            if steps := symbols.parted(at, loops):
                raise RefutedError(f"{rule.name}, {sizes}: {', '.join(steps)} part from the rule")
            chances.append(at.chance)
    for together in zip(*(drawn[rule, FORMAL[rule][0]] for rule in FORMAL), strict=True):
        if wrong := swept.parted(together, threads=3):
            raise RefutedError(f"the sweep parts from the rule: {wrong}")
        chances.append(swept.chance(together))
    if (chance := math.ceil(max(chances))) > ENOUGH:
        raise RefutedError(f"seen only but for a chance of 2^{chance}; 2^{ENOUGH} is wanted")
    return (
        f"loops and sweep are the rule on {len(found)} ways in {len(drawn)} shapes, but for a "
        f"chance of 2^{chance}"
    )


def _wide() -> str:
    found = [
        (rule, x) for rank, rule in enumerate((VECTOR, MATRIX, TENSOR), 1) for x in extremes(rank)
    ]
    for rule, x in found:
        _refute(wide_deviations(rule, x))
    return f"every step within its counted rounding on {len(found)} extreme inputs"


def _refute(found: list[Deviation]) -> None:
    if found:
        raise RefutedError(str(found[0]))


def _own() -> str:
    report = audit("numba", target("numba"), dtypes=WORKING)
    if report.verdict != "agrees" or report.scenarios_not_run:
        where = report.differences[0].step if report.differences else report.why
        raise RefutedError(f"{report.verdict}: {where} {report.scenarios_not_run or ''}")
    if report.variants_told_apart != report.variants_known:
        told = f"{report.variants_told_apart} of {report.variants_known}"
        raise RefutedError(f"the audit's cases tell only {told} variants from the paper")
    return (
        f"agrees in {report.cases} cases, precision {report.precision}; "
        f"{report.variants_told_apart} variants told apart"
    )


CHECKS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("rules", _rules),
    ("factorization", _factorization),
    ("equivalents", _equivalents),
    ("theorems", _theorems),
    ("schedules", _schedules),
    *((f"loops: {rule.name}", _loops(rule)) for rule in (VECTOR, MATRIX, TENSOR)),
    ("loops: source", _source),
    ("loops: symbols", _symbols),
    ("loops: wide", _wide),
    ("audit: numba", _own),
)
