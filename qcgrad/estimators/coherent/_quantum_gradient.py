"""Jordan's algorithm for all derivatives at once."""

from typing import Any, ClassVar, NamedTuple, Self

import equinox as eqx
import numpy as np
from jaxtyping import Float

from ...array_types import Key
from ...cost import Cost
from ...estimator import OneRoundEstimator, total_cost
from ...ir import Program, block_encoding
from ...ir.sweep_form import one_state_forms
from ...objective import Point, Reading
from ...queries import Access, EstimatePhases, Evaluate, GradientRegisters
from .._checks import MOST
from .._programs import program_at
from ..accuracy import checked_accuracy
from . import _register as register
from ._amplitude_estimation import checked_odd, checked_qubits, read, register_too_small
from ._evolutions import cheapest


class QuantumGradient(OneRoundEstimator):
    r"""All derivatives from one phase over a grid of shifted angles, read by Fourier transforms of M registers.

    Register a holds a shift of angle a. Evolutions of time \(\propto N\) by the block-encoded F at shifted angles
    give the grid point x the phase \(2\pi N\, x \cdot \partial F/(4\Lambda w)\), up to an error that a central
    difference of high degree keeps small for most points: M points add up like a random walk, so that shifts of about
    \(1/\sqrt M\) will do, and all M derivatives within epsilon take

    .. math:: O\big(\sqrt M\,\Lambda/\epsilon\big) \text{ uses of the preparation, up to logarithms.}

    Registers of b qubits, N = 2^b, start in the sine state and are dithered, so that their errors have a distribution
    that is known: \(g = 4\Lambda w\,\mathrm{median}_r\,y_r\) has the variance \((4\Lambda w)^2 E m^2\), m being the
    error of the median in turns; for one run about \(4 \Lambda^2 w^2/N^2\). \(\Lambda\) is the observable's sum of
    |coefficients|, w the sum of the scales by which the angle drives its gate.

    Args:
        qubits: b, qubits of each register.
        repetitions: R, runs, an odd number; each gives all derivatives, and medians are taken.

    Access: coherent. Fidelity: where all registers fit (16 qubits, 20 with the circuit's), the phases of F itself are
    transformed, nonlinear as they are; else "idealized", the phase is taken for linear. `bias_bound` holds what either
    leaves out (at most 1/(64 R N^2) of the outcomes in each run), and derivatives that wrap around.

    Cost: for each observable 2q walks with a preparation and its inverse for each of 2m evolutions, R times; and a
    value by `AmplitudeEstimation` with the same b and R. M b + n qubits. Proved for the worst circuit. The depth of a
    run is that of all its walks, a preparation and an inverse each: it grows as sqrt(M) N.

    Raises:
        ValueError: counts that are no positive integers, an even number of repetitions, a register too large.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1), "ZZ")
        >>> e = qg.estimate(objective, [0.5, 0.3], qg.QuantumGradient(qubits=6), key=0)
        >>> error = abs(e.gradient - qg.estimate(objective, [0.5, 0.3], qg.Adjoint()).gradient)
        >>> bool(all(error < 0.3)), e.cost.shots  # standard error about 0.03; a run each for gradient and value
        (True, 2)

    References:
        S. P. Jordan, Phys. Rev. Lett. 95, 050501 (2005); A. Gilyen, S. Arunachalam, N. Wiebe, SODA 2019,
        arXiv:1711.00465 (differences of high degree); W. J. Huggins et al., Phys. Rev. Lett. 129, 240501 (2022),
        arXiv:2111.09283; D. Motlagh, N. Wiebe, PRX Quantum 5, 020368 (2024), arXiv:2308.01501 (evolutions). The bound
        for most grid points is derived in theory/quantum_backprop/coherent_methods.md.
    """

    qubits: int = eqx.field(static=True)
    repetitions: int = eqx.field(static=True)
    access = Access.coherent
    is_traceable: ClassVar[bool] = False

    def __init__(self, qubits: int, repetitions: int = 1):
        self.qubits = checked_qubits(qubits)
        self.repetitions = checked_odd("repetitions", repetitions)

    def plan(self, point: Point, key: Key | None) -> tuple[Any, ...]:
        program = program_at(point, self, samples=True)
        forms = one_state_forms(program, np.asarray(point.coordinates, float), "block")
        values = [EstimatePhases(form, np.zeros(1, int), self.qubits, self.repetitions) for form in forms]
        return (*values, *self._registers(program, point.coordinates))

    def predict(self, point: Point) -> Cost:
        return total_cost(self.plan(point, None))

    def combine(self, point: Point, queries: tuple[Any, ...], answers: tuple[Any, ...]) -> Reading:
        program = program_at(point, self)
        outputs, angles = program.num_observables, len(point.coordinates)
        value, value_variance, value_bias = (np.zeros(outputs) for _ in range(3))
        value += program.constants
        slopes, spread, off = (np.zeros((outputs, angles)) for _ in range(3))
        known = register.errors(self.qubits, self.repetitions)
        for query, answer in zip(queries, answers, strict=True):
            if isinstance(query, EstimatePhases):
                found = read(answer.turns, self.qubits)
                form: Any = query.form
                scale = form.mixing[:, 0] * form.value.toarray()[0, 0]
                value += scale * found.means[0]
                value_variance += scale**2 * found.variances[0]
                value_bias += np.abs(scale) * found.biases[0]
                continue
            seen = sensitivities(program) > 0
            unit = 4 * query.scale * query.sensitivities
            slopes[query.output, seen] = (unit * np.median(answer.turns, axis=0))[seen]
            spread[query.output, seen] = (unit**2 * known.square)[seen]
            # In total variation all runs together are off by R times one; an outcome counts a turn at most.
            wrapped = self.repetitions * (known.beyond_quarter + answer.deviation)
            off[query.output, seen] = (unit * min(1.0, wrapped))[seen]
        cotangents, dtype = np.asarray(point.cotangents), point.coordinates.dtype
        gradient, variance, bias = cotangents @ slopes, np.square(cotangents) @ spread, np.abs(cotangents) @ off
        numbers = (gradient, variance, value_variance, bias, value_bias)
        covariance = None
        if point.objective.mixes_coordinates:
            # Registers err independently of each other.
            covariance = np.einsum("ca,ab->cab", variance, np.eye(angles)).astype(dtype)
        return Reading(value.astype(dtype), *(n.astype(dtype) for n in numbers), covariance=covariance)

    def value_query(self, point: Point) -> Evaluate:
        return Evaluate(program_at(point, self), point.coordinates[None])

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        r"""The registers and repetitions that take least of those whose medians keep to epsilon.

        A run is off by more than \(\epsilon/(4\Lambda w)\) turns with probability p, what the phase's errors add
        included; medians of M components fail with probability \(M I_p(h, h)\).
        """
        epsilon, delta = checked_accuracy(epsilon, delta)
        program = program_at(point, cls, samples=True)
        weights, slopes = np.abs(point.cotangents) @ _sizes(program), sensitivities(program)
        registers, outputs = int(np.count_nonzero(slopes)), int(np.count_nonzero(_sizes(program)))
        largest = 4 * float(np.max(weights, initial=0.0)) * float(np.max(slopes, initial=0.0))
        if not largest:
            return cls(1)
        best = fewest_walks(registers, outputs, min(epsilon / largest, 0.25), delta)
        if best is None or 8 * best.walks > MOST:
            raise register_too_small(cls, epsilon, largest)
        return cls(best.qubits, best.repetitions)

    def _registers(self, program, angles):
        registers = int(np.count_nonzero(sensitivities(program)))
        if not registers:
            return ()
        deviation = _deviation(self.qubits, self.repetitions)
        used = cheapest(registers, self.qubits, deviation / 2, deviation / 2)
        w = sensitivities(program)
        return tuple(
            GradientRegisters(
                program, angles, k, size, np.where(w > 0, w, 1.0), *used, self.qubits, self.repetitions,
                *_encoding(program, k), deviation, deviation / 2,
            )
            for k, size in enumerate(_sizes(program).tolist())
            if size
        )  # fmt: skip


