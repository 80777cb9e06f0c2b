"""The printed rule is the rule: every step has its line, and a changed rule prints its change."""

from xml.etree import ElementTree

import pytest
from sympy import IndexedBase, Max, Rational, Reals, sqrt, symbols

from derivations.adafactor import (
    MATRIX,
    S_R,
    SCHEDULE,
    TENSOR,
    VECTOR,
    C,
    G,
    R,
    U_hat,
    V,
    X,
    alpha,
    epsilon_1,
    i,
    j,
)
from derivations.factorization import derivation
from derivations.latex import MATHML, latex, mathml, text
from derivations.rule import Input, Step

M, M_old = (IndexedBase(name, real=True) for name in ("M", "M_old"))
beta_1 = symbols("beta_1", positive=True)
MOMENTUM = MATRIX.but(
    "momentum",
    "x_t & y < 100 %",
    Input(M_old[i, j], Reals, "momentum", becomes="M"),
    Input(beta_1, Reals, "decay of the momentum", default=Rational(9, 10)),
    Step(M[i, j], beta_1 * M_old[i, j] + (1 - beta_1) * U_hat[i, j], "x_t & y < 100 %"),
    X_new=X[i, j] - alpha * M[i, j],
)
RULES = (SCHEDULE, VECTOR, MATRIX, TENSOR, MOMENTUM)
by_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


def lines(printed: str) -> list[str]:
    """The equations of an `aligned` environment, without what frames them."""
    return [line for line in printed.splitlines() if "&=" in line]


def cells(printed: str) -> list[list[str]]:
    """The text of every cell, row by row."""
    rows = ElementTree.fromstring(printed).iter(f"{{{MATHML}}}mtr")
    return [["".join(cell.itertext()) for cell in row] for row in rows]


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (SCHEDULE, r"\rho_{t} &= \min\left(\frac{1}{100}, \frac{1}{\sqrt{t}}\right)"),
        (SCHEDULE, r"\hat{\beta}_{2t} &= 1 - t^{-4/5}"),
        (
            VECTOR,
            r"\hat{V}_{t,i} &= \hat{\beta}_{2t} \hat{V}_{t-1,i} + \left(1 - \hat{\beta}_{2t}"
            r"\right) \left(G_{t,i}^{2} + \epsilon_{1}\right)",
        ),
        (
            MATRIX,
            r"\mathrm{RMS}(X_{t-1})^{2} &= \frac{1}{m n} "
            r"\sum_{k=0}^{n - 1} \sum_{l=0}^{m - 1} X_{t-1,kl}^{2}",
        ),
        (
            MATRIX,
            r"\alpha_{t} &= \max\left(\epsilon_{2}, \mathrm{RMS}(X_{t-1})\right) \rho_{t}",
        ),
        (
            MATRIX,
            r"R_{t,i} &= \hat{\beta}_{2t} R_{t-1,i} + \left(1 - \hat{\beta}_{2t}\right) "
            r"\sum_{l=0}^{m - 1} \left(G_{t,il}^{2} + \epsilon_{1}\right)",
        ),
        (MATRIX, r"S_{R_{t}} &= \sum_{k=0}^{n - 1} R_{t,k}"),
        (MATRIX, r"\hat{V}_{t,ij} &= \frac{R_{t,i} C_{t,j}}{S_{R_{t}}}"),
        (MATRIX, r"U_{t,ij} &= \frac{G_{t,ij}}{\sqrt{\hat{V}_{t,ij}}}"),
        (
            MATRIX,
            r"\hat{U}_{t,ij} &= \frac{U_{t,ij}}"
            r"{\max\left(1, \frac{\mathrm{RMS}(U_{t})}{d}\right)}",
        ),
        (MATRIX, r"X_{t,ij} &= X_{t-1,ij} - \alpha_{t} \hat{U}_{t,ij}"),
        (TENSOR, r"\hat{V}_{t,bij} &= \frac{R_{t,bi} C_{t,bj}}{S_{R_{t},b}}"),
        (MOMENTUM, r"M_{t,ij} &= \beta_{1} M_{t-1,ij} + \left(1 - \beta_{1}\right) \hat{U}_{t,ij}"),
        (MOMENTUM, r"X_{t,ij} &= X_{t-1,ij} - \alpha_{t} M_{t,ij}"),
    ],
)
def test_lines_are_printed_as_the_paper_prints_them(rule, line):
    assert line in lines(latex(rule))


@by_rule
def test_every_step_has_one_line_in_its_order(rule):
    printed = latex(rule)
    assert len(lines(printed)) == len(rule.steps) == printed.count(r"\text{")
    assert len(text(rule).splitlines()) == len(rule.steps)
    for line, step in zip(text(rule).splitlines(), rule.steps, strict=True):
        assert line.endswith(step.source)
        assert line.startswith((step.name.removesuffix("_new"), "RMS("))


@by_rule
def test_mathml_is_well_formed_and_has_one_row_per_step(rule):
    rows = cells(mathml(rule))
    assert [row[-1] for row in rows] == [step.source for step in rule.steps]
    assert all(row[1].startswith("=") for row in rows)


def test_mathml_reads_as_the_latex_does():
    invisible = str.maketrans("", "", "\u2062 ")
    printed = ([cell.translate(invisible) for cell in row] for row in cells(mathml(MATRIX)))
    by_left = {left: right for left, right, _ in printed}
    assert by_left["V^t,ij"] == "=Rt,iCt,jSRt"
    assert by_left["αt"] == "=max(ε2,RMS(Xt-1))ρt"
    assert by_left["Xt,ij"] == "=Xt-1,ij-αtU^t,ij"
    assert by_left["RMS(Xt-1)2"] == "=1mn∑k=0n-1∑l=0m-1Xt-1,kl2"


@pytest.mark.parametrize("printed", [text, latex, mathml])
@pytest.mark.parametrize(
    "changes",
    [
        {"V": R[i] * C[j] / (S_R + epsilon_1)},
        {"U": G[i, j] / Max(sqrt(V[i, j]), sqrt(epsilon_1))},
        {"X_new": X[i, j] - 2 * alpha * U_hat[i, j]},
    ],
    ids=str,
)
def test_a_changed_step_prints_its_change_and_nothing_else(printed, changes):
    changed = MATRIX.but("changed", "[S]", **changes)
    row = "<mtr>" if printed is mathml else " \\\\\n" if printed is latex else "\n"
    rows = zip(printed(MATRIX).split(row), printed(changed).split(row), strict=True)
    differing = [after for before, after in rows if before.split() != after.split()]
    assert len(differing) == len(changes)


def test_sources_are_escaped():
    assert r"&& \text{x\_t \& y \textless{} 100 \%}" in latex(MOMENTUM)
    assert "x_t &amp; y &lt; 100 %" in mathml(MOMENTUM)


def test_a_derivation_is_printed_by_the_same_functions():
    shown = derivation()
    assert r"D(A, r s) &= D(A, \hat{V}) + D(\hat{V}, r s)" in lines(latex(shown))
    assert r"r_{i} s_{j} &= \frac{R_{i} C_{j}}{S_{R}}" in lines(latex(shown))
    assert [row[-1] for row in cells(mathml(shown))] == [line.says for line in shown]
    assert len(text(shown).splitlines()) == len(shown)
