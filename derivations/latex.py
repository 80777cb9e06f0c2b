r"""A rule, or a derivation, as text, LaTeX or MathML, in the notation of [S].

Time is read off the rule: an input that becomes a step is that step's value at t - 1, an input
with a value of the paper is a constant, all else is taken at t.  Entries keep their indices,
counted from 0: X_{t-1,ij}.  `mean_square_X` is printed as RMS(X)^2.
"""

from collections.abc import Iterable, Sequence
from html import unescape
from typing import Any, TypeAlias
from xml.dom.minidom import Element
from xml.sax.saxutils import escape

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.functions.elementary.miscellaneous import MinMaxBase
from sympy.printing.latex import LatexPrinter, latex_escape
from sympy.printing.mathml import MathMLPresentationPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.printer import Printer
from sympy.printing.str import StrPrinter

from .adafactor import MEAN_SQUARE, t
from .factorization import Line
from .rule import Target, UpdateRule, base, entries, rewrite

Printable: TypeAlias = UpdateRule | Sequence[Line]

HATTED = {"beta_2", "V"}  # [S] writes these with a hat; other names end in _hat themselves
MATHML = "http://www.w3.org/1998/Math/MathML"


def text(of: Printable) -> str:
    """One line per step, with the names of the code, and its source.

    >>> from derivations.adafactor import SCHEDULE
    >>> print(text(SCHEDULE))
    rho_t    = min(1/100, 1/sqrt(t))  [S] Algorithm 6, rho_t
    beta_2_t = 1 - 1/t**(4/5)         [S] Algorithm 6, beta_2t
    """
    printer = _Text(of)
    rows = [(printer.doprint(x), printer.doprint(y), note) for x, y, note in _rows(of)]
    left, right = (max(len(row[side]) for row in rows) for side in (0, 1))
    return "\n".join(f"{x:<{left}} = {y:<{right}}  {note}" for x, y, note in rows)


def latex(of: Printable) -> str:
    r"""An `aligned` environment (amsmath), one line per step, with its source.

    >>> from derivations.adafactor import SCHEDULE
    >>> print(latex(SCHEDULE))
    \begin{aligned}
    \rho_{t} &= \min\left(\frac{1}{100}, \frac{1}{\sqrt{t}}\right)
      && \text{[S] Algorithm 6, rho\_t} \\
    \hat{\beta}_{2t} &= 1 - t^{-4/5}
      && \text{[S] Algorithm 6, beta\_2t}
    \end{aligned}
    """
    printer = _Latex(of)
    lines = (
        f"{printer.doprint(x)} &= {printer.doprint(y)}\n  && \\text{{{_plain(note)}}}"
        for x, y, note in _rows(of)
    )
    return "\n".join((r"\begin{aligned}", " \\\\\n".join(lines), r"\end{aligned}"))


def mathml(of: Printable) -> str:
    """A `<math>` element in presentation MathML: a table, one row per step, with its source."""
    printer = _MathML(of)
    math = printer.element("math", xmlns=MATHML, display="block")
    table = printer.element("mtable", displaystyle="true")
    for x, y, note in _rows(of):
        left, right = printer._print(x), printer._print(y)
        cells = (left,), (printer.leaf("mo", "="), right), (printer.leaf("mtext", note),)
        row = (printer.element("mtd", *cell, style="text-align: left") for cell in cells)
        table.appendChild(printer.element("mtr", *row))
    math.appendChild(table)
    return math.toxml().encode("ascii", "xmlcharrefreplace").decode()


def _plain(note: str) -> str:
    """`note` as LaTeX text, < and > included, which SymPy leaves to mathematics."""
    return latex_escape(note).replace("<", r"\textless{}").replace(">", r"\textgreater{}")


def _rows(of: Printable) -> list[tuple[sp.Basic, sp.Basic, str]]:
    if isinstance(of, UpdateRule):
        return [(_shown(s.target), _shown(s.value), s.source) for s in of.steps]
    return [(line.left, line.right, line.says) for line in of]


def _shown(e: sp.Basic) -> sp.Basic:
    """`e` with RMS(X)^2 for mean_square_X, so that its root is RMS(X)."""

    def new(x: sp.Basic) -> sp.Basic | None:
        square, power = x.as_base_exp() if isinstance(x, sp.Expr) else (x, 1)
        if not isinstance(square, sp.Symbol) or not square.name.startswith(MEAN_SQUARE):
            return None
        array = sp.Symbol(square.name.removeprefix(MEAN_SQUARE))
        return sp.Function("RMS")(array) ** (2 * power)

    return rewrite(e, new)


