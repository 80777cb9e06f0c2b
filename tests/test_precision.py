"""In which format an implementation works, where that is known; another formula is no rounding."""

import numpy as np
import pytest

from adafactor_numba.audit.draw import Draw
from adafactor_numba.audit.judgement import FORMATS, is_in_order, judgements
from adafactor_numba.audit.precision import (
    FINE,
    coarsest,
    formats,
    formats_at_work,
    formats_of,
    possible,
    precision,
    with_momentum_in_bfloat16,
)
from adafactor_numba.audit.subject import Run
from derivations.method import ADAFACTOR
from derivations.variants import OPTIONS, combined
from tests.answers import asked, seen
from tests.implementations.plain import Plain
from tests.implementations.right import (
    Float32,
    Float32Schedule,
    Float32Storage,
    Native,
    ProductFirst,
)
from tests.implementations.wrong import (
    EpsilonInTheRoot,
    NoEpsilon1,
    NoScale,
    TwiceTheCap,
)
from tests.implementations.wrong_moves import Ascent

MOMENTUM = combined((OPTIONS["momentum over U_hat"],))
SCENARIOS = ("first step", "size of X", "not clipped", "clipped", "ordinary")
U = 2.0**-24
"""The unit roundoff of float32."""


class NativeProductFirst(Native, ProductFirst):
    """R C as a number of the parameter's own type."""


class Schedule(Plain):
    """rho and beta_2 in float32, all else in float64."""

    def rho(self, t):
        return float(min(np.float32(1e-2), 1 / np.sqrt(np.float32(t))))

    def beta_2(self, t):
        return float(1 - np.float32(t) ** np.float32(-0.8))


class Half(Plain):
    """Everything in float16."""

    work = np.float16

    def rho(self, t):
        return np.float16(super().rho(t))

    def beta_2(self, t):
        return np.float16(super().beta_2(t))

    def alpha(self, X, rho):
        return super().alpha(X, rho).astype(np.float16)


class HalfSteps(Half):
    """Steps in float16, which are taken from X as it is stored."""

    def X_new(self, X, alpha, U_hat):
        return X.astype(float) - (alpha * U_hat).astype(float)


class ElevenBits(Plain):
    """The digits of float16, without its range."""

    def X_new(self, X, alpha, U_hat):
        mantissa, exponent = np.frexp(super().X_new(X, alpha, U_hat))
        return np.ldexp(np.round(mantissa * 2**11), exponent - 11)


class Multiples(NoScale):
    """Multiples of float16's least number, of more digits than it has."""

    def X_new(self, X, alpha, U_hat):
        return np.round(super().X_new(X, alpha, U_hat) * 2**24) / 2**24


class Jumping(Float32):
    def jump(self, t):
        self.states = [{"t": t - 1} for _ in self.X]


class CapInSinglePrecision(Plain):
    """rho alone, and rounded: beta_2 is that of float64."""

    def rho(self, t):
        return min(float(np.float32(1e-2)), t**-0.5)


class TwiceTheCapInFloat32(Float32):
    def rho(self, t):
        return 2 * super().rho(t)


class Random(Plain):
    """Every step of every entry is off by up to `size`, to either side."""

    size = U

    def clipped(self, U):
        self.rng = getattr(self, "rng", None) or np.random.default_rng(0)
        return super().clipped(U) * (1 + self.size * self.rng.uniform(-1, 1, U.shape))


class RandomTimes100(Random):
    size = 100 * U


class Momentum(Plain):
    """Momentum over U_hat, stored by `kept`."""

    def updated(self, state, X, G):
        self.current = state
        return super().updated(state, X, G)

    def X_new(self, X, alpha, U_hat):
        M = 0.9 * self.current.get("M", 0.0) + (1 - 0.9) * U_hat
        self.current["M"] = self.kept(M)
        return X - alpha * self.current["M"]

    def kept(self, M):
        return M


class MomentumOf8Bits(Momentum):
    """As in bfloat16, whose range does not matter here."""

    bits = 8

    def kept(self, M):
        mantissa, exponent = np.frexp(M)
        return np.ldexp(np.round(mantissa * 2**self.bits), exponent - self.bits)


class MomentumOf7Bits(MomentumOf8Bits):
    bits = 7


def judged(build, dtype="float64", *scenarios, method=ADAFACTOR):
    return [*judgements(method, seen(build, asked(dtype, *(scenarios or SCENARIOS))))]


def worked(build, dtype="float64", *scenarios):
    """The format in which all is explained, of those in which the work may be done."""
    paper = judged(build, dtype, *scenarios)
    found = formats_of(paper, formats_at_work(paper))
    return found and found[dtype]


