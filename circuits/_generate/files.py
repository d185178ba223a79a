"""The TOML files: writing, and checking a pair of files on disk."""

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from qiskit import qasm3

from . import reader, reference
from .case import Case

TOLERANCE = 1e-10


def write(case: Case, text: str, folder: Path) -> None:
    """Write ``name.qasm`` and ``name.toml``."""
    program = reader.Reader(text)
    params = reference.point(case.name, len(program.inputs))
    value, gradient, framework = reference.evaluate(case, text, params)
    lines = [
        f"name = {_toml(case.name)}",
        f"family = {_toml(case.family)}",
        f"description = {_toml(case.description)}",
        f"qubits = {program.qubits}",
        f"parameters = {_toml(program.inputs)}",
        "observable = [",
        *(f"  {_toml(list(term))}," for term in case.observable),
        "]",
        "",
        "[point]",
        f"params = {_toml(params.tolist())}",
        f"value = {_toml(value)}",
        f"gradient = {_toml(gradient.tolist())}",
        f"framework = {_toml(framework)}",
        "",
        "[source]",
        *(f"{key} = {_toml(word)}" for key, word in case.source().items()),
        "",
        "[counts]",
        f"gates = {len(program.calls)}",
        f"parameters = {len(program.inputs)}",
    ]
    target = folder / case.family
    target.mkdir(parents=True, exist_ok=True)
    (target / f"{case.name}.qasm").write_text(text, encoding="ascii")
    (target / f"{case.name}.toml").write_text("\n".join(lines) + "\n", encoding="ascii")


def _toml(value: Any) -> str:
    """JSON of ASCII strings, finite floats and lists of them is TOML too."""
    return json.dumps(value)


def check(toml: Path) -> str:
    """Evaluate the files on disk in both frameworks; returns a line of figures.

    The QASM text goes through Qiskit's importer for the value, and through ``reader`` to
    PennyLane's adjoint method for value and gradient.
    """
    data = tomllib.loads(toml.read_text())
    text = toml.with_suffix(".qasm").read_text()
    point, terms = data["point"], [(p, v) for p, v in data["observable"]]
    params = np.array(point["params"])
    imported = qasm3.loads(text)
    by_name = dict(zip(data["parameters"], params, strict=True))
    ordered = np.array([by_name[p.name] for p in imported.parameters])
    qiskit = reference.qiskit_value(imported, terms, ordered)
    template = reader.read(text)
    value, gradient = reference.value_and_gradient(template, terms, params)
    gates, expanded = reader.counts(text)
    errors = [abs(qiskit - point["value"]), abs(value - point["value"])]
    errors.append(float(np.max(np.abs(gradient - point["gradient"]))))
    consistent = (
        template.parameters == data["parameters"]
        and len(params) == data["counts"]["parameters"]
        and gates == data["counts"]["gates"]
        and all(len(p) == data["qubits"] == template.qubits for p, _ in terms)
    )
    if not consistent or max(errors) > TOLERANCE:
        raise ValueError(f"{toml.name}: consistent={consistent} errors={errors}")
    return (
        f"{data['family'] + '/' + data['name']:46s} qubits {data['qubits']:2d}  gates {gates:4d}"
        f"  expanded {expanded:4d}  M {len(params):3d}  terms {len(terms):3d}"
        f"  |gradient| {np.linalg.norm(gradient):7.3f}  error {max(errors):.0e}"
    )
