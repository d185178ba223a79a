"""A circuit prepared to be run within the subspace of its number of ones."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Float

from ...errors import NotApplicable
from ...ir import pauli
from ...ir.circuit import Circuit
from ...ir.program import Program
from ._gates import Turn, conserves, turn
from ._subspace import Subspace

States = Complex[np.ndarray, "B D"]


class Step(NamedTuple):
    """A gate: what it does, which angle it takes (-1 for none), and which places it mixes by which patterns."""

    turn: Turn
    angle: int
    groups: list

    def apply(self, matrices: Complex[np.ndarray, "B D D"], states: States) -> States:
        """The gate with a matrix for each state."""
        moved = states.copy()
        for patterns, places in self.groups:
            block = matrices[:, patterns[:, None], patterns]
            moved[:, places] = states[:, places] @ block.transpose(0, 2, 1)
        return moved


class Prepared(NamedTuple):
    """A circuit behind the basis state that its first gates prepare."""

    subspace: Subspace
    start: int
    steps: list[Step]

    def states(self, angles: Float[np.ndarray, "B A"]) -> States:
        """(B, D) final states at angles (B, A), radians."""
        psi = np.zeros((len(angles), len(self.subspace.masks)), np.complex128)
        psi[:, self.start] = 1
        for step in self.steps:
            psi = step.apply(step.turn.at(_of(step, angles)), psi)
        return psi

    def sweep(
        self, angles: Float[np.ndarray, "A"], psi: States, seen: Complex[np.ndarray, "C D"]
    ) -> Float[np.ndarray, "C A"]:
        r"""Derivatives by un-computing: \(2\,\mathrm{Im}\langle\lambda|G|\psi\rangle\) behind each gate.

        Args:
            angles: where.
            psi: (1, D) the final state there.
            seen: (C, D) observables applied to it.
        """
        gradient = np.zeros((len(seen), len(angles)))
        for step in reversed(self.steps):
            if step.angle >= 0:
                moved = step.apply(step.turn.generator[None], psi)
                gradient[:, step.angle] += 2 * np.imag(seen.conj() @ moved[0])
            undo = step.turn.at(_of(step, angles[None])).conj().transpose(0, 2, 1)
            psi, seen = step.apply(undo, psi), step.apply(np.broadcast_to(undo, (len(seen), *undo.shape[1:])), seen)
        return gradient


@lru_cache(maxsize=16)
def prepared(circuit: Circuit) -> Prepared:
    """The circuit in its subspace.

    Raises:
        NotApplicable: a gate changes the number of ones, by name.
    """
    state, flips = flipped(circuit)
    subspace = Subspace.of(circuit.num_qubits, state.bit_count())
    steps, angle = [], 0
    for gate in circuit.gates[flips:]:
        found = turn(gate)
        if not conserves(found):
            raise NotApplicable(
                f"gate {gate.name} on qubits {gate.wires} changes the number of ones: prepare a basis state by x at "
                "the start, then use gates that conserve it, or the simulator qcgrad.Statevector()"
            )
        steps.append(Step(found, -1 if gate.param is None else angle, subspace.groups(gate.wires)))
        angle += gate.param is not None
    place, _ = subspace.places(pauli.mask_array([state], circuit.num_qubits))
    return Prepared(subspace, int(place[0]), steps)


def flipped(circuit: Circuit) -> tuple[int, int]:
    """The basis state that the first gates prepare, as a mask, and how many gates these are."""
    state = 0
    for count, gate in enumerate(circuit.gates):
        if gate.name not in ("x", "id"):
            return state, count
        if gate.name == "x":
            state ^= pauli.bit(gate.wires[0], circuit.num_qubits)
    return state, len(circuit.gates)


def observed(program: Program, subspace: Subspace, psi: States, weights: Float[np.ndarray, "C K"]) -> States:
    """(C, D) sums of observables with weights, applied to a state (1, D), within the subspace."""
    x, z, coefficients = program.terms
    found = np.zeros((len(weights), psi.shape[1]), np.complex128)
    for xt, zt, each in zip(x.tolist(), z.tolist(), (weights @ coefficients).T, strict=True):
        source, phase = subspace.string(xt, zt)
        found += each[:, None] * (phase * psi[:, source])
    return found


def means(program: Program, subspace: Subspace, psi: States) -> Float[np.ndarray, "B K"]:
    """(B, K) expectation values in states (B, D)."""
    x, z, coefficients = program.terms
    found = np.zeros((len(psi), program.num_observables))
    for xt, zt, each in zip(x.tolist(), z.tolist(), coefficients.T, strict=True):
        source, phase = subspace.string(xt, zt)
        found += np.real(np.sum(psi.conj() * phase * psi[:, source], axis=1))[:, None] * each
    return found


def _of(step, angles):
    return angles[:, step.angle] if step.angle >= 0 else np.zeros(len(angles))
