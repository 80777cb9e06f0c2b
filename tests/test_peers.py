"""Every library there is an adapter for, as it is installed: `make audit-peers` sets them up.

An absent library fails here.
"""

import re
from pathlib import Path

import numpy as np
import pytest

from adafactor_numba.audit.names import ADAPTERS, paths, target
from adafactor_numba.audit.subject import Run, Subject
from adafactor_numba.audit.table import page
from adafactor_numba.audit.verdict import DTYPES

pytestmark = pytest.mark.peers

RESUMED = """\
from MODULE import build as own
def build(params):
    steps = [own(params)]
    def step(grads):
        after = steps[-1](grads)
        steps.append(own.load(steps[-1].save()))
        assert all(type(stored) is dict for stored in steps[-1].state())
        return after
    return step
"""
# Its momentum is kept in bfloat16, and PyTorch's load_state_dict makes it the parameter's dtype.
FORGETTING = {"pytorch_optimizer-3.9.0"}


def three_steps(*dtypes):
    """A run of a vector and a matrix, of one dtype each."""
    rng = np.random.default_rng(5)
    shapes = [(dtype, shape) for dtype in dtypes for shape in ((3,), (2, 3))]
    params, *grads = (
        tuple(rng.standard_normal(shape).astype(dtype) for dtype, shape in shapes) for _ in range(4)
    )
    return Run("three steps", params, tuple(grads))


def bits(trace):
    """What came back, byte for byte."""
    assert trace.error is None
    return [[array.tobytes() for array in after] for after in trace.after]


@pytest.fixture(scope="module", params=ADAPTERS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def subject(name):
    with Subject(target(name), paths=paths(name)) as subject:
        yield subject


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_three_steps_come_back_in_their_dtype_and_move(subject, dtype):
    run = three_steps(dtype)
    trace = subject.run(run)
    assert (trace.error, trace.changed) == (None, [])
    assert len(trace.after) == 3
    for before, after in zip((run.params, *trace.after), trace.after, strict=False):
        assert [x.dtype for x in after] == [dtype, dtype]
        assert all(np.any(x != y) for x, y in zip(before, after, strict=True))


def test_the_same_run_gives_the_same_bits_again(subject):
    run, other = three_steps("float32"), three_steps("float64")
    first = bits(subject.run(run))
    subject.run(other)
    assert bits(subject.run(run)) == first


def test_a_step_goes_on_from_what_it_saved(name, subject, tmp_path, monkeypatch):
    module = target(name).partition(":")[0]
    (tmp_path / "resumed.py").write_text(RESUMED.replace("MODULE", module))
    monkeypatch.syspath_prepend(tmp_path)
    run = three_steps("float32")
    with Subject("resumed:build", paths=paths(name)) as resumed:
        again = bits(resumed.run(run))
    assert (again == bits(subject.run(run))) == (name not in FORGETTING)


def test_its_version_is_known(name, subject):
    assert subject.version[0].isdigit()
    assert (ADAPTERS[name].folder or subject.version).endswith(subject.version)


VERDICTS = {
    "numba": ("agrees", None, "float64"),
    "torch": ("differs", "eps1 clamps the denominators", "float32"),
    "torch-foreach": ("differs", "eps1 clamps the denominators", "float32"),
    "torch-eps1": ("differs", None, None),
    "transformers": ("agrees", None, "float32"),
    "optax": ("differs", "two largest axes, from 128 on", "float32"),
    "optax-factored": ("differs", "two largest axes", "float32"),
    "keras-jax": ("differs", "rho at most 1e-3", "float32"),
    "keras-torch": ("differs", "rho at most 1e-3", "float32"),
    "timm": ("differs", "first two axes, else last two, from 17 on", "float32"),
    "timm-bigvision": (
        "differs",
        "two largest axes, from 16 on; momentum over U_hat; no parameter scale; no clipping; "
        "beta_2 at most 0.999",
        "bfloat16",
    ),
    "pytorch_optimizer": (
        "differs",
        "momentum over alpha U_hat; beta_2 at most 0.999",
        "bfloat16",
    ),
    "pytorch_optimizer-3.9.0": ("differs", None, None),
    "torch_optimizer-0.3.0": ("differs", None, None),
    "mlx": ("agrees", None, "float32"),
    "came": ("differs", None, None),
    "galore": ("agrees", None, "float32"),
}
"""Verdict, variant and precision of the versions that `make audit-peers` installs."""

STEPS = {
    "torch": ["V"],
    "torch-foreach": ["V"],
    "torch-eps1": ["V", "V"],
    "optax": ["V"],
    "optax-factored": ["V"],
    "keras-jax": ["rho", "arguments"],
    "keras-torch": ["rho", "arguments"],
    "timm": ["V"],
    "timm-bigvision": ["V", "alpha", "beta_2", "X_new", "U_hat"],
    "pytorch_optimizer": ["beta_2", "X_new", "arguments"],
    "pytorch_optimizer-3.9.0": ["V", "alpha", "X_new", "over time", "arguments", "arguments"],
    "torch_optimizer-0.3.0": ["V"],
    "came": ["V", "alpha", "beta_2", "X_new"],
}
"""The steps at which they differ, in the order of the report.

Released with defects: pytorch_optimizer 3.9.0 bounds V of a vector by 0.999, takes scale_parameter
for its opposite, and loses its momentum's dtype; with maximize both versions of it turn the
caller's gradients; torch_optimizer 0.3.0 divides by a mean without
its axis, which is wrong from rank 3 on.
"""

every_adapter = pytest.mark.parametrize("implementation", ADAPTERS)


@every_adapter
def test_the_audit_finds_what_is_known_of_the_version(report, implementation):
    assert (report.verdict, report.variant, report.precision) == VERDICTS[implementation], report
    assert [d.step for d in report.differences] == STEPS.get(implementation, [])


@every_adapter
def test_the_cases_tell_every_variant_from_the_paper(report, implementation):
    """But for the one whose rank above 2 raises, so that no batch can be seen."""
    untold = {name for pair in report.not_told_apart for name in pair if "paper" in pair}
    axes = {"two largest axes", "paper"} if implementation == "torch_optimizer-0.3.0" else set()
    assert untold == axes


def test_every_library_counts_towards_the_ten_of_seven():
    installed = [adapter.folder or adapter.extra or "" for adapter in ADAPTERS.values()]
    libraries = {name.partition("-")[0] for name in installed if name}
    assert len(ADAPTERS) >= 10
    assert len(libraries) >= 7
    assert {*VERDICTS} == {*ADAPTERS}


def settled(text):
    """The page without the two numbers of a case: those of a float32 kernel are its machine's."""
    return re.sub(r"\S+ for \S+\)$", "#)", text, flags=re.MULTILINE)


def test_the_page_is_what_the_audits_found(reports, request):
    """`make table` writes it."""
    file = Path(__file__).parent.parent / "docs" / "implementations.md"
    found = page([reports(name, DTYPES) for name in ADAPTERS])
    if request.config.getoption("write"):
        file.write_text(found)
    assert settled(file.read_text()) == settled(found)
    assert settled(found) != found
