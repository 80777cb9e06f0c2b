"""Builders as text, for a module of their own, and a run to ask them."""

import numpy as np

from adafactor_numba.audit.subject import Run

RUN = Run("two steps", (np.zeros(2), np.ones((2, 3))), ((np.ones(2), np.ones((2, 3))),) * 4)


def stepping(body, before=""):
    """A builder whose step has this body; `X` are the parameters, `t` counts the steps."""
    return f"""\
import os, sys, time
import numpy as np
def build(params):
    {before}
    X = [param.copy() for param in params]
    t = 0
    def step(grads):
        nonlocal t
        t += 1
        {body}
        return [x - g for x, g in zip(X, grads)]
    return step
"""


def plain(line):
    """A right builder, but for a line after each step; it has the new parameters, `X`."""
    return f"""\
from tests.implementations.plain import Plain
class build(Plain):
    def __call__(self, grads):
        X = super().__call__(grads)
        {line}
        return X
"""
