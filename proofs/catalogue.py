"""All theorems, in chapters, in the order in which they are told."""

from collections.abc import Iterable
from dataclasses import replace

from . import (
    average,
    bound,
    epsilon,
    factored,
    formal,
    pair,
    rounding,
    schedules,
    step,
    symmetry,
    variants,
)
from .theorem import Theorem

INDUCTIONS = {
    "the weights after t steps": "the weights sum to 1 - prod beta",
    "the weights with beta_21 = 0": "the weights sum to 1 - prod beta",
    "clipping a vector of n entries": "clipping",
    "RMS(U) for all n and m": bound.RMS_OF_MATRIX,
    "growth after t steps": "growth",
    "the size of a step of n entries": "the size of a step",
    "the sum of all steps": "the sum of the steps",
    "the first gradient counts at most 1 / t": "an exponent of at most 1 forgets",
    "with an exponent above 1 the first gradient keeps a share": "an exponent above 1 remembers",
    "t^0.4 bounds U after any number of steps": "vectors: |U| <= t^0.4",
}
"""What a theorem in Rocq is the induction of: both are one theorem, each with its checkers."""


def _joined(theorem: Theorem, parts: Iterable[Theorem]) -> Theorem:
    """The theorem with its inductions, of which it says one step or one row."""
    for part in parts:
        theorem = replace(
            theorem,
            words=f"{theorem.words} {part.words}",
            claims=theorem.claims + part.claims,
            neighbours=theorem.neighbours + part.neighbours,
        )
    return theorem


def _with_inductions(theorems: Iterable[Theorem]) -> tuple[Theorem, ...]:
    return tuple(
        _joined(theorem, [x for x in formal.THEOREMS if INDUCTIONS.get(x.name) == theorem.name])
        for theorem in theorems
    )


CHAPTERS = {
    "The average and V": _with_inductions(factored.THEOREMS),
    "The average and V, by induction": tuple(
        x for x in formal.THEOREMS if x.name not in INDUCTIONS
    ),
    "V and singular vectors": _with_inductions(pair.THEOREMS),
    "Names and units": _with_inductions(symmetry.THEOREMS),
    "What is forgotten": _with_inductions(average.THEOREMS),
    "A step": _with_inductions(step.THEOREMS),
    "What bounds U": _with_inductions(bound.THEOREMS),
    "Variants: epsilon_1": _with_inductions(epsilon.THEOREMS),
    "Variants: schedules": _with_inductions(schedules.THEOREMS),
    "Variants: all else": _with_inductions(variants.THEOREMS),
    "Rounding": rounding.THEOREMS,
}

THEOREMS = tuple(theorem for theorems in CHAPTERS.values() for theorem in theorems)
