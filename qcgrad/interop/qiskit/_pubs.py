"""Circuits that differ in angles only as one parameterised circuit, which is transpiled once and is one pub."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ...ir.circuit import Circuit
from ...ir.gates import GATES, Gate
from ..sampler._bitstrings import Unusable

# A measurement's classical register.
REGISTER = "meas"
_TAG = "qcgrad_pub"


class Template(NamedTuple):
    """Circuits as one.

    Attributes:
        places: of the S circuits.
        label: what they have in common besides.
        circuit: with P parameters, one for each angle in which they differ.
        values: (S, P) radians.
    """

    places: tuple[int, ...]
    label: Any
    circuit: Circuit
    values: Float[np.ndarray, "S P"]

    @property
    def singles(self) -> "list[Template]":
        """A template for each of the circuits."""
        rows = zip(self.places, self.values, strict=True)
        return [self._replace(places=(place,), values=row[None]) for place, row in rows]


class Pub(NamedTuple):
    """A template for a device.

    Attributes:
        circuit: transpiled.
        values: (S, P') of the parameters that transpilation left; None where it left none.
        template: what it stands for.
    """

    circuit: Any
    values: np.ndarray | None
    template: Template


def templates(places: Sequence[int], circuits: Sequence[Circuit], labels: Sequence[Hashable]) -> list[Template]:
    """Circuits without parameters, gathered by structure and label; equal ones stay apart."""
    groups: dict[Hashable, list[int]] = {}
    for i, (circuit, label) in enumerate(zip(circuits, labels, strict=True)):
        groups.setdefault((label, circuit.num_qubits, tuple(map(_structure, circuit.gates))), []).append(i)
    found = []
    for members in groups.values():
        angles = np.array([[gate.offset for gate in circuits[i].gates] for i in members])
        varying = np.flatnonzero((angles != angles[0]).any(axis=0)).tolist()
        first = circuits[members[0]]
        gates = list(first.gates)
        for k, position in enumerate(varying):
            gates[position] = replace(gates[position], param=k, scale=1.0, offset=0.0)
        # Without an angle to tell them apart, equal circuits would be one.
        template = Template(
            tuple(places[i] for i in members), labels[members[0]], Circuit(first.num_qubits, gates), angles[:, varying]
        )
        found += [template] if varying else template.singles
    return found


def _structure(gate: Gate) -> tuple:
    """What two gates have in common that may differ in a free angle."""
    is_fixed = gate.name == "evolution" and not gate.detail.is_commuting  # Qiskit would approximate a free one
    has_angle = gate.name in ("pauli_rot", "evolution") or (gate.name in GATES and GATES[gate.name].has_angle)
    return gate.name, gate.wires, gate.detail, None if has_angle and not is_fixed else gate.offset


def tagged(circuit: Any, number: int) -> Any:
    """A copy of a circuit that results can be recognised by."""
    own = circuit.copy()
    own.metadata = {**(circuit.metadata or {}), _TAG: number}
    return own


def in_order(results: list[Any], numbers: Sequence[int]) -> list[Any]:
    """Results of circuits that were tagged with these numbers, in this order, as far as they say whose they are.

    Raises:
        Unusable: results missing, or of other circuits.
    """
    if len(results) != len(numbers):
        raise Unusable(f"{len(results)} results came back for {len(numbers)} pubs")
    tags = [((getattr(result, "metadata", None) or {}).get("circuit_metadata") or {}).get(_TAG) for result in results]
    if None in tags:
        return results
    if set(tags) != set(numbers):
        raise Unusable(f"results of the pubs {tags} came back, and {list(numbers)} were submitted")
    return [results[tags.index(number)] for number in numbers]
