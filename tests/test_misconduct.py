"""Every kind of misconduct is a difference once, with its two numbers where it has them."""

import math

import pytest

from adafactor_numba.audit.interview import Finding
from adafactor_numba.audit.misconduct import difference_of, unsaid
from adafactor_numba.audit.report import Difference

CASE = {"dtype": ["float64", "float32"]}


def finding(what, **more):
    return Finding("arguments", what, CASE, **more)


def told(known, *whats):
    return [
        d.what for d in unsaid([Difference("V", {}, what=w) for w in known], map(finding, whats))
    ]


def test_flags_are_told_apart_and_beside_any_line():
    flags = ("beta_1 changes nothing", "weight_decay changes nothing")
    assert told(["the variant"], *flags) == ["the variant", *flags]


def test_what_is_changed_or_unlike_is_told_once_of_whatever_array_and_step():
    changed = "gradient 0 was changed by step 1"
    shape = "returned array 0 has shape (1,), the parameter ()"
    again = (changed, "parameter 1 was changed by step 2", shape, shape.replace("0", "1"))
    assert told([], *again) == [changed, shape]
    assert told([changed], *again) == [changed, shape]


@pytest.mark.parametrize(("parameter", "ulp"), [(0, 2.0**-52), (1, 2.0**-23)])
def test_two_numbers_are_apart_by_units_in_the_last_place_of_their_dtype(parameter, ulp):
    more = {"index": (parameter, 2), "got": 1.5, "expected": 1.0, "granted": 4 * ulp}
    found = difference_of(finding("x", **more))
    assert (found.off_by_ulp, found.explained_ulp) == (0.5 / ulp, 4.0)
    assert (found.index, found.got, found.expected) == ((parameter, 2), 1.5, 1.0)


@pytest.mark.parametrize(("got", "expected"), [(math.nan, 1.0), (1.0, math.nan), (1.0, math.inf)])
def test_what_is_not_finite_is_apart_too(got, expected):
    found = difference_of(finding("x", index=(0,), got=got, expected=expected))
    assert not math.isfinite(found.off_by_ulp)


def test_what_has_no_numbers_has_its_step_at_least():
    found = difference_of(finding("x"))
    assert (found.step, found.equivalent_steps, found.index) == ("arguments", ("arguments",), ())
