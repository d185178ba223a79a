"""`qcgrad circuits`: what is in the library."""

from typing import Annotated

import typer

from . import _consoles as consoles

EXAMPLE = "Example: qcgrad circuits --family molecules, then qcgrad circuits h2_givens_n4"


def circuits(
    name: Annotated[str | None, typer.Argument(help="Show this circuit with its diagram.")] = None,
    family: Annotated[str | None, typer.Option(help="Only this family, for example qaoa.")] = None,
    filter: Annotated[str | None, typer.Option(help="Only names that contain this text.")] = None,
    max_qubits: Annotated[int | None, typer.Option(help="Only circuits up to this size.", min=1)] = None,
) -> None:
    """List the circuits that come with qcgrad, or show one of them."""
    if name is not None:
        _show(name)
    else:
        _list(family, filter, max_qubits)


def _list(family, text, max_qubits):
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from ..library import list_circuits

    found = [
        c
        for c in list_circuits(family)
        if (text is None or text.lower() in c.name.lower()) and (max_qubits is None or c.num_qubits <= max_qubits)
    ]
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    table.add_column("name", overflow="fold")
    table.add_column("family")
    for heading in ("qubits", "gates", "parameters", "terms"):
        table.add_column(heading, justify="right")
    table.add_column("source")
    for c in found:
        numbers = (c.num_qubits, c.counts.get("gates", "?"), c.num_parameters, len(c.terms))
        table.add_row(c.name, c.family, *map(str, numbers), _source(c))
    console = consoles.output()
    console.print(table)
    console.print(f"{len(found)} circuits. Each name can be used with qcgrad grad.", highlight=False)


def _source(circuit) -> str:
    source = circuit.source
    return " ".join(str(source[key]) for key in ("library", "version") if key in source)


def _show(name: str):
    from ..library import load_circuit

    c = load_circuit(name)
    licence = c.source.get("licence", "not stated")
    lines = (
        ("name", f"{c.family}/{c.name}"),
        ("description", c.description),
        ("qubits", c.num_qubits),
        ("gates", f"{c.circuit.num_gates}, {c.circuit.num_angles} of them parameterised"),
        ("parameters", f"{c.num_parameters}: {_shortened(c.parameter_names)}"),
        ("observable", f"{c.observable.num_terms} terms: {_shortened(_terms(c.observable), separator=' ')}"),
        ("value", f"{c.value:.12g} at the point of the library ({c.framework})"),
        ("source", f"{_source(c)}, {licence}: {c.source.get('call', '')}"),
    )
    # Plain text: a diagram is as wide as the circuit, and no console may wrap it.
    for heading, text in lines:
        print(f"{heading:12} {text}")
    print(f"\n{c.circuit}")


def _terms(observable):
    pairs = zip(observable.coefficients, observable.words, strict=True)
    return [f"{coefficient:+.6g}*{word}" for coefficient, word in pairs]


def _shortened(items, separator=", ", most=8) -> str:
    text = separator.join(list(items)[:most])
    return text + (f"{separator}..." if len(items) > most else "")
