"""How far noise moves what a method estimates, found out by simulation."""

import math
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from ..array_types import Key
from ..backend import AbstractBackend
from ..catalogue import Method
from ..errors import NotApplicable, QcgradError, StateTooLarge
from ..estimate import run
from ..estimator import AbstractEstimator
from ..estimators import Adjoint
from ..estimators.accuracy import MOST
from ..ir.noise import NoiseModel
from ..ir.noise.noisy_circuit import errs
from ..objective import Point, Reading
from ..queries import AbstractQuery, Access, Evaluate, Means
from ..simulators import DensityMatrix, Statevector, Trajectories
from ._chain import by_parameters

# Amplitudes times gates that one question may take: some seconds on one processor.
_MOST_WORK = 4e9
# Trajectories of an evaluation; with fewer than the least nothing would be seen.
_MOST_RUNS, _LEAST_RUNS = 4096, 32
# Outcomes read off each: more cost little, and leave the scatter of the trajectories alone.
_OUTCOMES_A_RUN = 16
# Of methods that draw what they ask: how often, and how many circuits each time.
_REPEATS, _CIRCUITS = 8, 100
_ROUNDING = 1e-6
# Copies of methods that read outcomes, as a multiple of their own, and of those that draw a basis for each copy.
_MORE_COPIES, _SNAPSHOTS = 400, 50_000
# What a bias found with standard errors may be, at most.
_STANDARD_ERRORS = 3


