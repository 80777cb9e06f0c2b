"""Every change that mutmut's operators make of a source, one at a time.

Its command-line runner switches between mutants inside the functions, which neither Numba nor a
source that is run on other numbers can follow; so only its operators are taken.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """The lines of a function, or at the top of a module, as they are and as they become."""

    module: str
    function: str
    before: str
    after: str
    text: str  # of the whole module

    @property
    def name(self) -> tuple[str, str, str, str]:
        return self.module, self.function, self.before, self.after


def mutations(module: str, text: str) -> Iterator[Mutation]:
    """Every mutation of the text of a module; statement by statement, as most are functions."""
    import libcst
    from libcst.metadata import MetadataWrapper
    from mutmut.mutation.file_mutation import MutationVisitor
    from mutmut.mutation.mutators import mutation_operators
    from mutmut.mutation.pragma_handling import IgnoredCode

    tree = libcst.parse_module(text)
    parts = [tree.with_changes(body=[], footer=[]).code]
    parts += [tree.code_for_node(statement) for statement in tree.body]
    for k, part in enumerate(parts[1:], start=1):
        alone = MetadataWrapper(libcst.parse_module(part))
        visitor = MutationVisitor(mutation_operators, IgnoredCode(set(), set(), set()))
        statement = alone.visit(visitor)
        for found in visitor.mutations:
            changed = statement.deep_replace(found.original_node, found.mutated_node).code
            outer = found.contained_by_top_level_function
            whole = "".join([*parts[:k], changed, *parts[k + 1 :]])
            yield Mutation(
                module, outer.name.value if outer else "", *difference(part, changed), whole
            )


def difference(old: str, new: str) -> tuple[str, str]:
    """The lines of each that are not in the other, without indentation."""
    found = {"-": [], "+": []}
    for line in difflib.ndiff(old.splitlines(), new.splitlines()):
        if line[0] in found:
            found[line[0]].append(line[2:].strip())
    return "\n".join(found["-"]), "\n".join(found["+"])
