"""Each variant differs from the paper, and from every other, in numbers that decide it."""

from itertools import combinations

import numpy as np
import pytest
import sympy as sp

from derivations.cases import Case, inputs, scheduled
from derivations.evaluate import BALL, evaluate, exact, trajectory
from derivations.method import ADAFACTOR, Method, last_two, machine_epsilon, none, two_largest
from derivations.variants import VARIANTS

METHODS = {method.name: method for method in (ADAFACTOR, *VARIANTS)}
SHAPE = (3, 4, 2)  # its last two axes are not its largest
TIMES = (1, 2, 10**6)
SCALARS = (
    {"d": 1.0, "epsilon_1": 0.25, "epsilon_2": 1e-3},  # epsilon_1 as large as G^2
    {"d": 0.25, "epsilon_1": 1e-30, "epsilon_2": 10.0},  # clipped; X small
)


def moved(method: Method) -> list:
    """X_new after each of three steps, as balls, for both choices of the scalars."""
    layout = method.layout(SHAPE)
    X, *gradients = (inputs(Case(SHAPE, t=t), method.tensor)["G"] for t in (7, *TIMES))
    values = []
    for scalars in SCALARS:
        start = {"X": layout.arranged(X)} | scalars
        sizes = dict(zip(layout.rule.shape(layout.rule.input("X")), layout.sizes, strict=True))
        for x in layout.rule.inputs[2:]:
            if x.indices:
                start[x.name] = np.zeros([sizes[s] for s in layout.rule.shape(x)])
        each = [
            {"G": layout.arranged(G)} | scheduled(method.schedule, t)
            for t, G in zip(TIMES, gradients, strict=True)
        ]
        run = trajectory(layout.rule, start, each, BALL)
        values += [v for y in run for v in layout.restored(y["X_new"]).flat]
    return values


@pytest.fixture(scope="module")
def results():
    return {name: moved(method) for name, method in METHODS.items()}


def differ(ours, theirs) -> bool:
    return not all(x.overlaps(y) for x, y in zip(ours, theirs, strict=True))


def test_every_variant_has_a_name_of_its_own_and_rules_that_stand():
    assert len(METHODS) == len(VARIANTS) + 1
    for method in METHODS.values():
        assert method.source
        for rule in method.rules():
            assert rule.steps[-1].name == ("beta_2" if rule is method.schedule else "X_new")


@pytest.mark.parametrize(("one", "other"), [*combinations(METHODS, 2)])
def test_every_two_are_told_apart(results, one, other):
    assert differ(results[one], results[other])


def test_what_is_only_written_in_another_way_is_not_told_apart(results):
    means = ADAFACTOR.matrix.but("means", "a test", V=ADAFACTOR.matrix["V"].value * 3 / 3)
    same = Method("same", "", ADAFACTOR.schedule, ADAFACTOR.vector, means, last_two)
    assert same.tensor is not ADAFACTOR.tensor
    assert not differ(moved(same), results["paper"])


def test_a_variant_of_a_vector_differs_for_vectors_too():
    case = Case((5,), t=3, epsilon_1=0.25, d=0.5, statistics="small")
    same = []
    for method in VARIANTS:
        x = inputs(case, method.vector) | scheduled(method.schedule, case.t) | {"M_old": np.ones(5)}
        ours = evaluate(method.vector, x, BALL)["X_new"]
        x |= scheduled(ADAFACTOR.schedule, case.t)
        if not differ(ours, evaluate(ADAFACTOR.vector, x, BALL)["X_new"]):
            same.append(method.name)
    assert same == ["two largest axes", "nothing factored", "beta_2 at most 0.999"]


def test_the_default_that_depends_on_the_dtype_is_a_symbol_until_it_is_given():
    clamped = METHODS["eps1 clamps the denominators"].matrix
    default = next(x.default for x in clamped.inputs if x.name == "epsilon_1")
    assert default == machine_epsilon
    assert exact(default.subs(machine_epsilon, sp.Rational(1, 2**23))) == 2**-23


@pytest.mark.parametrize(
    ("shape", "last", "largest"),
    [
        ((), None, None),
        ((3,), None, None),
        ((2, 3), (0, 1), (0, 1)),
        ((3, 2), (0, 1), (1, 0)),
        ((2, 2), (0, 1), (0, 1)),
        ((2, 3, 4), (1, 2), (1, 2)),
        ((4, 3, 2), (1, 2), (1, 0)),
        ((4, 2, 4), (1, 2), (0, 2)),
        ((5, 2, 3, 5), (2, 3), (0, 3)),
    ],
)
def test_the_factored_axes(shape, last, largest):
    assert last_two(shape) == last
    assert two_largest(shape) == largest
    assert none(shape) is None


@pytest.mark.parametrize("shape", [(3, 2), (4, 3, 2), (4, 2, 4), (5, 2, 3, 5)])
def test_the_largest_axis_becomes_the_columns_and_all_find_their_way_back(shape):
    layout = METHODS["two largest axes"].layout(shape)
    array = np.arange(np.prod(shape)).reshape(shape)
    assert layout.sizes[-2:] == tuple(sorted(shape)[-2:])
    assert np.array_equal(layout.restored(layout.arranged(array)), array)
    whole = METHODS["nothing factored"].layout(shape)
    assert np.array_equal(whole.restored(whole.arranged(array)), array)
    assert whole.sizes == (array.size,)
