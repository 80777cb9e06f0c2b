"""What a flag does is told by the known option that explains the runs with it, or by none."""

import pytest

from adafactor_numba.audit.conduct import conduct
from adafactor_numba.audit.flagged import (
    INPUT,
    NOTHING,
    PAPER,
    ROUNDING,
    UNEXPLAINED,
    UNKNOWN,
    Flag,
    Known,
    flagged,
)
from adafactor_numba.audit.interview import Interview
from adafactor_numba.audit.verdict import audit
from derivations.variants import OPTIONS
from tests.answers import Here
from tests.implementations import flagged as flags
from tests.implementations.plain import Plain
from tests.implementations.right import Float32
from tests.implementations.wrong_conduct import Whole


def found(build, *base, dtype="float64"):
    """What the flags of an implementation do that is explained by the options named."""
    subject = Here(build)
    conducted = conduct(subject, 0, dtype)
    options = tuple(OPTIONS[name] for name in base)
    known = Known(options, {dtype: ("float64", "float32")}, dtype, conducted.not_run)
    return flagged(Interview(subject, 0), conducted.flags, known)


def only(build, *base):
    """What its only flag does."""
    (flag,) = found(build, *base).values()
    return flag


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_flag_of_one_that_takes_all_is_explained(dtype):
    assert {name: flag.does for name, flag in found(Whole, dtype=dtype).items()} == {
        "beta_1": "momentum over alpha U_hat",
        "weight_decay": "X decays by alpha weight_decay",
        "maximize": "the step is added",
        "scale_parameter": "no parameter scale",
        "relative_step": "rho = 1e-2",
        "warmup_init": "rho warmed up",
        "d": INPUT,
        "epsilon_1": INPUT,
        "epsilon_2": INPUT,
    }


def test_a_decay_by_alpha_is_known_and_one_by_its_square_is_not():
    assert only(flags.Decaying) == Flag("X decays by alpha weight_decay")
    assert only(flags.DecaysBySquare) == Flag(UNKNOWN)


def test_what_acts_by_no_known_rule_differs_by_that_alone():
    report = audit("mine", "tests.implementations.flagged:DecaysBySquare", dtypes=["float64"])
    assert (report.verdict, report.precision) == ("differs", "float64")
    assert [(d.step, d.what) for d in report.differences] == [
        ("arguments", f"weight_decay {UNKNOWN}")
    ]
    case = report.differences[0].case
    assert "weight_decay" in case["hyperparameters"]
    assert case["other"]["hyperparameters"] == {}


@pytest.mark.parametrize(
    ("build", "name"),
    [(flags.DecaysByConstant, "1e-2"), (flags.DecaysByRho, "rho")],
)
def test_what_is_the_same_up_to_ten_thousand_steps_is_told_apart_beyond(build, name):
    assert only(build) == Flag(f"X decays by {name} weight_decay")


def test_a_flag_that_changes_nothing_says_so_and_what_only_rounds_too():
    assert only(flags.DecayIgnored) == Flag(NOTHING)
    assert only(flags.DecayInOtherOrder) == Flag(ROUNDING)


def test_a_flag_that_is_refused_is_not_known_and_has_the_reason():
    assert only(flags.DecayRefused) == Flag(None, "ValueError: no decay")


def test_a_flag_may_put_the_papers_answer_in_the_place_of_a_variant():
    assert only(flags.Unscaled, "no parameter scale") == Flag(PAPER)


def test_a_flag_may_set_the_number_of_an_option_that_is_the_default():
    option = "momentum over alpha U_hat"
    assert only(flags.WithMomentum, option) == Flag(option)


def test_where_no_rule_is_known_without_the_flag_none_is_looked_for():
    assert only(flags.Unexplained) == Flag(None, UNEXPLAINED)
    assert only(flags.Unscaled).does == PAPER  # the flag itself can be explained


def test_what_the_rule_found_does_not_read_is_no_input_of_it():
    assert found(Plain, "no clipping")["d"] != Flag(INPUT)


def test_work_in_single_precision_is_explained_within_its_rounding():
    assert {flag.does for flag in found(Float32).values()} == {INPUT}
