r"""The named gates, as data: each is a short list of primitives with at most one angle.

Every gate of qcgrad is a product of two kinds of primitive. A `PauliPrimitive` is

.. math:: \exp(-i\,t\,(P - \kappa)/2) \quad\text{where all controls are 1, identity elsewhere,}

with P a Pauli string, kappa 0 (a rotation) or 1 (a phase gate: P = Z gives diag(1, e^{it}), and t = pi
gives P itself), t = scale * angle + offset. A `MatrixPrimitive` is a fixed unitary on a few wires. The
rules of differentiation, simulation and measurement cost are written once for the primitives, so a new
gate is one line in `GATES`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .observable import PauliSum

# Beyond this the dense eigenvectors of a non-commuting Hamiltonian get too large (16 MiB each at 10).
MAX_DENSE_WIRES = 10


class PauliPrimitive(NamedTuple):
    """exp(-i t (P - kappa)/2) on `wires`, controlled by `controls`; t = scale * angle + offset (radians)."""

    letters: str
    wires: tuple[int, ...]
    controls: tuple[int, ...] = ()
    kappa: int = 0
    scale: float = 0.0
    offset: float = 0.0


class MatrixPrimitive(NamedTuple):
    """A fixed unitary; the first wire is the most significant bit of the matrix index."""

    matrix: np.ndarray
    wires: tuple[int, ...]


Primitive = PauliPrimitive | MatrixPrimitive


class Unitary:
    """A hashable, read-only unitary matrix."""

    def __init__(self, matrix: ArrayLike):
        try:
            matrix = np.array(matrix, dtype=np.complex128)
        except (TypeError, ValueError):
            raise TypeError(f"unitary is {matrix!r}: give a 2x2, 4x4 or 8x8 matrix of numbers") from None
        wires = round(math.log2(max(matrix.shape[0], 1))) if matrix.ndim == 2 else 0
        if matrix.ndim != 2 or matrix.shape != (2**wires, 2**wires) or not 1 <= wires <= 3:
            raise ValueError(f"unitary has shape {matrix.shape}: give a 2x2, 4x4 or 8x8 matrix")
        defect = np.abs(matrix @ matrix.conj().T - np.eye(len(matrix))).max()
        if not defect < 1e-8:
            raise ValueError(f"unitary is not unitary: |U U^dagger - 1| reaches {defect:.1e}, at most 1e-8 is accepted")
        matrix.setflags(write=False)
        self.matrix = matrix
        self.num_wires = wires

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unitary) and self.matrix.tobytes() == other.matrix.tobytes()

    def __hash__(self) -> int:
        return hash(self.matrix.tobytes())


@dataclass(frozen=True)
class Gate:
    """One gate of a circuit.

    Attributes:
        name: a key of `GATES`, or "pauli_rot", "evolution", "unitary".
        wires: the qubits it acts on; for controlled gates the controls come first.
        param: index of its parameter, or None for a fixed gate.
        scale, offset: the gate's angle is scale * params[param] + offset radians (offset alone if fixed).
        detail: Pauli word of a "pauli_rot", PauliSum of an "evolution", Unitary of a "unitary".
    """

    name: str
    wires: tuple[int, ...]
    param: int | None = None
    scale: float = 1.0
    offset: float = 0.0
    detail: Any = None

    def primitives(self) -> list[Primitive]:
        """This gate as primitives on circuit wires; t of each is a multiple of the gate's angle."""
        if self.name == "pauli_rot":
            local: Sequence[Primitive] = [_rotation(self.detail, range(len(self.wires)))]
        elif self.name == "evolution":
            local = _evolution(self.detail)
        elif self.name == "unitary":
            local = [MatrixPrimitive(self.detail.matrix, tuple(range(len(self.wires))))]
        else:
            local = GATES[self.name].primitives
        return [self._placed(p) for p in local]

    def _placed(self, primitive: Primitive) -> Primitive:
        wires = tuple(self.wires[w] for w in primitive.wires)
        if isinstance(primitive, MatrixPrimitive):
            return primitive._replace(wires=wires)
        return primitive._replace(wires=wires, controls=tuple(self.wires[w] for w in primitive.controls))


class GateSpec(NamedTuple):
    """A row of the gate table; wires are local (0, 1, ...)."""

    num_wires: int
    has_angle: bool
    primitives: tuple[Primitive, ...]


def _rotation(letters, wires=(0,), controls=(), scale=1.0):
    return PauliPrimitive(letters, tuple(wires), tuple(controls), 0, scale)


def _phase(letters, wires=(0,), controls=(), scale=1.0):
    return PauliPrimitive(letters, tuple(wires), tuple(controls), 1, scale)


def _fixed(letters, angle, wires=(0,), controls=(), kappa=1):
    return PauliPrimitive(letters, tuple(wires), tuple(controls), kappa, 0.0, angle)


def _spec(num_wires, *primitives):
    has_angle = any(isinstance(p, PauliPrimitive) and p.scale for p in primitives)
    return GateSpec(num_wires, has_angle, primitives)


_PI = math.pi
_H = (_fixed("Y", _PI / 2, kappa=0), _fixed("X", _PI))
_ISWAP = (_fixed("XX", -_PI / 2, (0, 1), kappa=0), _fixed("YY", -_PI / 2, (0, 1), kappa=0))


def _cx(control, target):
    return _fixed("X", _PI, (target,), (control,))