class _Paper(Printer):  # type: ignore[misc]
    """What the three printers share: the moment of a name, and the order of terms and factors."""

    order: str

    def __init__(self, of: Printable) -> None:
        self.known, self.moments = {str(t)}, {}
        if isinstance(of, UpdateRule):
            self.known |= {x.name for x in (*of.inputs, *of.steps)}
            self.moments = {x.name: (x.name.removesuffix("_new"), t) for x in of.steps}
            for x in of.inputs:
                self.moments[x.name] = (x.name, t if x.default is None else None)
                if x.becomes is not None:
                    self.moments[x.name] = (x.becomes.removesuffix("_new"), t - 1)
        self.moments[str(t)] = (str(t), None)
        super().__init__({"order": self.order})

    def _print_Symbol(self, x: sp.Symbol, **_: Any) -> Any:
        return self._entry(x)

    def _print_Indexed(self, x: sp.Indexed, **_: Any) -> Any:
        return self._entry(x)

    def _entry(self, x: Target) -> Any:
        name, moment = self.moments.get(str(base(x)), (str(base(x)), None))
        return self._named(name, moment, getattr(x, "indices", ()))

    def _named(self, name: str, moment: sp.Expr | None, indices: Sequence[sp.Expr]) -> Any:
        letter, *marks = name.split("_")
        groups = self._subscripts([mark for mark in marks if mark != "hat"], moment)
        hat = name in HATTED or "hat" in marks
        return self._decorated(letter, hat, [*groups, [*indices]] if indices else groups)

    def _subscripts(self, marks: list[str], moment: sp.Expr | None) -> list[list[sp.Basic]]:
        """Groups to be set apart by commas: beta_2 has 2t, S_R has the R of the same t."""
        groups: list[list[sp.Basic]] = [
            [sp.Integer(mark) if mark.isdigit() else sp.Symbol(mark)] for mark in marks
        ]
        if moment is None or any(mark in self.known for mark in marks):
            return groups
        if marks and marks[-1].isdigit():
            return [*groups[:-1], [*groups[-1], moment]]
        return [*groups, [moment]]

    def _as_ordered_terms(self, e: sp.Expr, order: str | None = None) -> list[sp.Expr]:
        """What is added before what is subtracted, and sums last, where they end by themselves."""
        return sorted(sp.Add.make_args(e), key=_rank)

    def _print_Mul(self, e: sp.Expr) -> Any:
        factors = sorted(sp.Mul.make_args(e), key=_place)
        return super()._print_Mul(sp.Mul._from_args(factors) if len(factors) > 1 else e)


def _rank(e: sp.Expr) -> tuple[Any, ...]:
    """Entries before constants, short before long: G^2 + epsilon_1, 1 - beta_2."""
    return e.could_extract_minus_sign(), e.has(sp.Sum), e.is_Symbol, e.count_ops()


def _place(e: sp.Expr) -> tuple[Any, ...]:
    """Numbers, maxima, scalars, entries by their indices: max(..) rho, R_i C_j; slopes last."""
    indices = sorted({str(i) for x in entries(e) for i in getattr(x, "indices", ())})
    kind = not e.is_Number, e.has(sp.Derivative), e.has(sp.Indexed), not isinstance(e, MinMaxBase)
    return *kind, indices, e.count_ops(), str(e)


class _Text(_Paper, StrPrinter):  # type: ignore[misc]
    order = "none"

    def _named(self, name: str, moment: sp.Expr | None, indices: Sequence[sp.Expr]) -> str:
        if moment is not None:
            name += f"_{moment}" if moment == t else f"_{{{t}-1}}"
        return name + (f"[{', '.join(map(str, indices))}]" if indices else "")

    def _print_Max(self, e: sp.Max) -> str:
        return f"max({self.stringify(sorted(e.args, key=sp.default_sort_key), ', ')})"

    def _print_Min(self, e: sp.Min) -> str:
        return f"min({self.stringify(sorted(e.args, key=sp.default_sort_key), ', ')})"

    def _print_Sum(self, e: sp.Sum) -> str:
        ranges = (f"{index} < {high + 1}" for index, _, high in reversed(e.limits))
        return f"sum({self._print(e.function)}, {', '.join(ranges)})"