def sensitivities(program: Program) -> Float[np.ndarray, "A"]:
    """(A,) bounds on a derivative by each angle over the size of the observable: scales of the rows that it drives."""
    table, found = program.circuit.op_table, np.zeros(program.num_angles)
    driven = table.slot >= 0
    np.add.at(found, table.slot[driven], np.abs(table.scale[driven]))
    return found


def _deviation(qubits, repetitions):
    """Of one run: so small that it changes neither bias nor variance to speak of."""
    return 1 / (64 * repetitions * 4.0**qubits)


def _sizes(program):
    x, z, coefficients = program.terms
    return np.abs(coefficients[:, (x | z) != 0]).sum(axis=1)


def _encoding(program, output):
    """(gates, qubits) of the block encoding of an observable."""
    x, z, coefficients = program.terms
    kept = np.flatnonzero(((x | z) != 0) & (coefficients[output] != 0))
    encoded = block_encoding.controlled(program.num_qubits, x[kept], z[kept], coefficients[output, kept])
    return len(encoded.rows), encoded.num_qubits - 1 - program.num_qubits


class Candidate(NamedTuple):
    """A size of registers, runs, and a quarter of the walks that one output takes in all of them."""

    walks: int
    qubits: int
    repetitions: int


def fewest_walks(registers: int, outputs: int, turns: float, delta: float) -> Candidate | None:
    """The registers and repetitions that take least, or None where no register reads so finely.

    Args:
        registers: M, components of one output.
        outputs: K, one run for each.
        turns: how far off a median may be.
        delta: probability that any of them is further off.
    """
    best = None
    for qubits in range(1, register.MOST_QUBITS + 1):
        # Where so many runs are off by more, medians take too many of them.
        if register.single(qubits, turns) > 0.1:
            continue
        for repetitions in range(1, register.MOST_REPETITIONS, 2):
            deviation = _deviation(qubits, repetitions)
            if registers * outputs * register.missed(qubits, turns, repetitions, deviation) > delta:
                continue
            walks = repetitions * sum(cheapest(registers, qubits, deviation / 2, deviation / 2).degrees)
            if best is None or walks < best.walks:
                best = Candidate(walks, qubits, repetitions)
            break
        if best is not None and qubits >= best.qubits + 3:
            break
    return best
