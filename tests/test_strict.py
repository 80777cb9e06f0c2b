"""Every number a strict step stores is the exact one, rounded once, whatever the order."""

import math
import re
from fractions import Fraction

import flint
import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from adafactor_numba import Adafactor, nearest, schedule, strict
from adafactor_numba.certificate import Certificate
from adafactor_numba.hyperparameters import Hyperparameters
from derivations.adafactor import MATRIX, TENSOR, VECTOR
from derivations.cases import TIMES, Case, Fill, cases, inputs
from tests.arrays import DTYPES, bits, normal, snapshot
from tests.reference import PAPERS, exact, verdict, verdicts

NAMES = {1: ("V",), 2: ("R", "C"), 3: ("R", "C")}
STRADDLING = [(1, 63), (5, 64), (2, 65), (67, 3), (3, 1025), (2, 3, 130), (1025,), (4097,)]


def form(X):
    """The shape in which a step takes X."""
    return (1, X.size, 1) if X.ndim == 1 else (math.prod(X.shape[:-2]), *X.shape[-2:])


def stepped(X, G, statistics, rates, constants, threads=1):
    """X_new and the new statistics by name, of copies, and the certificate."""
    X, statistics = X.copy(), {name: A.copy() for name, A in statistics.items()}
    step = strict.step(
        X.reshape(form(X)), G.reshape(form(X)), statistics, rates, constants, threads
    )
    certificate = step.write()
    return {"X_new": X, **statistics}, certificate


def judged(X, G, statistics, rates, constants, rules=None):
    """The certificate of a step, once each of its numbers was found to be the nearest."""
    found, certificate = stepped(X, G, statistics, rates, constants)
    balls = exact(X, G, statistics, rates, constants, *([rules] if rules else []))
    seen = {name: verdicts(A, balls[name]) for name, A in found.items()}
    assert not any("wrong" in counts for counts in seen.values()), seen
    assert seen["X_new"].get("tie", 0) == certificate.ties
    assert (certificate.entries, certificate.assumed) == (X.size, 0)
    return certificate


def drawn(case, rule):
    """The inputs of a case, and its constants."""
    x = inputs(case, rule)
    constants = Hyperparameters(epsilon_1=case.epsilon_1, epsilon_2=case.epsilon_2, d=case.d)
    statistics = {name: x[f"{name}_old"] for name in NAMES[len(case.sizes)]}
    X, G = (np.ascontiguousarray(x[name]) for name in ("X", "G"))
    return X, G, statistics, strict.rates(constants, case.t), constants


def carried(shape, dtype, steps, seed=0, size=1.0, **options):
    """What a strict optimizer has after some steps: X, its state, and the sum of certificates."""
    X = normal(shape, dtype, seed)
    optimizer = Adafactor([X], strict=True, **options)
    for t in range(steps):
        optimizer.step([normal(shape, dtype, seed + 1 + t) * dtype(size)])
    return X, optimizer.state_dict()[0], optimizer


# Correctly rounded


@pytest.mark.parametrize("rule", [VECTOR, MATRIX, TENSOR], ids=lambda rule: rule.name)
def test_every_case_of_the_rule_is_rounded_correctly(rule):
    total = sum((judged(*drawn(case, rule)) for case in cases(rule)), Certificate())
    assert min(total.doubles, total.pairs, total.statistics_pairs) > 500


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", STRADDLING)
def test_sizes_around_those_of_lanes_and_blocks_are_rounded_correctly(shape, dtype):
    case = Case(shape, statistics="small", dtype=np.dtype(dtype).name)
    judged(*drawn(case, {1: VECTOR, 2: MATRIX, 3: TENSOR}[len(shape)]))


@given(
    sizes=st.sampled_from([(5,), (3, 4), (2, 3, 2)]),
    dtype=st.sampled_from(["float32", "float64"]),
    t=st.sampled_from(TIMES) | st.integers(1, 10**6),
    d=st.sampled_from([0.1, 0.5, 1.0, 3.0, math.inf]),
    G=st.sampled_from(["normal", "equal", "zero", "bits", "one zero row", "one zero column"]),
    X=st.sampled_from(["normal", "equal", "zero", "bits"]),
    exponents=st.tuples(st.integers(-12, 12), st.integers(-12, 12)),
    statistics=st.sampled_from(["zero", "fresh", "small", "large"]),
    epsilon_1=st.sampled_from([1e-30, 1e-8, 1.0]),
    epsilon_2=st.sampled_from([0.0, 1e-3, 10.0]),
)
def test_any_step_is_rounded_correctly(
    sizes, dtype, t, d, G, X, exponents, statistics, epsilon_1, epsilon_2
):
    G, X = (x if x != "bits" or dtype == "float32" else "normal" for x in (G, X))
    G, X = (Fill(x, 10.0**e) for x, e in zip((G, X), exponents, strict=True))
    case = Case(sizes, t, X, G, statistics, d, epsilon_1, epsilon_2, dtype)
    certificate = judged(*drawn(case, {1: VECTOR, 2: MATRIX, 3: TENSOR}[len(sizes)]))
    for stage in ("doubles", "pairs", "balls", "algebra", "ties"):
        if getattr(certificate, stage):
            event(stage)


