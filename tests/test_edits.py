"""The methods one symbol away from the paper: each is another one, and every step has some."""

from collections import Counter

import numpy as np
import pytest

from adafactor_numba.audit.edits import Edit, edits, theta
from derivations.adafactor import SCHEDULE
from derivations.evaluate import evaluate
from derivations.method import ADAFACTOR

EDITS = tuple(edits())
FITTED = [edit for edit in EDITS if edit.start is not None]
STEPS = ("rho", "beta_2", "alpha", "R", "C", "V", "U", "U_hat", "X_new")
SHAPES = ((3,), (2, 3))


def changed(edit):
    """The rules, and the lines of the paper, whose value is not the paper's."""
    return {
        (own.name, own.line(a.name))
        for rule, own in zip(edit.method.rules(), ADAFACTOR.rules(), strict=True)
        for a, b in zip(rule.steps, own.steps, strict=True)
        if a.value != b.value
    }


def values(method, shape, t, theta=None):
    """X_new by the method in float64, from statistics that are not zero."""
    layout = method.layout(shape)
    rng = np.random.default_rng((*shape, t))
    given = {} if theta is None else {"theta": theta}
    x = evaluate(method.schedule, {"t": t} | given)
    sizes = dict(zip(("n", "m"), shape, strict=False))
    for quantity in layout.rule.inputs:
        if quantity.indices:
            drawn = rng.uniform(0.5, 2.0, [sizes[str(s)] for s in layout.rule.shape(quantity)])
            x[quantity.name] = drawn * (rng.choice([-1, 1]) if quantity.name in "XG" else 1)
    names = {quantity.name for quantity in layout.rule.inputs}
    return evaluate(layout.rule, {k: v for k, v in (x | given).items() if k in names})["X_new"]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit.step}: {edit.what}")
def test_an_edit_changes_the_step_it_names(edit):
    names = {name for _, name in changed(edit)}
    assert edit.step in names


@pytest.mark.parametrize("step", STEPS)
def test_every_step_has_edits_with_and_without_a_constant(step):
    assert {edit.start is None for edit in EDITS if edit.step == step} == {True, False}


def test_no_two_edits_are_the_same():
    found = Counter(
        tuple(step.value for rule in edit.method.rules() for step in rule.steps) for edit in EDITS
    )
    twice = [edit for edit in EDITS if found[_values(edit)] > 1]
    assert not twice, [(edit.step, edit.what) for edit in twice]


def _values(edit):
    return tuple(step.value for rule in edit.method.rules() for step in rule.steps)


@pytest.mark.parametrize("edit", FITTED, ids=lambda edit: f"{edit.step}: {edit.what}")
@pytest.mark.parametrize("shape", SHAPES)
def test_an_edit_with_its_constant_at_the_papers_value_is_the_paper(edit, shape):
    for t in (1, 2, 10_001):
        expected = values(ADAFACTOR, shape, t)
        assert np.array_equal(values(edit.method, shape, t, edit.start), expected)


def test_an_edit_has_a_constant_exactly_if_it_has_a_start():
    for edit in EDITS:
        has = any(step.value.has(theta) for rule in edit.method.rules() for step in rule.steps)
        assert has == (edit.start is not None)


@pytest.mark.parametrize(
    ("step", "what"),
    [
        ("rho", "Max for Min"),
        ("rho", "t + 1 for t"),
        ("rho", "another number for 1/100"),
        ("beta_2", "another number for -4/5"),
        ("alpha", "Min for Max"),
        ("alpha", "another default of epsilon_2"),
        ("R", "another default of epsilon_1"),
        ("V", "without the factor 1/S_R, in the matrix rule"),
        ("U_hat", "clipped entry by entry"),
        ("U_hat", "clipped row by row, in the matrix rule"),
        ("U_hat", "without the factor 1/d"),
        ("X_new", "X decays like alpha"),
    ],
)
def test_the_ordinary_mistakes_are_among_them(step, what):
    assert (step, what) in {(edit.step, edit.what) for edit in EDITS}


def test_an_edit_of_the_schedule_leaves_the_rules_alone():
    for edit in EDITS:
        of_schedule = {rule for rule, _ in changed(edit)} == {SCHEDULE.name}
        assert of_schedule == (edit.step in ("rho", "beta_2"))


def test_the_rules_that_an_edit_does_not_name_are_the_papers():
    for edit in EDITS:
        if edit.what.endswith("in the vector rule"):
            assert edit.method.matrix is ADAFACTOR.matrix
        if edit.what.endswith("in the matrix rule"):
            assert edit.method.vector is ADAFACTOR.vector


def test_the_paper_itself_is_no_edit():
    assert changed(Edit("rho", "nothing", ADAFACTOR)) == set()
    assert np.array_equal(values(ADAFACTOR, (3,), 2), values(ADAFACTOR, (3,), 2))