class _Latex(_Paper, LatexPrinter):  # type: ignore[misc]
    order = "none"

    def __init__(self, of: Printable) -> None:
        super().__init__(of)
        self._settings["fold_frac_powers"] = True

    def _decorated(self, letter: str, hat: bool, groups: Iterable[list[sp.Basic]]) -> str:
        symbol = LatexPrinter._print_Symbol(self, sp.Symbol(letter))
        if symbol == letter and len(letter) > 1:
            symbol = rf"\mathrm{{{letter}}}"
        below = ",".join("".join(map(self._print, group)) for group in groups)
        below = below.replace(" ", "") if "\\" not in below else below
        return (rf"\hat{{{symbol}}}" if hat else symbol) + (f"_{{{below}}}" if below else "")

    def _print_Sum(self, e: sp.Sum) -> str:
        signs = (
            r"\sum_{%s=%s}^{%s} " % tuple(map(self._print, limit))  # noqa: UP031
            for limit in reversed(e.limits)
        )
        body = self._print(e.function)
        return "".join(signs) + (rf"\left({body}\right)" if e.function.is_Add else body)

    def _print_Mul(self, e: sp.Expr) -> str:
        if e.could_extract_minus_sign():
            return f"- {self._print(-e)}"
        top, bottom = sp.fraction(e, exact=True)
        if bottom == 1:
            return super()._print_Mul(e)
        if isinstance(top, sp.Sum):
            return rf"\frac{{1}}{{{self._print(bottom)}}} {self._print(top)}"
        return rf"\frac{{{self._print(top)}}}{{{self._print(bottom)}}}"

    def _print_Function(self, e: sp.Function, exp: str | None = None) -> str:
        if not isinstance(e, AppliedUndef):
            return super()._print_Function(e, exp)
        name = self._decorated(e.func.__name__, False, [])
        return f"{name}({', '.join(map(self._print, e.args))})" + (f"^{{{exp}}}" if exp else "")


class _MathML(_Paper, MathMLPresentationPrinter):  # type: ignore[misc]
    order = "old"  # the one order in which SymPy leaves the factors as they come

    def mathml_tag(self, e: sp.Basic) -> str:
        """SymPy's sign for `e`, but no entity that XML does not know."""
        return escape(unescape(super().mathml_tag(e)))

    def element(self, tag: str, *children: Element, **attributes: str) -> Element:
        element = self.dom.createElement(tag)
        for child in children:
            element.appendChild(child)
        for name, value in attributes.items():
            element.setAttribute(name, value)
        return element

    def leaf(self, tag: str, content: str) -> Element:
        return self.element(tag, self.dom.createTextNode(escape(content)))

    def _decorated(self, letter: str, hat: bool, groups: list[list[sp.Basic]]) -> Element:
        symbol = MathMLPresentationPrinter._print_Symbol(self, sp.Symbol(letter))
        if hat:
            symbol = self.element("mover", symbol, self.leaf("mo", "^"), accent="true")
        below: list[Element] = []
        for group in groups:
            below += [self.leaf("mo", ",")] * bool(below) + [self._print(x) for x in group]
        return self.element("msub", symbol, self.element("mrow", *below)) if below else symbol

    def _print_Sum(self, e: sp.Sum) -> Element:
        row = self._print(e.function)
        if e.function.is_Add:
            row = self.element("mrow", self._l_paren(), row, self._r_paren())
        for limit in e.limits:
            sign = super()._print_Sum(sp.Sum(e.function, limit)).firstChild
            row = self.element("mrow", sign, row)
        return row

    def _print_Mul(self, e: sp.Expr) -> Element:
        top, bottom = sp.fraction(e)
        if bottom != 1 and isinstance(top, sp.Sum):
            return self.element("mrow", self._print(1 / bottom), self._print(top))
        return super()._print_Mul(e)

    def _print_Pow(self, e: sp.Pow) -> Element:
        if not e.exp.is_Rational or e.exp.q in (1, 2):
            return super()._print_Pow(e)
        root = self.parenthesize(e.base, PRECEDENCE["Pow"])
        return self.element("msup", root, self.leaf("mn", str(e.exp)))

    def _print_Function(self, e: sp.Function) -> Element:
        if not isinstance(e, AppliedUndef):
            return super()._print_Function(e)
        name = self._decorated(e.func.__name__, False, [])
        return self.element("mrow", name, self._paren_comma_separated(*e.args))