@pytest.mark.parametrize("exponent", [-1070, -1000, -600, -520, -300, 350, 369])
@pytest.mark.parametrize("epsilon_1", [2.0**-900, 1e-30, 1e100])
@pytest.mark.parametrize("d", [1e-150, 1.0, math.inf])
def test_the_far_ends_of_float64_are_rounded_correctly(exponent, epsilon_1, d):
    constants = Hyperparameters(epsilon_1=epsilon_1, epsilon_2=0.0, d=d)
    for X_exponent in (-1074, -500, 0, 480):
        X, G = normal((3, 2)), normal((3, 2), seed=1)
        X, G = np.ldexp(X, X_exponent), np.ldexp(G, exponent)
        if not np.abs(G).max() <= strict.largest_gradient(constants):
            continue
        state = {"R": np.full(3, epsilon_1), "C": np.full(2, epsilon_1)}
        judged(X, G, state, strict.rates(constants, 3), constants)
        state = {"V": epsilon_1 * 2.0 ** np.array([-150, 0, 3, 60, 150, 0])}
        judged(X.ravel(), G.ravel(), state, strict.rates(constants, 3), constants)


def test_squares_that_end_below_the_doubles_do_not_hide_that_a_vector_is_clipped():
    """G^2 is 1.4 times the least double, which is 1 of them: RMS(U) / d is 1.08, and seems 0.91."""
    constants = Hyperparameters(
        rho=2.0**489, beta_2=0.5, epsilon_1=2.0**-900, epsilon_2=0.0, d=math.sqrt(0.6) * 2.0**-497
    )
    X, G = np.array([1.3 * 2.0**480, 2.0**480]), np.array([math.sqrt(1.4) * 2.0**-537, 0.0])
    certificate = judged(
        X, G, {"V": np.array([2.0**-79, 2.0])}, strict.rates(constants, 3), constants
    )
    assert certificate.balls == 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_first_step_and_vectors_are_those_of_the_paper_as_it_stands(dtype):
    """sum R = sum C, as nothing was rounded yet: S_R needs no mean."""
    constants = Hyperparameters()
    for shape in [(5,), (3, 4), (2, 3, 4)]:
        X, G = normal(shape, dtype), normal(shape, dtype, 1)
        state = {name: np.zeros(_shape(name, shape)) for name in NAMES[len(shape)]}
        judged(X, G, state, strict.rates(constants, 1), constants, PAPERS)


def _shape(name, shape):
    return {"V": shape, "R": shape[:-1], "C": (*shape[:-2], *shape[-1:])}[name]


def test_later_steps_in_float32_are_those_of_the_paper_as_it_stands():
    shape, constants = (6, 5), Hyperparameters()
    X, state, _ = carried(shape, np.float32, 5)
    t = state.pop("t")
    assert math.fsum(state["R"]) == pytest.approx(math.fsum(state["C"]), rel=11 * 2.0**-53)
    rates = strict.rates(constants, t + 1)
    judged(X, normal(shape, np.float32, 9), state, rates, constants, PAPERS)


# The rates


@pytest.mark.parametrize("t", [*range(1, 40), *TIMES, 2**14, 2**20, 2**53])
def test_the_rates_are_nearest_to_the_schedules(t):
    w, rho = nearest.weight(t), nearest.rho(t)
    up, down = (Fraction(math.nextafter(w, x)) + Fraction(w) for x in (math.inf, 0.0))
    assert (down / 2) ** 5 * t**4 < 1 < (up / 2) ** 5 * t**4
    if t <= 10**4:
        assert rho == 1e-2
    else:
        up, down = (Fraction(math.nextafter(rho, x)) + Fraction(rho) for x in (math.inf, 0.0))
        assert (down / 2) ** 2 * t < 1 < (up / 2) ** 2 * t
    rates = strict.rates(Hyperparameters(), t)
    assert sum(map(Fraction, (*rates.w, *rates.beta_2))) == 1
    assert (rates.w[0], rates.rho) == (w, rho)


