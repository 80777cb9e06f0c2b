"""What the rules give exactly on what is stored, and whether a number is the nearest to it.

Balls of the derivation alone: nothing here knows how a strict step decides anything.
"""

import math
from fractions import Fraction

import flint
import numpy as np
import sympy as sp

from derivations import evaluate
from derivations.adafactor import MATRIX, S_R, TENSOR, VECTOR, C, R, batched, columns, k, l, rows

BITS = 3000  # to which balls are narrow: what is closer to a tie than that is taken for one
SYMMETRIC = MATRIX.but(
    "symmetric", "sum R = sum C", S_R=sp.Add(sp.Sum(R[k], rows), sp.Sum(C[l], columns)) / 2
)
assert SYMMETRIC["S_R"].target == S_R
RULES = {1: VECTOR, 2: SYMMETRIC, 3: batched(SYMMETRIC)}
PAPERS = {1: VECTOR, 2: MATRIX, 3: TENSOR}


def exact(X, G, statistics, rates, constants, rules=RULES):
    """Balls around every step of the rule, on what is stored."""
    x = {"X": X, "G": G, "rho": rates.rho, "beta_2": sum(map(Fraction, rates.beta_2))}
    x |= {f"{name}_old": A for name, A in statistics.items()}
    x |= {name: getattr(constants, name) for name in ("epsilon_1", "epsilon_2", "d")}
    kept, evaluate.BITS = evaluate.BITS, BITS
    try:
        return evaluate.evaluate(rules[X.ndim], x, evaluate.BALL)
    finally:
        evaluate.BITS = kept


def real(x, beyond):
    """A number of a type of floats; infinity stands for what would follow the largest."""
    return flint.arb(x) if math.isfinite(x) else flint.arb(math.copysign(beyond, x))


def verdict(found, value):
    """Whether a float is the one to store for the value: "nearest", "tie" if even, or "wrong"."""
    kind, beyond = type(found), 2.0 ** np.finfo(found.dtype).maxexp if found.itemsize < 8 else None
    if math.isnan(found) or (found == 0 and np.signbit(found)):
        return "wrong"
    with flint.ctx.workprec(20_000):
        ends = []
        for side in (-math.inf, math.inf):
            if found == side:
                continue
            next_one = np.nextafter(found, kind(side))
            other = real(float(next_one), beyond) if beyond else _double(float(next_one))
            middle = (other + (real(float(found), beyond) if beyond else _double(float(found)))) / 2
            ends.append((value - middle) * int(math.copysign(1, side)))
        if all(end < 0 for end in ends):
            return "nearest"
        if any(end > 0 for end in ends):
            return "wrong"
    bits = found.view(np.uint32 if found.itemsize == 4 else np.uint64)
    return "wrong" if bits & 1 else "tie"


def _double(x):
    return flint.arb(x) if math.isfinite(x) else flint.arb(2) ** 1024 * int(math.copysign(1, x))


def verdicts(found, balls):
    """How many entries are what, by verdict."""
    names = [verdict(x, y) for x, y in zip(found.flat, np.asarray(balls).flat, strict=True)]
    return {name: names.count(name) for name in set(names)}
