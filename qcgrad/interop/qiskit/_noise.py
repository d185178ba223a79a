"""Noise models of Qiskit Aer."""

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Complex

from ...errors import ImportRefused
from ...ir.gates import GATES
from ...ir.noise import Kraus, NoiseModel, ReadoutError

if TYPE_CHECKING:
    from qiskit_aer.noise import NoiseModel as AerNoiseModel

# Of no circuit here: what errs in them never happens.
_NEVER = ("reset", "delay", "barrier", "kraus", "superop", "initialize")
_NAMES = {"u1": "p", "cu1": "cp", "cnot": "cx", "toffoli": "ccx"}


def from_aer_noise(model: "AerNoiseModel", num_qubits: int | None = None) -> NoiseModel:
    """A noise model of Qiskit Aer as one of `qcgrad.DensityMatrix` and `qcgrad.Trajectories`.

    Errors belong to gates by their names, here as there: transpile a circuit to the model's basis gates before it is
    imported, where the model is one of a device. Errors of resets and delays are left out: no circuit here has any.

    Args:
        model: quantum errors of gates, on all qubits or on some, and readout errors of single qubits.
        num_qubits: of the circuits that it is for. It is needed only where a gate errs in one way on some qubits and in
            another one on all others.

    Returns:
        Kraus channels after gates, which `Trajectories` recognises as mixtures of unitaries where they are, and
        readout errors. Qubit q is Qiskit's qubit q.

    Raises:
        TypeError: no noise model of Aer.
        ImportRefused: errors of gates that circuits here do not have, of measurements, or of reading several qubits
            together; passes that add noise by time; `num_qubits` missing where it is needed.

    Example:
        >>> from qiskit_aer.noise import NoiseModel, depolarizing_error
        >>> from qcgrad.interop.qiskit import from_aer_noise
        >>> model = NoiseModel()
        >>> model.add_all_qubit_quantum_error(depolarizing_error(0.01, 2), ["cx"])
        >>> from_aer_noise(model)
        NoiseModel(
            Kraus(16 operators on 2 qubits) after cx
        )
    """
    default, local = (getattr(model, f"_{which}_quantum_errors", None) for which in ("default", "local"))
    if not isinstance(default, dict) or not isinstance(local, dict):
        raise TypeError(f"model is {type(model).__name__}: give a qiskit_aer.noise.NoiseModel")
    if getattr(model, "_custom_noise_passes", None):
        raise ImportRefused("the noise model has passes that add noise by time: add its errors to gates, or add_idle")
    found = NoiseModel()
    for name in dict.fromkeys((*default, *local)):
        if name not in _NEVER:
            found = _with_gate(found, name, default.get(name), local.get(name, {}), num_qubits)
    return _with_readout(found, model)


def _with_gate(found: NoiseModel, name: str, default: Any, local: dict[Any, Any], num_qubits: int | None) -> NoiseModel:
    """The model with the errors of one kind of gate; those of some qubits take the place of those of all."""
    gate = _NAMES.get(name, name)
    if gate not in GATES:
        what = "measuring" if name == "measure" else f"the gate {name}"
        raise ImportRefused(
            f"the noise model has errors of {what}, which circuits here do not have: give errors of "
            f"{', '.join(GATES)}, and readout errors"
        )
    for qubits, error in local.items():
        found = found.add(_channel(error), gate, wires=tuple(qubits))
    if default is None:
        return found
    channel = _channel(default)
    if not local:
        return found.add(channel, gate)
    if num_qubits is None:
        raise ImportRefused(
            f"{name} errs differently on qubits {[list(q) for q in local]} and on all others: say of how many qubits, "
            "num_qubits=..."
        )
    from itertools import permutations

    for wires in permutations(range(num_qubits), GATES[gate].num_wires):
        if wires not in {tuple(q) for q in local}:
            found = found.add(channel, gate, wires=wires)
    return found


def _with_readout(found: NoiseModel, model: Any) -> NoiseModel:
    default = getattr(model, "_default_readout_error", None)
    if default is not None:
        found = found.add_readout(_readout(default, "all qubits"))
    for qubits, error in getattr(model, "_local_readout_errors", {}).items():
        # Of several rules for a qubit the last one counts, as here.
        found = found.add_readout(_readout(error, f"qubits {list(qubits)}"), tuple(qubits))
    return found


def _readout(error: Any, where: str) -> ReadoutError:
    matrix = np.asarray(error.probabilities, float)
    if matrix.shape != (2, 2):
        raise ImportRefused(f"a readout error of {where} is of several qubits together: give one for each qubit")
    return ReadoutError.from_matrix(matrix / matrix.sum(axis=1, keepdims=True))


def _channel(error: Any) -> Kraus:
    """Kraus operators: of each circuit that may happen its own, so that mixtures of unitaries stay recognisable."""
    from qiskit.exceptions import QiskitError
    from qiskit.quantum_info import Kraus as QiskitKraus
    from qiskit.quantum_info import Operator, SuperOp

    found = []
    for circuit, probability in zip(error.circuits, error.probabilities, strict=True):
        try:
            parts = [Operator(circuit).data]
        except QiskitError:  # it is no unitary
            parts = QiskitKraus(SuperOp(circuit)).data
        found += [_reversed(np.sqrt(probability) * np.asarray(part, complex)) for part in parts]
    return Kraus(found)


def _reversed(matrix: Complex[np.ndarray, "D D"]) -> Complex[np.ndarray, "D D"]:
    """The same operator with its first qubit most significant, where Qiskit has it least."""
    count = matrix.shape[0].bit_length() - 1
    axes = [*reversed(range(count)), *reversed(range(count, 2 * count))]
    return matrix.reshape((2,) * (2 * count)).transpose(axes).reshape(matrix.shape)
