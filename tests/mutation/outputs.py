"""All that a source of the loops gives on every case, to the bit; a NaN is as good as another."""

import hashlib
import math

import numpy as np

from adafactor_numba.audit import check

from . import bits, checks, shortly, strictly, wholly


def outputs(code):
    """A digest of the bits of every step, of what is stored in 16 bits, and of the sizes."""
    found = hashlib.sha256()
    for array in arrays(code):
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def arrays(code):
    own = checks.implementation(code)
    for t in check.SPREAD:
        yield [float(x) for x in check.scheduled_doubles(own, t).values()]
    cases = [(case, x) for _, case, x, *_ in checks.references()]
    cases += [(case, x) for _, case, _, x, *_ in checks.references_in_bits()]
    for case, x in cases:
        yield from check.observed(own, x | check.scheduled_doubles(own, case.t)).values()
    loops = code.loops
    yield [loops.height(m) for m in range(1, 130)]
    yield [loops.strip(n, m) for n in range(1, 130) for m in (1, 2, 3, 5, 8, 9, 64)]
    yield [loops.first_beyond(np.arange(24.0).reshape(2, 3, 4), k) for k in (0.0, 9.0, 24.0)]
    yield from in_bits(code)
    yield from strictly.arrays(code)
    yield from wholly.arrays(code)
    yield from shortly.arrays(code)


def in_bits(code):
    """Numbers of all sizes to bits, to nearest and by chance, every pattern back, some words."""
    rng = np.random.default_rng(3)
    for form in bits.forms():
        exponents = rng.integers(-150, 130, 5000)
        x = np.append(np.ldexp(rng.uniform(-2, 2, 5000), exponents), [math.nan, math.inf, 0.0])
        found = np.empty(len(x), form.kind)
        code.half.narrow(x, found)
        yield numbers(found.view(np.uint16), form)
        yield numbers(bits.drawn(code, x, rng.integers(0, 2**32, len(x)), form.kind), form)
        for dtype in (np.float32, np.float64):
            back = np.empty(2**16, dtype)
            code.half.widen(np.arange(2**16).astype(np.uint16).view(form.kind), back)
            yield np.where(np.isnan(back), -1.0, back)
        code.half.draw(x, found, bits.NOISE, 5)
        yield numbers(found.view(np.uint16), form)


def numbers(patterns, form):
    """The patterns, all those that stand for no number alike."""
    return np.where(patterns & bits.NAN < len(form.numbers), patterns, bits.NAN)
