"""How long a cost takes on a machine whose speeds are stated."""

from dataclasses import dataclass, fields

import numpy as np

from ..cost import Cost


@dataclass(frozen=True)
class DeviceModel:
    r"""A machine that runs circuits one shot after another, and one that computes beside it.

    .. math:: T = g\,t_g + s\,t_m + c\,t_c + f / v

    with g gates, one after another (an upper bound: devices apply gates on different qubits at once), s shots, c
    circuits and f FLOPs. What a method holds coherently is no matter of time here: copies of a joint measurement are
    taken to be prepared one after another.

    Args:
        gate_seconds: of one gate.
        shot_seconds: of one measurement with reset, on top of its gates.
        circuit_seconds: until another circuit is loaded and compiled.
        flops_per_second: of the classical machine that simulates, sweeps and evaluates.

    Raises:
        ValueError: times that are negative or no numbers, a speed that is not positive.

    Example:
        >>> import qcgrad as qg
        >>> slow = qg.DeviceModel(gate_seconds=1e-4, shot_seconds=1e-3)
        >>> slow.seconds(qg.Cost(copies=100, shots=100, circuit_runs=3, gates=1000))
        0.23
    """

    gate_seconds: float = 1e-7
    shot_seconds: float = 1e-5
    circuit_seconds: float = 1e-2
    flops_per_second: float = 1e10

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
            is_speed = field.name == "flops_per_second"
            if not is_number or not (value > 0 if is_speed else value >= 0) or not value < np.inf:
                least = "a positive number" if is_speed else "a number of seconds, 0 or more"
                raise ValueError(f"{field.name}={value!r}: give {least}")

    def seconds(self, cost: Cost) -> float:
        """T; gates of white-box methods are simulated, so that their FLOPs alone take time."""
        runs_circuits = cost.copies > 0
        quantum = cost.gates * self.gate_seconds + cost.circuit_runs * self.circuit_seconds if runs_circuits else 0.0
        return quantum + cost.shots * self.shot_seconds + cost.flops / self.flops_per_second
