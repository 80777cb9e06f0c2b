"""Theorems for all sizes in Rocq: compiled in a temporary folder, with what they rest on.

A theorem holds if its file compiles and rests on no axiom but those of the classical reals.  A
statement that is altered is refused where it can still be stated, and its proof no longer goes
through; a slip in the statement, or a proof that takes too long, is no refusal.
"""

import atexit
import re
import subprocess
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from shutil import rmtree, which
from threading import RLock
from time import perf_counter

from .process import answer

FOLDER = Path(__file__).parent / "rocq"
FILES = (  # each after those that it reads; the first twelve are about Flocq's doubles
    *("Sums", "Trees", "Near", "Binary64", "Mean", "Step", "Statistic", "MeanSquare"),
    *("MatrixStep", "VectorStep", "Course", "Instance"),
    *("Factored", "Update", "Average", "Clipping", "Growth", "Forgetting", "Symmetry"),
)
AXIOMS = {
    "ClassicalDedekindReals.sig_not_dec",
    "ClassicalDedekindReals.sig_forall_dec",
    "FunctionalExtensionality.functional_extensionality_dep",
    "Classical_Prop.classic",
}
"""On which the reals of the standard library rest."""
LIMIT = 60.0  # seconds for a file
AT_A_TIME = 4  # files that are compiled, or wait for others
LOCK = RLock()  # what is compiled once is waited for by all who need it


@dataclass(frozen=True)
class Formal:
    """A theorem of a file, and what it says as LaTeX."""

    file: str
    theorem: str
    latex: str


@dataclass(frozen=True)
class Altered:
    """The same with `old`, which stands once in its statement, as `new`."""

    file: str
    theorem: str
    old: str
    new: str


@cache
def installed() -> bool:
    """Whether Rocq is there, and Flocq, its theory of floating-point numbers."""
    if which("coqc") is None:
        return False
    where = subprocess.run(["coqc", "-where"], capture_output=True, text=True, check=True).stdout
    return (Path(where.strip()) / "user-contrib" / "Flocq").is_dir()


def failure(of: Formal) -> str:
    """Why a theorem is not proved; empty if it is."""
    if errors := _compiled().errors:
        return errors
    if (of.file, of.theorem) not in theorems():
        return f"{of.file}.v has no theorem {of.theorem}"
    with LOCK:
        foreign = _foreign(theorems()) and _foreign(((of.file, of.theorem),))
    return f"rests on {', '.join(sorted(foreign))}" if foreign else ""


def refusals(altered: tuple[Altered, ...]) -> dict[Altered, str]:
    """Where the proof of each altered theorem fails, nothing if it does not; all are of one file.

    One process tries them all; one that cannot be stated is an error.
    """
    (file,) = {of.file for of in altered}
    if (compiled := _compiled()).errors:
        raise ValueError(compiled.errors)
    told = _told(compiled.folder, _trials((FOLDER / f"{file}.v").read_text(), altered))
    each = dict(re.findall(r"\breached_(\w+)\b(.*?)(?=\breached_|\Z)", told, re.DOTALL))
    return {
        of: _reason(of, *(each[f"{what}_{i}"] for what in MARKS)) for i, of in enumerate(altered)
    }


def _trials(text: str, altered: tuple[Altered, ...]) -> str:
    """What Rocq is told: each altered theorem with its proof, at the place of the right one."""
    places = {of: _parts(text, of.theorem) for of in altered}
    last = max(start for start, _, _ in places.values())
    told, done = [], 0
    for i, of in sorted(enumerate(altered), key=lambda pair: places[pair[1]][0]):
        start, statement, end = places[of]
        if statement.count(of.old) != 1:
            raise ValueError(f"{of.theorem}: {of.old!r} is not once in its statement")
        told += [
            _taken_as_proved(text[:last], done, start),
            f"Fail Check reached_statement_{i}.\n{statement.replace(of.old, of.new)}\n",
            f"Fail Check reached_proof_{i}.\n{text[start + len(statement) : end]}\n",
            f"Fail Check reached_rest_{i}.\nShow.\n",
            f"Fail Check reached_end_{i}.\nAbort All.\nReset {of.theorem}.\n",
        ]
        done = start
    return "".join(told)


MARKS = ("statement", "proof", "rest")
"""What Rocq speaks of next; of the rest it says what is still to be proved, an error if nothing."""


def _reason(of: Altered, statement: str, proof: str, rest: str) -> str:
    """What Rocq cannot prove, or else what it says of the error; nothing if all is proved."""
    if "Error:" in statement:
        raise ValueError(f"{of.theorem}: the altered statement is none: {statement}")
    if "Error:" in rest:
        return ""
    goal = re.search(r"={20,}\n(.*?)\n\n", rest, re.DOTALL)
    said = re.split(
        r"^\S+ < |^Toplevel", proof.partition("Error:")[2], maxsplit=1, flags=re.MULTILINE
    )[0]
    return " ".join((f"not proved: {goal[1]}" if goal else said).split())


