"""`qcgrad advise`: what each method would take to reach a precision."""

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from . import _consoles as consoles
from ._inputs import FILE, objective_of, parameters_of
from .errors import UserError

EXAMPLE = 'Example: qcgrad advise mine.qasm --observable "ZZI + 0.5*IXI" --epsilon 0.05 --access single_copy'


def advise(
    file: FILE,
    epsilon: Annotated[float, typer.Option(help="Largest error of a derivative.")],
    observable: Annotated[
        str | None, typer.Option(help='Pauli sum, letter i on qubit i, for example "ZZI + 0.5*IXI".')
    ] = None,
    delta: Annotated[float, typer.Option(help="Probability that any derivative is further off.")] = 0.05,
    access: Annotated[
        str | None,
        typer.Option(help="The most that may be done with a state, from single_copy to white_box.", show_default="all"),
    ] = None,
    max_qubits: Annotated[
        int | None, typer.Option(help="Qubits that can be held coherently.", show_default="any number")
    ] = None,
    noise: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=NUMBERS[@GATES]",
            help="What goes wrong, for example depolarizing=0.01,2@cx or readout-error=0.02; may be repeated.",
        ),
    ] = None,
    rank: Annotated[str, typer.Option(help="What the best has least of: seconds, copies, gates ...")] = "seconds",
    gate_seconds: Annotated[float | None, typer.Option(help="Time of a gate on the device.")] = None,
    shot_seconds: Annotated[float | None, typer.Option(help="Time of a measurement and reset.")] = None,
    circuit_seconds: Annotated[float | None, typer.Option(help="Time to load another circuit.")] = None,
    flops_per_second: Annotated[float | None, typer.Option(help="Speed of the classical machine.")] = None,
    params: Annotated[str | None, typer.Option(help='Parameters in radians, for example "0.1, 0.2".')] = None,
    params_file: Annotated[Path | None, typer.Option(help="File with the parameters: numbers, or a JSON list.")] = None,
    random_params: Annotated[
        int | None, typer.Option(metavar="SEED", help="Random parameters, uniform in (-pi, pi).", min=0)
    ] = None,
    as_json: consoles.JSON = False,
) -> None:
    """What every method takes until no derivative is off by more than epsilon, the cheapest first.

    Nothing is run: each method predicts the cost of its cheapest instance that provably keeps the promise. Methods that
    do not apply say why. Without parameters the angles are special to no method. With noise, the bias that it gives to
    each method is simulated, and counts.
    """
    from .. import planner
    from ..ir.noise import noise_in_words

    objective, program, default = objective_of(file, observable)
    values = parameters_of(len(program.parameter_names), params, params_file, random_params, default)
    speeds = {
        "gate_seconds": gate_seconds,
        "shot_seconds": shot_seconds,
        "circuit_seconds": circuit_seconds,
        "flops_per_second": flops_per_second,
    }
    try:
        advice = planner.advise(
            objective,
            epsilon,
            delta,
            params=values,
            access=access,
            max_qubits=max_qubits,
            rank=rank,
            device=planner.DeviceModel(**{name: speed for name, speed in speeds.items() if speed is not None}),
            noise=noise_in_words(noise) if noise else None,
        )
    except (TypeError, ValueError) as error:
        raise UserError(str(error)) from error
    if as_json:
        consoles.print_json(_as_data(file, advice))
    else:
        _print(file, advice, consoles.output())


def _as_data(file: str, advice) -> dict[str, Any]:
    from dataclasses import asdict

    def row(plan):
        return {
            "method": plan.method.name,
            "access": plan.method.access.name,
            "estimator": None if plan.estimator is None else " ".join(repr(plan.estimator).split()),
            "cost": None if plan.cost is None else asdict(plan.cost),
            "seconds": plan.seconds if math.isfinite(plan.seconds) else None,
            "has_backpropagation_scaling": plan.has_backpropagation_scaling,
            "growth": None if plan.growth is None else plan.growth._asdict(),
            "bias": None if plan.bias is None or not plan.bias.is_known else plan.bias.size,
            "bias_standard_error": None if plan.bias is None or not plan.bias.is_known else plan.bias.standard_error,
            "gates_without_errors": [] if plan.bias is None else list(plan.bias.quiet),
            "reason": plan.reason,
        }

    asked = {"circuit": file, "epsilon": advice.epsilon, "delta": advice.delta, "rank": advice.rank}
    asked |= {"noise": None if advice.noise is None else repr(advice.noise)}
    return {**asked, "device": asdict(advice.device), "plans": [row(plan) for plan in advice.plans]}


def _print(file: str, advice, console):
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from ..planner import cells, headings, title

    console.print(f"{file}. {title(advice)}", highlight=False, soft_wrap=True)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for i, heading in enumerate(headings(advice)):
        table.add_column(heading, justify="right" if i else "left", overflow="fold", no_wrap=not i)
    reasons = []
    for plan in advice.plans:
        if plan.cost is None:
            reasons.append(f"{plan.method.name}: {plan.reason}")
        else:
            table.add_row(*cells(plan))
    console.print(table)
    console.print("Not applicable:", highlight=False)
    for reason in reasons:
        console.print(f"  {reason}", highlight=False, soft_wrap=True)
