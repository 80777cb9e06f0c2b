"""The methods one symbol away from the paper or a variant: each is another, every step has some."""

from collections import Counter

import numpy as np
import pytest
import sympy as sp

from adafactor_numba.audit.edits import Edit, edits, theta
from derivations.adafactor import SCHEDULE
from derivations.evaluate import evaluate
from derivations.method import ADAFACTOR, machine_epsilon
from derivations.variants import AXES, combined

EDITS = tuple(edits())
FITTED = [edit for edit in EDITS if edit.start is not None]
STEPS = ("rho", "beta_2", "alpha", "R", "C", "V", "U", "U_hat", "X_new")
SHAPES = ((3,), (2, 3))

OPTIONS = {option.name: option for axis in AXES for option in axis.options}
BASES = {
    names: combined(tuple(OPTIONS[name] for name in names.split("; ")))
    for names in (
        "eps1 clamps the denominators",
        "momentum over U_hat; no parameter scale; beta_2 = 0.999",
        "each matrix of a batch clipped by itself; eps1 added to the denominators; rho = 1e-2",
    )
}
LINES = (*ADAFACTOR.schedule.steps, *ADAFACTOR.matrix.steps)


def rules(method):
    """Its rules but for that of a batch, which follows from the matrix rule."""
    return method.schedule, method.vector, method.matrix


def line(name, rule):
    """The line of the paper that a step is a part of, or was added for."""
    for paper in ADAFACTOR.rules():
        if name in {step.name for step in paper.steps}:
            return paper.line(name)
    return rule.line(name)


def changed(edit, base=ADAFACTOR):
    """The rules, and the lines of the paper, whose value is not that of the base."""
    return {
        (own.name, line(a.name, own))
        for rule, own in zip(rules(edit.method), rules(base), strict=True)
        for a, b in zip(rule.steps, own.steps, strict=True)
        if by_default(rule, a.value) != b.value
    }


def by_default(rule, value):
    """What a step is where no caller gives a hyperparameter whose default is theta."""
    return value.subs({x.target: theta for x in rule.inputs if x.default == theta})


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
    defaults = {q.name: q.default for q in layout.rule.inputs if q.default is not None}
    given |= {name: 2.0**-52 for name, default in defaults.items() if default == machine_epsilon}
    given |= {name: given["theta"] for name, default in defaults.items() if str(default) == "theta"}
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
    found = Counter(map(_values, EDITS))
    twice = [edit for edit in EDITS if found[_values(edit)] > 1]
    assert not twice, [(edit.step, edit.what) for edit in twice]


def _values(edit):
    return _expressions(edit.method)


def _expressions(method):
    """All that it is written with: steps and defaults."""
    defaults = [x.default for rule in rules(method) for x in rule.inputs if x.default is not None]
    return (*(step.value for rule in rules(method) for step in rule.steps), *defaults)


@pytest.mark.parametrize("edit", FITTED, ids=lambda edit: f"{edit.step}: {edit.what}")
@pytest.mark.parametrize("shape", SHAPES)
def test_an_edit_with_its_constant_at_the_papers_value_is_the_paper(edit, shape):
    for t in (1, 2, 10_001):
        expected = values(ADAFACTOR, shape, t)
        assert np.array_equal(values(edit.method, shape, t, edit.start), expected)


def test_an_edit_has_a_constant_exactly_if_it_has_a_start():
    for edit in EDITS:
        assert any(value.has(theta) for value in _values(edit)) == (edit.start is not None)


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
        ("R", "a number for epsilon_1"),
        ("C", "a number for epsilon_1 in C"),
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


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_an_edit_of_a_variant_is_another_method_in_the_step_it_names(base):
    found = edits(base)
    assert len({_values(edit) for edit in found} | {_expressions(base)}) == len(found) + 1
    for edit in found:
        assert edit.step in {name for _, name in changed(edit, base)}, edit.what
        assert edit.step in {step.name for step in LINES}
        assert not any(value.has(sp.zoo, sp.nan) for value in _values(edit)), edit.what


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_an_edit_of_a_variant_has_a_constant_exactly_if_it_has_a_start(base):
    for edit in edits(base):
        assert any(v.has(theta) for v in _values(edit)) == (edit.start is not None), edit.what


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_an_edit_of_a_variant_with_its_constant_at_the_variants_value_is_the_variant(base):
    for shape in SHAPES:
        for t in (1, 2, 10_001):
            expected = values(base, shape, t)
            for edit in edits(base):
                if edit.start is not None:
                    found = values(edit.method, shape, t, edit.start)
                    assert np.array_equal(found, expected), (edit.step, edit.what)


@pytest.mark.parametrize(
    ("base", "step", "what"),
    [
        (0, "V", "Min for Max, in the matrix rule"),
        (0, "V", "another default of epsilon_1"),
        (1, "X_new", "M_old for M"),
        (1, "X_new", "another default of beta_1"),
        (1, "X_new", "without the factor 1 - beta_1"),
        (1, "beta_2", "another number for 999/1000"),
        (2, "U_hat", "a sum for a mean, in the matrix rule"),
        (2, "rho", "another number for 1/100"),
    ],
)
def test_the_ordinary_mistakes_in_a_variant_are_among_its_edits(base, step, what):
    assert (step, what) in {(edit.step, edit.what) for edit in edits([*BASES.values()][base])}


def test_what_does_not_read_t_is_not_read_at_another_t():
    (constant,) = (base for names, base in BASES.items() if "beta_2 = 0.999" in names)
    assert not [e for e in edits(constant) if e.step == "beta_2" and e.what == "t - 1 for t"]
    assert [e for e in edits(constant) if e.step == "rho" and e.what == "t - 1 for t"]