GATES: dict[str, GateSpec] = {
    "id": _spec(1),
    "x": _spec(1, _fixed("X", _PI)),
    "y": _spec(1, _fixed("Y", _PI)),
    "z": _spec(1, _fixed("Z", _PI)),
    "h": _spec(1, *_H),
    "s": _spec(1, _fixed("Z", _PI / 2)),
    "sdg": _spec(1, _fixed("Z", -_PI / 2)),
    "t": _spec(1, _fixed("Z", _PI / 4)),
    "tdg": _spec(1, _fixed("Z", -_PI / 4)),
    "sx": _spec(1, _fixed("X", _PI / 2)),
    "sxdg": _spec(1, _fixed("X", -_PI / 2)),
    "rx": _spec(1, _rotation("X")),
    "ry": _spec(1, _rotation("Y")),
    "rz": _spec(1, _rotation("Z")),
    "p": _spec(1, _phase("Z")),
    "cx": _spec(2, _cx(0, 1)),
    "cy": _spec(2, _fixed("Y", _PI, (1,), (0,))),
    "cz": _spec(2, _fixed("Z", _PI, (1,), (0,))),
    # H = RY(pi/4) Z RY(-pi/4), so only the Z in the middle needs the control.
    "ch": _spec(
        2,
        _fixed("Y", -_PI / 4, (1,), kappa=0),
        _fixed("Z", _PI, (1,), (0,)),
        _fixed("Y", _PI / 4, (1,), kappa=0),
    ),
    "csx": _spec(2, _fixed("X", _PI / 2, (1,), (0,))),
    "crx": _spec(2, _rotation("X", (1,), (0,))),
    "cry": _spec(2, _rotation("Y", (1,), (0,))),
    "crz": _spec(2, _rotation("Z", (1,), (0,))),
    "cp": _spec(2, _phase("Z", (1,), (0,))),
    "rxx": _spec(2, _rotation("XX", (0, 1))),
    "ryy": _spec(2, _rotation("YY", (0, 1))),
    "rzz": _spec(2, _rotation("ZZ", (0, 1))),
    "rzx": _spec(2, _rotation("ZX", (0, 1))),
    "swap": _spec(2, _cx(0, 1), _cx(1, 0), _cx(0, 1)),
    "iswap": _spec(2, *_ISWAP),
    "ccx": _spec(3, _fixed("X", _PI, (2,), (0, 1))),
    "ccz": _spec(3, _fixed("Z", _PI, (2,), (0, 1))),
    "cswap": _spec(3, _cx(2, 1), _fixed("X", _PI, (2,), (0, 1)), _cx(2, 1)),
    # A global phase e^{i angle}: no wires, invisible in every expectation value.
    "gphase": _spec(0, _rotation("", (), (), -2.0)),
}


def _evolution(hamiltonian: PauliSum) -> list[Primitive]:
    """exp(-i angle H): Pauli rotations if the terms commute, else through the eigenbasis of H."""
    if hamiltonian.is_commuting:
        n = hamiltonian.num_qubits
        return [
            _rotation(word, range(n), scale=2.0 * float(c))
            for word, c in zip(hamiltonian.words, hamiltonian.coefficients, strict=True)
        ]
    support = hamiltonian.support
    if len(support) > MAX_DENSE_WIRES:
        raise ValueError(
            f"evolution under a non-commuting Hamiltonian on {len(support)} qubits: at most {MAX_DENSE_WIRES} "
            "are diagonalised exactly; split it into commuting groups (a Trotter product) yourself"
        )
    eigenvalues, vectors = np.linalg.eigh(hamiltonian.compressed().matrix())
    phases = [_rotation(word, support, scale=2.0 * c) for word, c in _diagonal_as_z_strings(eigenvalues, len(support))]
    return [MatrixPrimitive(vectors.conj().T, support), *phases, MatrixPrimitive(vectors, support)]


def _diagonal_as_z_strings(diagonal, num_wires):
    """diag = sum_z c_z Z^z: the Walsh-Hadamard transform of the diagonal."""
    index = np.arange(2**num_wires)
    for z in index:
        signs = 1 - 2 * (np.bitwise_count(index & z).astype(int) % 2)
        coefficient = float(np.mean(signs * diagonal))
        if abs(coefficient) > 1e-15 * (1 + np.abs(diagonal).max()):
            yield "".join("Z" if z >> (num_wires - 1 - q) & 1 else "I" for q in range(num_wires)), coefficient


def frequencies(gate: Gate) -> tuple[float, ...] | None:
    """Positive differences of the eigenvalues of the gate's generator, ascending; None if not known.

    An expectation value is a trigonometric polynomial of the gate's angle with these frequencies.
    """
    if gate.name == "evolution":
        return _evolution_frequencies(gate.detail)
    rotations = [p for p in gate.primitives() if isinstance(p, PauliPrimitive) and p.scale]
    if len(rotations) != 1:
        return None
    (rotation,) = rotations
    if not set(rotation.letters) - {"I"}:
        return ()  # a multiple of the identity: nothing depends on the angle
    if rotation.controls and not rotation.kappa:
        return abs(rotation.scale) / 2, abs(rotation.scale)
    return (abs(rotation.scale),)


def _evolution_frequencies(hamiltonian):
    local = hamiltonian.compressed()
    if local.num_qubits <= 6:
        levels = np.linalg.eigvalsh(local.matrix())
    elif hamiltonian.is_commuting and hamiltonian.num_terms <= 6:
        # The sums of +-c_t contain every eigenvalue; a frequency too many costs runs, never exactness.
        levels = np.array([0.0])
        for c in hamiltonian.coefficients:
            levels = np.concatenate([levels + c, levels - c])
    else:
        return None
    gaps = np.sort(np.abs(levels[:, None] - levels).ravel())
    distinct: list[float] = []
    for gap in gaps.tolist():
        # Eigenvalues carry rounding errors: copies of one gap must not count as two frequencies.
        if gap - (distinct[-1] if distinct else 0.0) > 1e-9 * max(1.0, gaps[-1]):
            distinct.append(gap)
    return tuple(distinct)
