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

**Copies that are left out.** Behind B the index register reads 0 with probability
\(\langle O^2\rangle/\Lambda^2\) where the ancilla is 1; only there a copy says something. A method that can leave
out the others, so that they count as 0, needs no Hermitian B, and commuting strings are encoded together, by half the
range of their sum in place of \(\sum|c_t|\) (`encoded_groups`), which makes \(\Lambda\) smaller. It reads

.. math:: |\Psi\rangle \propto \alpha|0\rangle|\psi\rangle + \frac\beta\Lambda|1\rangle O|\psi\rangle ,
    \qquad p = \alpha^2 + \beta^2\frac{\langle O^2\rangle}{\Lambda^2} ,

on a fraction p of them, with components that carry \(\Lambda/(2\alpha\beta)\). What one copy adds to the variance falls
from \(\Lambda^2\) to \((\Lambda^2 + \langle O^2\rangle)/2\) at \(\alpha = \beta\), and to
\((\Lambda + \sqrt{\langle O^2\rangle})^2/4\) at the best \(\alpha\).

**Common state.** Where all derivatives are Pauli expectations of one state already (`pull_back`) there is
nothing to un-compute, and the order of the components is free.

References:
    A. Abbas et al., "On quantum backpropagation, information reuse, and cheating measurement collapse",
    NeurIPS 2023, arXiv:2305.13362.
"""

from functools import cache, lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Float

from ..array_types import Angles, Coefficients, Masks
from ..errors import NotApplicable
from . import block_encoding, pauli, rows
from ._swept_state import SweepForm as SweepForm
from ._swept_state import turned
from .encoded_groups import EncodedGroups, encoded_groups
from .generators import generator
from .program import Program
from .pull_back import PauliComponents

Encoding = Literal["terms", "block", "none"]


def one_state_forms(program: Program, angles: Angles, encoding: Encoding, *, discards: bool = False) -> list[SweepForm]:
    """The one-state forms of a program at its gate angles (A,), radians.

    Args:
        encoding: "terms", one form for each distinct string of the observables; "block", one for each
            observable; "none", refuse observables that are not a single string.
        discards: leave out the copies that a block encoding spoils. Without, B takes the place of O on all of them.

    Raises:
        NotApplicable: encoding="none" and an observable that is not proportional to one Pauli string.
    """
    x, z, coefficients = program.terms
    measured = np.flatnonzero(x | z)
    backward = _Backward(program, angles)
    if encoding == "block":
        forms = []
        for k, unit in enumerate(np.eye(program.num_observables)):
            kept = measured[coefficients[k, measured] != 0]
            if len(kept):
                groups = _groups_of(program, k) if discards and len(kept) > 1 else None
                forms.append(backward.form(x[kept], z[kept], coefficients[k, kept], unit[:, None], groups))
        return forms
    if encoding == "none" and len(measured) > 1:
        raise NotApplicable(
            f"the observable has {len(measured)} Pauli strings, so it is not unitary, and encoding='none' builds no "
            "block encoding: give a single string, encoding='terms' (string by string) or encoding='block'"
        )
    return [backward.form(x[[t]], z[[t]], np.ones(1), coefficients[:, [t]]) for t in measured]


@lru_cache(maxsize=64)
def _groups_of(program: Program, output: int) -> EncodedGroups:
    """The encoding of one observable, which is the same at all parameters."""
    x, z, coefficients = program.terms
    kept = np.flatnonzero(((x | z) != 0) & (coefficients[output] != 0))
    return encoded_groups(program.num_qubits, x[kept], z[kept], coefficients[output, kept])


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

    def form(
        self,
        x: Masks,
        z: Masks,
        coefficients: Coefficients,
        mixing: Float[np.ndarray, "K 1"],
        groups: EncodedGroups | None = None,
    ) -> SweepForm:
        """The form of the observable sum_t c_t P_t, a single string of coefficient 1 or a block encoding."""
        n = self.program.num_qubits
        encoded = groups.encoding if groups else block_encoding.controlled(n, x, z, coefficients)
        ancilla = 1 << (encoded.num_qubits - 1)
        x, z, value, gradient = self.strings(encoded.num_qubits, encoded.scale)
        return SweepForm(
            num_qubits=encoded.num_qubits,
            preparation=(turned(ancilla, 0.5), *self.forward, *(() if groups else encoded.rows)),
            undo=self.undo,
            preparation_gates=1 + self.program.num_gates + len(encoded.rows),
            gates_undone=self.gates_undone,
            x=x,
            z=z,
            step=np.concatenate([[0], self.step]),
            gradient=gradient,
            value=value,
            constants=np.full(1, groups.centre if groups else 0.0),
            mixing=np.asarray(mixing, float),
            applied=groups.applied if groups else None,
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
