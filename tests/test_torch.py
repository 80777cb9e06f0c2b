"""torch.optim.Adafactor as it comes: another rule, found without being told which."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="the peer torch is not installed: make test EXTRAS=torch")

from adafactor_numba.audit.names import target
from adafactor_numba.audit.precision import formats
from adafactor_numba.audit.strand import strands
from adafactor_numba.audit.subject import Run, Subject
from adafactor_numba.audit.verdict import audit
from derivations.method import ADAFACTOR
from derivations.variants import VARIANTS

of_torch = pytest.mark.parametrize("implementation", ["torch"])


@of_torch
def test_torch_is_the_variant_whose_epsilon_1_clamps_the_denominators(report):
    assert (report.verdict, report.variant) == ("differs", "eps1 clamps the denominators")
    assert report.differences[0].step == "V"
    assert report.version.startswith("2.")


@of_torch
def test_torch_works_in_single_precision(report):
    assert report.precision == "float32"


@of_torch
def test_the_range_in_float32_begins_where_the_clamp_ends(report):
    assert 1e-4 < report.range["float32"]["smallest_G"] < 1e-3


@of_torch
def test_every_scenario_runs_but_a_threshold_below_1_and_an_empty_parameter(report):
    assert {s["why"] for s in report.scenarios_not_run} == {
        "ValueError: Clipping threshold d should be >= 1 but is: 0.5",
        "ZeroDivisionError: float division by zero",
    }
    assert report.variants_told_apart == report.variants_known


@of_torch
def test_the_case_shown_is_a_matrix_of_small_gradients(report):
    case = report.differences[0].case
    assert len(case["shape"]) == 2
    assert np.abs(case["grads"]).max() < 1e-3


@of_torch
def test_with_another_seed_the_verdict_is_the_same(report):
    other = audit("torch", target("torch"), seed=1, dtypes=["float32"])
    assert (other.verdict, other.variant, other.precision) == (
        report.verdict,
        report.variant,
        report.precision,
    )
    assert other.differences[0].step == report.differences[0].step


def ordinary(size):
    """Runs of float32 vectors and matrices with gradients of about this size."""
    rng = np.random.default_rng(7)
    for shape in ((5,), (3, 4)):
        grads = [(np.float32(size) * rng.standard_normal(shape, np.float32),) for _ in range(5)]
        yield Run("ordinary", (rng.standard_normal(shape, np.float32),), tuple(grads))


def explained(method, size):
    """Whether the method explains all of torch's steps on gradients of this size."""
    with Subject(target("torch")) as torch:
        found = [s for run in ordinary(size) for s in strands(run, torch.run(run))]
    return bool(formats(method, found))


def test_on_ordinary_gradients_torch_is_the_paper():
    assert explained(ADAFACTOR, 1.0)


def test_on_small_gradients_it_is_the_variant_and_not_the_paper():
    assert explained(VARIANTS[0], 1e-5)
    assert not explained(ADAFACTOR, 1e-5)
