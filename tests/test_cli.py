"""The command: what it prints, what it writes, how it ends."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner

from adafactor_numba.audit.laws import LAWS
from adafactor_numba.audit.names import ADAPTERS
from adafactor_numba.audit.report import Difference, Report
from adafactor_numba.audit.verification import Check
from adafactor_numba.cli import app
from derivations.method import ADAFACTOR
from derivations.variants import VARIANTS
from proofs.catalogue import THEOREMS

RULES = [*(rule.name for rule in ADAFACTOR.rules()), "factorization"]
MINE = {
    "agreeing": "from tests.implementations.plain import Plain as build",
    "differing": "from tests.implementations.wrong_moves import DecayByAlpha as build",
    "broken": "def build(params): raise OSError('no device')",
}
REPORT = {
    "implementation": str,
    "version": str,
    "verdict": str,
    "rule": str,
    "variant": (str, type(None)),
    "axes": dict,
    "precision": (str, type(None)),
    "precisions": dict,
    "range": dict,
    "range_of": dict,
    "cases": int,
    "variants_told_apart": int,
    "variants_known": int,
    "not_told_apart": list,
    "equivalent": list,
    "scenarios_not_run": list,
    "differences": list,
    "state": dict,
    "sublinear": (bool, type(None)),
    "state_dtypes": dict,
    "counts_skipped": (bool, type(None)),
    "flags": dict,
    "properties": list,
    "why": str,
    "seed": int,
    "seconds": float,
}
TRUTH = ((bool, type(None)),)
FLAG = {"does": (str, type(None)), "why": str}
PROPERTY = {"name": str, "holds": (bool, type(None)), "says": str, "detail": str}
NUMBER = (int, float, str, type(None))
DIFFERENCE = {
    "step": str,
    "case": dict,
    "index": list,
    "got": NUMBER,
    "expected": NUMBER,
    "off_by_ulp": NUMBER,
    "explained_ulp": NUMBER,
    "equivalent_steps": list,
    "what": str,
    "source": str,
}


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def strictly(text):
    """JSON without NaN or Infinity."""

    def refuse(name):
        raise ValueError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def assert_has_the_form(value, form):
    assert {*value} == {*form}
    for name, kinds in form.items():
        assert isinstance(value[name], kinds), name
        assert kinds in TRUTH or not isinstance(value[name], bool), name


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with builders of someone's own."""
    folder = tmp_path_factory.mktemp("own")
    for name, text in MINE.items():
        (folder / f"{name}.py").write_text(text + "\n")
    return folder


