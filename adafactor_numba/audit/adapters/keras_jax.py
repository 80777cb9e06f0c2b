"""`keras.optimizers.Adafactor` on JAX."""

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"
# Compiles in half the time, and every shape and setting is compiled anew.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false")

from .keras_like import VERSION, build

__all__ = ["VERSION", "build"]