def test_the_loops_own_schedule_is_not_always_the_nearest():
    assert [t for t in range(1, 2000) if schedule.weight(t) != nearest.weight(t)] or (
        schedule.rho(10**6 + 1) != nearest.rho(10**6 + 1)
    )


@pytest.mark.parametrize("beta_2", [0.0, 0.3, 0.999, 1e-300, math.nextafter(1, 0)])
def test_a_beta_2_that_is_given_is_exact_and_so_is_w(beta_2):
    w, kept, _ = strict.rates(Hyperparameters(beta_2=lambda t: beta_2), 7)
    assert kept == (beta_2, 0.0)
    assert Fraction(w[0]) + Fraction(w[1]) == 1 - Fraction(beta_2)


@given(st.fractions() | st.builds(Fraction, st.floats(allow_nan=False, allow_infinity=False)))
def test_the_nearest_numbers_are_those_of_python_and_of_numpy(x):
    assert nearest.nearest(x, np.dtype(np.float64)) == float(x)
    if Fraction(float(x)) == x:
        with np.errstate(over="ignore"):
            assert nearest.nearest(x, np.dtype(np.float32)) == np.float32(float(x))
            assert nearest.nearest(x, np.dtype(np.float16)) == np.float16(float(x))


# Ties


def tied(dtype):
    """rho = 1/128 at t = 2^14, V = 4 and U = 1/2, exactly: a step of 2^-8, beside small weights."""
    least = 2.0**-33 if dtype == np.float32 else 2.0**-62
    X = np.array([least, 3 * least, 5 * least, -2 * least, 0.0, 0.25], dtype)
    G, V = np.ones(6, dtype), np.full(6, 4.0)
    constants = Hyperparameters(epsilon_1=3.0, epsilon_2=1.0)
    return X, G, {"V": V}, strict.rates(constants, 2**14), constants


@pytest.mark.parametrize("dtype", DTYPES)
def test_exact_ties_go_to_the_even_neighbour_and_are_counted(dtype):
    X, G, state, rates, constants = tied(dtype)
    assert rates.rho == 1 / 128
    assert judged(X, G, state, rates, constants).ties == 4
    found, _ = stepped(X, G, state, rates, constants)
    digits = found["X_new"].view(np.uint32 if dtype == np.float32 else np.uint64)
    assert not (digits[:4] & 1).any()


def test_a_tie_too_long_for_algebra_is_assumed(monkeypatch):
    from adafactor_numba import exact as algebra

    X, G, state, rates, constants = tied(np.float32)
    monkeypatch.setattr(algebra, "LONGEST", 0)
    expected, _ = stepped(X, G, state, rates, constants)
    never = property(lambda _: False, lambda *_: None)
    monkeypatch.setattr(algebra.Exact, "unclipped", never, raising=False)
    found, certificate = stepped(X, G, state, rates, constants)
    assert (certificate.assumed, certificate.ties) == (4, 0)
    assert bits(*found.values()) == bits(*expected.values())


@pytest.mark.parametrize("dtype", DTYPES)
def test_ties_with_the_papers_constants_under_clipping_are_proved(dtype):
    """All weights equal, all gradients of one size: X_new is X 127/128 or 129/128."""
    X = np.full((4, 3), 1.125 + 2.0 ** (-17 if dtype == np.float32 else -46), dtype)
    G = np.full((4, 3), 2.0, dtype) * dtype([[1, -1, 1]])
    state = {"R": np.full(4, 3e-5), "C": np.full(3, 4e-5)}
    constants = Hyperparameters()
    certificate = judged(X, G, state, strict.rates(constants, 2**14), constants)
    assert certificate.ties == certificate.algebra > 0
    found, _ = stepped(X, G, state, strict.rates(constants, 2**14), constants)
    assert np.array_equal(found["X_new"], (X * (1 - np.sign(G) / dtype(128))).astype(dtype))


