"""Which checks the source of each module must pass, the cheapest first."""

from . import bits, checks, shortly, strictly, wholly

ALONE = checks.balls, checks.rounding, checks.summation, checks.layouts, checks.carried
STEPS = *ALONE, checks.storage, bits.noise
CHECKS = {
    "schedule": (checks.rates,),
    "loops": (checks.blocks, *STEPS, checks.scan),
    "vector": STEPS,
    "squares": STEPS,
    "matrix": STEPS,
    "storage": (checks.types, checks.scan, checks.storage, bits.noise),
    "half": (bits.widening, bits.nearest, bits.chance, bits.views, bits.places, checks.storage),
    "philox": (bits.words, bits.counters),
    "doubledouble": (strictly.pairs,),
    "pairsums": (strictly.sums, strictly.weights, strictly.statistics),
    "whole": (wholly.extremes, wholly.reaches, wholly.squares, wholly.added, wholly.turns),
    "threefold": (shortly.extremes, shortly.reaches, shortly.squares),
    "singles": (shortly.factors, shortly.moves),
    "survey": (wholly.worth, wholly.turns, wholly.survey, wholly.weighed, wholly.no_numbers),
}
