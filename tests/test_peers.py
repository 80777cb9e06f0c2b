"""Every library there is an adapter for, as it is installed: `make audit-peers` sets them up.

An absent library fails here.
"""

import numpy as np
import pytest

from adafactor_numba.audit.names import ADAPTERS, paths, target
from adafactor_numba.audit.subject import Run, Subject
from adafactor_numba.audit.verdict import audit

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


def test_the_audit_comes_to_a_verdict(name):
    report = audit(name, target(name), paths=paths(name))
    assert report.verdict in ("agrees", "differs"), report.why
    assert report.cases > 0
