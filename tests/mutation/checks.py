"""What a source of the loops must pass, on small arrays that straddle its blocks.

The reference is the derivation, a count by hand, a definition or published words; never what our
loops gave before.
"""

import itertools
import math
from contextlib import contextmanager
from functools import cache

import numpy as np
from numba import typeof

from adafactor_numba.audit import bridge, check
from adafactor_numba.audit.check import Implementation
from derivations.adafactor import SCHEDULE
from derivations.cases import inputs, scheduled
from derivations.evaluate import BALL, evaluate
from tests import counts
from tests.mutants import sources
from tests.test_bridge import STRADDLING
from tests.test_mutants import EXAMINED

from .code import written

LENGTHS = [*range(1, 20), 39, 40, 41, 63, 64, 65, 130, 200]
SHAPES = [
    (p, n, m)
    for p, n, m in itertools.product(
        (1, 2), (1, 2, 7, 8, 9, 23, 24, 25, 53, 100), (1, 3, 4, 5, 9, 11)
    )
    if p * n * m < 300
]


def implementation(code):
    return Implementation(code.schedule, code.vector, code.matrix)


def rates(code):
    """rho, beta_2 and w are within rounding of the paper's."""
    assert not check.schedule_deviations(implementation(code))


def blocks(code):
    """A block and a strip have the rows, a sum the width, that their sizes say."""
    loops = code.loops
    for m in range(1, 2 * loops.BLOCK):
        assert loops.height(m) == counts.height(loops, m)
    for n, m in itertools.product(range(1, 130), (1, 2, 3, 5, 8, 9, 64)):
        assert loops.strip(n, m) == counts.strip(loops, n, m)
    for n in range(1, 10 * loops.WIDTH):
        assert loops.width(n) == max(k for k in range(1, loops.WIDTH + 1) if k == 1 or 4 * k <= n)


def balls(code):
    """On balls the source is the rule, without any tolerance."""
    loops = bridge.on_balls(implementation(code))
    for rule, chosen in STRADDLING.items():
        for case in chosen:
            assert not bridge.parted(rule, case, loops), case


def rounding(code):
    """Every step of every case is within the rounding that is counted on the right source."""
    own = implementation(code)
    for rule, case, x, exact, K in references():
        got = check.observed(own, x | check.scheduled_doubles(own, case.t))
        assert not check.compared(rule, got, exact, K, case.dtype), case


@cache
def references():
    """Of every case the inputs, the exact values, and K of the right source."""
    found = []
    with written(sources()) as code:
        counted = check.counting(implementation(code))
        for rule, chosen in EXAMINED.items():
            for case in sorted(chosen, key=lambda case: -math.prod(case.sizes)):
                x = inputs(case, rule)
                exact = evaluate(rule, x | scheduled(SCHEDULE, case.t), BALL)
                K = next(check.run_roundings(case.sizes, "R_old" in x, (case.t,), counted))
                found.append((rule, case, x, exact, K))
    return found


def summation(code):
    """The source rounds as often as is counted by hand for its order of adding."""
    counted = check.counting(implementation(code))
    for n in LENGTHS:
        found = next(check.run_roundings((n,), False, (None,), counted))
        assert found == counts.of_a_vector(code.loops, n), n
    for shape in SHAPES:
        found = next(check.run_roundings(shape, True, (None,), counted))
        assert found == counts.of_matrices(code.loops, *shape), shape


def scan(code):
    """The first entry beyond a bound is where a search entry by entry finds it."""
    for shape in ((1, 1, 1), (2, 3, 4), (3, 1, 2)):
        for position, value in itertools.product(range(math.prod(shape)), (3.0, -3.0, math.nan)):
            X = np.full(shape, -2.0)
            X.reshape(-1)[position:] = value
            assert code.loops.first_beyond(X, 2.0) == position
            assert code.loops.first_beyond(X, 3.0) == (-1 if value == value else position)
            for kind, narrowed in NARROWED.items():
                assert code.loops.first_beyond(narrowed(X), 2.0) == position, kind


def float16(x):
    """The bits of x as float16."""
    return x.astype(np.float16).view(np.uint16)


def bfloat16(x):
    """The first half of the bits of x as float32."""
    return (x.astype(np.float32).view(np.int32) >> 16).astype(np.int16)


def of_float16(bits):
    return bits.view(np.float16).astype(float)


def of_bfloat16(bits):
    return (bits.astype(np.int32) << 16).view(np.float32).astype(float)


NARROWED = {"float16": float16, "bfloat16": bfloat16}
WIDENED = {"float16": of_float16, "bfloat16": of_bfloat16}


def storage(code):
    """What is stored in 16 bits is within rounding of what the rule makes of its numbers."""
    own = implementation(code)
    for dtype, case, rule, x, exact, K in references_in_bits():
        found = check.observed(own, x | check.scheduled_doubles(own, case.t))
        found["X_new"] = WIDENED[dtype](found["X_new"])
        assert not check.compared(rule, found, exact, K, dtype), case


