"""Immutable parameterised circuits."""

import math
from collections.abc import Iterable
from functools import cached_property
from operator import attrgetter

import numpy as np
from jaxtyping import Float, Int

from . import pauli
from ._composition import Composition
from ._diagram import draw
from ._fluent import FluentGates
from .angles import units
from .gates import GATES, Gate, Unitary
from .observable import PauliSum
from .op_table import OpTable, lower

# From here on a look at all gates together saves time.
_MANY = 100


class Circuit(FluentGates, Composition):
    r"""A circuit of named gates on n qubits, starting from \(|0\dots0\rangle\); every method returns a new one.

    The angle of a parameterised gate is affine in one parameter, `scale * params[param] + offset`
    (radians). Several gates may name the same parameter: that, and never an equal value, is sharing.

    Args:
        num_qubits: n, at least 1. Qubit 0 is the most significant bit of a basis-state index.
        gates: the gates in order of application.
        name: what errors call the circuit, for example its file; equal circuits may have different names.

    Attributes:
        num_qubits: n.
        gates: tuple of `Gate`.
        name: as given.
        num_parameters: P, the highest parameter index plus one.
        num_angles: A, the number of parameterised gates. Estimators differentiate by these angles.
        num_gates: number of gates.

    Raises:
        ValueError: a gate names a qubit outside 0..n-1 or the same one twice, or has a non-finite angle.

    Example:
        >>> from qcgrad import Circuit
        >>> c = Circuit(3).ry(0, param=0).rz(1, param=1, scale=2.0, offset=0.1).cnot(0, 1).pauli_rot("XYZ", param=2)
        >>> c.num_parameters, c.num_gates
        (3, 4)
        >>> print(c)
        q0: ─RY(θ0)─────────●─RX──────
                            │ │
        q1: ─RZ(2·θ1 + 0.1)─X─RY──────
                              │
        q2: ──────────────────RZ(θ2)──
    """

    def __init__(self, num_qubits: int, gates: Iterable[Gate] = (), name: str = ""):
        is_integer = isinstance(num_qubits, (int, np.integer)) and not isinstance(num_qubits, bool)
        if not is_integer or not 1 <= num_qubits <= pauli.MAX_QUBITS:
            raise ValueError(f"Circuit num_qubits={num_qubits!r}: give an integer from 1 to {pauli.MAX_QUBITS}")
        self.num_qubits = int(num_qubits)
        if not isinstance(gates, Iterable):
            raise TypeError(f"gates is {gates!r}: give a sequence of qcgrad.Gate")
        self.gates = tuple(gates)
        self.name = name
        for gate in self.gates if len(self.gates) < _MANY else _distinct(self.gates):
            _check(gate, self.num_qubits)

    def add(self, gate: Gate) -> "Circuit":
        """This circuit followed by one more gate."""
        _check(gate, self.num_qubits)
        extended = object.__new__(Circuit)
        extended.num_qubits = self.num_qubits
        extended.gates = (*self.gates, gate)
        extended.name = self.name
        return extended

    @property
    def num_gates(self) -> int:
        return len(self.gates)

    @cached_property
    def num_parameters(self) -> int:
        return max((g.param + 1 for g in self.gates if g.param is not None), default=0)

    @cached_property
    def angle_gates(self) -> tuple[Gate, ...]:
        """The parameterised gates; angle a belongs to the a-th of them."""
        return tuple(g for g in self.gates if g.param is not None)

    @property
    def num_angles(self) -> int:
        return len(self.angle_gates)

    @cached_property
    def angle_map(self) -> tuple[Int[np.ndarray, "A"], Float[np.ndarray, "A"], Float[np.ndarray, "A"]]:
        """(param, scale, offset), each of shape (A,): angle = scale * params[param] + offset."""
        gates = self.angle_gates
        return (
            np.array([g.param for g in gates], dtype=np.int32),
            np.array([g.scale for g in gates], dtype=np.float64),
            np.array([g.offset for g in gates], dtype=np.float64),
        )

    @cached_property
    def angle_units(self) -> Float[np.ndarray, "A"]:
        """(A,) u, where an angle has the period 4 pi / u; 0 where it has none."""
        return units(self.angle_gates)

    @cached_property
    def op_table(self) -> OpTable:
        """The lowered form that simulators walk."""
        return lower(self.num_qubits, self.gates)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Circuit) and (self.num_qubits, self.gates) == (other.num_qubits, other.gates)

    def __hash__(self) -> int:
        return hash((self.num_qubits, self.gates))

    def __str__(self) -> str:
        return draw(self.num_qubits, self.gates)

    def __repr__(self) -> str:
        return f"Circuit(num_qubits={self.num_qubits}, {self.num_gates} gates, {self.num_parameters} parameters)"


