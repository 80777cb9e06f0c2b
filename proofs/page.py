"""The page of all theorems, in Markdown: what each says, who checked it, what near it is false."""

from collections.abc import Iterable, Iterator

from .catalogue import CHAPTERS
from .prove import Proof

HEAD = """# Theorems

What holds of Adafactor for all n, m and t, written by `make theorems`. An equation is proved by
linearity of finite sums and cancellation (`calculus`), and tried on random rationals; what follows
from inequalities is proved by two solvers that share no code (`z3`, `cvc5`); what needs an
induction is proved in Rocq, on the axioms of the classical reals alone, and so are the roundings,
on Flocq; its seconds are those of whole files. Beside each stand statements that are nearly the
same and false, with what refuted them, or in Rocq what could then not be proved. Names without an
index are numbers: of one entry, or of a whole array where the words say so. [S] is N. Shazeer,
M. Stern, ICML 2018, arXiv:1804.04235; [T2T] and [C] are the source code named.
`adafactor-numba prove` does all of it again. What a theorem means to a user is *slanted*.
"""


def page(proofs: Iterable[Proof]) -> str:
    """The page; the seconds are those of this run."""
    found = {proof.theorem.name: proof for proof in proofs}
    return "\n".join([HEAD, *_total(found.values()), *_chapters(found)])


def _total(proofs: Iterable[Proof]) -> Iterator[str]:
    refused = [len(proof.false_neighbours) for proof in proofs]
    yield f"{len(refused)} theorems, {sum(refused)} false neighbours.\n"


def _chapters(found: dict[str, Proof]) -> Iterator[str]:
    for title, theorems in CHAPTERS.items():
        yield f"## {title}\n"
        for theorem in theorems:
            yield from _section(found[theorem.name])


def _section(proof: Proof) -> Iterator[str]:
    theorem = proof.theorem
    yield f"### {theorem.name}\n"
    yield f"{theorem.words} *{theorem.meaning}*\n"
    yield f"$$\\begin{{gathered}} {theorem.statement} \\end{{gathered}}$$\n"
    checked = ", ".join(f"{v.name} ({v.seconds:.2f} s)" for v in proof.checkers)
    given = f"**If** {', '.join(theorem.hypotheses)}. " if theorem.hypotheses else ""
    yield f"* {given}Proved by {checked}. {theorem.source}"
    for refusal in proof.false_neighbours:
        yield f"* **False:** {refusal.name}; {refusal.by}: {refusal.counterexample}"
    yield ""
