"""The fused multiply-add rounds once, compiled or not."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from adafactor_numba.fused import multiply_add
from adafactor_numba.nearest import nearest
from tests.arrays import DTYPES, bits


@njit
def compiled(x, y, z):
    return multiply_add(x, y, z)


@pytest.mark.parametrize("dtype", DTYPES)
@given(st.data())
def test_it_is_the_number_nearest_to_the_exact_one(dtype, data):
    numbers = st.floats(width=8 * np.dtype(dtype).itemsize, allow_nan=False, allow_infinity=False)
    x, y, z = (dtype(data.draw(numbers)) for _ in range(3))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for a in (z, -x * y):
            if np.isfinite(a):
                exactly = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(a))
                found = compiled(x, y, a)
                assert float(found) == nearest(exactly, np.dtype(dtype))
                assert bits(np.array(multiply_add(x, y, a))) == bits(np.array(found, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_product_is_not_rounded_before_the_sum(dtype):
    u = dtype(np.finfo(dtype).eps)
    x = dtype(1) + u
    assert compiled(x, x, -(x * x)) == u * u
    assert x * x - x * x == 0


@pytest.mark.parametrize("given", [(math.nan, 1.0, 1.0), (math.inf, 1.0, 1.0), (1e200, 1e200, 0.0)])
def test_what_is_no_number_comes_out_as_from_the_compiled_loops(given):
    with np.errstate(over="ignore"):
        x, y, z = map(np.float64, given)
        assert str(multiply_add(x, y, z)) == str(compiled(x, y, z))
