"""Gradients of candidate operators on one state, as in adaptive ansatz construction."""

from collections.abc import Iterable
from typing import NoReturn

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float

from ..array_types import CircuitParams
from ..arrays import as_real, is_concrete
from ..objective import AbstractObjective, Reading
from .angles import bound
from .circuit import Circuit
from .expectation import Expectation
from .gates import Gate
from .mixed_expectation import MixedExpectation
from .mixture import Mixture
from .observable import PauliSum, Terms


class OperatorPool(AbstractObjective):
    r"""Components \(g_j = i\langle\psi|[H, P_j]|\psi\rangle\) for a pool of Pauli strings.

    \(g_j\) is the derivative of \(\langle H\rangle\) by the amplitude of a gate \(e^{i\alpha_j P_j}\)
    appended to the circuit, at \(\alpha = 0\). So a pool is an `Expectation` of the circuit with its
    parameters fixed and M such gates behind it, and every estimator applies. All components are Pauli
    expectations of one state, which is where multi-copy estimators win.

    Args:
        circuit: prepares \(|\psi\rangle\); or a `Mixture` of circuits for a mixed state, which `BellShadow` takes.
        observable: H, Hermitian.
        paulis: M Pauli words, one letter per qubit.

    Raises:
        ValueError: an empty pool, or words of the wrong length.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> pool = qg.OperatorPool(qg.Circuit(2).ry(0, param=0), qg.PauliSum("ZI"), ["YI", "XI"])
        >>> print(qg.estimate(pool, [0.5], qg.Adjoint()).gradient.round(6))  # i<[Z, Y]> = 2<X>
        [0.958851 0.      ]

    References:
        H. R. Grimsley et al., "An adaptive variational algorithm for exact molecular simulations on a
        quantum computer", Nature Communications 10, 3007 (2019).
    """

    circuit: Circuit | Mixture = eqx.field(static=True)
    observable: PauliSum = eqx.field(static=True)
    paulis: tuple[str, ...] = eqx.field(static=True)
    is_vector: bool = eqx.field(static=True)

    def __init__(self, circuit: Circuit | Mixture, observable: PauliSum | Terms, paulis: Iterable[str]):
        if not isinstance(circuit, (Circuit, Mixture)):
            raise TypeError(f"circuit is {circuit!r}: give a qcgrad.Circuit or a Mixture of them")
        if isinstance(paulis, str) or not isinstance(paulis, Iterable):
            raise TypeError(f"paulis is {paulis!r}: give a sequence of Pauli words")
        self.circuit = circuit
        self.observable = observable if isinstance(observable, PauliSum) else PauliSum(observable)
        self.paulis = tuple(paulis)
        self.is_vector = False
        if not self.paulis:
            raise ValueError("paulis is empty: give at least one Pauli word")
        wrong = [w for w in self.paulis if not isinstance(w, str) or len(w) != circuit.num_qubits]
        if wrong:
            raise ValueError(f"paulis holds {wrong[0]!r}: every word needs {circuit.num_qubits} letters, one per qubit")

    @property
    def num_outputs(self) -> int:
        return 1

    def check(self, params: CircuitParams) -> CircuitParams:
        params = as_real("params", params)
        if np.shape(params) != (self.circuit.num_parameters,):
            raise ValueError(
                f"params has shape {np.shape(params)}: the circuit takes {self.circuit.num_parameters} parameters"
            )
        if not is_concrete(params):
            raise TypeError("params of an OperatorPool cannot be traced by JAX: call qcgrad.estimate outside jax.jit")
        return params

    def at(self, params: CircuitParams) -> tuple[Expectation | MixedExpectation, Float[np.ndarray, "M"]]:
        params = np.asarray(params)
        n, wires = self.circuit.num_qubits, tuple(range(self.circuit.num_qubits))
        # exp(i a P) is the Pauli rotation of angle -2a.
        pool = [Gate("pauli_rot", wires, j, -2.0, 0.0, word) for j, word in enumerate(self.paulis)]
        zeros = np.zeros(len(pool), params.dtype)
        if isinstance(self.circuit, Mixture):
            rotations = Expectation(Circuit(n, pool), self.observable)
            return MixedExpectation(self.circuit.bound(params), rotations), zeros
        return Expectation(Circuit(n, [*bound(self.circuit, params).gates, *pool]), self.observable), zeros

    def typical(self) -> Expectation | MixedExpectation:
        zeros = np.zeros(self.circuit.num_parameters, jax.dtypes.canonicalize_dtype(float))
        return self.at(zeros)[0]

    def coordinates(self, params: CircuitParams | None) -> NoReturn:
        raise TypeError("an OperatorPool has no coordinates of its own: it becomes an Expectation at given parameters")

    def placeholder(self, dtype: np.dtype) -> NoReturn:
        return self.coordinates(None)

    def to_params(self, params: CircuitParams, reading: Reading) -> NoReturn:
        return self.coordinates(params)
