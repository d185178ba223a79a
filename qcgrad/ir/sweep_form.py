r"""States whose measurement gives every derivative: what the multi-copy methods sweep over.

**One-state form.** For a unitary observable O and the circuit's state \(|\psi\rangle\), prepare

.. math:: |\Psi\rangle = \big(|0\rangle|\psi\rangle + |1\rangle O|\psi\rangle\big)/\sqrt2 .

Un-computing the gates one at a time (on the system only) turns the next derivative into a Pauli
expectation: with \(V_j\) the gates after gate j and \(G_j\) its generator,

.. math:: \partial_j F = -2\,\langle\Psi|\,Y \otimes V_j G_j V_j^\dagger\,|\Psi\rangle ,
    \qquad F = \langle\Psi|X \otimes 1|\Psi\rangle ,

so one backward pass visits every component in O(M) gates. Generators of controlled gates are sums of a few
strings; each string is a component of its own.

**Observables that are not unitary** are swept string by string (`encoding="terms"`), or through a block
encoding (`encoding="block"`): on a more qubits PREPARE loads \(\sqrt{|c_t|/\Lambda}\),
\(\Lambda = \sum_t |c_t|\), and SELECT applies \(\mathrm{sign}(c_t) P_t\); then
\(B = \mathrm{PREPARE}^\dagger\,\mathrm{SELECT}\,\mathrm{PREPARE}\) is unitary and Hermitian with
\(\langle 0|B|0\rangle = O/\Lambda\), and takes the place of O with \(|0\rangle|\psi\rangle\) for
\(|\psi\rangle\). All components then carry the factor \(\Lambda\).

**Common state.** Where all derivatives are Pauli expectations of one state already (`pull_back`) there is
nothing to un-compute, and the order of the components is free.

References:
    A. Abbas et al., "On quantum backpropagation, information reuse, and cheating measurement collapse",
    NeurIPS 2023, arXiv:2305.13362.
"""

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Complex, Float, Int

from ..array_types import Angles, Coefficients, Masks
from ..errors import NotApplicable
from . import block_encoding, pauli, rows
from .generators import generator
from .program import Program
from .pull_back import PauliComponents
from .rows import Row

if TYPE_CHECKING:  # scipy.sparse is slow to import, so it waits until it is used
    import scipy.sparse as sparse

Encoding = Literal["terms", "block", "none"]


@dataclass(frozen=True, eq=False)
class SweepForm:
    """A state of N qubits, gates that un-compute it step by step, and D Pauli strings on the way.

    Attributes:
        num_qubits: N.
        preparation: rows that prepare the state from |0...0>.
        undo: rows that un-compute it, in order.
        preparation_gates: gates of the preparation.
        gates_undone: (len(undo) + 1,) gates un-computed before each row.
        x, z: (D,) masks of the strings.
        step: (D,) rows un-computed before string d is measured, ascending.
        gradient: sparse (K' * A, D); row k * A + a holds what the strings add to the derivative by angle a.
        value: sparse (K', D).
        constants: (K',) identity part of the values.
        mixing: (K, K'), what each of the form's values adds to each of the program's K outputs.
    """

    num_qubits: int
    preparation: tuple[Row, ...]
    undo: tuple[Row, ...]
    preparation_gates: int
    gates_undone: np.ndarray
    x: np.ndarray
    z: np.ndarray
    step: np.ndarray
    gradient: "sparse.csr_array"
    value: "sparse.csr_array"
    constants: np.ndarray
    mixing: np.ndarray

    @property
    def num_components(self) -> int:
        """D."""
        return len(self.x)

    @property
    def has_free_order(self) -> bool:
        """Whether the strings may be visited in any order: nothing is un-computed between them."""
        return not self.undo

    @property
    def state_bytes(self) -> int:
        """What the amplitudes of one copy take."""
        return 16 * 2**self.num_qubits

    @property
    def state(self) -> Complex[np.ndarray, "2**N"]:
        """(2^N,) amplitudes, worked out anew: there may be a form for every string of an observable."""
        return rows.run(self.preparation, rows.zero_state(self.num_qubits))

    @cached_property
    def busy(self) -> "SweepForm":
        """The same form without qubits that stay in |0> and are measured in Z at most; its outcomes are the same."""
        moved = int(np.bitwise_or.reduce(self.x, initial=0))
        for x, _, controls, _, _, _, wires in (*self.preparation, *self.undo):
            moved |= x | controls  # Z leaves |0> as it is
            for wire in wires:
                moved |= 1 << wire
        kept = [q for q in range(self.num_qubits) if moved & pauli.bit(q, self.num_qubits)] or [0]
        if len(kept) == self.num_qubits:
            return self
        narrowed = [tuple(row.on(kept, self.num_qubits) for row in part) for part in (self.preparation, self.undo)]
        x, z = (pauli.squeezed(masks, kept, self.num_qubits) for masks in (self.x, self.z))
        return replace(self, num_qubits=len(kept), preparation=narrowed[0], undo=narrowed[1], x=x, z=z)

    @property
    def weights(self) -> Int[np.ndarray, "D"]:
        """(D,) letters of each string that are not the identity."""
        return pauli.popcount(self.x | self.z)

    def gates_until(self, component: int) -> int:
        """Gates that un-compute one copy until string `component` is next."""
        return int(self.gates_undone[self.step[component]])


