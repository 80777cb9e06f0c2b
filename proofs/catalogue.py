"""All theorems, in the order in which they are told."""

from . import average, factored, formal, step

THEOREMS = (*factored.THEOREMS, *average.THEOREMS, *step.THEOREMS, *formal.THEOREMS)
