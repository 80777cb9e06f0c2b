"""The command `adafactor-numba`: derive, prove, verify, audit, bench."""

import json
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()
errors = Console(stderr=True)


def main() -> None:
    """Run the command line."""
    app()


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        console.print(version("adafactor-numba"), highlight=False)
        raise typer.Exit


@app.callback()
def _command(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Adafactor's update rules: derived, checked, compiled and audited."""


@app.command()
def derive(
    rule: Annotated[str, typer.Argument(help="A rule, a variant, a proof, or all.")] = "",
    form: Annotated[str, typer.Option("--format", help="text, latex or mathml.")] = "text",
) -> None:
    """Print a rule line by line, as the paper does, each line with its source."""
    from adafactor_numba.audit.names import near
    from derivations import latex
    from derivations.equivalents import EQUIVALENTS
    from derivations.factorization import derivation
    from derivations.method import ADAFACTOR
    from derivations.variants import OPTIONS, named

    known: dict[str, list[Any]] = {r.name: [r] for r in ADAFACTOR.rules()}
    known["factorization"] = [derivation()]
    everything = [*known]
    known |= {e.name: [e.proof] for e in EQUIVALENTS}
    combination = [rule] if {*rule.split("; ")} <= {*OPTIONS} else []
    for name in (*OPTIONS, *combination):
        pairs = zip(named(name).rules(), ADAFACTOR.rules(), strict=True)
        known[name] = [r for r, own in pairs if r != own] or [named(name).matrix]
    readings = {"text": latex.text, "latex": latex.latex, "mathml": latex.mathml}
    if form not in readings:
        _refuse(f"no format is called {form!r}; known are {near(form, readings)}")
    if rule and rule not in known:
        _refuse(f"no rule is called {rule!r}; known are {near(rule, known)}")
    for name in [rule] if rule else everything:
        for of in known[name]:
            if form == "text":
                console.print(f"[bold]{getattr(of, 'name', name)}[/]", highlight=False)
            _plainly(readings[form](of) + "\n")


@app.command()
def prove(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Theorems; all by default.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List what they say.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the verdicts as JSON.")
    ] = None,
    require: Annotated[
        list[str] | None, typer.Option(metavar="CHECKER", help="Exit 2 if it is not installed.")
    ] = None,
) -> None:
    """Prove the theorems, and refuse their false neighbours; exit 1 if one of either fails."""
    from adafactor_numba.audit.names import near
    from proofs.catalogue import THEOREMS
    from proofs.prove import CHECKERS, missing, proofs

    known = {theorem.name: theorem for theorem in THEOREMS}
    for name in names or ():
        if name not in known:
            _refuse(f"no theorem is called {name!r}; known are {near(name, known)}")
    for checker in require or ():
        if checker not in CHECKERS:
            _refuse(f"no checker is called {checker!r}; known are {', '.join(CHECKERS)}")
    if absent := missing(require or ()):
        _refuse(f"not installed: {', '.join(absent)}; README.md says what brings them")
    chosen = tuple(known[name] for name in names) if names else THEOREMS
    if listed:
        for theorem in chosen:
            _plainly(f"{theorem.name}: {theorem.words}\n")
        return
    _writable(json_file)
    found = []
    with console.status("starting") as status:
        for proof in proofs(chosen, lambda name: status.update(name)):
            found.append(proof)
            console.print(proof.line, highlight=False, soft_wrap=True, markup=False)
            for refusal in proof.false_neighbours:
                console.print(f"    {refusal.line}", highlight=False, soft_wrap=True, markup=False)
    holding = [proof.holds for proof in found]
    _plainly(f"{holding.count(True)} of {len(found)} hold, {holding.count(None)} unchecked\n")
    if absent := missing(CHECKERS):
        _plainly(f"not installed: {', '.join(absent)}\n")
    _write(json_file, json.dumps({"theorems": [proof.as_json() for proof in found]}, indent=2))
    if False in holding:
        raise typer.Exit(1)


@app.command()
def verify(
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the outcome as JSON.")
    ] = None,
) -> None:
    """Derive the rules, check the compiled loops against them, audit our own optimizer."""
    from dataclasses import asdict

    _writable(json_file)
    with console.status("starting") as status:
        from adafactor_numba.audit.verification import verification

        checks = []
        for check in verification(lambda name: status.update(name)):
            checks.append(check)
            sign = "[green]ok[/]    " if check.ok else "[red]failed[/]"
            console.print(
                f"{sign} {check.name:<15} {check.detail} [dim]({check.seconds:.1f} s)[/]",
                highlight=False,
                soft_wrap=True,
            )
    ok = all(check.ok for check in checks)
    _write(json_file, json.dumps({"ok": ok, "checks": [asdict(c) for c in checks]}, indent=2))
    if not ok:
        raise typer.Exit(1)