@pytest.mark.parametrize(
    ("build", "format_"),
    [
        (Plain, "float64"),
        (Native, "float64"),
        (Schedule, "mixed"),
        (Float32Schedule, "mixed"),
        (Float32, "float32"),
        (Random, "mixed"),
    ],
)
def test_the_format_of_the_work_is_found_where_more_is_stored(build, format_):
    assert worked(build) == format_


@pytest.mark.parametrize(("build", "format_"), [(Plain, "float64"), (Schedule, "mixed")])
def test_what_works_finer_than_it_stores_is_known(build, format_):
    assert worked(build, "float32") == format_


def test_what_may_be_float32_is_left_open_where_it_is_stored():
    for build in (Plain, Native, EpsilonInTheRoot):
        assert formats_at_work(judged(build, "float32")) == {"float32": FINE}


def test_a_coarser_format_is_believed_only_where_its_rounding_is_seen():
    assert formats_at_work(judged(Plain)) == {"float64": FINE[:1]}
    for build in (Schedule, Float32, Float32Storage):
        assert formats_at_work(judged(build)) == {"float64": FINE}


def test_float16_is_believed_only_where_its_grid_is_seen():
    for dtype in ("float64", "float32"):
        half = formats_at_work(judged(Half, dtype, "first step", "not clipped"))[dtype]
        assert half[-1] == "float16"
        assert worked(Half, dtype, "first step", "not clipped") == "float16"
    for build in (Float32, Random, RandomTimes100, ElevenBits, Multiples):
        assert "float16" not in formats_at_work(judged(build))["float64"]


def test_the_grid_of_float16_shows_in_steps_from_zero_whatever_X_is_stored_in():
    found = formats_at_work(judged(HalfSteps, "float64", "first step", "ordinary"))
    assert found["float64"][-1] == "float16"


def test_where_nothing_is_explained_the_format_is_read_off_steps_up_to_a_factor():
    assert formats_at_work(judged(TwiceTheCap)) == {"float64": FINE[:1]}
    assert formats_at_work(judged(TwiceTheCapInFloat32)) == {"float64": FINE}


def test_another_formula_is_no_rounding_however_little_it_is_off():
    """float32's rounding would explain all there is to see."""
    seen = judged(EpsilonInTheRoot, "float64", "first step", "not clipped")
    assert formats_of(seen) is not None
    assert formats_at_work(seen) == {"float64": FINE[:1]}
    assert worked(EpsilonInTheRoot) is None


def test_a_schedule_of_which_rho_alone_is_rounded_is_believed():
    for build in (CapInSinglePrecision, Schedule):
        seen = judged(build, "float64", "first step", "not clipped")
        assert formats_at_work(seen) == {"float64": FINE}
        assert precision(formats_of(seen)) == "float32"


def test_what_is_random_and_beyond_rounding_is_in_no_format():
    for dtype in ("float64", "float32"):
        assert worked(RandomTimes100, dtype) is None
        assert formats_of(judged(RandomTimes100, dtype), {dtype: FORMATS[:4]}) is None


def test_the_format_is_that_of_the_finest_in_which_everything_is_explained():
    paper = judged(Float32)
    assert formats_of(paper) == {"float64": "float32"}
    assert formats_of(paper, {"float64": ("float64", "mixed")}) is None
    assert formats_of(paper, {"float64": ("float16",)}) == {"float64": "float16"}
    assert formats_of([]) == {}


def test_each_dtype_has_its_own_format():
    paper = [*judged(Float32), *judged(Plain, "float32")]
    assert formats_at_work(paper) == {"float64": FINE, "float32": FINE}
    assert formats_of(paper) == {"float64": "float32", "float32": "float64"}
    assert formats_of([*paper, *judged(RandomTimes100, "float32")]) is None


def test_what_is_beyond_the_range_of_a_format_is_not_held_against_it():
    """G^2 = 1e50 is no number of float32; it is one of float64, in which nothing is excused."""
    draw = Draw(np.random.default_rng(0), "float32")
    run = draw.single("size of G", draw.zeros((3,)), [draw.uneven((3,), 1e25)])
    (j,) = judgements(ADAFACTOR, seen(Native, [run]))
    assert not j.explained("float32")
    assert formats_of([j]) == {"float32": "float32"}
    assert formats_of([j], {"float32": ("float64",)}) is None


def test_a_zero_gradient_is_excused_only_where_nothing_is_left_of_epsilon_1():
    """float32's R C is no number there, but its epsilon_1 is one: it could have been had."""
    zero = np.zeros((2, 3))
    for dtype, excused in (("float32", False), ("float16", True)):
        run = Draw(np.random.default_rng(0), dtype).single("zero", zero.astype(dtype), [zero])
        (j,) = judgements(ADAFACTOR, seen(NativeProductFirst, [run]))
        assert not j.explained(dtype)
        assert is_in_order(j, dtype) == excused


