"""What users ask the state of."""

import numpy as np

from ...array_types import Angles, Params
from ...arrays import as_real
from ...ir import Circuit, PauliSum, Program
from ...ir.angles import gate_angles
from ...ir.expectation import Expectation


def program_and_angles(given: Program | Circuit | Expectation, numbers: Params) -> tuple[Program, Angles]:
    """What to run, and at which gate angles.

    Args:
        given: a program, a circuit, or an `Expectation`.
        numbers: of a program, its gate angles (A,) in radians; else the parameters.

    Raises:
        TypeError: no circuit, or numbers that are none.
        ValueError: a wrong number of them, or NaN and infinity among them.
    """
    if isinstance(given, Expectation):
        return given.program, given.coordinates(given.check(numbers))
    if isinstance(given, Circuit):
        params = _checked("params", numbers, given.num_parameters)
        return Program(given, [PauliSum("I" * given.num_qubits)]), gate_angles(given, params)
    if isinstance(given, Program):
        return given, _checked("angles", numbers, given.num_angles)
    raise TypeError(f"program is {given!r}: give a qcgrad.Circuit, an Expectation, or its program")


def _checked(name, numbers, count):
    array = as_real(name, numbers)
    if np.shape(array) != (count,):
        raise ValueError(f"{name} has shape {np.shape(array)}: the circuit takes ({count},)")
    return array
