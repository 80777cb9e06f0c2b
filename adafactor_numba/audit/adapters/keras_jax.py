"""`keras.optimizers.Adafactor` on JAX."""

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

from .keras_like import VERSION, build

__all__ = ["VERSION", "build"]
