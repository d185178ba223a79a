"""How far a circuit's state is from itself at other angles: run it, undo it, and look whether all qubits are 0."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from jaxtyping import Int

from ..cost import Cost
from ._query import AbstractQuery, Access, Runnable, state_bytes
from ._single_copy import Means, completed_means, shots_for_each


@dataclass(frozen=True, eq=False)
class Overlaps(AbstractQuery):
    """|<psi(angles)|psi(others)>|^2 for B other settings. Answer: `Means` with K = 1.

    The circuit is run at the other angles and undone at the first ones; the overlap is how often all qubits are 0 then.

    Attributes:
        program: its circuit is run; its observables play no role.
        angles: (A,) radians.
        others: (B, A) radians.
        shots: of each overlap, one number or B of them; None for exact ones.

    Cost: twice the circuit's gates a shot; with `shots=None` 1 + B exact runs and two states of memory.
    """

    program: Runnable
    angles: Any
    others: Any
    shots: "int | tuple[int, ...] | None" = None
    access: ClassVar[Access] = Access.single_copy
    is_divisible: ClassVar[bool] = True

    @property
    def is_random(self) -> bool:
        return self.shots is not None

    @property
    def num_parts(self) -> int:
        """B."""
        return len(self.others)

    def first(self, parts: int) -> Self:
        shots = self.shots[:parts] if isinstance(self.shots, tuple) else self.shots
        return replace(self, others=self.others[:parts], shots=shots)

    def completed(self, answer: Means | None) -> Means:
        return completed_means(answer, (self.num_parts, 1), self.angles.dtype)

    @property
    def shots_per_setting(self) -> tuple[int, ...]:
        return shots_for_each(self.shots, len(self.others))

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
        total = sum(self.shots_per_setting)
        return Cost(total, total, settings, 2 * total * p.num_gates, p.num_qubits)

    def counted(self, zeros: Int[np.ndarray, "S 1"]) -> Means:
        """The answer where so many outcomes of the first S settings had all qubits 0; variances are unbiased.

        They are NaN for one shot.
        """
        shots, dtype = np.array(self.shots_per_setting[: len(zeros)])[:, None], self.angles.dtype
        mean = zeros / shots
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.where(shots > 1, mean * (1 - mean) / (shots - 1), np.nan)
        return Means(mean.astype(dtype), spread.astype(dtype))
