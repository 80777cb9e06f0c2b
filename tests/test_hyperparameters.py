"""Hyperparameters are numbers or functions of t, in ranges in which no step leaves the doubles."""

import inspect
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from adafactor_numba import Adafactor, schedule
from adafactor_numba.hyperparameters import Hyperparameters
from derivations.adafactor import MATRIX, VECTOR
from derivations.cases import Case
from tests.arrays import DTYPES, bits, normal, trained


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


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("beta_2", [0.0, math.nextafter(1, 0)])
@pytest.mark.parametrize("epsilon_1", [2.0**-900, 2.0**-500, 1e-30, 2.0**490])
@pytest.mark.parametrize("shape", [(130,), (130, 3), (3, 130)])
def test_the_largest_gradient_beside_zeros_leaves_finite_numbers(shape, epsilon_1, beta_2, dtype):
    largest = Hyperparameters(epsilon_1=epsilon_1).largest_gradient
    X = normal(shape, dtype)
    G = np.zeros(shape, dtype)
    largest = min(largest, float(np.finfo(dtype).max))
    G.flat[0] = largest
    small = np.full_like(G, min(largest, math.sqrt(epsilon_1)))
    optimizer = Adafactor([X], rho=2.0**-520, epsilon_1=epsilon_1, beta_2=beta_2, d=math.inf)
    for gradient in (G, -np.flip(G), small, G):
        optimizer.step([gradient])
    optimizer.load_state_dict(optimizer.state_dict())  # which checks that all is finite
    assert np.isfinite(X).all()


def test_every_float32_is_in_range_at_the_epsilon_1_of_the_paper():
    X = np.full((2, 2), np.finfo(np.float32).max)
    Adafactor([X]).step([X])
    assert np.isfinite(X).all()


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
    ({"rho": 10**400}, ValueError, "0 <= rho <= 2^490"),
    ({"beta_2": 1.0}, ValueError, "beta_2 (decay of the second moment) is 1.0"),
    ({"beta_2": -1e-9}, ValueError, "0 <= beta_2 < 1"),
    ({"beta_2": math.nan}, ValueError, "is nan"),
    ({"epsilon_1": 0.0}, ValueError, "epsilon_1 (added to every squared gradient) is 0.0"),
    ({"epsilon_1": 5e-324}, ValueError, "from 2^-900"),
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
        {"rho": np.int64(1), "d": 2.0**-500, "epsilon_1": 2.0**-800},
    ],
)
def test_the_ends_of_the_ranges_are_in_range(options):
    X, _ = trained((2, 3), **options)
    assert np.isfinite(X).all()


@pytest.mark.parametrize("name", ["epsilon_1", "epsilon_2", "d"])
def test_the_defaults_are_the_doubles_of_the_paper_in_every_room(name):
    paper = float(MATRIX.input(name).default)
    assert paper == float(VECTOR.input(name).default)
    assert paper == getattr(Hyperparameters(), name)
    assert paper == inspect.signature(Adafactor).parameters[name].default
    assert paper == getattr(Case((1,)), name)
