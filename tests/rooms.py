"""Who may import whom, as data: the rooms of the project, and what stands under a module."""

from dataclasses import dataclass, field

PEERS = {
    "came_pytorch",
    "ml_dtypes",
    "jax",
    "keras",
    "mlx",
    "optax",
    "pytorch_optimizer",
    "torch",
    "transformers",
}


@dataclass(frozen=True)
class Room:
    """What the files of a folder may import: at the top, and inside functions besides."""

    top: set[str]
    on_demand: set[str] = field(default_factory=set)


# A name stands for the files of that room or package, not for the rooms inside it.
MATHEMATICS = {"derivations", "flint", "mpmath", "numpy", "sympy"}
EXAMINERS = MATHEMATICS | {"numba", "proofs", "adafactor_numba", "adafactor_numba.audit"}
SCREENS = {f"adafactor_numba.{name}" for name in ("audit.screen", "bench.screen", "bench.plot")}
ROOMS = {
    "derivations": Room(MATHEMATICS),
    "proofs": Room(MATHEMATICS | {"proofs"}),
    "adafactor_numba": Room({"adafactor_numba", "adafactor_numba.exact", "numba", "numpy"}),
    # what no float decides: Arb, where it is asked for
    "adafactor_numba.exact": Room({"adafactor_numba", "numpy"}, on_demand={"flint"}),
    "adafactor_numba.audit": Room(EXAMINERS),
    "adafactor_numba.audit.screen": Room({"adafactor_numba.audit", "rich"}),
    "adafactor_numba.audit.adapters": Room(
        {"adafactor_numba", "adafactor_numba.audit.adapters", "numpy"} | PEERS
    ),
    "adafactor_numba.bench": Room(EXAMINERS | {"adafactor_numba.bench"}, on_demand=PEERS),
    "adafactor_numba.bench.screen": Room({"adafactor_numba.bench", "rich"}),
    "adafactor_numba.bench.plot": Room({"adafactor_numba.bench"}, {"matplotlib"}),
    "adafactor_numba.cli": Room({"rich", "typer"}, EXAMINERS | SCREENS | {"adafactor_numba.bench"}),
    "adafactor_numba.__main__": Room({"adafactor_numba.cli"}),
}
AUDIT = "adafactor_numba.audit"
# What may stand under a module; those not named may read all that their room may import.
BENEATH = {
    "derivations.rule": set(),
    "derivations.adafactor": {"derivations.rule"},
    "derivations.calculus": {"derivations.rule"},
    "derivations.evaluate": {"derivations.rule"},
    "derivations.bounds": {"derivations.rule"},
    "derivations.method": {"derivations.rule", "derivations.adafactor"},
    "derivations.changes": {"derivations.rule", "derivations.adafactor", "derivations.method"},
    # where an implementation runs, and what it is asked, nothing is known of what is expected
    f"{AUDIT}.wire": set(),
    f"{AUDIT}.course": set(),
    f"{AUDIT}.worker": {f"{AUDIT}.course", f"{AUDIT}.wire"},
    f"{AUDIT}.subject": {f"{AUDIT}.wire"},
    f"{AUDIT}.draw": {f"{AUDIT}.subject"},
    f"{AUDIT}.company": {f"{AUDIT}.subject", f"{AUDIT}.draw"},
    f"{AUDIT}.scenarios": {f"{AUDIT}.{name}" for name in ("subject", "draw", "company")},
    # nor is anything computed where it is written down
    f"{AUDIT}.report": set(),
    f"{AUDIT}.screen": {f"{AUDIT}.report"},
    # nor does a method one symbol away depend on who is examined
    f"{AUDIT}.edits": {"derivations.rule", "derivations.adafactor", "derivations.method"},
}
SEQUENCE = (
    # what is asked, where it runs
    *("wire", "course", "worker", "subject", "draw", "company", "scenarios"),
    # what is written down
    *("report", "screen", "names", "case", "replay", "table"),
    # what is expected, and whether it was found
    *(
        "source",
        "check",
        "bridge",
        "choices",
        "scalar",
        "field",
        "formal",
        "symbols",
        "swept",
        "magnitudes",
        "beyond",
        "counting",
        "strand",
        "judgement",
        "precision",
        "reach",
        "distinguish",
    ),
    # what is computed instead, and the smallest case of it
    *("edits", "explain", "search", "clue", "suspect", "ratio", "difference", "shrink", "findings"),
    # what is done between parameters, over time, with a flag
    *("parting", "interview", "flags", "conduct", "flagged", "misconduct"),
    # what needs no reference
    *("moves", "asking", "questions", "laws", "properties"),
    # all of it
    *("besides", "examination", "coarser", "verdict", "verification"),
)
"""Every module of the audit: each reads those before it only."""