@dataclass(frozen=True)
class _Said:
    failed: bool
    text: str
    seconds: float = 0.0


@dataclass(frozen=True)
class _Compiled:
    """A folder with all files compiled, the first error, and the seconds of each file."""

    folder: Path
    errors: str
    seconds: dict[str, float]


def seconds(file: str) -> float:
    """How long the file takes, all its theorems at once."""
    return _compiled().seconds[file]


def _compiled() -> _Compiled:
    with LOCK:
        return _compiled_once()


@cache
def _compiled_once() -> _Compiled:
    folder = Path(tempfile.mkdtemp(prefix="adafactor-rocq-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    compiled: dict[str, Future[_Said]] = {}
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for name in FILES:
            text = (FOLDER / f"{name}.v").read_text()
            read = [compiled[other] for other in _read(text) if other in compiled]
            compiled[name] = pool.submit(_run_after, read, folder, name, text)
    said = {name: future.result() for name, future in compiled.items()}
    failed = (f"{name}.v: {x.text}" for name, x in said.items() if x.failed)
    return _Compiled(folder, next(failed, ""), {name: x.seconds for name, x in said.items()})


def _read(text: str) -> list[str]:
    """The files that a file reads."""
    return " ".join(re.findall(r"^Require Import (.*)\.$", text, re.MULTILINE)).split()


def _run_after(read: list[Future[_Said]], folder: Path, name: str, text: str) -> _Said:
    """What Rocq says of a file once those that it reads are compiled."""
    wait(read)
    start = perf_counter()
    try:
        return replace(_run(folder, name, text), seconds=perf_counter() - start)
    except TimeoutError as error:
        return _Said(True, str(error))


@cache
def theorems() -> tuple[tuple[str, str], ...]:
    """Every theorem, after the file in which it stands."""
    texts = {file: (FOLDER / f"{file}.v").read_text() for file in FILES}
    named = {
        file: re.findall(r"^Theorem (\w+)", text, re.MULTILINE) for file, text in texts.items()
    }
    return tuple((file, theorem) for file in FILES for theorem in named[file])


@cache
def _foreign(names: tuple[tuple[str, str], ...]) -> set[str]:
    """The axioms beyond those of the classical reals that any of these rests on."""
    folder = _compiled().folder
    all_of_them = ", ".join(f"@{file}.{theorem}" for file, theorem in names)
    requires = "".join(f"Require {file}.\n" for file in FILES)
    said = _run(
        folder,
        "Probe",
        f"{requires}Definition all := ({all_of_them}, 0).\nPrint Assumptions all.\n",
    )
    if said.failed:
        raise ValueError(said.text)
    return set(re.findall(r"^([\w.]+)(?=\s*:)", said.text, re.MULTILINE)) - AXIOMS - {"Axioms"}


def _taken_as_proved(text: str, start: int, end: int) -> str:
    """A part of the text without the proofs of sections that are open at the end of the text.

    A section that is closed keeps its own: they decide which of its variables a lemma speaks of.
    """
    closed = max(
        (found.end() for found in re.finditer(r"^End \w+\.", text, re.MULTILINE)), default=0
    )
    proofs = re.compile(r"^Proof\b.*?\bQed\.", re.MULTILINE | re.DOTALL)
    middle = min(max(start, closed), end)
    return text[start:middle] + proofs.sub("Admitted.", text[middle:end])


def _parts(text: str, theorem: str) -> tuple[int, str, int]:
    """Where a theorem begins, its statement up to the full stop, and where its proof ends."""
    found = re.search(rf"^Theorem {theorem}\b.*?\.(?=\s+Proof\b)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"no theorem {theorem}")
    return found.start(), found[0], text.index("Qed.", found.end()) + len("Qed.")


def _run(folder: Path, name: str, text: str) -> _Said:
    """What Rocq says of a file."""
    (folder / f"{name}.v").write_text(text)
    return _asked(["coqc", f"{name}.v"], folder, "", name)


def _told(folder: Path, text: str) -> str:
    """What Rocq answers, sentence by sentence; it goes on after an error."""
    return _asked(["coqtop", "-q"], folder, text, "a session").text


def _asked(command: list[str], folder: Path, text: str, name: str) -> _Said:
    try:
        said = answer(command, text, LIMIT, folder, stderr=subprocess.STDOUT)
    except TimeoutError as error:
        raise TimeoutError(f"{name} took {error}") from error
    return _Said(said.returncode != 0, said.stdout)
