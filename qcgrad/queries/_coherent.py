"""Questions that run a preparation and its inverse many times within one circuit.

Both read phases by registers of b qubits in the state with amplitudes proportional to sin(pi (j+1)/(N+1)), N = 2^b,
which makes large errors rare. A random phase ramp, known to the reader, spreads the N possible results evenly over
the circle (dithering), so that a phase is read with an error whose distribution does not depend on it.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from ..array_types import Angles
from ..cost import Cost
from ._query import EXACT, AbstractQuery, Access, Fidelity, Runnable, Sweepable


def register_gates(qubits: int) -> int:
    """Gates of a register: N - 1 rotations, one for each prefix; b for the ramp, b(b+1)/2 for a Fourier transform."""
    return 2**qubits - 1 + qubits + qubits * (qubits + 1) // 2


class PhaseOutcomes(NamedTuple):
    """Answer of `EstimatePhases`: turns (R, D) between -1/2 and 1/2, +-arccos<A>/(2 pi) and an error."""

    turns: np.ndarray


@dataclass(frozen=True, eq=False)
class EstimatePhases(AbstractQuery):
    r"""Phase estimation of a walk whose eigenphases are \(\pm\arccos\langle A\rangle\). Answer: `PhaseOutcomes`.

    With S the preparation of the state in which string A is read, the walk is \((2|0\rangle\langle 0| - 1)\,S^\dagger A
    S\); \(|0\rangle\) is an even superposition of its two eigenvectors.

    Attributes:
        form: the state and its strings.
        strings: which of them, (D,), one after another.
        qubits: b of the register.
        repetitions: R runs for each string.

    Cost: N - 1 walks a run, each with the preparation, its inverse (a copy each, 2N - 2 one after another), a
    controlled string (a gate for each of its letters) and a reflection, counted as one gate; and the register's gates
    (`register_gates`).
    """

    form: Sweepable
    strings: np.ndarray
    qubits: int
    repetitions: int
    access: ClassVar[Access] = Access.coherent

    @property
    def is_random(self) -> bool:
        return True

    @property
    def walks(self) -> int:
        """Walks in one run, N - 1."""
        return 2**self.qubits - 1

    def _gates(self, string: int) -> int:
        form = self.form
        state = form.preparation_gates + form.gates_until(string)
        return self.walks * (2 * state + int(form.weights[string]) + 1) + register_gates(self.qubits)

    def cost(self) -> Cost:
        runs = self.repetitions * len(self.strings)
        return Cost(
            copies=2 * self.walks * runs,
            shots=runs,
            circuit_runs=runs,
            gates=self.repetitions * sum(self._gates(int(d)) for d in self.strings),
            qubits=self.form.num_qubits + self.qubits,
            depth=2 * self.walks if runs else 0,
        )


class RegisterOutcomes(NamedTuple):
    """Answer of `GradientRegisters`.

    Attributes:
        turns: (R, A) between -1/2 and 1/2, each derivative over 4 Lambda w_a, and an error.
        deviation: bound on the total variation distance of one run's outcomes from the distribution that they were
            drawn from, beside what the query's `deviation` says already.
        fidelity: "exact", or "idealized" where the phase was taken for linear.
    """

    turns: np.ndarray
    deviation: float
    fidelity: Fidelity = EXACT


@dataclass(frozen=True, eq=False)
class GradientRegisters(AbstractQuery):
    r"""All derivatives of one observable from one phase over a grid of points. Answer: `RegisterOutcomes`.

    A register for each angle holds grid points \(x_a = (j + \tfrac12)/N - \tfrac12\). Evolutions by
    \(F(\theta + \ell r x/w)\) for \(\ell = \pm1, \dots, \pm m\), with coefficients of a central difference of
    order 2m, add the phase \(2\pi N \sum_a x_a\, \partial_a F/(4\Lambda w_a)\), nearly, and a Fourier transform reads
    the slopes.

    Attributes:
        program: circuit and observables.
        angles: (A,) radians.
        output: which observable.
        scale: Lambda, the sum of its |coefficients| without the identity.
        sensitivities: w, (A,), bounds on |dF/d angle| / Lambda.
        radius: r, radians in units of 1/w.
        coefficients: (m,) of the differences at l = 1 ... m; those at -l are their negatives.
        degrees: (m,) q of each evolution: terms up to T_q of the Jacobi-Anger series.
        qubits: b of each register.
        repetitions: R runs.
        encoding_gates, encoding_qubits: of the observable's block encoding.
        deviation: bound on how far, in total variation, one run is from the linear phase.
        polynomial_deviation: the part of it that the truncated series cause.

    Cost: 2q walks for each evolution, each with the preparation and its inverse (a copy each, all of a run one after
    another; every parameterised gate is followed by b controlled ones), the encoded observable, a reflection and a
    rotation of signal processing; and A registers.
    """

    program: Runnable
    angles: Angles
    output: int
    scale: float
    sensitivities: np.ndarray
    radius: float
    coefficients: np.ndarray
    degrees: tuple[int, ...]
    qubits: int
    repetitions: int
    encoding_gates: int
    encoding_qubits: int
    deviation: float
    polynomial_deviation: float
    access: ClassVar[Access] = Access.coherent

    @property
    def is_random(self) -> bool:
        return True

    @property
    def walks(self) -> int:
        """Walks in one run: 2q of each of the 2m evolutions."""
        return 4 * sum(self.degrees)

    @property
    def _gates(self) -> int:
        """Gates of one run."""
        p, registers = self.program, self.program.num_angles
        walk = 2 * (p.num_gates + registers * self.qubits) + self.encoding_gates + 2
        # Signal processing takes one rotation more than it has walks.
        return self.walks * walk + 2 * len(self.degrees) + registers * register_gates(self.qubits)

    def cost(self) -> Cost:
        p = self.program
        return Cost(
            copies=2 * self.walks * self.repetitions,
            shots=self.repetitions,
            circuit_runs=self.repetitions,
            gates=self.repetitions * self._gates,
            qubits=p.num_qubits + self.encoding_qubits + p.num_angles * self.qubits + 1,
            depth=2 * self.walks,
        )
