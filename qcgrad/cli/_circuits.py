"""`qcgrad circuits`: what is in the library."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import _completion as completion
from . import _consoles as consoles

if TYPE_CHECKING:
    from ..library import LibraryCircuit

EXAMPLE = "Example: qcgrad circuits --family molecules, then qcgrad circuits h2_givens_n4"


def circuits(
    name: Annotated[
        str | None, typer.Argument(help="Show this circuit with its diagram.", autocompletion=completion.circuits)
    ] = None,
    family: Annotated[
        str | None, typer.Option(help="Only this family, for example qaoa.", autocompletion=completion.families)
    ] = None,
    filter: Annotated[str | None, typer.Option(help="Only names that contain this text.")] = None,
    max_qubits: Annotated[int | None, typer.Option(help="Only circuits up to this size.", min=1)] = None,
    as_json: consoles.JSON = False,
) -> None:
    """List the circuits that come with qcgrad, or show one of them."""
    from ..library import list_circuits, load_circuit

    if name is not None:
        circuit = load_circuit(name)
        if as_json:
            consoles.print_json(_as_data(circuit) | {"diagram": str(circuit.circuit)})
        else:
            _show(circuit)
        return
    found = [
        c
        for c in list_circuits(family)
        if (filter is None or filter.lower() in c.name.lower()) and (max_qubits is None or c.num_qubits <= max_qubits)
    ]
    if as_json:
        consoles.print_json([_as_data(circuit) for circuit in found])
    else:
        _list(found)


def _as_data(c: "LibraryCircuit") -> dict[str, Any]:
    return {
        "name": c.name,
        "family": c.family,
        "description": c.description,
        "qubits": c.num_qubits,
        "counts": dict(c.counts),
        "parameters": list(c.parameter_names),
        "point": c.params.tolist(),
        "observable": [list(term) for term in c.terms],
        "value": float(c.value),
        "gradient": c.gradient.tolist(),
        "framework": c.framework,
        "source": dict(c.source),
    }


def _list(found: "list[LibraryCircuit]") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

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


def _show(c: "LibraryCircuit") -> None:
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
    console = consoles.output()
    for heading, text in lines:
        console.print(f"{heading:12} {text}", highlight=False, soft_wrap=True)
    # A diagram is as wide as the circuit, and no console may wrap it.
    console.print(f"\n{c.circuit}", highlight=False, soft_wrap=True)


def _terms(observable):
    pairs = zip(observable.coefficients, observable.words, strict=True)
    return [f"{coefficient:+.6g}*{word}" for coefficient, word in pairs]


def _shortened(items, separator=", ", most=8) -> str:
    text = separator.join(list(items)[:most])
    return text + (f"{separator}..." if len(items) > most else "")
