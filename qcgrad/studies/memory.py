"""What a cell takes at its peak, beside the interpreter and compiled programs: known before it is allocated."""

import math
from collections.abc import Callable

from ..errors import StateTooLarge
from ..estimate import predict_cost
from ..estimators import Adjoint
from ..ir.gates import frequencies
from ..memory import allowed_bytes, require
from ..simulators.statevector.backend import SETTINGS_BYTES
from .accuracy import gradient_shots
from .circuits import StudyCircuit
from .plan import Cell

_FLOAT, _COMPLEX = 8, 16

# The next four are measured. What a slice of the evaluations' angles is copied to: selected, padded to a size that
# circuits share, and what JAX makes of it.
_COPIES_OF_SLICE = 4
# A state of a sweep, and what its rows make of it while they are applied.
_COPIES_OF_SWEPT = 8
# Strings that `ir.rows` remembers.
_REMEMBERED = 32 << 20
# Gradients of trials, their states and draws.
_COPIES_OF_TRIALS = 6
# Layers' outputs of a network that its backward pass keeps or makes.
_COPIES_OF_LAYERS = 3


def check(needed: int, fitting: Callable[[int], str], max_bytes: int | None = None) -> None:
    """Refuse a cell that would take more than is allowed.

    Args:
        needed: predicted bytes.
        fitting: says what would fit into a number of bytes.
        max_bytes: what is allowed; by default 80 % of the memory that is free.

    Raises:
        StateTooLarge: with both numbers and what would fit.
    """
    allowed = allowed_bytes(max_bytes)
    if needed > allowed:
        require("it would take", needed, allowed, fitting(allowed), StateTooLarge)


def check_circuit(cell: Cell, circuit: StudyCircuit, max_bytes: int | None = None):
    """`check` for a cell of kind "circuit"."""
    states, rest = _circuit_bytes(cell, circuit)
    needed, qubits = states + rest, circuit.objective.circuit.num_qubits

    def fitting(allowed: int) -> str:
        if rest > states:
            return f"about {int(circuit.num_angles * math.sqrt(allowed / needed))} parameterised gates would fit"
        fit = max(0, qubits - math.ceil(math.log2(needed / allowed)))
        return f"circuits on up to about {fit} qubits would fit (max_sampled_qubits in the spec, or --max-qubits)"

    check(needed, fitting, max_bytes)


def _circuit_bytes(cell: Cell, circuit: StudyCircuit) -> tuple[int, int]:
    """(bytes of states, other bytes)."""
    program = circuit.objective.program
    # The adjoint method runs in every cell, for the reference. It holds three states.
    reference = predict_cost(circuit.objective, Adjoint()).peak_bytes
    if cell["method"] == "adjoint":
        return reference, 0
    if cell["method"] == "parameter-shift":
        evaluations = 1 + sum(2 * len(frequencies(gate) or ()) for gate in program.circuit.angle_gates)
        settings = _settings_bytes(evaluations, circuit.num_angles)
        shots = gradient_shots(circuit.num_angles, cell["epsilon"], cell["delta"])
        return reference, settings + 2 * _FLOAT * shots * len(program.bases)
    # One form after another, each with an ancilla.
    return max(reference, _COPIES_OF_SWEPT * 2 * (reference // 3)), _REMEMBERED


def check_hard_instance(cell: Cell, max_bytes: int | None = None):
    """`check` for a cell of kind "hard-instance"."""

    def fitting(allowed: int) -> str:
        sizes = [n for n in range(2, cell["n"]) if _hard_bytes(cell["method"], n) <= allowed]
        return f"n = {max(sizes)} would fit" if sizes else "not even n = 2 would fit"

    check(_hard_bytes(cell["method"], cell["n"]), fitting, max_bytes)


def _hard_bytes(method: str, n: int) -> int:
    from .repeat import TRIALS_AT_ONCE

    components = 4**n - 1
    trials = _COPIES_OF_TRIALS * TRIALS_AT_ONCE * (_COMPLEX * 2 ** (n + 1) + _FLOAT * components)
    if method != "parameter-shift":
        return trials
    return trials + _settings_bytes(1 + 2 * components, components)


def _settings_bytes(evaluations: int, angles: int) -> int:
    """What the parameter-shift rule's evaluations hold of their angles: all of them once, and copies of a slice."""
    settings = _FLOAT * evaluations * angles
    return settings + _COPIES_OF_SLICE * min(settings, SETTINGS_BYTES)


def check_network(cell: Cell, max_bytes: int | None = None):
    """`check` for a cell of kind "network"."""
    inputs = 2 ** cell["n"]
    example = _FLOAT * (inputs + _COPIES_OF_LAYERS * (inputs - 1))
    needed = cell["batch"] * example
    check(needed, lambda allowed: f"a batch of {allowed // example} would fit", max_bytes)
