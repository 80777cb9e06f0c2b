"""Inequalities between reals, decided by SMT solvers; with `calculus`, what proofs rest on.

A question is a conjunction of hypotheses and a goal, in SymPy, of free symbols that stand for any
real numbers: what is assumed of a symbol in SymPy counts for nothing here.  The goal follows if the
hypotheses with its negation have no solution.  Roots become numbers whose powers are given, and
quotients stay quotients: where a divisor is 0 a solver may take any value, so that what is proved
holds whatever the value, and what is refuted must not divide by 0.

Each question is asked in a process of its own, which is killed at its time limit: whether its
negation has a solution, and whether its hypotheses have one.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from importlib.util import find_spec

import sympy as sp

from .process import answer

LIMIT = 20.0  # seconds for a question

SCRIPTS = {
    "z3": """
import sys, z3
for script in sys.stdin.read().split(";\\n"):
    s = z3.Solver()
    s.from_string(script)
    print(";", s.check())
    if s.check() == z3.sat:
        m = s.model()
        for v in sorted((v for v in m.decls() if v.arity() == 0), key=str):
            value = m[v]
            print(v, value if z3.is_rational_value(value) else value.approx(10))
""",
    "cvc5": """
import sys, cvc5
for script in sys.stdin.read().split(";\\n"):
    t = cvc5.TermManager()
    s = cvc5.Solver(t)
    s.setOption("produce-models", "true")
    p = cvc5.InputParser(s)
    p.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, "(set-logic QF_NRA)" + script, "")
    while not (c := p.nextCommand()).isNull():
        c.invoke(s, p.getSymbolManager())
    print(";", s.checkSat())
""",
}
"""What asks each solver: SMT-LIB 2.6 on stdin, the answers on stdout, with a solution from z3."""


@dataclass(frozen=True)
class Question:
    """Whether `goal` follows from what is `given`."""

    given: tuple[sp.Basic, ...]
    goal: sp.Basic

    def hypotheses(self) -> str:
        """SMT-LIB: everything that is given, and that nothing is divided by 0."""
        return _script([*self.given], [self.goal], whole=True)

    def negation(self, whole: bool = False) -> str:
        """SMT-LIB: everything that is given, but not the goal; `whole`: without a division by 0."""
        return _script([*self.given, sp.Not(self.goal)], [], whole)


@dataclass(frozen=True)
class Answer:
    """`sat`, `unsat`, `unknown` (the time limit included), or `absent`; a solution of z3's."""

    verdict: str
    solution: str = ""


def asked(script: str, solver: str, seconds: float = LIMIT) -> Answer:
    """What a solver says of an SMT-LIB script; whatever it does ends within so many seconds."""
    return answers((script,), solver, seconds)[0]


def answers(scripts: tuple[str, ...], solver: str, seconds: float = LIMIT) -> list[Answer]:
    """What it says of each, one after the other in one process; none if that takes too long."""
    if find_spec(solver) is None:
        return [Answer("absent") for _ in scripts]
    try:
        said = answer([sys.executable, "-c", SCRIPTS[solver]], ";\n".join(scripts), seconds)
    except TimeoutError:
        return [Answer("unknown") for _ in scripts]
    if said.returncode:
        raise ValueError(
            f"{solver} cannot read the question: {said.stderr.strip().splitlines()[-1]}"
        )
    each = [told.splitlines() for told in said.stdout.split("; ")[1:]]
    return [
        Answer(first, ", ".join(x.replace(" ", " = ", 1) for x in rest)) for first, *rest in each
    ]


@dataclass
class _Printer:
    """SymPy as SMT-LIB terms; roots and divisors are noted on the way."""

    roots: dict[tuple[sp.Expr, int], str] = field(default_factory=dict)
    divisors: list[str] = field(default_factory=list)

    def term(self, e: sp.Basic) -> str:
        """The term that stands for e."""
        if isinstance(e, sp.Symbol):
            return str(e)
        if isinstance(e, sp.Rational):
            value = f"(/ {abs(e.p)}.0 {e.q}.0)"
            return f"(- {value})" if e < 0 else value
        if isinstance(e, sp.Pow):
            return self._power(e)
        if isinstance(e, sp.Max | sp.Min):
            sign = ">=" if isinstance(e, sp.Max) else "<="
            parts = [self.term(a) for a in e.args]
            return reduce(lambda a, b: f"(ite ({sign} {a} {b}) {a} {b})", parts)
        if isinstance(e, sp.Abs):
            a = self.term(e.args[0])
            return f"(ite (>= {a} 0.0) {a} (- {a}))"
        if type(e) not in NAMES:
            raise ValueError(f"a solver of inequalities does not know {e}")
        return f"({NAMES[type(e)]} {' '.join(map(self.term, e.args))})"

    def _power(self, e: sp.Pow) -> str:
        base, exponent = e.args
        if not isinstance(exponent, sp.Rational):
            raise ValueError(f"a solver of inequalities does not know {e}")
        if exponent < 0:
            divisor = self.term(base**-exponent)
            self.divisors.append(divisor)
            return f"(/ 1.0 {divisor})"
        root = self.term(base) if exponent.q == 1 else self._root(base, exponent.q)
        return f"(* {' '.join([root] * exponent.p)})" if exponent.p > 1 else root

    def _root(self, base: sp.Expr, q: int) -> str:
        return self.roots.setdefault((base, q), f"root_{len(self.roots)}")


NAMES = {
    sp.Add: "+",
    sp.Mul: "*",
    sp.Not: "not",
    sp.And: "and",
    sp.Or: "or",
    sp.Eq: "=",
    sp.Ne: "distinct",
    sp.StrictLessThan: "<",
    sp.LessThan: "<=",
    sp.StrictGreaterThan: ">",
    sp.GreaterThan: ">=",
}


def _script(claims: list[sp.Basic], mentioned: list[sp.Basic], whole: bool) -> str:
    """All claims asserted; with `whole` also that no divisor is 0, nor one of what is mentioned."""
    printer = _Printer()
    lines = [f"(assert {printer.term(claim)})" for claim in claims]
    for claim in mentioned:
        printer.term(claim)
    lines += _of_roots(printer)
    if whole:
        lines += [f"(assert (distinct {divisor} 0.0))" for divisor in printer.divisors]
    symbols = {str(x) for claim in (*claims, *mentioned) for x in claim.free_symbols}
    declared = sorted(symbols) + list(printer.roots.values())
    return "\n".join([*(f"(declare-const {name} Real)" for name in declared), *lines, ""])


def _of_roots(printer: _Printer) -> Iterator[str]:
    """That each root is one: not negative, and its power what it is the root of."""
    done = 0
    while done < len(printer.roots):  # a root of a root is noted while this is written
        (base, q), name = [*printer.roots.items()][done]
        power, of = " ".join([name] * q), printer.term(base)
        yield f"(assert (and (>= {name} 0.0) (= (* {power}) {of})))"
        done += 1


def positive(*symbols: sp.Basic) -> tuple[sp.Basic, ...]:
    """That each is above 0."""
    return tuple(sp.StrictGreaterThan(x, 0, evaluate=False) for x in symbols)


def nonnegative(*symbols: sp.Basic) -> tuple[sp.Basic, ...]:
    """That none is below 0."""
    return tuple(sp.GreaterThan(x, 0, evaluate=False) for x in symbols)


def installed() -> list[str]:
    """The solvers that are there."""
    return [solver for solver in SCRIPTS if find_spec(solver) is not None]
