"""What parameters of some shapes are called."""

import math
from collections.abc import Sequence

from .transformer import BASE


def title(shapes: Sequence[Sequence[int]]) -> str:
    """The sizes of one parameter; of several, how many they are and how large the largest is."""
    if tuple(map(tuple, shapes)) == BASE:
        return "Transformer, base"
    if len(shapes) > 1:
        return f"{len(shapes)} of at most {max(map(math.prod, shapes))}"
    (shape,) = shapes
    if len(shape) == 1:
        return f"vector of {shape[0]:.0e}".replace("e+0", "e")
    return " x ".join(map(str, shape))
