"""Arrays cross the wire bit for bit."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from adafactor_numba.audit.wire import packed, unpacked

DTYPES = ["float64", "float32", "float16", ">f8", "int64", "uint8", "bool"]
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)


def sent(value):
    """`value` as the other side of the wire receives it."""
    return unpacked(json.loads(json.dumps(packed(value))))


@given(st.data(), st.sampled_from(DTYPES), SHAPES)
def test_an_array_arrives_with_its_dtype_shape_and_bits(data, dtype, shape):
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    bits = data.draw(st.binary(min_size=size, max_size=size))
    if dtype == "bool":
        bits = bytes(byte & 1 for byte in bits)
    array = np.frombuffer(bits, dtype).reshape(shape)
    received = sent(array)
    assert (received.dtype, received.shape) == (array.dtype, shape)
    assert received.tobytes() == bits


@pytest.mark.parametrize(
    "bits",
    [
        0x7FF8000000000001,  # a NaN with a payload
        0xFFF0000000000001,  # a signalling one, negative
        0x8000000000000000,  # -0.0
        0x0000000000000001,  # the least subnormal
        0x7FF0000000000000,  # infinity
    ],
)
def test_a_number_that_decimals_would_lose_arrives(bits):
    array = np.array([bits], np.uint64).view(np.float64)
    assert sent(array).view(np.uint64) == bits


@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3).T, np.arange(6.0)[::-2]])
def test_an_array_of_any_strides_arrives_in_its_order(array):
    assert sent(array).tolist() == array.tolist()


def test_what_arrives_can_be_written_to():
    received = sent(np.zeros(2))
    received[0] = 1.0
    assert received.tolist() == [1.0, 0.0]


def test_arrays_arrive_inside_lists_and_objects():
    value = {"grads": [[np.ones(2), None]], "watch": [1], "hyperparameters": {"d": 0.5}}
    received = sent(value)
    assert received["grads"][0][0].tolist() == [1.0, 1.0]
    assert received["grads"][0][1] is None
    assert (received["watch"], received["hyperparameters"]) == ([1], {"d": 0.5})


def test_infinite_hyperparameters_arrive():
    assert sent({"d": float("inf")}) == {"d": float("inf")}
