"""Which combination of variants an implementation computes: found axis by axis.

Each stage decides one axis, or a few that cannot be seen apart, by cases on which the axes of later
stages do not show: what these multiply all moves by is left open where a stage asks for proportions
only.  So a few hundred methods are tried on a few cases each, and never the product of all axes.
"""

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from derivations.method import Method
from derivations.variants import AXES, Axis, Option, combined

from .judgement import WILD, Formats, Judgement, explained_up_to_factor, judgements
from .precision import formats_of, possible
from .strand import Strand

Choice = tuple[Option, ...]

PATHS = 24
"""Combinations that are gone on with after a stage: so many are left where rounding hides all."""


@dataclass(frozen=True)
class Stage:
    """Axes decided together, by which judgements, and which of these share an unknown factor.

    `factor` names what a judgement shares its factor with; None: the move is wanted as it is.
    `hidden_by` are axes that are decided, too, where no choice of its own passes.
    `either`: where nothing passes all the scenarios, what passes one of them is gone on with.
    """

    axes: tuple[str, ...]
    scenarios: tuple[str, ...]
    sees: Callable[[Strand], bool]
    last: int
    factor: Callable[[Judgement], object] | None = None
    hidden_by: tuple[str, ...] = ()
    either: bool = False


def _vector(strand: Strand) -> bool:
    return strand.rank < 2 and strand.start.size > 1


def _matrix(strand: Strand) -> bool:
    return strand.rank >= 2


def _any(strand: Strand) -> bool:
    return True


def _itself(j: Judgement) -> object:
    return j


def _together(j: Judgement) -> object:
    return j.strand.dtype


UNCLIPPED = ("not clipped", "not clipped, small")

STAGES = (
    Stage(("epsilon_1",), ("first step", "size of G"), _vector, 1, _itself),
    Stage(
        ("factored axes",),
        ("first step", "least size", "rank from zero"),
        _matrix,
        1,
        _itself,
        hidden_by=("clipping",),
    ),
    Stage(("parameter scale",), ("size of X",), _vector, 1, _together),
    Stage(("beta_2", "momentum", "rho"), UNCLIPPED, _vector, 6, _itself, either=True),
    Stage(("rho",), (*UNCLIPPED, "one entry"), _any, 8),
    Stage(("clipping",), ("clipped", "first step", "rank", "rank from zero"), _any, 4),
)


@dataclass(frozen=True)
class Path:
    """What is decided so far: the options chosen, and the axes of which none passed."""

    options: Choice = ()
    unexplained: tuple[str, ...] = ()

    @property
    def method(self) -> Method:
        return combined(self.options)

    def answers(self) -> Iterator[tuple[Axis, Option]]:
        """Each axis whose answer is not the paper's, with the answer."""
        yield from ((a, option) for a in AXES for option in a.options if option in self.options)


def search(
    strands: Sequence[Strand], allowed: Formats, answered: Collection[str] = ()
) -> list[Path]:
    """The combinations that pass the most stages, those with few options first.

    An axis of which no option passes keeps the paper's answer and is named; one of `answered` has
    another answer than the paper's, or there is no combination.
    """
    paths = [Path()]
    for stage in STAGES:
        seen = _seen(strands, stage)
        ways = (p for path in paths for p in _ways_on(stage, seen, path, allowed, answered))
        on = [path for path in dict.fromkeys(ways) if _answers(path, stage, answered)]
        if not on:
            return []
        least = min(len(path.unexplained) for path in on)
        paths = [path for path in on if len(path.unexplained) == least]
        paths = sorted(paths, key=lambda path: len(path.options))[:PATHS]
    return paths


def _answers(path: Path, stage: Stage, answered: Collection[str]) -> bool:
    decided = {axis.name for axis, _ in path.answers()}
    return all(name in decided for name in answered if name in stage.axes)


def _seen(strands: Sequence[Strand], stage: Stage) -> list[Strand]:
    """What the stage is decided by: what came back, up to its last step."""
    found = (
        s.until(stage.last)
        for s in strands
        if s.run.scenario in stage.scenarios and not s.run.hyperparameters and stage.sees(s)
    )
    return [s for s in found if any(o.after is not None for o in s.observations)]


def _ways_on(
    stage: Stage,
    seen: Sequence[Strand],
    path: Path,
    allowed: Formats,
    answered: Collection[str],
) -> Iterator[Path]:
    """Every choice of the stage's axes that passes, or the path with the axis unexplained.

    Where nothing can be seen, nothing is chosen.
    """
    if not seen:
        yield path
        return
    decided = {axis.name for axis, _ in path.answers()}
    for names in dict.fromkeys((stage.axes, stage.axes + stage.hidden_by)):
        axes = [a for a in AXES if a.name in names and a.name not in decided]
        choices = (replace(path, options=path.options + choice) for choice in _choices(axes))
        ways = [on for on in choices if _answers(on, stage, answered)]
        if passing := [on for on in ways if _passes(stage, seen, on.method, allowed)]:
            yield from passing
            return
    unexplained = (*path.unexplained, stage.axes[0])
    for scenario in stage.scenarios if stage.either else ():
        some = [s for s in seen if s.run.scenario == scenario]
        for on in ways if some else ():
            if on.options != path.options and _passes(stage, some, on.method, allowed):
                yield replace(on, unexplained=unexplained)
    yield replace(path, unexplained=unexplained)


def _choices(axes: Sequence[Axis]) -> list[Choice]:
    """Every choice of an option, or of the paper's answer, for each axis; few options first."""
    answers = [((), *((option,) for option in axis.options)) for axis in axes]
    return sorted((sum(parts, ()) for parts in itertools.product(*answers)), key=len)


def _passes(stage: Stage, seen: Sequence[Strand], method: Method, allowed: Formats) -> bool:
    """Whether the method explains the moves of the strands, up to the stage's factors."""
    try:
        found = judgements(method, seen, WILD)
        if stage.factor is None:
            return formats_of(found, allowed) is not None
        groups: dict[object, list[Judgement]] = {}
        for j in found:
            if stage.factor is _itself and not _one_factor([j], allowed):
                return False
            groups.setdefault(stage.factor(j), []).append(j)
    except ArithmeticError:
        return False
    return stage.factor is _itself or all(_one_factor(group, allowed) for group in groups.values())


def _one_factor(group: Sequence[Judgement], allowed: Formats) -> bool:
    return any(explained_up_to_factor(group, f) for f in possible(allowed, group[0].strand.dtype))
