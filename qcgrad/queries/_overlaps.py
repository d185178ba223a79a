"""How far a circuit's state is from itself at other angles: run it, undo it, and look whether all qubits are 0."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Int

from ..cost import Cost
from ._query import AbstractQuery, Access, Runnable, state_bytes
from ._single_copy import Means


@dataclass(frozen=True, eq=False)
class Overlaps(AbstractQuery):
    """|<psi(angles)|psi(others)>|^2 for B other settings. Answer: `Means` with K = 1.

    The circuit is run at the other angles and undone at the first ones; the overlap is how often all qubits are 0 then.

    Attributes:
        program: its circuit is run; its observables play no role.
        angles: (A,) radians.
        others: (B, A) radians.
        shots: of each overlap, None for exact ones.

    Cost: twice the circuit's gates a shot; with `shots=None` 1 + B exact runs and two states of memory.
    """

    program: Runnable
    angles: Any
    others: Any
    shots: int | None = None
    access: ClassVar[Access] = Access.single_copy

    @property
    def is_random(self) -> bool:
        return self.shots is not None

    def cost(self) -> Cost:
        p, settings = self.program, len(self.others)
        if self.shots is None:
            return Cost(
                circuit_runs=settings,
                gates=(1 + settings) * p.num_gates,
                qubits=p.num_qubits,
                flops=(1 + settings) * p.state_flops + 8 * settings * 2**p.num_qubits,
                peak_bytes=2 * state_bytes(p.num_qubits, self.angles.dtype),
            )
        total = settings * self.shots
        return Cost(total, total, settings, 2 * total * p.num_gates, p.num_qubits)

    def counted(self, zeros: Int[np.ndarray, "B 1"]) -> Means:
        """The answer where so many outcomes had all qubits 0; variances are unbiased, NaN for one shot."""
        shots, dtype = self.shots or 1, self.angles.dtype
        mean = zeros / shots
        spread = mean * (1 - mean) / (shots - 1) if shots > 1 else np.full(mean.shape, np.nan)
        return Means(mean.astype(dtype), spread.astype(dtype))