# The optimizer around it


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "at"), [((70, 65), [69, 3]), ((3000,), [0]), ((3000,), [2999])])
@pytest.mark.parametrize(
    "wrong", ["G is nan", "G is infinite", "X is nan", "G is large", "X is large"]
)
def test_what_is_out_of_range_is_refused_and_nothing_changes(shape, at, dtype, wrong):
    arrays = {"first": normal((3, 2), dtype), "second": normal(shape, dtype)}
    optimizer = Adafactor(arrays, strict=True, epsilon_1=1e-30 if dtype == np.float64 else 1e-250)
    optimizer.step({name: normal(A.shape, dtype, 1) for name, A in arrays.items()})
    gradients = {name: normal(A.shape, dtype, 2) for name, A in arrays.items()}
    value = {"nan": np.nan, "infinite": np.inf, "large": 2.0**490.5}[wrong.split()[-1]]
    if value == 2.0**490.5 and dtype == np.float32:
        value = 2.0**20 if wrong[0] == "G" else np.inf
    (gradients if wrong[0] == "G" else arrays)["second"][*at] = value
    before = snapshot(optimizer, list(arrays.values()))
    named = rf"{wrong[0]} \((gradient|weights)\) is .* at {re.escape(str(at))}"
    if np.isfinite(value):
        named = rf"\['second'\]: {wrong[0]} \(.* has .* which strict steps do not take"
    with pytest.raises(ValueError, match=named):
        optimizer.step(gradients)
    assert snapshot(optimizer, list(arrays.values())) == before


@pytest.mark.parametrize("shape", [(3, 2), (5,)])
def test_a_saved_run_goes_on_whatever_the_size_of_its_statistics(shape):
    X, G = normal(shape), [1e100 * normal(shape, seed=seed) for seed in (1, 2)]
    kept = Adafactor([X], strict=True)
    kept.step(G[:1])
    Y = X.copy()
    other = Adafactor([Y], strict=True)
    other.load_state_dict(kept.state_dict())
    for optimizer in (kept, other):
        optimizer.step(G[1:])
    assert snapshot(other, [Y]) == snapshot(kept, [X])
    assert max(A.max() for name, A in kept.state_dict()[0].items() if name != "t") > 2.0**490
    wide = Adafactor([Y])
    wide.load_state_dict(kept.state_dict())
    other.load_state_dict(wide.state_dict())
    with pytest.raises(ValueError, match="the state has exponents, and strict steps take doubles"):
        other.step(G[1:])


def test_the_certificate_counts_all_that_the_last_step_stored():
    X = [normal((3, 4)), normal((5,), np.float32), normal((2, 3, 4), np.float32), normal((0,))]
    optimizer = Adafactor(X, strict=True)
    assert optimizer.certificate == Certificate()
    for _ in range(2):
        optimizer.step([normal(A.shape, A.dtype, 1) for A in X])
        assert optimizer.certificate.entries == 12 + 5 + 24
        counts = optimizer.certificate
        assert counts.statistics_pairs + counts.statistics_exact == 7 + 5 + 14
    optimizer.step([None, normal((5,), np.float32, 1), None, None])
    assert optimizer.certificate.entries == 5
    assert [state["t"] for state in optimizer.state_dict().values()] == [2, 3, 2, 0]


def test_a_strict_step_is_near_to_that_of_the_default_loops():
    for dtype in DTYPES:
        X, Y = normal((30, 40), dtype), normal((30, 40), dtype)
        strictly, plainly = Adafactor([X], strict=True), Adafactor([Y])
        for t in (1, 2, 3):
            for optimizer in (strictly, plainly):
                optimizer.step([normal((30, 40), dtype, t)])
        assert (np.abs(X - Y) <= 4 * np.spacing(np.abs(Y)) + 1e-16).all()
        assert bits(X) != bits(normal((30, 40), dtype))
    assert bits(X) != bits(Y)


# The stages


def test_the_verdict_of_the_reference_tells_neighbours_apart():
    for kind in (np.float32, np.float64):
        x = kind(1.5)
        after = np.nextafter(x, kind(2))
        half = flint.arb((float(x) + float(after)) / 2 if kind is np.float32 else float(x))
        with flint.ctx.workprec(200):
            if kind is np.float64:
                half += flint.arb(2) ** -53
            below, above = half - flint.arb(2) ** -150, half + flint.arb(2) ** -150
        assert [verdict(y, below) for y in (x, after)] == ["nearest", "wrong"]
        assert [verdict(y, half) for y in (x, after)] == ["tie", "wrong"]
        assert [verdict(y, above) for y in (x, after)] == ["wrong", "nearest"]
    assert verdict(np.float64(-0.0), flint.arb(0)) == verdict(np.float32(np.nan), half) == "wrong"