def one_state_forms(program: Program, angles: Angles, encoding: Encoding) -> list[SweepForm]:
    """The one-state forms of a program at its gate angles (A,), radians.

    Args:
        encoding: "terms", one form for each distinct string of the observables; "block", one for each
            observable; "none", refuse observables that are not a single string.

    Raises:
        NotApplicable: encoding="none" and an observable that is not proportional to one Pauli string.
    """
    x, z, coefficients = program.terms
    measured = np.flatnonzero(x | z)
    backward = _Backward(program, angles)
    outputs = program.num_observables
    if encoding == "block":
        forms = []
        for k in range(outputs):
            kept = measured[coefficients[k, measured] != 0]
            if len(kept):
                unit = np.eye(outputs)[:, [k]]
                forms.append(backward.form(x[kept], z[kept], coefficients[k, kept], unit))
        return forms
    if encoding == "none" and len(measured) > 1:
        raise NotApplicable(
            f"the observable has {len(measured)} Pauli strings, so it is not unitary, and encoding='none' builds no "
            "block encoding: give a single string, encoding='terms' (string by string) or encoding='block'"
        )
    return [backward.form(x[[t]], z[[t]], np.ones(1), coefficients[:, [t]]) for t in measured]


def common_state_form(components: PauliComponents, outputs: int) -> SweepForm:
    """The form of components that are Pauli expectations of one state already."""
    program = components.preparation
    return SweepForm(
        num_qubits=program.num_qubits,
        preparation=rows.bind(program.circuit.op_table, np.zeros(0)),
        undo=(),
        preparation_gates=program.num_gates,
        gates_undone=np.zeros(1, np.int64),
        x=components.x,
        z=components.z,
        step=np.zeros(len(components.x), np.int64),
        gradient=components.gradient,
        value=components.value,
        constants=components.constants,
        mixing=np.eye(outputs),
    )


class _Backward:
    """The rows and strings that all forms of a program share, on the system's qubits."""

    def __init__(self, program: Program, angles: Angles):
        table = program.circuit.op_table
        self.program = program
        self.forward = rows.bind(table, angles)
        self.undo = tuple(row.inverse() for row in reversed(self.forward))
        sizes = [len(gate.primitives()) for gate in program.circuit.gates]
        # Row i of the backward pass opens the gate it belongs to; a gate counts when its first row is undone.
        owner = np.repeat(np.arange(len(sizes)), sizes)[::-1]
        self.gates_undone = np.concatenate([[0], len(sizes) - np.minimum.accumulate(owner)])
        strings = []
        for row in range(table.num_ops - 1, -1, -1):
            if table.slot[row] >= 0:
                slot, step = int(table.slot[row]), table.num_ops - 1 - row
                strings += [(slot, step, *term) for term in zip(*generator(table, row), strict=True)]
        columns = list(zip(*strings, strict=True)) if strings else [()] * 5
        self.slot, self.step = np.array(columns[0], np.int64), np.array(columns[1], np.int64)
        self.x, self.z = columns[2], columns[3]
        self.weight = np.array(columns[4], float)
        self.strings = cache(self._strings)

    def form(self, x: Masks, z: Masks, coefficients: Coefficients, mixing: Float[np.ndarray, "K 1"]) -> SweepForm:
        """The form of the observable sum_t c_t P_t, a single string of coefficient 1 or a block encoding."""
        n = self.program.num_qubits
        encoded = block_encoding.controlled(n, x, z, coefficients)
        ancilla = 1 << (encoded.num_qubits - 1)
        half_turn = np.pi / 2
        # H on the ancilla as RY(pi/2): from |0> the two agree.
        plus = Row(ancilla, ancilla, 0, np.cos(half_turn / 2), -1j * np.sin(half_turn / 2))
        x, z, value, gradient = self.strings(encoded.num_qubits, encoded.scale)
        return SweepForm(
            num_qubits=encoded.num_qubits,
            preparation=(plus, *self.forward, *encoded.rows),
            undo=self.undo,
            preparation_gates=1 + self.program.num_gates + len(encoded.rows),
            gates_undone=self.gates_undone,
            x=x,
            z=z,
            step=np.concatenate([[0], self.step]),
            gradient=gradient,
            value=value,
            constants=np.zeros(1),
            mixing=np.asarray(mixing, float),
        )

    def _strings(self, num_qubits, scale):
        """Masks of the strings, and what they add to value and gradient: the same for all strings of an observable."""
        import scipy.sparse as sparse

        ancilla, count = 1 << (num_qubits - 1), 1 + len(self.slot)
        x = pauli.mask_array([ancilla, *(int(x) | ancilla for x in self.x)], num_qubits)
        z = pauli.mask_array([0, *(int(z) | ancilla for z in self.z)], num_qubits)
        entries = -2 * scale * self.weight, (self.slot, np.arange(1, count))
        gradient = sparse.csr_array(entries, shape=(self.program.num_angles, count))
        return x, z, sparse.csr_array(([scale], ([0], [0])), shape=(1, count)), gradient