@pytest.mark.parametrize(("size", "epsilon_2"), [(400.0, 1e-3), (1e-4, 1e-5)])
def test_squares_of_X_beyond_float16_are_excused_unless_epsilon_2_outweighs_them(size, epsilon_2):
    draw, given = Draw(np.random.default_rng(0), "float16"), {"epsilon_2": epsilon_2}
    X, G = (draw.uneven((3,), s) for s in (size, 1.0))
    (j,) = judgements(ADAFACTOR, seen(Native, [draw.single("X", X, [G], hyperparameters=given)]))
    assert not j.explained("float16")
    assert is_in_order(j, "float16")
    assert not is_in_order(j, "float32")
    run = draw.single("X", draw.uneven((3,), 1e-4), [G], hyperparameters={"epsilon_2": 1.0})
    (j,) = judgements(ADAFACTOR, seen(Ascent, [run]))
    assert not is_in_order(j, "float16")


def test_only_early_steps_of_one_parameter_at_the_defaults_show_the_format():
    X, G = np.zeros(3), np.array([0.5, -1.0, 2.0])
    grads = [G, G[::-1], 0.3 * G, G**2, G, 0.7 * G, 0.1 * G]
    alone, two = (tuple((g,) * k for g in grads) for k in (1, 2))
    runs = (
        Run("several", (X, X), two),
        Run("varied", (X,), alone, hyperparameters={"d": 2.0}),
        Run("late", (X,), alone, watch=(6, 7)),
        Run("no gradient", (X,), ((0 * G,),)),
        Run("jump", (X,), alone, jump=2),
    )
    paper = [*judgements(ADAFACTOR, seen(Jumping, runs))]
    assert len(paper) == 2 * 7 + 7 + 1 + 1 + 7
    assert formats_at_work(paper) == {}
    early = judgements(ADAFACTOR, seen(Jumping, [Run("early", (X,), alone)]))
    assert formats_at_work(early) == {"float64": FINE}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_momentum_kept_in_bfloat16_is_explained_where_that_is_allowed(dtype):
    at_work = formats_at_work(judged(MomentumOf8Bits, dtype))
    rounded = judged(MomentumOf8Bits, dtype, method=MOMENTUM)
    assert formats_of(rounded, at_work) is None
    assert formats_of(rounded, with_momentum_in_bfloat16(at_work)) == {dtype: "bfloat16"}
    exact = judged(Momentum, dtype, method=MOMENTUM)
    assert formats_of(exact, with_momentum_in_bfloat16(at_work)) == {dtype: "float64"}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_bfloat16_explains_neither_a_coarser_momentum_nor_what_has_none(dtype):
    allowed = with_momentum_in_bfloat16({dtype: FINE})
    assert formats_of(judged(MomentumOf7Bits, dtype, method=MOMENTUM), allowed) is None
    assert formats_of(judged(RandomTimes100, dtype), allowed) is None
    assert formats_of(judged(MomentumOf8Bits, dtype), allowed) is None


def test_a_momentum_in_bfloat16_is_allowed_beside_what_was_but_for_float16():
    allowed = {"float64": ("float64",), "float32": (*FINE, "float16")}
    assert with_momentum_in_bfloat16(allowed) == {
        "float64": ("float64", "bfloat16"),
        "float32": (*FINE, "bfloat16"),
    }


def test_a_method_without_a_value_explains_nothing():
    """0 / 0 for a zero row, where the paper moves by 0."""
    none = combined((OPTIONS["no eps1"],))
    rows = seen(Plain, asked("float64", "zero row or column"))
    assert formats(ADAFACTOR, rows) == {"float64": "float64"}
    assert formats(none, rows) is None
    assert formats(none, seen(NoEpsilon1, asked("float64", "first step"))) == {"float64": "float64"}


def test_the_precision_told_is_the_coarsest_and_that_of_a_schedule_its_own():
    assert precision({"float64": "float64"}) == "float64"
    assert precision({"float64": "float32", "float32": "float64"}) == "float32"
    assert precision({"float64": "mixed"}) == "float32"
    assert precision({"float64": "mixed", "float32": "bfloat16"}) == "bfloat16"
    assert precision({}) is None


def test_of_a_dtype_of_which_nothing_is_known_all_but_the_coarsest_is_possible():
    assert possible(None, "float64") == possible({"float32": ("float32",)}, "float64") == FINE
    assert possible({"float32": ("float32",)}, "float32") == ("float32",)
    assert not {"bfloat16", "float16"} & {*FINE}


def test_the_coarsest_format_is_the_last():
    assert coarsest({"float64": FINE, "float32": ("float64",)}) == {
        "float64": "float32",
        "float32": "float64",
    }
