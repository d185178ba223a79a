"""`qcgrad grad`: one gradient of one circuit."""

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from . import _completion as completion
from . import _consoles as consoles
from ._inputs import FILE, objective_of, parameters_of
from .errors import UserError

EXAMPLE = 'Example: qcgrad grad mine.qasm --observable "ZZI + 0.5*IXI" --params "0.1, 0.2" --shots 1000'


def grad(
    file: FILE,
    observable: Annotated[
        str | None, typer.Option(help='Pauli sum, letter i on qubit i, for example "ZZI + 0.5*IXI".')
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="How: a name that qcgrad methods lists.",
            show_default="the typical one that takes single copies",
            autocompletion=completion.methods,
        ),
    ] = None,
    shots: Annotated[
        str | None, typer.Option(help="Shots, for methods that count them; where they may be left out, exact.")
    ] = None,
    copies: Annotated[str | None, typer.Option(help="Copies, for methods that count them.")] = None,
    epsilon: Annotated[str | None, typer.Option(help="Accuracy, for methods that promise one.")] = None,
    delta: Annotated[str | None, typer.Option(help="Failure probability, for methods that promise one.")] = None,
    option: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Any other option of the method; may be repeated.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the sampling.")] = 0,
    params: Annotated[str | None, typer.Option(help='Parameters in radians, for example "0.1, 0.2".')] = None,
    params_file: Annotated[Path | None, typer.Option(help="File with the parameters: numbers, or a JSON list.")] = None,
    random_params: Annotated[
        int | None, typer.Option(metavar="SEED", help="Random parameters, uniform in (-pi, pi).", min=0)
    ] = None,
    as_json: consoles.JSON = False,
) -> None:
    """Value and gradient of a circuit, with standard errors and cost.

    A library circuit (see qcgrad circuits) brings its own observable and parameters, and so does a file with a .toml
    file beside it as in the library. What of a file is left out, as final measurements are, stderr notes, and in JSON
    "notes". In JSON, null is a number that is not known. Exit code 1: the result is not "ok".
    """
    from rich.text import Text

    from ..estimate import estimate
    from ._choices import assignments, default, find, make_estimator

    if not -(2**63) <= seed < 2**63:
        raise UserError(f"--seed {seed}: give an integer of 64 bits")
    chosen = default() if method is None else find(method, "circuits")
    given = {"shots": shots, "copies": copies, "epsilon": epsilon, "delta": delta}
    named = {name: text for name, text in given.items() if text is not None}
    others = assignments(option or [])
    if both := named.keys() & others.keys():
        raise UserError(f"--{min(both)} and --option {min(both)} are both given: give one of them")
    estimator = make_estimator(chosen, named | others)
    objective, program, default_params = objective_of(file, observable)
    names = program.parameter_names
    values = parameters_of(len(names), params, params_file, random_params, default_params)
    if values is None:
        raise UserError(
            f"the circuit has {len(names)} parameters: give --params with {len(names)} numbers in radians, "
            "--params-file, or --random-params SEED"
        )
    notes = consoles.notes()
    if notes.is_terminal:
        with notes.status(Text(f"{chosen.name}: gradient by {len(names)} parameters")):
            found = estimate(objective, values, estimator, key=seed)
    else:
        found = estimate(objective, values, estimator, key=seed)
    shown = _as_data(file, chosen.name, estimator, program, values, found, seed)
    if as_json:
        consoles.print_json(shown)
    else:
        for note in program.notes:
            notes.print(f"note: {file}, {note}", highlight=False, soft_wrap=True)
        _print(shown, consoles.output())
    if found.result != "ok":
        raise typer.Exit(1)


def _as_data(file, method, estimator, program, values, found, seed) -> dict[str, Any]:
    """Everything that is shown, as plain data."""
    from dataclasses import asdict

    import numpy as np

    error, bias = np.sqrt(np.asarray(found.variance)), np.asarray(found.bias_bound) + 0.0  # no negative zeros
    rows = zip(program.parameter_names, values, np.asarray(found.gradient), error, bias, strict=True)
    return {
        "circuit": file,
        "method": method,
        "access": estimator.access.name,
        "fidelity": found.fidelity,
        "result": str(found.result),
        "message": found.result.message,
        "seed": seed,
        "value": _or_null(found.value),
        "value_standard_error": _or_null(np.sqrt(found.value_variance)),
        "gradient": [
            {
                "parameter": name,
                "at": float(at),
                "derivative": _or_null(g),
                "standard_error": _or_null(e),
                "bias_bound": _or_null(b),
            }
            for name, at, g, e, b in rows
        ],
        "cost": asdict(found.cost),
        "notes": list(program.notes),
    }


def _or_null(number) -> float | None:
    """JSON has neither NaN nor infinity; null says "unknown" as well."""
    return float(number) if math.isfinite(number) else None


def _print(shown: dict[str, Any], console):
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    console.print(f"{shown['circuit']} by {shown['method']} ({shown['access'].replace('_', ' ')} access)")
    is_exact = shown["cost"]["copies"] == 0
    value = _number(shown["value"], shown["value_standard_error"])
    error = "exact" if is_exact else f"± {_error(shown['value_standard_error'])}"
    console.print(f"value {value} {error}", highlight=False)
    has_bias = any(row["bias_bound"] for row in shown["gradient"])
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    headings = ("parameter", "at (rad)", "derivative", "standard error", *(("bias bound",) if has_bias else ()))
    for i, heading in enumerate(headings):
        table.add_column(heading, justify="right" if i else "left", overflow="fold")
    for row in shown["gradient"]:
        cells = [
            row["parameter"],
            f"{row['at']:.6f}",
            _number(row["derivative"], row["standard_error"]),
            _error(row["standard_error"]),
        ]
        table.add_row(*cells, *([_error(row["bias_bound"])] if has_bias else []))
    console.print(table)
    cost = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for counter in shown["cost"]:
        cost.add_column(counter.replace("_", " "), justify="right")
    cost.add_row(*(f"{number:,}" for number in shown["cost"].values()))
    console.print(cost)


def _number(value: float | None, error: float | None) -> str:
    """A value with as many decimals as its error deserves: two of its digits."""
    if value is None:
        return "unknown"
    if not error:
        return f"{value:.10f}"
    return f"{value:.{min(12, max(0, 1 - math.floor(math.log10(error))))}f}"


def _error(value: float | None) -> str:
    return "unknown" if value is None else "0" if value == 0 else f"{value:.2g}"
