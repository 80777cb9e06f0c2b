"""README.md and docs/: every example runs, every command exists, every printed screen is true."""

import doctest
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.main import get_command

from adafactor_numba.audit.screen import show
from adafactor_numba.audit.verification import CHECKS
from adafactor_numba.audit.worker import builder, taken, trace
from adafactor_numba.cli import app

ROOT = Path(__file__).parent.parent
README, AUDIT = ROOT / "README.md", ROOT / "docs" / "audit.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
QUICK = ("rules", "factorization", "equivalents", "schedules")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def source(page: Path) -> str:
    """The blocks of Python that are no session: what a reader puts into a file."""
    return "\n\n".join(block for block in blocks(page, "python") if ">>>" not in block)


def screen(page: Path, command: str) -> str:
    """What the page shows below `$ command`."""
    prompt = f"$ adafactor-numba {command}"
    (found,) = [b for b in blocks(page, "text") if b.splitlines()[0].startswith(prompt)]
    return found.partition("\n")[2]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_runs_as_it_is_printed(page):
    prompts = sum(block.count(">>> ") for block in blocks(page, "python"))
    result = doctest.testfile(str(page), module_relative=False)
    assert (result.failed, result.attempted) == (0, prompts)


def test_a_wrong_digit_is_found():
    text = README.read_text().replace("0.99381655", "0.99381656")
    wrong = doctest.DocTestParser().get_doctest(text, {}, "wrong", None, 0)
    assert doctest.DocTestRunner(verbose=False).run(wrong, out=lambda _: None).failed == 1


def test_python_that_is_no_session_is_an_example_tested_here():
    assert [page for page in PAGES if source(page)] == [README, AUDIT]


def test_the_builder_of_the_readme_has_about_ten_lines():
    assert len([line for line in source(README).splitlines() if line]) <= 10


def test_the_builder_of_the_readme_is_one(tmp_path, monkeypatch):
    (tmp_path / "readme_builder.py").write_text(source(README))
    monkeypatch.syspath_prepend(tmp_path)
    _, build = builder("readme_builder:build")
    assert taken(build) == ["epsilon_1", "epsilon_2", "d"]
    ones = np.ones((2, 3))
    run = {"params": [ones, ones], "grads": [[ones, None]], "hyperparameters": {}, "watch": []}
    found = trace(build, run)
    assert (found["error"], found["changed"]) == (None, [])
    ((first, second),) = found["after"]
    assert np.all(first < ones)
    assert np.array_equal(second, ones)


@pytest.fixture
def mine(tmp_path):
    """A folder with the `mine.py` of docs/audit.md."""
    (tmp_path / "mine.py").write_text(source(AUDIT))
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python in `folder`, where this project can be imported."""
    places = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": places, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )


def settled(text: str) -> list[str]:
    """The lines of a report, less what differs from run to run or grows with the audit."""
    text = re.sub(r"^cases +\d+|\d+ of \d+ variants|[\d.]+ s *$", "#", text, flags=re.MULTILINE)
    return [line.rstrip() for line in text.strip().splitlines()]


def test_the_audit_of_the_example_prints_what_the_page_shows(mine):
    command = "audit mine:build --json case.json"
    found = run(mine, "-m", "adafactor_numba", *command.split())
    assert settled(found.stdout) == settled(screen(AUDIT, command))
    assert found.returncode == 1
    command = "audit --replay case.json"
    found = run(mine, "-m", "adafactor_numba", *command.split())
    assert found.stdout == screen(AUDIT, command)
    (mine / "case.py").write_text(found.stdout)
    assert run(mine, "case.py").stdout.split() == ["got", "-9.765625e-09", "expected", "-1e-05"]


@pytest.mark.slow
def test_the_example_agrees_once_the_character_is_put_right(mine):
    right = (mine / "mine.py").read_text().replace("* self.d", "/ self.d")
    (mine / "mine.py").write_text(right)
    command = ("-m", "adafactor_numba", "audit", "mine:build", "--dtype", "float64")
    found = run(mine, *command)
    assert found.stdout.startswith("mine:build unknown: agrees")
    assert found.returncode == 0


@pytest.mark.skipif(find_spec("torch") is None, reason="needs torch: make test EXTRAS=torch")
@pytest.mark.parametrize("implementation", ["torch"])
def test_the_audit_of_torch_finds_what_the_readme_shows(report):
    console = Console(width=100, file=io.StringIO())
    show(report, console, Path("torch.json"))
    shown, printed = settled(screen(README, "audit torch")), settled(console.file.getvalue())
    assert shown[0].partition("+")[0] == "torch 2.13.0"
    for line in shown[1:4] + [line for line in shown if " differs: " in line]:
        assert line in printed  # the numbers of a float32 kernel are its machine's
    assert report.exit_code == 1


def test_verify_has_the_checks_that_the_readme_shows():
    shown = dict(
        re.findall(
            r"^ok +(\S+(?: \w+)?) +(.+) \([\d.]+ s\)$", screen(README, "verify"), re.MULTILINE
        )
    )
    checks = dict(CHECKS)
    assert [*shown] == [*checks]
    assert {name: shown[name] for name in QUICK} == {name: checks[name]() for name in QUICK}


def unknown(text: str) -> Iterator[str]:
    """What `text` asks of the command `adafactor-numba`, or of make, that does not exist."""
    commands = get_command(app).commands
    for name, rest in re.findall(r"\badafactor-numba (\w+)([^`\n]*)", text):
        if name not in commands:
            yield f"adafactor-numba {name}"
            continue
        known = {option for p in commands[name].params for option in p.opts}
        yield from (
            f"{name} {option}" for option in re.findall(r"--\w+", rest) if option not in known
        )
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    asked = re.findall(r"(?:^    |`)make ([\w-]+)", text, re.MULTILINE)
    yield from (f"make {target}" for target in asked if target not in targets)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_exists(page):
    assert not [*unknown(page.read_text())]


@pytest.mark.parametrize(
    "text",
    ["`adafactor-numba refute`", "$ adafactor-numba audit torch --yaml x", "`make audit-all`"],
)
def test_a_command_that_does_not_exist_is_found(text):
    assert [*unknown(text)]


def missing(text: str) -> list[str]:
    """Links to files of the project that are not there."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    return [link for link in links if not (ROOT / link).is_file()]


def test_every_link_of_the_readme_leads_somewhere():
    assert not missing(README.read_text())
    assert missing("[a page](docs/nowhere.md)") == ["docs/nowhere.md"]


@pytest.mark.parametrize("package", ["adafactor_numba", "derivations", "proofs"])
def test_the_packages_that_are_installed_are_named(package):
    assert f"`{package}`" in README.read_text()
