"""An update rule: named steps in the order of the paper.

Printed formulas, reference values, error bounds, test inputs and audits are functions of an
`UpdateRule`; this module knows no optimizer and no number system.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import sympy as sp

Target: TypeAlias = sp.Indexed | sp.Symbol


class RuleError(ValueError):
    """A rule that cannot be read in the order of its steps."""


def base(target: Target) -> sp.Symbol:
    """The name that `target` is an entry of: `R` for `R[i]`, `d` for `d`."""
    return target.base.label if isinstance(target, sp.Indexed) else target


def entries(e: sp.Basic) -> Iterator[Target]:
    """Every entry and scalar that `e` reads; an entry such as `R[i]` is a leaf."""
    if isinstance(e, Target):
        yield e
    else:
        for part in e.args:
            yield from entries(part)


def rewrite(e: sp.Basic, new: Callable[[sp.Basic], sp.Basic | None]) -> sp.Basic:
    """`e` with every part for which `new` answers replaced, from the top; an entry is a leaf."""
    if (answer := new(e)) is not None:
        return answer
    if isinstance(e, sp.Indexed) or not e.args:
        return e
    return e.func(*(rewrite(part, new) for part in e.args))


@dataclass(frozen=True)
class Quantity:
    """What an input and a step share: an entry such as `R[i]`, or a scalar."""

    target: Target

    @cached_property
    def name(self) -> str:
        return str(base(self.target).name)

    @property
    def indices(self) -> tuple[sp.Symbol, ...]:
        return self.target.indices if isinstance(self.target, sp.Indexed) else ()


@dataclass(frozen=True)
class Input(Quantity):
    """A quantity the caller supplies, and the set each of its entries lies in.

    `becomes` names the step whose value it takes at the next t; `default` is the paper's value.
    """

    domain: sp.Set
    meaning: str
    becomes: str | None = None
    default: sp.Expr | None = None


@dataclass(frozen=True)
class Step(Quantity):
    """One line of pseudocode, `target := value` for every index of the target."""

    value: sp.Expr
    source: str


@dataclass(frozen=True, eq=False)
class UpdateRule:
    """A rule whose steps read only inputs and earlier steps; checked on construction.

    `extents` gives the size behind every index.  A shape is read off a target's indices, so that
    it cannot disagree with the equation.
    """

    name: str
    source: str
    extents: Mapping[sp.Symbol, sp.Symbol]
    inputs: tuple[Input, ...]
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        known: dict[sp.Symbol, tuple[sp.Symbol, ...]] = {}
        for x in self.inputs:
            if base(x.target) in known:
                raise RuleError(f"{self.name}: input {x.target} ({x.meaning}) is given twice")
            if strange := {*x.indices} - {*self.extents}:
                raise RuleError(f"{self.name}: input {x.target} has no extent for {_list(strange)}")
            known[base(x.target)] = self.shape(x)
        for step in self.steps:
            self._check(step, known)
            known[base(step.target)] = self.shape(step)
        for x in self.inputs:
            if x.becomes is not None and self.shape(self[x.becomes]) != self.shape(x):
                raise RuleError(
                    f"{self.name}: {x.name} has shape {self.shape(x)}, but {x.becomes}, "
                    f"which it becomes, has {self.shape(self[x.becomes])}"
                )

    def _check(self, step: Step, known: Mapping[sp.Symbol, tuple[sp.Symbol, ...]]) -> None:
        free = {*step.indices}
        limits = [limit for s in step.value.atoms(sp.Sum) for limit in s.limits]
        summed = {limit[0] for limit in limits}
        read = {*entries(step.value)} - {*self.extents.values()} - summed
        indices = {i for x in read if isinstance(x, sp.Indexed) for i in x.indices}
        if base(step.target) in known:
            raise self._error(step, "is defined twice")
        if strange := (free | summed) - {*self.extents}:
            raise self._error(step, f"uses {_list(strange)}, an index without an extent")
        if partial := [limit for limit in limits if limit[1:] != (0, self.extents[limit[0]] - 1)]:
            raise self._error(step, f"sums over a part of an axis only: {_list(partial)}")
        if clash := summed & free:
            raise self._error(step, f"sums over {_list(clash)}, an index of its target")
        if clash := summed & step.value.free_symbols:
            raise self._error(step, f"reads {_list(clash)} outside the sum over it")
        if not step.source:
            raise self._error(step, "has no source")
        if unknown := {base(x) for x in read} - {*known} - free:
            raise self._error(step, f"reads {_list(unknown)} before anything defines it")
        if loose := indices - free - summed:
            raise self._error(step, f"neither sums over {_list(loose)} nor is indexed by it")
        for x in read - free:
            shape = tuple(self.extents[i] for i in getattr(x, "indices", ()))
            if shape != known[base(x)]:
                raise self._error(step, f"reads {x}, but {base(x)} has shape {known[base(x)]}")

    def _error(self, step: Step, what: str) -> RuleError:
        return RuleError(f"{self.name}: step {step.target} ({step.source}) {what}")

    def __getitem__(self, name: str) -> Step:
        for step in self.steps:
            if step.name == name:
                return step
        names = ", ".join(s.name for s in self.steps)
        raise RuleError(f"{self.name} has no step {name!r}; its steps are {names}")

    def input(self, name: str) -> Input:
        """The input of that name."""
        for x in self.inputs:
            if x.name == name:
                return x
        names = ", ".join(x.name for x in self.inputs)
        raise RuleError(f"{self.name} has no input {name!r}; its inputs are {names}")

    def shape(self, q: Quantity) -> tuple[sp.Symbol, ...]:
        """The sizes of `q`, one for every index."""
        return tuple(self.extents[i] for i in q.indices)

    def line(self, name: str) -> str:
        """The line of the paper that step `name` is a part of: the last step of the same source."""
        return [s.name for s in self.steps if s.source == self[name].source][-1]

    def leading_to(self, *names: str) -> tuple[Step, ...]:
        """The steps that the named ones need, themselves included, in order."""
        wanted = {self[name].name for name in names}
        for step in reversed(self.steps):
            if step.name in wanted:
                wanted |= _names(step.value)
        return tuple(s for s in self.steps if s.name in wanted)

    def but(
        self,
        name: str,
        source: str,
        *added: Input | Step,
        without: Iterable[str] = (),
        **values: sp.Expr,
    ) -> "UpdateRule":
        """A variant of this rule: named steps get other values, some are added, some left out.

        An added input replaces the one of the same name; an added step stands just before the
        first step that reads it, or last.
        """
        gone = {*without}
        for named in (*values, *sorted(gone - {x.name for x in self.inputs})):
            self[named]  # which raises for a name that the rule does not have
        new_inputs = {x.name: x for x in added if isinstance(x, Input)}
        inputs = {x.name: x for x in self.inputs if x.name not in gone} | new_inputs
        steps = [
            replace(s, value=values[s.name], source=source) if s.name in values else s
            for s in self.steps
            if s.name not in gone
        ]
        for step in reversed([x for x in added if isinstance(x, Step)]):
            readers = (k for k, s in enumerate(steps) if step.name in _names(s.value))
            steps.insert(next(readers, len(steps)), step)
        return replace(
            self, name=name, source=source, inputs=tuple(inputs.values()), steps=tuple(steps)
        )


def _names(e: sp.Basic) -> set[str]:
    return {base(x).name for x in entries(e)}


def _list(symbols: Iterable[sp.Basic]) -> str:
    return ", ".join(sorted(map(str, symbols)))
