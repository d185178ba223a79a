"""Gates undone."""

import math
from typing import Any

from .gates import GATES, Gate, Unitary
from .observable import PauliSum

_NAMES = {"s": "sdg", "sdg": "s", "t": "tdg", "tdg": "t", "sx": "sxdg", "sxdg": "sx"}
# csx = exp(-i pi/2 (1 - Z)/2 (X - 1)/2) and iswap = exp(i pi/4 (XX + YY)), run backwards.
_BACKWARDS = {
    "csx": (-math.pi / 2, PauliSum({"IX": 0.25, "ZX": -0.25, "II": -0.25, "ZI": 0.25})),
    "iswap": (math.pi / 4, PauliSum({"XX": 1.0, "YY": 1.0})),
}


def adjoint(name: str, angle: Any, detail: Any) -> tuple[str, Any, Any]:
    """(name, angle, detail) of the gate that undoes one, on the same wires.

    Args:
        name, detail: as in `Gate`.
        angle: a number or anything that can be subtracted from one; of no meaning where the gate has none.
    """
    if name in _NAMES:
        return _NAMES[name], angle, detail
    if name in _BACKWARDS:
        return "evolution", *_BACKWARDS[name]
    if name == "unitary":
        return name, angle, Unitary(detail.matrix.conj().T)
    if name in GATES and not GATES[name].has_angle:
        return name, angle, detail  # all other fixed gates undo themselves
    return name, 0.0 - angle, detail  # no negative zeros


def adjoint_gate(gate: Gate) -> Gate:
    """The gate that undoes one of a circuit, with the same parameter."""
    name, offset, detail = adjoint(gate.name, gate.offset, gate.detail)
    scale = 1.0 if gate.param is None else -gate.scale
    return Gate(name, gate.wires, gate.param, scale, offset, detail)
