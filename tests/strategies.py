"""Hypothesis strategies read off a rule: its cases, varied, with scalars from its domains."""

from dataclasses import replace

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from derivations.cases import Case, Fill, cases
from derivations.rule import UpdateRule

LARGEST_SIDE = 6
SCALARS = ("d", "epsilon_1", "epsilon_2")


def in_domain(domain: sp.Set) -> st.SearchStrategy[float]:
    """Numbers of a domain over many magnitudes, and those of its ends that belong to it."""
    low, high = float(domain.inf), float(domain.sup)
    ends = [float(end) for end in (domain.inf, domain.sup) if end in domain]
    inner = st.floats(-30, 15).map(lambda exponent: 10.0**exponent)
    inner = inner.filter(lambda x: low < x < high)
    return st.sampled_from(ends) | inner if ends else inner


@st.composite
def cases_of(draw, rule: UpdateRule, **fixed) -> Case:
    """A case of `rule` with other sizes, t, scalars and size of G; `fixed` overrides."""
    rank = len(rule.input("X").indices)
    case = draw(st.sampled_from(cases(rule)), label="case")
    given = {x.name: in_domain(x.domain) for x in rule.inputs if x.name in SCALARS}
    given |= {
        "sizes": st.tuples(*[st.integers(1, LARGEST_SIDE)] * rank),
        "t": st.integers(1, 10**6),
        "G": st.builds(Fill, st.just(case.G.pattern), st.floats(-20, 18).map(lambda e: 10.0**e)),
    }
    chosen = draw(st.sets(st.sampled_from(sorted(given.keys() - fixed.keys()))), label="varied")
    return replace(case, **fixed, **{x: draw(given[x], label=x) for x in sorted(chosen)})


def gradients(shape: tuple[int, ...], dtype: str, most: int) -> st.SearchStrategy[list[np.ndarray]]:
    """Gradients of up to `most` steps: normal entries of any size, or zeros."""
    sizes = st.just(0.0) | st.floats(-30, 15).map(lambda exponent: 10.0**exponent)
    seeds = st.integers(0, 2**32 - 1)
    one = st.builds(
        lambda size, seed: (size * np.random.default_rng(seed).standard_normal(shape)).astype(
            dtype
        ),
        sizes,
        seeds,
    )
    return st.lists(one, min_size=1, max_size=most)
