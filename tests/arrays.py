"""Arrays to train, and all that a step may change, bit for bit."""

import numpy as np
import pytest

from adafactor_numba import Adafactor, half, loops, matrix, philox, storage, vector

DTYPES = [np.float32, np.float64]
HALVES = ["float16", "bfloat16"]
STORED = ["float32", "float64", *HALVES]

LOOPS = [half, loops, matrix, philox, storage, vector]
"""The modules that a step runs through, each with the plain source of its loops."""


def bits(*arrays):
    return [(A.dtype, A.shape, A.tobytes()) for A in arrays]


def stored(name):
    """The type of this name, NumPy's or that of ml_dtypes; without that, the test is skipped."""
    if name != "bfloat16":
        return np.dtype(name)
    return np.dtype(pytest.importorskip("ml_dtypes", reason="NumPy has no bfloat16").bfloat16)


def normal(shape, dtype=np.float64, seed=0):
    rng = np.random.default_rng([seed, *shape])
    return np.asarray(rng.standard_normal(shape), dtype)


def snapshot(optimizer, arrays):
    """Every bit a step may change."""
    state = {
        name: (entry.pop("t"), bits(*entry.values()), list(entry))
        for name, entry in optimizer.state_dict().items()
    }
    return bits(*arrays), state


def trained(shape, dtype=np.float64, steps=3, seed=0, **options):
    """An array after a few steps, and its optimizer."""
    X = normal(shape, dtype, seed)
    optimizer = Adafactor([X], **options)
    for t in range(1, steps + 1):
        optimizer.step([normal(shape, dtype, seed + t)])
    return X, optimizer
