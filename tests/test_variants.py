"""Each variant differs from the paper, and from every other, in numbers that decide it."""

from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, permutations

import numpy as np
import pytest
import sympy as sp

from derivations.adafactor import SCHEDULE
from derivations.bounds import roundings
from derivations.cases import Case, inputs, scheduled
from derivations.changes import weight_decay
from derivations.evaluate import BALL, exact, trajectory
from derivations.method import ADAFACTOR, Method, machine_epsilon
from derivations.variants import AXES, HIDDEN, OPTIONS, VARIANTS, combined

METHODS = {method.name: method for method in (ADAFACTOR, *VARIANTS)}
HIDDEN_OPTIONS = [o.name for axis in AXES if axis.name in HIDDEN for o in axis.options]
ALL = {"paper": ADAFACTOR} | {name: combined((option,)) for name, option in OPTIONS.items()}
SINGLE_PRECISION = sp.Rational(1, 2**23)


@dataclass(frozen=True)
class Probe:
    """Steps at `times`, each with gradients about four times those before; all else by default."""

    shape: tuple[int, ...]
    size: float = 1.0
    times: tuple[int, ...] = (1, 2, 10**6)
    weight_decay: float = 0.5

    def arrays(self) -> tuple[np.ndarray, list[np.ndarray]]:
        """X, and the gradients."""
        drawn = [inputs(Case(self.shape, t=t), ADAFACTOR.tensor)["G"] for t in (7, *self.times)]
        return drawn[0], [self.size * 4.0**k * G for k, G in enumerate(drawn[1:])]


PROBES = (
    Probe((3, 4, 2)),  # its last two axes are not its largest
    Probe((3, 4, 2), 1e-20),  # squares far below epsilon_1
    Probe((16, 17), times=(1,)),
    Probe((32, 33), times=(1,)),
    Probe((17, 18, 3), times=(1,)),
    Probe((128, 128), times=(1,)),
)
"""Tried in this order: the first two tell apart what does not depend on the shape."""


@cache
def run(method: Method, probe: Probe) -> list:
    """The values of every step, as balls; methods that lay it out alike for one rule share them."""
    layout = method.layout(probe.shape)
    return _run(layout.rule, layout.permutation, layout.sizes, method.schedule, probe)


@cache
def _run(rule, permutation, sizes, schedule, probe) -> list:
    X, gradients = probe.arrays()
    known = dict(zip(rule.shape(rule.input("X")), sizes, strict=True))
    start = {
        x.name: exact(x.default.subs(machine_epsilon, SINGLE_PRECISION))
        for x in rule.inputs
        if x.default is not None
    }
    start |= {x.name: np.zeros([known[s] for s in rule.shape(x)]) for x in rule.inputs if x.becomes}
    start |= {"X": X.transpose(permutation).reshape(sizes)}
    start["weight_decay"] = probe.weight_decay
    each = [
        {"G": G.transpose(permutation).reshape(sizes)} | scheduled(schedule, t)
        for t, G in zip(probe.times, gradients, strict=True)
    ]
    return list(trajectory(rule, start, each, BALL))


def values(method: Method, probe: Probe, name: str = "X_new") -> list:
    """A quantity of every step, entry by entry in the order of the parameter."""
    layout = method.layout(probe.shape)
    found = (np.asarray(step[name], object) for step in run(method, probe))
    return [x for a in found for x in (layout.restored(a) if a.size > 1 else a).flat]


def differ(ours, theirs) -> bool:
    return not all(x.overlaps(y) for x, y in zip(ours, theirs, strict=True))


def told_apart(one: Method, other: Method, name: str = "X_new", probes=PROBES) -> bool:
    return any(differ(values(one, p, name), values(other, p, name)) for p in probes)


def test_every_variant_has_a_name_of_its_own_a_source_and_rules_that_stand():
    assert len(METHODS) == len(VARIANTS) + 1
    assert len(ALL) == sum(len(axis.options) for axis in AXES) + 1
    for method in ALL.values():
        assert method.source
        for rule in method.rules():
            assert rule.steps[-1].name == ("beta_2" if rule is method.schedule else "X_new")


def test_the_variants_are_the_options_of_the_axes_that_are_not_hidden():
    assert {*HIDDEN} < {axis.name for axis in AXES}
    assert {*METHODS} == {*ALL} - {*HIDDEN_OPTIONS}
    assert all(METHODS[name] is ALL[name] for name in METHODS)


@pytest.mark.parametrize(("one", "other"), [*combinations(ALL, 2)])
def test_every_two_are_told_apart(one, other):
    assert told_apart(ALL[one], ALL[other])


def test_what_is_only_written_in_another_way_is_not_told_apart():
    means = ADAFACTOR.matrix.but("means", "a test", V=ADAFACTOR.matrix["V"].value * 3 / 3)
    same = replace(ADAFACTOR, matrix=means)
    assert same.tensor is not ADAFACTOR.tensor
    assert not told_apart(same, ADAFACTOR, probes=PROBES[:3])


