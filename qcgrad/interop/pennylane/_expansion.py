"""What is done to a circuit before it is differentiated, in the program of the user's framework."""

from collections.abc import Callable, Sequence
from typing import Any

from pennylane import math
from pennylane.decomposition import gate_sets
from pennylane.operation import Operator
from pennylane.tape import QuantumScript
from pennylane.transforms import decompose, split_to_single_terms

from ...errors import ImportRefused

# Their decompositions look at the values of amplitudes, so that derivatives would be lost where some are zero.
STATES = ("StatePrep", "AmplitudeEmbedding", "BasisState", "MottonenStatePreparation")


def expanded(
    tape: QuantumScript, argnum: int | Sequence[int] | None = None
) -> tuple[Sequence[QuantumScript], Callable]:
    """Templates and matrices with trainable entries as gates with angles, trainable coefficients outside of circuits.

    So the framework differentiates the entries and coefficients, and circuits have trainable numbers in gates alone.
    """
    found: Any = decompose(tape, gate_set=gate_sets.ROTATIONS_PLUS_CNOT, stopping_condition=_stays, strict=False)
    tapes, finish = found
    if any(math.requires_grad(value) for m in tape.measurements for value in getattr(m.obs, "data", [])):
        try:
            found = split_to_single_terms(tapes[0])
        except RuntimeError as error:
            raise ImportRefused(
                f"an observable of {tape.measurements} has trainable coefficients: these are differentiated under "
                "qml.expval only"
            ) from error
        tapes, finish = found
    if len(tapes) > 1 or tapes[0] is not tape:
        for each in tapes:
            each.trainable_params = math.get_trainable_indices(each.get_parameters(trainable_only=False))
    return tapes, finish


def _stays(operation: Any) -> bool:
    if not isinstance(operation, Operator) or not operation.has_decomposition or operation.name in STATES:
        return True
    return not any(math.requires_grad(value) and not _is_angle(value) for value in operation.data)


def _is_angle(value):
    return not math.ndim(value) and not math.get_dtype_name(value).startswith("complex")
