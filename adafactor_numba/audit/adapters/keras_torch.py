"""`keras.optimizers.Adafactor` on PyTorch."""

import os

os.environ["KERAS_BACKEND"] = "torch"

from .keras_like import VERSION, build

__all__ = ["VERSION", "build"]
