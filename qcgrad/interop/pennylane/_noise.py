"""Noise models of PennyLane."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ImportRefused
from ...ir.circuit import Circuit
from ...ir.noise import AmplitudeDamping, Channel, Depolarizing, Kraus, NoiseModel, PauliChannel, PhaseDamping
from ._exporter import operations

if TYPE_CHECKING:
    import pennylane as qml

# What stands for an angle while conditions are asked; two of them tell whether noise depends on it.
_ANGLES = (0.3, 1.1)


def from_pennylane_noise(model: "qml.NoiseModel", circuit: Circuit) -> NoiseModel:
    """A noise model of PennyLane as one of `qcgrad.DensityMatrix` and `qcgrad.Trajectories`, for the gates of one.

    Conditions and noise are functions there; so each gate of the circuit, on its wires, is shown to them, and what they
    add becomes a rule for that gate on these wires. Wire labels are the numbers of the qubits.

    Args:
        model: its `model_map`, with metadata. Of its `meas_map`, noise in front of measurements, nothing is taken.
        circuit: whose gates are asked about; the model suits circuits of these gates on these wires.

    Raises:
        TypeError: no noise model of PennyLane, no circuit.
        ImportRefused: noise that depends on a gate's angle, that is no channel, or that acts on other wires than the
            gate; noise in front of measurements.

    Example:
        >>> import pennylane as qml, qcgrad as qg
        >>> from qcgrad.interop.pennylane import from_pennylane_noise
        >>> model = qml.NoiseModel({qml.noise.op_eq(qml.CNOT): qml.noise.partial_wires(qml.DepolarizingChannel, 0.01)})
        >>> from_pennylane_noise(model, qg.Circuit(2).ry(0, param=0).ry(1, param=1))
        NoiseModel()
    """
    if not hasattr(model, "model_map") or not hasattr(model, "metadata"):
        raise TypeError(f"model is {type(model).__name__}: give a pennylane.NoiseModel")
    if not isinstance(circuit, Circuit):
        raise TypeError(f"circuit is {type(circuit).__name__}: give the qcgrad.Circuit that the noise is for")
    if getattr(model, "meas_map", None):
        raise ImportRefused(
            "the noise model has noise in front of measurements: leave meas_map out, and call add_readout"
        )
    found, seen = NoiseModel(), set()
    for gate in circuit.gates:
        kind = (gate.name, gate.wires, repr(gate.detail), gate.offset if gate.param is None else None)
        if kind in seen or not gate.wires:
            continue
        seen.add(kind)
        for channel, wires in _noise_of(model, circuit, gate):
            if len(wires) == 1:
                found = found.add(channel, gate.name, wires[0], wires=gate.wires)
            elif tuple(wires) == gate.wires:
                found = found.add(channel, gate.name, wires=gate.wires)
            else:
                raise ImportRefused(
                    f"noise of {gate.name} on qubits {list(gate.wires)} acts on wires {list(wires)}: only noise of all "
                    "its qubits in their order, or of one of them, can be taken over"
                )
    return found


def _noise_of(model, circuit, gate) -> list[tuple[Channel, tuple[int, ...]]]:
    from dataclasses import replace

    angles = _ANGLES if gate.param is not None else _ANGLES[:1]
    answers = []
    for angle in angles:
        fixed = gate if gate.param is None else replace(gate, param=None, scale=1.0, offset=angle)
        answers.append(_queued(model, Circuit(circuit.num_qubits, [fixed]), circuit.num_qubits))
    for other in answers[1:]:
        if len(other) != len(answers[0]) or not all(
            a[1] == b[1] and _equal(a[0], b[0]) for a, b in zip(answers[0], other, strict=True)
        ):
            raise ImportRefused(
                f"noise of {gate.name} on qubits {list(gate.wires)} depends on its angle: only noise that does not "
                "can be taken over"
            )
    return answers[0]


def _queued(model, circuit, num_qubits) -> list[tuple[Channel, tuple[int, ...]]]:
    """The channels that the model adds behind the gate of a circuit."""
    from pennylane.queuing import AnnotatedQueue
    from pennylane.tape import QuantumScript

    (operation,) = operations(circuit, range(num_qubits))
    found = []
    for condition, noise in model.model_map.items():
        if not condition(operation):
            continue
        with AnnotatedQueue() as queue:
            noise(operation, **model.metadata)
        for added in QuantumScript.from_queue(queue).operations:
            if added == operation:
                raise ImportRefused(f"noise of {operation} queues the gate itself: queue what comes behind it")
            found.append((channel_of(added), tuple(added.wires.tolist())))
    return found


def channel_of(operation: Any) -> Channel:
    """A channel, or a gate that is an error, of PennyLane.

    Raises:
        ImportRefused: neither.
    """
    name, numbers = operation.name, [float(np.asarray(p)) for p in operation.parameters if np.ndim(p) == 0]
    if name == "DepolarizingChannel":
        return Depolarizing(numbers[0])
    if name == "BitFlip":
        return PauliChannel({"X": numbers[0]})
    if name == "PhaseFlip":
        return PauliChannel({"Z": numbers[0]})
    if name == "PauliError":
        # Its own matrices lose the imaginary part of Y.
        return PauliChannel({operation.hyperparameters["operators"]: numbers[0]})
    if name == "AmplitudeDamping":
        return AmplitudeDamping(numbers[0])
    if name == "GeneralizedAmplitudeDamping":
        return AmplitudeDamping(numbers[0], numbers[1])
    if name == "PhaseDamping":
        return PhaseDamping(numbers[0])
    if hasattr(operation, "kraus_matrices"):
        return Kraus(operation.kraus_matrices())
    if operation.has_matrix:
        return Kraus([operation.matrix()])
    raise ImportRefused(f"{operation} is no channel and has no matrix: it cannot be noise")


def _equal(a: Channel, b: Channel) -> bool:
    return a.operators.shape == b.operators.shape and bool(np.allclose(a.operators, b.operators, atol=1e-12))
