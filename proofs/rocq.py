"""Theorems for all sizes in Rocq: compiled in a temporary folder, with what they rest on.

A theorem holds if its file compiles and rests on no axiom but those of the classical reals.  A
statement that is altered is refused where it can still be stated, and its proof no longer goes
through; a slip in the statement, or a proof that takes too long, is no refusal.
"""

import atexit
import os
import re
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import copy, rmtree, which

FOLDER = Path(__file__).parent / "rocq"
FILES = (  # each after those that it reads
    *("Sums", "Factored", "Update", "Average", "Clipping"),
    *("Growth", "Forgetting", "Symmetry"),
)
AXIOMS = {
    "ClassicalDedekindReals.sig_not_dec",
    "ClassicalDedekindReals.sig_forall_dec",
    "FunctionalExtensionality.functional_extensionality_dep",
    "Classical_Prop.classic",
}
"""On which the reals of the standard library rest."""
LIMIT = 60.0  # seconds for a file


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


def installed() -> bool:
    """Whether Rocq is there."""
    return which("coqc") is not None


def failure(of: Formal) -> str:
    """Why a theorem is not proved; empty if it is."""
    _, errors = _compiled()
    if errors:
        return errors
    if (of.file, of.theorem) not in theorems():
        return f"{of.file}.v has no theorem {of.theorem}"
    foreign = _foreign(theorems()) and _foreign(((of.file, of.theorem),))
    return f"rests on {', '.join(sorted(foreign))}" if foreign else ""


def refusal(of: Altered) -> str:
    """Where the proof of the altered theorem fails; empty if it does not, or cannot be stated."""
    folder, errors = _compiled()
    text = (FOLDER / f"{of.file}.v").read_text()
    start, statement, end = _parts(text, of.theorem)
    if errors or statement.count(of.old) != 1:
        raise ValueError(f"{of.theorem}: {errors or f'{of.old!r} is not once in its statement'}")
    altered = statement.replace(of.old, of.new)
    stated = _run(folder, f"Stated_{of.file}", f"{text[:start]}{altered}\nAbort.\n", unclosed=True)
    if stated.failed:
        raise ValueError(f"{of.theorem}: the altered statement is none: {stated.text}")
    whole = text[:start] + altered + text[start + len(statement) : end]
    proved = _run(folder, f"Altered_{of.file}", whole, unclosed=True)
    return " ".join(proved.text.partition("Error:")[2].split()) if proved.failed else ""


@dataclass(frozen=True)
class _Said:
    failed: bool
    text: str


@cache
def _compiled() -> tuple[Path, str]:
    """A folder with all files compiled, and the first error."""
    folder = Path(tempfile.mkdtemp(prefix="adafactor-rocq-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    for name in FILES:
        copy(FOLDER / f"{name}.v", folder)
        said = _run(folder, name, (folder / f"{name}.v").read_text())
        if said.failed:
            return folder, f"{name}.v: {said.text}"
    return folder, ""


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
    folder, _ = _compiled()
    all_of_them = ", ".join(f"{file}.{theorem}" for file, theorem in names)
    requires = "".join(f"Require {file}.\n" for file in FILES)
    said = _run(
        folder,
        "Probe",
        f"{requires}Definition all := ({all_of_them}, 0).\nPrint Assumptions all.\n",
    )
    if said.failed:
        raise ValueError(said.text)
    return set(re.findall(r"^([\w.]+)(?=\s*:)", said.text, re.MULTILINE)) - AXIOMS - {"Axioms"}


def _parts(text: str, theorem: str) -> tuple[int, str, int]:
    """Where a theorem begins, its statement up to the full stop, and where its proof ends."""
    found = re.search(rf"^Theorem {theorem}\b.*?\.(?=\s+Proof\b)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"no theorem {theorem}")
    return found.start(), found[0], text.index("Qed.", found.end()) + len("Qed.")


def _run(folder: Path, name: str, text: str, unclosed: bool = False) -> _Said:
    """What Rocq says of a file; `unclosed`: sections may still be open at its end."""
    if unclosed:
        opened = re.findall(r"^(Section|End) (\w+)\.", text, re.MULTILINE)
        open_ = [n for kind, n in opened if kind == "Section" and ("End", n) not in opened]
        text += "".join(f"\nEnd {n}." for n in reversed(open_))
    (folder / f"{name}.v").write_text(text)
    process = subprocess.Popen(
        ["coqc", f"{name}.v"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        out, _ = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise TimeoutError(f"{name}.v took more than {LIMIT:.0f} s") from error
    return _Said(process.returncode != 0, out)
