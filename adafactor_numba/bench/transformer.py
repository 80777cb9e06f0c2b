"""The parameters of the Transformer of the base size, on which the paper's experiments were run.

[V] A. Vaswani and others.  Attention Is All You Need.  2017.  arXiv:1706.03762, table 3, "base".
"""

from typing import TypeAlias

Shape: TypeAlias = tuple[int, ...]

LAYERS, WIDTH, HIDDEN, TOKENS = 6, 512, 2048, 37_000

ATTENTION = ((WIDTH, WIDTH),) * 4  # of queries, keys, values and what comes out
FORWARD = ((WIDTH, HIDDEN), (HIDDEN,), (HIDDEN, WIDTH), (WIDTH,))
NORM = ((WIDTH,), (WIDTH,))

ENCODER = (*ATTENTION, *NORM, *FORWARD, *NORM)
DECODER = (*ATTENTION, *NORM, *ATTENTION, *NORM, *FORWARD, *NORM)

BASE: tuple[Shape, ...] = (
    (TOKENS, WIDTH),  # one embedding, for what goes in and what comes out
    *ENCODER * LAYERS,
    *NORM,
    *DECODER * LAYERS,
    *NORM,
)
"""97 matrices and 146 vectors, 63,047,680 numbers."""
