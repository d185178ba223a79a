"""Circuits and observables that were read before: a training loop gives the same ones at every step."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import jax
import numpy as np
from jaxtyping import Float

from ...array_types import Settings
from ...arrays import add_at
from ...ir.angles import gate_angles
from ...ir.expectation import Expectation
from ...ir.observable import PauliSum
from ...ir.parameter_map import AffineMap
from ...ir.program import Program
from ._importer import Found, observable_on, read

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_T = TypeVar("_T")


class _Recent(Generic[_T]):
    """The values that were asked for last, by key."""

    def __init__(self, size: int):
        self._size, self._values, self._lock = size, OrderedDict(), threading.Lock()

    def get(self, key: Hashable, make: Callable[[], _T], fits: Callable[[_T], bool] = lambda value: True) -> _T:
        """The value at a key, made anew where there is none that fits."""
        with self._lock:
            value = self._values.get(key)
        if value is None or not fits(value):
            value = make()
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self._size:
                self._values.popitem(last=False)
        return value


class KnownCircuit:
    """A Qiskit circuit as it was when it was read."""

    def __init__(self, circuit: "QuantumCircuit"):
        self.found: Found = read(circuit)
        self._copy = circuit.copy()
        self._objectives: _Recent[Expectation] = _Recent(64)

    def is_still(self, circuit: "QuantumCircuit") -> bool:
        """Whether a circuit, which may have been changed in place, is the one that was read."""
        known = self._copy
        return (
            known.num_qubits == circuit.num_qubits
            and known.global_phase == circuit.global_phase
            and known.data == circuit.data
        )

    def objective(self, observables: tuple[PauliSum, ...]) -> Expectation:
        """Expectation values of all observables in this circuit."""
        return self._objectives.get(observables, lambda: self.found.objective(observables))

    @cached_property
    def measured(self) -> Program:
        """The circuit alone, for measurements of strings that no observable names."""
        return Program(self.found.circuit, [PauliSum("I" * self.found.circuit.num_qubits)])

    def angles(self, values: Float[np.ndarray, "B P"]) -> Settings:
        """(B, A) gate angles."""
        known = self.found.parameter_map
        if isinstance(known, AffineMap):
            mapped = add_at(
                np.tile(known.offset[:, None], len(values)), known.row, (known.weight * values[:, known.column]).T
            ).T
        else:
            mapped = values if known is None else np.asarray(self._batched(values))
        return gate_angles(self.found.circuit, mapped)

    @cached_property
    def _batched(self):
        return jax.vmap(self.found.parameter_map)  # pyright: ignore[reportArgumentType]


_circuits: _Recent[KnownCircuit] = _Recent(64)
_sums: _Recent[PauliSum] = _Recent(256)


def known_circuit(circuit: "QuantumCircuit") -> KnownCircuit:
    """A Qiskit circuit in our gates, read once as long as it is not changed.

    Raises:
        ImportRefused: as `from_circuit`.
    """
    return _circuits.get(id(circuit), lambda: KnownCircuit(circuit), lambda known: known.is_still(circuit))


def known_sum(observable: Any, circuit: "QuantumCircuit") -> PauliSum:
    """A Qiskit observable of a circuit as a Pauli sum.

    Raises:
        ImportRefused: as `from_circuit`.
    """
    key = _fingerprint(observable)
    return (
        observable_on(observable, circuit)
        if key is None
        else _sums.get((*key, circuit.num_qubits), lambda: observable_on(observable, circuit))
    )


def _fingerprint(observable) -> tuple[Hashable, ...] | None:
    """What tells one observable from others; None where nothing cheap does."""
    from qiskit.quantum_info import SparseObservable, SparsePauliOp

    if isinstance(observable, SparseObservable):
        parts = (observable.coeffs, observable.bit_terms, observable.indices, observable.boundaries)
    elif isinstance(observable, SparsePauliOp) and np.asarray(observable.coeffs).dtype != object:
        paulis = observable.paulis
        parts = (observable.coeffs, paulis.x, paulis.z, paulis.phase)
    else:
        return None
    return type(observable), observable.num_qubits, *(np.asarray(part).tobytes() for part in parts)