@cache
def references_in_bits():
    """The same of parameters and gradients in 16 bits."""
    found = []
    for (rule, case, x, _, K), dtype in itertools.product(references(), NARROWED):
        if case.statistics == "small" and case.d == 1 and case.dtype == "float64" and case.t == 2:
            stored = {name: NARROWED[dtype](x[name]) for name in ("X", "G")}
            exact = {name: WIDENED[dtype](bits) for name, bits in stored.items()}
            if all(np.isfinite(A).all() for A in exact.values()):
                y = evaluate(rule, x | exact | scheduled(SCHEDULE, case.t), BALL)
                found.append((dtype, case, rule, x | stored, y, K))
    return found


def layouts(code):
    """Blocks that are copied, as of an array that lies otherwise, give the same bits."""
    for shape in ((2, 37, 5), (1, 9, 3), (1, 100, 1)):
        for found, due in zip(stepped(code, shape, copied=True), stepped(code, shape), strict=True):
            assert np.array_equal(found, due)
    X = np.arange(24.0).reshape(2, 3, 4)
    with replaced(code, COPIED):
        assert code.loops.first_beyond(X, 9.0) == 10


def carried(code):
    """What is carried is the sum of the squares of what is stored, to the bit, or nothing."""
    for (n, m), dtype in itertools.product(((37, 5), (9, 3), (30, 11)), (np.float32, np.float64)):
        rng = np.random.default_rng(n)
        X, G = rng.standard_normal((2, n, m)).astype(dtype)
        x, g, v = X.reshape(-1).copy(), G.reshape(-1), rng.uniform(0.5, 2.0, X.size)
        r, c = rng.uniform(0.5, 2.0, n), rng.uniform(0.5, 2.0, m)
        for carry in (False, True):
            found = code.matrix.descend_strip(X, G, r, c, 0.01, (-1, 0, 0, 0), carry)
            assert found == (code.matrix.sum_of_squares(X) if carry else 0)
            found = code.vector.descend(x, g, v, 0.01, 0.25, 0.75, 1e-30, (-1, 0, 0, 0), carry)
            assert found == (code.loops.sum_of_squares(x) if carry else 0)
    assert code.vector.descend(x, g, v, 0.01, 0.25, 0.75, 1e-30) == 0
    assert code.matrix.descend_strip(X, G, r, c, 0.01) == 0


def stepped(code, shape, copied=False):
    """X_new of a matrix and of a vector, of (n,) or n rows of one, and what both carry."""
    rng = np.random.default_rng(1)
    X, G = rng.standard_normal((2, *shape))
    R, C = rng.uniform(0.5, 2.0, shape[:2]), rng.uniform(0.5, 2.0, shape[::2])
    rates = 0.25, 0.75, 0.01, 1e-30, 1e-3, 1.0
    x, g, v = X.reshape(-1).copy(), G.reshape(-1), rng.uniform(0.5, 2.0, X.size)
    with replaced(code, COPIED if copied else {}):
        if copied:
            w, beta_2, rho, epsilon_1, epsilon_2, d = rates
            of_one, of_one_G = x[:, None], g[:, None]
            alpha = code.loops.relative_step(code.vector.mean_square(of_one), rho, epsilon_2)
            size = code.vector.mean_square_of_U(of_one_G, v, w, beta_2, epsilon_1)
            scale = alpha / code.loops.clipping(size, d)
            code.vector.descend(of_one, of_one_G, v, scale, w, beta_2, epsilon_1)
        else:
            code.vector.step(x, g, v, *rates)
        code.matrix.step(X, G, R, C, *rates)
    return X, R, C, x, v


def room(A, height):
    return np.full((height, *A.shape[1:]), math.nan)


def rows(A, i, height, spare):
    spare[:height] = A[i : i + height]
    return spare[:height]


def put(A, i, block, noise):
    A[i : i + len(block)] = block


def number(x):
    """What a compiled loop takes for a number is no array of one."""
    if np.ndim(x):
        raise TypeError(f"{x} is no number")
    return np.float64(x)


COPIED = {"room": room, "workroom": room, "rows": rows, "put": put, "float64": number}


@contextmanager
def replaced(code, names):
    """The loops with other functions under these names, for as long as it is needed."""
    spaces = [vars(module) for module in (code.loops, code.vector, code.squares, code.matrix)]
    kept = [{name: space[name] for name in names if name in space} for space in spaces]
    for space, own in zip(spaces, kept, strict=True):
        space |= {name: names[name] for name in own}
    try:
        yield
    finally:
        for space, own in zip(spaces, kept, strict=True):
            space |= own


def types(code):
    """The compiler is told which types of arrays have the bits of floats."""
    for dtype in (np.uint16, np.int16, np.float32, np.float64):
        assert code.storage._half(typeof(np.zeros(1, dtype))) == (dtype in (np.uint16, np.int16))
