"""One method per gate, so that circuits are written as a chain and editors complete the names."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Self

from ..arrays import is_concrete
from .gates import Gate, Unitary
from .observable import PauliSum

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Fixed = float | None
"""An angle in radians, None where a parameter drives the gate."""

Slot = int | None
"""Which parameter drives a gate, None where its angle is fixed."""


class FluentGates:
    """The gate methods of `Circuit`.

    Rotations take either a fixed angle in radians, `ry(0, 0.3)`, or a parameter,
    `ry(0, param=2, scale=2.0, offset=0.1)`, which gives the angle `2.0 * params[2] + 0.1`.
    """

    num_qubits: int

    def add(self, gate: Gate) -> Self:
        raise NotImplementedError

    def _rotate(self, name, wires, angle, param, scale, offset, detail=None) -> Self:
        if (angle is None) == (param is None):
            raise ValueError(f"gate {name}: give either a fixed angle or param=..., got angle={angle}, param={param}")
        if param is None:
            return self.add(Gate(name, wires, None, 1.0, _number(name, "angle", angle), detail))
        scale, offset = _number(name, "scale", scale), _number(name, "offset", offset)
        return self.add(Gate(name, wires, param, scale, offset, detail))

    def x(self, wire: int) -> Self:
        """X."""
        return self.add(Gate("x", (wire,)))

    def y(self, wire: int) -> Self:
        """Y."""
        return self.add(Gate("y", (wire,)))

    def z(self, wire: int) -> Self:
        """Z."""
        return self.add(Gate("z", (wire,)))

    def h(self, wire: int) -> Self:
        """Hadamard."""
        return self.add(Gate("h", (wire,)))

    def s(self, wire: int) -> Self:
        """S = diag(1, i)."""
        return self.add(Gate("s", (wire,)))

    def sdg(self, wire: int) -> Self:
        """S dagger."""
        return self.add(Gate("sdg", (wire,)))

    def t(self, wire: int) -> Self:
        """T = diag(1, e^{i pi/4})."""
        return self.add(Gate("t", (wire,)))

    def tdg(self, wire: int) -> Self:
        """T dagger."""
        return self.add(Gate("tdg", (wire,)))

    def sx(self, wire: int) -> Self:
        """square root of X."""
        return self.add(Gate("sx", (wire,)))

    def sxdg(self, wire: int) -> Self:
        """SX dagger."""
        return self.add(Gate("sxdg", (wire,)))

    def cx(self, control: int, target: int) -> Self:
        """Controlled X."""
        return self.add(Gate("cx", (control, target)))

    def cy(self, control: int, target: int) -> Self:
        """Controlled Y."""
        return self.add(Gate("cy", (control, target)))

    def cz(self, control: int, target: int) -> Self:
        """Controlled Z."""
        return self.add(Gate("cz", (control, target)))

    def ch(self, control: int, target: int) -> Self:
        """Controlled Hadamard."""
        return self.add(Gate("ch", (control, target)))

    def csx(self, control: int, target: int) -> Self:
        """Controlled SX."""
        return self.add(Gate("csx", (control, target)))

    cnot = cx

    def swap(self, first: int, second: int) -> Self:
        """Exchange two qubits."""
        return self.add(Gate("swap", (first, second)))

    def iswap(self, first: int, second: int) -> Self:
        """exp(i pi (XX + YY)/4)."""
        return self.add(Gate("iswap", (first, second)))

    def ccx(self, first: int, second: int, target: int) -> Self:
        """Toffoli: X on the target where both controls are 1."""
        return self.add(Gate("ccx", (first, second, target)))

    def ccz(self, first: int, second: int, third: int) -> Self:
        """Sign flip where all three qubits are 1."""
        return self.add(Gate("ccz", (first, second, third)))

    def cswap(self, control: int, first: int, second: int) -> Self:
        """Fredkin: swap where the control is 1."""
        return self.add(Gate("cswap", (control, first, second)))

    def rx(self, wire: int, angle: Fixed = None, *, param: Slot = None, scale: float = 1, offset: float = 0) -> Self:
        """exp(-i angle X/2)."""
        return self._rotate("rx", (wire,), angle, param, scale, offset)

    def ry(self, wire: int, angle: Fixed = None, *, param: Slot = None, scale: float = 1, offset: float = 0) -> Self:
        """exp(-i angle Y/2)."""
        return self._rotate("ry", (wire,), angle, param, scale, offset)

    def rz(self, wire: int, angle: Fixed = None, *, param: Slot = None, scale: float = 1, offset: float = 0) -> Self:
        """exp(-i angle Z/2)."""
        return self._rotate("rz", (wire,), angle, param, scale, offset)

    def p(self, wire: int, angle: Fixed = None, *, param: Slot = None, scale: float = 1, offset: float = 0) -> Self:
        """Phase gate diag(1, e^{i angle})."""
        return self._rotate("p", (wire,), angle, param, scale, offset)

    def u(
        self, wire: int, theta: "float | int", phi: "float | int", lam: "float | int", *, params: bool = False
    ) -> Self:
        """Any one-qubit gate: [[cos, -e^{i lam} sin], [e^{i phi} sin, e^{i (phi + lam)} cos]] of theta/2.

        Angles in radians; with `params=True` the three numbers are indices of parameters, `u(0, 0, 1, 2, params=True)`.
        It is written as p(lam), ry(theta), p(phi), three gates with an angle each.
        """
        found = self
        for name, angle in (("p", lam), ("ry", theta), ("p", phi)):
            fixed, param = (None, angle) if params else (angle, None)
            found = found._rotate(name, (wire,), fixed, param, 1.0, 0.0)
        return found

    def crx(
        self, control: int, target: int, angle: Fixed = None, *, param: Slot = None, scale: float = 1, offset: float = 0
    ) -> Self:
        """Controlled RX."""
        return self._rotate("crx", (control, target), angle, param, scale, offset)

    def cry(
        self, control: int, target: int, angle: Fixed = None, *, param: Slot = None, scale: float = 1, offset: float = 0
    ) -> Self:
        """Controlled RY."""
        return self._rotate("cry", (control, target), angle, param, scale, offset)

    def crz(
        self, control: int, target: int, angle: Fixed = None, *, param: Slot = None, scale: float = 1, offset: float = 0
    ) -> Self:
        """Controlled RZ."""
        return self._rotate("crz", (control, target), angle, param, scale, offset)

    def cp(
        self, control: int, target: int, angle: Fixed = None, *, param: Slot = None, scale: float = 1, offset: float = 0
    ) -> Self:
        """e^{i angle} where both qubits are 1."""
        return self._rotate("cp", (control, target), angle, param, scale, offset)

    def rxx(
        self, first: int, second: int, angle: Fixed = None, *, param: Slot = None, scale: float = 1, offset: float = 0
    ) -> Self:
        """exp(-i angle XX/2)."""
        return self._rotate("rxx", (first, second), angle, param, scale, offset)

    def ryy(
        self, first: int, second: int, angle: Fixed = None, *, param: Slot = None, scale: float = 1, offset: float = 0
    ) -> Self:
        """exp(-i angle YY/2)."""
        return self._rotate("ryy", (first, second), angle, param, scale, offset)

    def rzz(
        self, first: int, second: int, angle: Fixed = None, *, param: Slot = None, scale: float = 1, offset: float = 0
    ) -> Self:
        """exp(-i angle ZZ/2)."""
        return self._rotate("rzz", (first, second), angle, param, scale, offset)

    def rzx(
        self, first: int, second: int, angle: Fixed = None, *, param: Slot = None, scale: float = 1, offset: float = 0
    ) -> Self:
        """exp(-i angle ZX/2)."""
        return self._rotate("rzx", (first, second), angle, param, scale, offset)

    def pauli_rot(
        self,
        word: str,
        wires: Sequence[int] | None = None,
        angle: Fixed = None,
        *,
        param: Slot = None,
        scale: float = 1,
        offset: float = 0,
    ) -> Self:
        """exp(-i angle P/2) for a Pauli word of any weight; `wires` defaults to qubits 0, 1, ..."""
        if not isinstance(word, str):
            raise TypeError(f"pauli_rot word is {word!r}: give a Pauli word, for example 'XYZ'")
        return self._rotate("pauli_rot", _wires(wires, len(word)), angle, param, scale, offset, word)

    def evolution(
        self,
        hamiltonian: PauliSum,
        wires: Sequence[int] | None = None,
        angle: Fixed = None,
        *,
        param: Slot = None,
        scale: float = 1,
        offset: float = 0,
    ) -> Self:
        """exp(-i angle H), exact: any size if the terms of H commute, else up to 10 qubits.

        H is a `PauliSum`, or what its constructor accepts.
        """
        hamiltonian = hamiltonian if isinstance(hamiltonian, PauliSum) else PauliSum(hamiltonian)
        targets = _wires(wires, hamiltonian.num_qubits)
        return self._rotate("evolution", targets, angle, param, scale, offset, hamiltonian)

    def unitary(self, matrix: "ArrayLike", wires: Sequence[int]) -> Self:
        """A fixed 1 to 3 qubit unitary; wires[0] is the most significant bit of the matrix index."""
        return self.add(Gate("unitary", _wires(wires, 0), detail=Unitary(matrix)))


def _wires(wires, count):
    if wires is None:
        return tuple(range(count))
    if not isinstance(wires, Iterable):
        raise TypeError(f"wires is {wires!r}: give a sequence of qubits")
    return tuple(wires)


def _number(name: str, what: str, value) -> float:
    if not is_concrete(value):
        raise TypeError(
            f"gate {name}: its {what} is being traced by JAX, and a circuit holds plain numbers; give param=... and "
            "pass the number among the parameters"
        )
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"gate {name}: its {what} is {value!r}; give a real number") from None