@pytest.fixture(scope="module")
def audits(folder):
    """What the command says and writes about each of them, called in their folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return {
            name: (invoke("audit", f"{name}:build", "--json", f"{name}.json", "--seed", 3), folder)
            for name in MINE
        }


def written(audits, name):
    return strictly((audits[name][1] / f"{name}.json").read_text())


def test_every_dtype_is_audited_or_the_one_that_is_asked_for(audits, folder, monkeypatch):
    assert [*written(audits, "agreeing")["range"]] == ["float64", "float32", "float16"]
    monkeypatch.chdir(folder)
    command = ["audit", "agreeing:build", "--dtype", "float16", "--json", "half.json"]
    assert invoke(*command).exit_code == 0
    found = strictly((folder / "half.json").read_text())
    assert [*found["range"]] == ["float32", "float16"]  # by whose rule it is judged
    assert found["cases"] > 1000


def test_an_unknown_dtype_is_refused():
    result = invoke("audit", "numba", "--dtype", "int8")
    assert result.exit_code == 2
    assert result.stderr == ("no dtype is called 'int8'; known are float64, float32, float16\n")


def test_the_version_is_the_distributions():
    result = invoke("--version")
    assert (result.exit_code, result.stdout.strip()) == (0, version("adafactor-numba"))


def test_the_module_runs_as_the_command_does():
    command = [sys.executable, "-m", "adafactor_numba", "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.strip() == version("adafactor-numba")


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_prints_as_text_with_its_sources(rule):
    result = invoke("derive", rule)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{rule}\n")
    assert rule == "factorization" or "[S] Algorithm" in result.stdout


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_prints_as_latex(rule):
    result = invoke("derive", rule, "--format", "latex")
    assert result.exit_code == 0
    begins = re.findall(r"\\begin\{(\w+\*?)\}", result.stdout)
    assert begins == re.findall(r"\\end\{(\w+\*?)\}", result.stdout) != []


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_prints_as_well_formed_mathml(rule):
    result = invoke("derive", rule, "--format", "mathml")
    assert result.exit_code == 0
    ElementTree.fromstring(f"<page>{result.stdout}</page>")


def test_without_a_name_every_rule_is_printed():
    said = invoke("derive").stdout
    assert [line for line in said.splitlines() if line in RULES] == RULES


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_variant_is_printed_by_its_name(variant):
    result = invoke("derive", variant.name)
    assert result.exit_code == 0
    assert result.stdout


def test_the_known_implementations_are_listed():
    result = invoke("audit", "--list")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == [*ADAPTERS]


REFUSED = {
    ("derive", "matirx"): "no rule is called 'matirx'; known are matrix",
    ("derive", "no cliping"): "no rule is called 'no cliping'; known are no clipping",
    ("derive", "--format", "latx"): "no format is called 'latx'; known are latex",
    ("audit",): "name an implementation, or ask for --list",
    ("audit", "trim"): "no implementation is called 'trim'; did you mean timm? --list has all that "
    "are known; your own is named package.module:builder\n",
    ("audit", "zzz"): "no implementation is called 'zzz'; --list has all that are known; your own "
    "is named package.module:builder\n",
    ("audit", "./mine.py:build"): "./mine.py:build: name a module, mine:build, not a file\n",
    ("audit", "numba", "--json", "/nowhere/at/all.json"): "/nowhere/at/all.json: cannot be written",
    ("audit", "--replay", "absent.json"): "absent.json: no case can be read",
}


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_what_is_refused_is_refused_in_one_line(arguments):
    result = invoke(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(REFUSED[arguments])
    assert result.stderr.count("\n") == 1


def test_a_rule_near_to_none_lists_all():
    assert "known are latex, mathml, text" not in invoke("derive", "--format", "zzz").stderr
    assert "known are text, latex, mathml" in invoke("derive", "--format", "zzz").stderr


@pytest.mark.parametrize(
    "name", ["absent:build", "json:absent", "json:__name__", "json", ":", "x:"]
)
def test_what_cannot_be_imported_cannot_run_and_says_so_without_a_traceback(name):
    result = invoke("audit", name)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert len(result.output.strip().splitlines()) <= 2


@pytest.mark.parametrize(("name", "code"), [("agreeing", 0), ("differing", 1), ("broken", 2)])
def test_the_exit_code_is_the_verdict(audits, name, code):
    assert audits[name][0].exit_code == code


@pytest.mark.parametrize("name", MINE)
def test_what_is_written_has_the_form_of_a_report(audits, name):
    report = written(audits, name)
    assert_has_the_form(report, REPORT)
    assert report["implementation"] == f"{name}:build"
    assert report["verdict"] in ("agrees", "differs", "cannot run")
    assert report["seed"] == 3
    assert report["variants_known"] == len(VARIANTS)
    for ends in report["range"].values():
        assert_has_the_form(ends, {"smallest_G": (int, float), "largest_G": (int, float)})
    for flag in report["flags"].values():
        assert_has_the_form(flag, FLAG)
    for law in report["properties"]:
        assert_has_the_form(law, PROPERTY | ({"case": dict} if law["holds"] is False else {}))
    for difference in report["differences"]:
        assert_has_the_form(difference, DIFFERENCE)
        assert {"shape", "dtype", "t", "hyperparameters", "seed"} <= {*difference["case"]}


def test_what_is_not_finite_is_a_string():
    case = {"shape": [1], "hyperparameters": {"d": float("inf")}}
    difference = Difference("V", case, got=float("nan"), off_by_ulp=float("-inf"))
    found = strictly(Report("x", "1", "differs", differences=(difference,)).json())
    assert found["differences"][0]["got"] == "nan"
    assert found["differences"][0]["off_by_ulp"] == "-inf"
    assert found["differences"][0]["case"]["hyperparameters"] == {"d": "inf"}


def test_one_that_cannot_run_says_why(audits):
    assert "OSError: no device" in audits["broken"][0].stdout
    assert written(audits, "broken")["why"] == "OSError: no device"


def test_one_that_cannot_run_says_nothing_else(audits):
    report = written(audits, "broken")
    assert (report["state"], report["flags"], report["properties"]) == ({}, {}, [])
    assert (report["sublinear"], report["counts_skipped"]) == (None, None)


def test_what_is_found_beside_the_arithmetic_is_written(audits):
    report = written(audits, "agreeing")
    assert [law["holds"] for law in report["properties"]] == [True] * len(LAWS)
    assert {flag["does"] for flag in report["flags"].values()} == {"as the paper's input"}
    assert (report["state"], report["sublinear"], report["counts_skipped"]) == ({}, None, False)
    failing = [law["name"] for law in written(audits, "differing")["properties"] if "case" in law]
    assert failing == ["parameter scale", "zero gradient"]
    assert written(audits, "differing")["verdict"] == "differs"


def test_an_agreement_fits_a_few_lines_and_names_what_supports_it(audits):
    said = audits["agreeing"][0].stdout
    assert said.splitlines()[0] == "agreeing:build unknown: agrees"
    for fact in ("[S] Algorithm", "float64", "variants told from the paper", "seed 3"):
        assert fact in said


def test_a_difference_fits_a_screen_with_both_values(audits):
    said = audits["differing"][0].stdout
    first = written(audits, "differing")["differences"][0]
    assert "X_new differs: X decays like alpha" in said
    assert str(first["got"]) in said
    assert str(first["expected"]) in said
    assert len(said.splitlines()) <= 24


def test_the_replayed_script_finds_both_values_again(audits, folder):
    script = invoke("audit", "--replay", folder / "differing.json").stdout
    first = written(audits, "differing")["differences"][0]
    path = os.pathsep.join(p for p in sys.path if p)
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
    )
    found = dict(line.split() for line in done.stdout.splitlines())
    dtype = np.dtype(first["case"]["dtype"]).type
    assert {name: dtype(x) for name, x in found.items()} == {
        "got": dtype(first["got"]),
        "expected": dtype(first["expected"]),
    }
    assert len(script.splitlines()) <= 20


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not JSON", "no case can be read"),
        ("[]", "no case: a JSON object is expected"),
        ("{}", "the case has no builder, dtype, grads, hyperparameters, params"),
        ('{"verdict": "agrees", "implementation": "x"}', "x has no difference to replay"),
        ('{"verdict": "agrees"}', "the report has no difference to replay"),
        ('{"verdict": "differs", "differences": 1}', "differences is 1, not a list"),
        ('{"verdict": "differs", "differences": [1]}', "differences[0] is 1, not an object"),
        ('{"case": null}', "case is null, not an object"),
        ("[" * 100_000, "no case can be read"),
    ],
)
def test_what_is_no_case_is_refused_in_one_line(text, message, tmp_path):
    file = tmp_path / "case.json"
    file.write_text(text)
    result = invoke("audit", "--replay", file)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert f"{file}: {message}" in result.stderr


def test_all_that_is_verified_holds_and_is_written(tmp_path, put, monkeypatch):
    """The theorems as they were put for the tests of them."""
    already = {THEOREMS: put}
    monkeypatch.setattr("adafactor_numba.audit.verification.proofs", already.__getitem__)
    result = invoke("verify", "--json", tmp_path / "outcome.json")
    outcome = strictly((tmp_path / "outcome.json").read_text())
    assert (result.exit_code, outcome["ok"]) == (0, True)
    assert [*outcome] == ["ok", "checks"]
    for check in outcome["checks"]:
        assert {n: type(x) for n, x in check.items()} == {
            "name": str,
            "ok": bool,
            "detail": str,
            "seconds": float,
        }
        assert check["name"] in result.stdout
    assert {c["name"] for c in outcome["checks"]} >= {"loops: vector", "audit: numba"}


def test_a_check_that_fails_ends_in_exit_code_1(tmp_path, monkeypatch):
    found = [Check("good", True, "holds", 0.1), Check("bad", False, "does not", 0.1)]
    monkeypatch.setattr("adafactor_numba.audit.verification.verification", lambda _: found)
    result = invoke("verify", "--json", tmp_path / "outcome.json")
    outcome = strictly((tmp_path / "outcome.json").read_text())
    assert (result.exit_code, outcome["ok"]) == (1, False)
    assert [check["ok"] for check in outcome["checks"]] == [True, False]
    assert "failed bad" in result.stdout