@app.command()
def audit(
    name: Annotated[str, typer.Argument(help="A known name, or package.module:builder.")] = "",
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the report as JSON.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Other numbers in the same scenarios.", min=0)] = 0,
    seconds: Annotated[float, typer.Option(help="The time limit of each run.", min=1)] = 60.0,
    dtype: Annotated[
        list[str], typer.Option(help="Of parameters: float64, float32, float16; repeat for more.")
    ] = ["float64", "float32", "float16"],  # noqa: B006  # typer copies it
    known: Annotated[bool, typer.Option("--list", help="List the known names.")] = False,
    replay: Annotated[
        Path | None, typer.Option(metavar="CASE.json", help="Print a case as a script.")
    ] = None,
) -> None:
    """Say which rule an implementation computes; exit 0 agrees, 1 differs, 2 cannot run."""
    from adafactor_numba.audit import names
    from adafactor_numba.audit.replay import replayed
    from adafactor_numba.audit.screen import show
    from adafactor_numba.audit.verdict import DTYPES
    from adafactor_numba.audit.verdict import audit as audited

    try:
        if known:
            for short, adapter in names.ADAPTERS.items():
                version = f" ({adapter.folder})" if adapter.folder else ""
                console.print(
                    f"{short:<23} {adapter.what}{version}", highlight=False, soft_wrap=True
                )
            return
        if replay is not None:
            _plainly(replayed(replay))
            return
        if not name:
            _refuse("name an implementation, or ask for --list")
        if unknown := {*dtype} - {*DTYPES}:
            _refuse(f"no dtype is called {min(unknown)!r}; known are {', '.join(DTYPES)}")
        target = names.target(name)
    except ValueError as error:
        _refuse(str(error))
    _writable(json_file)
    with console.status(f"auditing {name}") as status:
        report = audited(
            name,
            target,
            seed=seed,
            seconds=seconds,
            dtypes=tuple(dict.fromkeys(dtype)),
            paths=names.paths(name),
            progress=lambda what: status.update(f"auditing {name}: {what}"),
        )
    show(report, console, json_file)
    _write(json_file, report.json())
    raise typer.Exit(report.exit_code)


@app.command()
def bench(
    full: Annotated[
        bool, typer.Option("--full", help="All sizes and types, and who needs which memory.")
    ] = False,
    accuracy: Annotated[
        bool, typer.Option("--accuracy", help="How often a step is not the exact one, rounded.")
    ] = False,
    outputs: Annotated[
        int, typer.Option(help="So many are asked of ours for --accuracy, in each format.", min=1)
    ] = 10_000_000,
    threads: Annotated[
        int | None, typer.Option(help="As many as there are processors by default.", min=1)
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")
    ] = None,
    plot_file: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw time over sizes.")
    ] = None,
) -> None:
    """Measure our step beside the floor and the installed Adafactors; ends within 3 minutes.

    With --full or --accuracy it takes longer.
    """
    from adafactor_numba.bench import plot
    from adafactor_numba.bench.measurement import benched, measured_accuracy
    from adafactor_numba.bench.screen import show

    _writable(json_file)
    _writable(plot_file)
    try:
        of_times = {"--full": full, "--threads": threads, "--plot": plot_file}
        for option, given in of_times.items():
            if accuracy and given:
                _refuse(f"{option} is of times, and --accuracy measures none; ask for one of them")
        if plot_file is not None:
            plot.library()
        with console.status("starting") as status:
            if accuracy:
                report = measured_accuracy(outputs, lambda what: status.update(what))
            else:
                report = benched(full, threads, lambda what: status.update(what))
        show(report, console)
        _write(json_file, report.json())
        if plot_file is not None:
            plot.plot(report.results, plot_file)
    except (plot.NoPlotError, ValueError) as error:
        _refuse(str(error))


def _writable(file: Path | None) -> None:
    """Refuse a file that cannot be written before the work begins."""
    if file is not None and (file.is_dir() or not file.absolute().parent.is_dir()):
        _refuse(f"{file}: cannot be written: no such folder, or a folder itself")


def _write(file: Path | None, text: str) -> None:
    if file is not None:
        try:
            file.write_text(text + "\n")
        except OSError as error:
            _refuse(f"{file}: cannot be written: {error.strerror}")


def _plainly(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True, end="")


def _refuse(message: str) -> NoReturn:
    """End with one line on what was wrong, exit code 2."""
    errors.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(2)
