"""Hyperparameters are numbers or functions of t, in the ranges of the paper."""

import inspect
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from adafactor_numba import Adafactor, ordinary, schedule
from adafactor_numba.hyperparameters import Hyperparameters
from derivations.adafactor import MATRIX, VECTOR
from derivations.cases import Case
from tests.arrays import bits, trained

MOST = float(np.finfo(np.float64).max)


def test_numbers_and_functions_that_give_them_are_the_same():
    seen = []

    def rho(t):
        seen.append(t)
        return 0.25 / t

    X, _ = trained((2, 3), rho=0.125, beta_2=0.75)
    Y, _ = trained((2, 3), rho=lambda t: np.float32(0.125), beta_2=lambda t: 0.75)
    Z, _ = trained((2, 3), rho=rho, beta_2=0)
    assert bits(X) == bits(Y) != bits(Z)
    assert seen == [1, 2, 3]
    assert all(type(t) is int for t in seen)


def test_each_parameter_reads_the_functions_at_its_own_t():
    params = {"X": np.zeros(1), "Y": np.zeros(1)}
    optimizer = Adafactor(params, rho=lambda t: 1.0 / t, beta_2=lambda t: 0.0, epsilon_2=1.0)
    optimizer.step({"X": np.ones(1), "Y": None})
    optimizer.step({"X": np.ones(1), "Y": np.ones(1)})
    assert params["X"] == -1.0 - 0.5
    assert params["Y"] == -1.0


def test_the_schedules_of_the_paper_lose_no_digit_in_w():
    t = 900
    rates = Hyperparameters().at(t)
    assert rates == (schedule.weight(t), 1.0 - schedule.weight(t), schedule.rho(t))
    assert rates.w != 1.0 - rates.beta_2
    given = Hyperparameters(beta_2=lambda t: schedule.beta_2(t)).at(t)
    assert given.w == 1.0 - given.beta_2


def test_the_state_starts_at_zero_whatever_beta_2_is():
    X = np.zeros(1)
    optimizer = Adafactor([X], rho=1.0, beta_2=0.75, epsilon_2=1.0, d=math.inf)
    optimizer.step([np.ones(1)])
    assert optimizer.state_dict()[0]["V"] == 0.25
    assert X == -2.0


def test_every_float32_is_ordinary_at_the_epsilon_1_of_the_paper():
    largest = float(np.finfo(np.float32).max)
    for entries in (1, 2**44):
        squares = entries * largest**2
        assert ordinary.sums_are_ordinary(squares, squares, 1e-3)
        assert ordinary.statistics_are_ordinary(np.array([1e-30, squares + entries * 1e-30]))
    assert ordinary.constants_are_ordinary(Hyperparameters())
    assert all(ordinary.rate_is_ordinary(schedule.rho(t)) for t in (1, 10**6, 2**53))
    assert not ordinary.sums_are_ordinary(math.nan, 1.0, 1e-3)


HYPERPARAMETERS = [
    ({"rho": -0.1}, ValueError, "rho (relative step size) is -0.1; give one with 0 <= rho"),
    ({"rho": math.nan}, ValueError, "rho (relative step size) is nan"),
    ({"rho": math.inf}, ValueError, "rho (relative step size) is inf"),
    ({"rho": True}, TypeError, "is True; give a real number or a function of t"),
    ({"rho": np.True_}, TypeError, "give a real number"),
    ({"rho": "0.1"}, TypeError, "rho (relative step size) is '0.1'"),
    ({"rho": None}, TypeError, "is None"),
    ({"rho": 1j}, TypeError, "is 1j"),
    ({"rho": Decimal("0.1")}, TypeError, "is Decimal('0.1')"),
    ({"rho": Fraction(1, 10)}, TypeError, "is Fraction(1, 10)"),
    ({"rho": np.array([0.1])}, TypeError, "is array([0.1])"),
    ({"rho": 2**53 + 1}, ValueError, "which is no double; give float(rho)"),
    ({"rho": 10**400}, ValueError, "0 <= rho, finite"),
    ({"beta_2": 1.0}, ValueError, "beta_2 (decay of the second moment) is 1.0"),
    ({"beta_2": -1e-9}, ValueError, "0 <= beta_2 < 1"),
    ({"beta_2": math.nan}, ValueError, "is nan"),
    ({"epsilon_1": 0.0}, ValueError, "epsilon_1 (added to every squared gradient) is 0.0"),
    ({"epsilon_1": -1e-30}, ValueError, "is -1e-30; give one with 0 < epsilon_1, finite"),
    ({"epsilon_1": math.inf}, ValueError, "is inf"),
    ({"epsilon_1": (1e-30, 1e-3)}, TypeError, "is (1e-30, 0.001); give a real number, 0 <"),
    ({"epsilon_1": lambda t: 1e-30}, TypeError, "epsilon_1"),
    ({"epsilon_2": -1e-3}, ValueError, "epsilon_2 (least parameter scale) is -0.001"),
    ({"epsilon_2": math.inf}, ValueError, "is inf"),
    ({"d": 0}, ValueError, "d (clipping threshold) is 0; give one with 0 < d"),
    ({"d": math.nan}, ValueError, "is nan"),
    ({"d": False}, TypeError, "is False"),
]


@pytest.mark.parametrize(("options", "error", "text"), HYPERPARAMETERS)
def test_a_hyperparameter_out_of_its_range_is_named(options, error, text):
    with pytest.raises(error) as raised:
        Adafactor([np.zeros(2)], **options)
    assert text in str(raised.value)


@pytest.mark.parametrize(
    "options",
    [
        {"rho": 0, "beta_2": 0, "epsilon_2": 0, "d": math.inf},
        {"rho": np.float32(0.5), "beta_2": math.nextafter(1, 0), "epsilon_1": 1},
        {"rho": np.int64(1), "d": 5e-324, "epsilon_1": 5e-324},
        {"rho": MOST, "d": MOST, "epsilon_1": MOST, "epsilon_2": 0},
        {"rho": 5e-324, "epsilon_2": MOST},
    ],
)
def test_the_ends_of_the_ranges_are_in_range(options):
    X, _ = trained((2, 3), steps=1, **options)
    assert np.isfinite(X).all()


@pytest.mark.parametrize("name", ["epsilon_1", "epsilon_2", "d"])
def test_the_defaults_are_the_doubles_of_the_paper_in_every_room(name):
    paper = float(MATRIX.input(name).default)
    assert paper == float(VECTOR.input(name).default)
    assert paper == getattr(Hyperparameters(), name)
    assert paper == inspect.signature(Adafactor).parameters[name].default
    assert paper == getattr(Case((1,)), name)
