"""The names of implementations: what each stands for, and what is said where one is absent."""

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from adafactor_numba.audit.names import ADAPTERS, Adapter, paths, remedy, target
from adafactor_numba.audit.replay import replayed
from adafactor_numba.audit.subject import Subject
from adafactor_numba.audit.verdict import audit

ROOT = Path(__file__).parent.parent
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
FOLDERS = {adapter.folder for adapter in ADAPTERS.values()} - {None}
ABSENT = "ModuleNotFoundError: No module named 'absent'"


@pytest.fixture
def needing_what_is_absent(tmp_path, monkeypatch):
    """A builder whose module imports a library that nobody has."""
    (tmp_path / "needing.py").write_text("import absent\ndef build(params): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    return "needing:build"


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_name_stands_for_a_module_that_is_there(name):
    module = target(name).partition(":")[0]
    assert (ROOT / (module.replace(".", "/") + ".py")).is_file()


@pytest.mark.parametrize("name", [name for name in ADAPTERS if name != "numba"])
def test_what_a_name_needs_can_be_installed(name):
    assert ADAPTERS[name].extra in EXTRAS


def test_each_folder_of_its_own_is_made_by_make():
    made = re.search(r"^FOLDERS := ((?:.*\\\n)*.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {*re.findall(r"\w+-[\d.]+", made[1])} == FOLDERS


OWN = ("test", "lint", "plot", "proofs", "mutants")  # no peers


def test_all_extras_but_those_for_developers_are_peers():
    named = re.search(r"\[(.*)\]", EXTRAS["peers"][0])[1].split(",")
    assert {*named} == {*EXTRAS} - {*OWN, "peers"}
    assert {adapter.extra for adapter in ADAPTERS.values()} - {None} == {*named}


@pytest.mark.parametrize("extra", [extra for extra in EXTRAS if extra not in OWN])
def test_a_library_is_pinned_to_the_version_that_was_tried(extra):
    assert all("==" in wanted or wanted.startswith("adafactor-numba[") for wanted in EXTRAS[extra])


@pytest.mark.parametrize(
    ("file", "named"),
    [
        ("mine.py:build", "mine:build"),
        ("./mine.py:made", "mine:made"),
        ("mine.py", "mine:build"),
        ("./mine:build", "mine:build"),
        ("some/where/mine.py:build", "some.where.mine:build"),
        (".\\where\\mine.py:build", "where.mine:build"),
        ("../mine.py:build", "mine:build"),
        ("/some/where/mine.py:build", "mine:build"),
    ],
)
def test_a_file_is_refused_with_the_name_of_its_module(file, named):
    with pytest.raises(ValueError, match="not a file") as error:
        target(file)
    assert str(error.value) == f"{file}: name a module, {named}, not a file"


@pytest.mark.parametrize("name", ["mine:build", "package.module:builder", "x.python:build"])
def test_a_module_of_ones_own_stands_for_itself(name):
    assert target(name) == name


def test_a_folder_lies_in_the_environment_that_is_running():
    assert paths("timm") == (str(Path(sys.prefix) / "peers" / ADAPTERS["timm"].folder),)
    assert paths("numba") == paths("my.module:build") == ()


def test_a_folder_is_imported_from_before_all_others(tmp_path, monkeypatch):
    for folder in ("old", "new"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "twice.py").write_text(f"VERSION = {folder!r}\ndef build(x): ...\n")
    monkeypatch.syspath_prepend(tmp_path / "new")
    with Subject("twice:build") as subject:
        assert subject.version == "new"
    with Subject("twice:build", paths=[str(tmp_path / "old")]) as subject:
        assert subject.version == "old"


@pytest.mark.parametrize("name", ["timm", "numba"])
def test_a_case_is_replayed_with_the_folders_of_its_implementation(name, tmp_path):
    case = {"builder": target(name), "params": [[0.0]], "grads": [[[1.0]]], "dtype": "float64"}
    differences = [{"case": case | {"hyperparameters": {}}}]
    found = {"verdict": "differs", "implementation": name, "differences": differences}
    (tmp_path / "report.json").write_text(json.dumps(found))
    text = replayed(tmp_path / "report.json")
    assert (f"sys.path[:0] = {[*paths(name)]}\n" in text) == (name == "timm")


@pytest.mark.parametrize(
    ("adapter", "way_out"),
    [
        (Adapter("x", "x", "some"), "pip install '.[some]' or make audit-peers installs it"),
        (Adapter("x", "x", "some", "x-1.0"), "make audit-peers installs it"),
    ],
)
def test_an_absent_library_cannot_run_and_the_way_out_is_named(
    adapter, way_out, needing_what_is_absent, monkeypatch
):
    monkeypatch.setitem(ADAPTERS, "bogus", adapter)
    report = audit("bogus", needing_what_is_absent)
    assert (report.verdict, report.exit_code) == ("cannot run", 2)
    assert report.why == f"{ABSENT}; {way_out}"


def test_nothing_is_advised_for_a_builder_of_ones_own(needing_what_is_absent):
    assert audit("needing:build", needing_what_is_absent).why == ABSENT


def test_nothing_is_advised_where_the_library_is_there():
    assert remedy("torch", "ValueError: no") == "ValueError: no"