def _distinct(gates: tuple[Gate, ...]) -> Iterable[Gate]:
    """Those that have to be checked so that all are: long circuits share names and tuples of qubits, if not angles."""
    if set(map(type, gates)) != {Gate}:
        return gates
    scales, offsets = (list(map(attrgetter(field), gates)) for field in ("scale", "offset"))
    if set(map(type, scales)) | set(map(type, offsets)) != {float}:
        return gates
    if not all(map(math.isfinite, scales)) or not all(map(math.isfinite, offsets)):
        return gates
    # The same objects, not equal ones: True equals 1 and is no qubit.
    shared = zip(*(map(id, map(attrgetter(f), gates)) for f in ("name", "wires", "param", "detail")), strict=True)
    return dict(zip(shared, gates, strict=True)).values()


def _check(gate: Gate, num_qubits: int):
    if not isinstance(gate, Gate) or not isinstance(gate.wires, (tuple, list)) or not isinstance(gate.name, str):
        raise TypeError(f"gates holds {gate!r}: give qcgrad.Gate(name, wires, ...) with a tuple of qubits")
    for wire in gate.wires:
        if isinstance(wire, bool) or not isinstance(wire, (int, np.integer)) or not 0 <= wire < num_qubits:
            raise ValueError(f"gate {gate.name} on qubit {wire!r}: the circuit has qubits 0 to {num_qubits - 1}")
    if len(set(gate.wires)) != len(gate.wires):
        raise ValueError(f"gate {gate.name} names a qubit twice: {gate.wires}")
    if gate.param is not None and (
        isinstance(gate.param, bool) or not isinstance(gate.param, (int, np.integer)) or gate.param < 0
    ):
        raise ValueError(f"gate {gate.name} has param={gate.param!r}: give the parameter's index, 0 or more")
    numbers = (gate.scale, gate.offset)
    if not all(isinstance(x, (int, float, np.floating, np.integer)) and math.isfinite(x) for x in numbers):
        raise ValueError(f"gate {gate.name} has scale={gate.scale!r}, offset={gate.offset!r}: give finite numbers")
    _check_kind(gate)


def _check_kind(gate: Gate):
    if gate.name in GATES:
        spec = GATES[gate.name]
        if len(gate.wires) != spec.num_wires:
            raise ValueError(f"gate {gate.name} acts on {spec.num_wires} qubits, got {gate.wires}")
        if gate.param is not None and not spec.has_angle:
            raise ValueError(f"gate {gate.name} takes no parameter, got param={gate.param}")
    elif gate.name == "pauli_rot":
        if (
            not isinstance(gate.detail, str)
            or len(gate.detail) != len(gate.wires)
            or not set(gate.detail) <= set("IXYZ")
        ):
            raise ValueError(
                f"pauli_rot with word {gate.detail!r} on qubits {gate.wires}: give one of I, X, Y, Z for each qubit"
            )
    elif gate.name == "evolution":
        if not isinstance(gate.detail, PauliSum) or gate.detail.num_qubits != len(gate.wires):
            raise ValueError(f"evolution on qubits {gate.wires}: give a PauliSum on {len(gate.wires)} qubits")
        gate.primitives()  # refuses a Hamiltonian too large to exponentiate, here where it is named
    elif gate.name == "unitary":
        if not isinstance(gate.detail, Unitary) or gate.detail.num_wires != len(gate.wires) or gate.param is not None:
            raise ValueError(f"unitary on qubits {gate.wires}: give a fixed {2 ** len(gate.wires)}-dimensional matrix")
    else:
        raise ValueError(
            f"gate {gate.name!r} is not known; the gates are {', '.join(sorted(GATES))}, pauli_rot, evolution, unitary"
        )