@pytest.mark.parametrize(
    ("one", "other", "shape"),
    [
        ("nothing factored", "two largest axes, from 128 on", (127, 128)),
        ("two largest axes, from 128 on", "two largest axes, from 32 on", (31, 130)),
        ("two largest axes, from 32 on", "two largest axes, from 16 on", (15, 40)),
        ("two largest axes", "two largest axes, from 128 on", (2, 128, 128)),
        ("paper", "first two axes, else last two, from 17 on", (17, 17)),
    ],
)
def test_a_shape_on_the_other_side_of_a_least_size_is_laid_out_alike(one, other, shape):
    ours, theirs = ALL[one].layout(shape), ALL[other].layout(shape)
    assert ours == theirs


@pytest.mark.parametrize(
    ("one", "other", "times"),
    [
        ("paper", "beta_2 at most 0.999", (1, 2, 5_623)),
        ("paper", "rho = 1e-2", (1, 100, 10_000)),
    ],
)
def test_what_differs_late_is_the_paper_until_then(one, other, times):
    until, after = Probe((3,), times=times), Probe((3,), times=(*times, times[-1] + 1))
    assert not told_apart(ALL[one], ALL[other], probes=[until])
    assert told_apart(ALL[one], ALL[other], probes=[after])


def test_a_variant_of_a_vector_differs_for_vectors_too():
    probes = [Probe((5,)), Probe((5,), 1e-20), Probe((5,), 1e-32)]
    same = {m.name for m in ALL.values() if not told_apart(m, ADAFACTOR, probes=probes)}
    (factored,) = (axis for axis in AXES if axis.name == "factored axes")
    of_matrices = {option.name for option in factored.options}
    assert same == {"paper", *of_matrices, "each matrix of a batch clipped by itself"}


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.name)
def test_an_axis_names_a_line_of_the_paper_that_its_options_change(axis):
    lines = {rule.line(s.name) for rule in (ADAFACTOR.matrix, SCHEDULE) for s in rule.steps}
    assert axis.step in lines
    for option in axis.options:
        assert told_apart(combined((option,)), ADAFACTOR, axis.step, PROBES[:2]), option.name


@pytest.mark.parametrize("name", [n for n in HIDDEN_OPTIONS if "decay" in n])
def test_without_weight_decay_nothing_decays(name):
    for rule, own in zip(ALL[name].rules(), ADAFACTOR.rules(), strict=True):
        assert [s.value.subs(weight_decay, 0) for s in rule.steps] == [s.value for s in own.steps]
    for rule in (ALL[name].vector, ALL[name].matrix, ALL[name].tensor):
        assert rule.input("weight_decay").default == 0


@pytest.mark.parametrize("name", [name for name in ALL if name != "the step is added"])
def test_a_step_that_is_added_is_that_of_the_opposite_gradient(name):
    added = OPTIONS["the step is added"]
    options = (added,) if name == "paper" else (OPTIONS[name], added)
    opposite = Probe((3, 4, 2), -1.0)
    assert not differ(values(combined(options), PROBES[0]), values(ALL[name], opposite))
    assert differ(values(combined(options), PROBES[0]), values(ALL[name], PROBES[0]))


def test_a_combination_is_the_same_object_in_any_order():
    names = ("momentum over U_hat", "rho = 1e-2", "no clipping", "two largest axes", "no eps1")
    options = [OPTIONS[name] for name in names]
    first = combined(tuple(options))
    for size in range(2, len(options) + 1):
        found = {combined(order) for order in permutations(options[:size])}
        assert len(found) == 1
    assert combined(tuple(reversed(options))) is first
    assert combined(()) is ADAFACTOR


def test_a_combination_has_every_name_and_source_and_the_rules_of_what_is_not_scheduled():
    options = OPTIONS["rho = 1e-2"], OPTIONS["no clipping"], OPTIONS["beta_2 = 0.9"]
    method = combined(options)
    assert sorted(method.name.split("; ")) == sorted(o.name for o in options)
    assert all(o.source in method.source for o in options)
    assert method.matrix is ALL["no clipping"].matrix
    assert method.vector is ALL["no clipping"].vector


def test_every_two_options_of_different_axes_differ_from_either_alone():
    for one, other in combinations(AXES, 2):
        for ours in one.options:
            for theirs in other.options[:1]:
                assert _new(combined((ours, theirs))) not in {
                    _new(combined((ours,))),
                    _new(combined((theirs,))),
                }


def _new(method: Method):
    """All that a method is made of."""
    expressions = (s.value for rule in method.rules() for s in rule.steps)
    defaults = (x.default for rule in method.rules() for x in rule.inputs)
    return (*expressions, *defaults, method.axes)


@pytest.mark.parametrize("method", ALL.values(), ids=ALL)
def test_a_schedule_has_a_ball_and_a_count_from_the_first_step_on(method):
    t = method.schedule.inputs[0].target
    for name, K in roundings(method.schedule).items():
        count = sp.lambdify(t, K, "math")
        for time in (1, 2, 3, 10**4, 10**6):
            assert scheduled(method.schedule, time)[name] >= 0
            assert 0 <= count(time) * 2.0**-24 < 1  # digits are left, even of float32


def test_the_default_that_depends_on_the_dtype_is_a_symbol_until_it_is_given():
    clamped = METHODS["eps1 clamps the denominators"].matrix
    default = next(x.default for x in clamped.inputs if x.name == "epsilon_1")
    assert default == machine_epsilon
    assert exact(default.subs(machine_epsilon, SINGLE_PRECISION)) == 2**-23
