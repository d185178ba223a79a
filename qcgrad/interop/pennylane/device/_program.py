"""A tape whose measurements are functions of expectation values, as an objective and these functions."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ....array_types import Array, Values
from ....errors import ImportRefused
from ....ir.expectation import Expectation
from .._observables import Readout, readout
from ._lowering import Lowered, Place, circuit_of

_REMEMBERED = 256


class TapeProgram(NamedTuple):
    """An objective and what its values say.

    Attributes:
        objective: all expectation values; its parameters are the angles.
        readouts: one for each measurement, in order.
    """

    objective: Expectation
    readouts: tuple[Readout, ...]

    def results(self, values: Values) -> list[Float[Array, "..."]]:
        """What each measurement returns, from all expectation values (K,)."""
        return [r.result(values[where]) for r, where in zip(self.readouts, self.places, strict=True)]

    @property
    def is_plain(self) -> bool:
        """Whether all results are expectation values themselves."""
        return self.is_affine and len(self.readouts) == self.objective.num_outputs

    @property
    def is_affine(self) -> bool:
        """Whether all results are affine in expectation values."""
        return all(found.kind != "var" for found in self.readouts)

    @property
    def sizes(self) -> list[int]:
        """How many numbers each measurement returns."""
        return [1 if found.kind == "var" else len(found.observables) for found in self.readouts]

    @property
    def places(self) -> list[slice]:
        """Which of the values belong to each measurement."""
        ends = np.cumsum([len(r.observables) for r in self.readouts]).tolist()
        return [slice(end - len(r.observables), end) for r, end in zip(self.readouts, ends, strict=True)]

    def slopes(self, values: Float[np.ndarray, "K"]) -> Float[np.ndarray, "N K"]:
        """Derivatives of all numbers that are returned, in order, by the expectation values."""
        rows = []
        for found, where in zip(self.readouts, self.places, strict=True):
            row = np.zeros((1 if found.kind == "var" else len(found.observables), len(values)), values.dtype)
            # var = <O^2> - <O>^2
            row[:, where] = [[-2 * values[where][0], 1.0]] if found.kind == "var" else np.eye(len(row))
            rows.append(row)
        return np.concatenate(rows)


def is_read_off(measurement: Any) -> bool:
    """Whether a measurement is a function of a few expectation values of Pauli sums."""
    from pennylane.measurements import ExpectationMP, VarianceMP

    return isinstance(measurement, (ExpectationMP, VarianceMP)) and has_pauli_form(measurement.obs)


def has_pauli_form(observable: Any) -> bool:
    """Whether PennyLane knows an operator as a Pauli sum."""
    return observable is not None and observable.pauli_rep is not None


class Programs:
    """Programs of tapes, by structure."""

    def __init__(self):
        self._known: OrderedDict[Any, TapeProgram] = OrderedDict()

    def __call__(self, lowered: Lowered, place: Place, measurements: Sequence[Any]) -> TapeProgram:
        """The program of a tape that was lowered, with some of its measurements."""
        parts = tuple(lowered.parts)
        key = (parts, place.order, *map(_key, measurements))
        known = self._known.get(key)
        if known is None:
            readouts = tuple(readout(m, place.qubit, _constants) for m in measurements)
            observables = [o for found in readouts for o in found.observables]
            circuit = circuit_of(len(place.order), parts)
            known = self._known[key] = TapeProgram(Expectation(circuit, observables), readouts)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        return known


class _Constants:
    """Takes the place of a recorder where nothing may be traced."""

    def constant(self, value: Any, what: str) -> np.ndarray:
        try:
            return np.asarray(value)
        except Exception as error:  # JAX and torch each refuse in their own way
            raise ImportRefused(f"{what} depends on numbers that are being traced: only angles of gates can") from error


_constants: Any = _Constants()


def _key(measurement: Any):
    """What tells measurements apart; an observable without a Pauli form is known by its matrix."""
    kind, observable = type(measurement), measurement.obs
    if observable is None:
        return kind, measurement.wires.labels
    sentence = observable.pauli_rep
    if sentence is not None:
        return kind, tuple((word, complex(c)) for word, c in sentence.items())
    return kind, observable.wires.labels, np.asarray(observable.matrix()).tobytes()