class Bias(NamedTuple):
    """How far noise moves a method's derivatives on average.

    Attributes:
        size: of the derivative by a parameter that is moved most, with noise minus without; NaN where it is not known.
        standard_error: of that, 0 where it is exact.
        reason: why it is not known, in words; else empty.
        quiet: names of gates that the method adds to the circuit and that make no errors in the model, which may be
            because it is about other gates: then the bias is too small.
    """

    size: float = 0.0
    standard_error: float = 0.0
    reason: str = ""
    quiet: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether there is a number."""
        return not math.isnan(self.size)

    @property
    def most(self) -> float:
        """What it may be, three standard errors included."""
        return self.size + _STANDARD_ERRORS * self.standard_error

    def __str__(self) -> str:
        if not self.is_known:
            return "unknown"
        error = f" ± {self.standard_error:.1g}" if self.standard_error else ""
        return f"{self.size:.2g}{error}" + (f" if {', '.join(self.quiet)} make no errors" if self.quiet else "")


class Probe:
    """Runs methods with noise and without, at expectation values instead of outcomes.

    Args:
        noise: what goes wrong on the quantum computer; None where it is known to be there and nothing else is.
        point: where.

    Raises:
        ValueError: the noise names a qubit that the circuit does not have.
        NotApplicable: the objective is no circuit.
    """

    def __init__(self, noise: NoiseModel | None, point: Point):
        self.noise, self.point = noise, point
        program = getattr(point.objective, "program", None)
        self.program: Any = program
        if program is None:
            raise NotApplicable(f"noise is of circuits, and a {type(point.objective).__name__} has none: leave it out")
        if noise is not None:
            noise.check(program.circuit)
            self._noisy, self._right = _Means(DensityMatrix(noise), Trajectories(noise)), _Means(Statevector())

    def bias(self, method: Method, estimator: AbstractEstimator) -> Bias:
        """How far noise moves the derivatives by the user's parameters.

        Both are asked the same, so that what a method leaves without noise is no part of it. A method that draws what
        it asks is asked several times, in a smaller instance where its own would take too many circuits; one that reads
        no expectation values gets more copies, so that their noise hides less, and is compared with the truth.
        """
        if self.noise is None:
            return Bias(math.nan, reason="the backend has noise, and does not say which")
        try:
            used = self._sized(method, estimator)
            keys = jax.random.split(jax.random.key(0), _REPEATS if used.is_random else 1)
            found = [self._difference(used, key) for key in keys]
        except QcgradError as error:
            return Bias(math.nan, reason=str(error))
        moved, errors = (np.array([pair[i] for pair in found]) for i in (0, 1))
        # Draws are shared by both runs: how much their differences scatter is seen, and not worked out.
        spread = moved.std(axis=0, ddof=1) / math.sqrt(len(moved)) if len(moved) > 1 else errors[0]
        sizes = np.abs(moved.mean(axis=0))
        # Rounding is no scatter.
        spread = np.where(spread > _ROUNDING * (1 + sizes), spread, 0.0)
        if not np.all(np.isfinite(sizes) & np.isfinite(spread)):
            return Bias(math.nan, reason="a derivative of it is not known")
        if not len(sizes):
            return Bias()
        worst = int(np.argmax(sizes + _STANDARD_ERRORS * spread))
        return Bias(float(sizes[worst]), float(spread[worst]), quiet=self._quiet(used))

    def _quiet(self, estimator: AbstractEstimator) -> tuple[str, ...]:
        """Gates that are added, and do not err where those of the circuit do."""
        own = {(gate.name, gate.wires) for gate in self.program.circuit.gates}
        key = jax.random.key(0) if estimator.is_random else None
        asked = estimator.ask(estimator.init(self.point, key))
        programs = {query.program for query in asked if isinstance(query, Evaluate)}
        added = {gate for program in programs for gate in program.circuit.gates if (gate.name, gate.wires) not in own}
        model = self.noise
        if model is None or all(rule.error.is_identity for rule in model.gates):
            return ()
        return tuple(sorted({gate.name for gate in added if not errs(gate, model)}))

    def _sized(self, method: Method, estimator: AbstractEstimator) -> AbstractEstimator:
        """An instance that takes as long as this may take."""
        option = method.make.accuracy_option
        count, circuits = getattr(estimator, option or " ", None), estimator.predict(self.point).circuit_runs
        if not isinstance(count, int):
            return estimator
        if estimator.needs_common_state:
            # Random bases are drawn copy by copy, and outcomes in the same one all at once.
            most = _SNAPSHOTS if circuits == count else MOST
            return method.changed(estimator, **{option: min(count * _MORE_COPIES, most)})
        if estimator.is_random and circuits > _CIRCUITS:
            return method.changed(estimator, **{option: max(2, count * _CIRCUITS // circuits)})
        return estimator

    def _difference(self, estimator: AbstractEstimator, key: Key) -> tuple[np.ndarray, np.ndarray]:
        """By all parameters, and its standard errors."""
        noisy = run(self.point, estimator, self._noisy, key).reading
        # What is read off outcomes has no bias without noise, and their scatter need not be met twice.
        judge, backend = (Adjoint(), Statevector()) if estimator.needs_common_state else (estimator, self._right)
        right = run(self.point, judge, backend, key).reading
        moved = by_parameters(self.point, _difference(noisy, right))
        # More than nothing is rounding.
        return _flat(moved.gradient), np.sqrt(np.maximum(_flat(moved.variance), 0))


class _Means(AbstractBackend):
    """Answers evaluations by expectation values where that takes little enough, else by trajectories, if any."""

    access = Access.single_copy

    def __init__(self, exact: AbstractBackend, drawn: AbstractBackend | None = None):
        self.exact, self.drawn, self.known = exact, drawn, {}

    def answer(self, query: AbstractQuery, key: Key | None) -> Any:
        if not isinstance(query, Evaluate):
            return self.exact.answer(query, key)
        # Methods ask much the same, and each of them again once it knows its bias.
        asked = query.program, np.shape(query.angles), np.asarray(query.angles).tobytes()
        if asked not in self.known:
            self.known[asked] = self._means(query, key)
        return self.known[asked]

    def _means(self, query: Evaluate, key: Key | None) -> Means:
        program: Any = query.program
        work = float(len(query.angles)) * max(program.num_gates, 1) * 2.0**program.dense_qubits
        # A density matrix has the square of a state's numbers.
        if self.drawn is None or work * 2.0**program.dense_qubits <= _MOST_WORK:
            try:
                return self.exact.answer(replace(query, shots=None, weights=None), None)
            except StateTooLarge:
                if self.drawn is None:
                    raise
        runs = int(min(_MOST_RUNS, _MOST_WORK / work))
        if runs < _LEAST_RUNS:
            raise StateTooLarge(
                f"{len(query.angles):,} evaluations of {program.num_gates:,} gates on {program.dense_qubits} qubits "
                "are too much to simulate with noise"
            )
        assert isinstance(self.drawn, Trajectories)
        some = Trajectories(self.drawn.noise, runs)
        drawn: Any = some.answer(replace(query, shots=runs * _OUTCOMES_A_RUN, weights=None), key)
        return drawn


def _difference(noisy: Reading, right: Reading) -> Reading:
    covariances = [reading.covariance for reading in (noisy, right) if reading.covariance is not None]
    return Reading(
        value=np.asarray(noisy.value) - np.asarray(right.value),
        gradient=np.asarray(noisy.gradient) - np.asarray(right.gradient),
        variance=np.asarray(noisy.variance) + np.asarray(right.variance),
        value_variance=np.asarray(noisy.value_variance) + np.asarray(right.value_variance),
        covariance=sum(map(np.asarray, covariances)) if covariances else None,
    )


def _flat(tree: Any) -> np.ndarray:
    return np.concatenate([np.zeros(0), *(np.ravel(leaf) for leaf in jax.tree.leaves(tree))])
