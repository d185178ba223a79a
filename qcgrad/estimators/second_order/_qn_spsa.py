"""Metric tensors along random directions."""

from dataclasses import dataclass
from typing import Any, Self

import equinox as eqx
import numpy as np

from ...array_types import Key
from ...draws import generator
from ...errors import NotApplicable
from ...ir.angles import rounded
from ...ir.gates import frequencies
from ...matrices import MatrixReading, MetricMethod, Problem
from ...queries import Access, Means, Overlaps
from .._checks import checked_count, checked_positive


@dataclass(frozen=True, eq=False)
class SignedOverlaps(Overlaps):
    """Overlaps that remember the signs (samples, 2, N) which they were drawn with."""

    signs: Any = None


class QNSPSA(MetricMethod):
    r"""The metric tensor by simultaneous perturbation: four overlaps a sample, whatever the number of parameters.

    With random signs u, v for each parameter, and \(f(\delta) = |\langle\psi(p)|\psi(p+\delta)\rangle|^2\),

    .. math:: \hat g = -\frac{f(hu+hv) - f(hu) - f(-hu+hv) + f(-hu)}{4 h^2} \cdot \frac{uv^T + vu^T}{2}

    is averaged over samples. Single samples are indefinite and of rank two: give `qcgrad.natural_gradient` a
    `tikhonov` or a `cutoff` that fits the noise.

    Args:
        samples: pairs of directions.
        shots: shots per overlap; None for exact ones.
        step: h, in units of the parameters.

    Access: single copy. Biased by the step: `bias_bound` is \(\tfrac{17}{96} h^2 \Omega^4\), with \(\Omega\) the sum of
    all angles' largest frequencies times how far they move with a sign of each parameter; it holds by Bernstein's
    inequality and is far above typical biases. Variances are those of the samples, NaN for a single one.

    Cost: four overlaps a sample, each of twice the circuit's gates.

    Raises:
        ValueError: counts that are no positive integers, a step that is no positive number.

    Example:
        >>> import qcgrad as qg
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0).rz(0, param=1), "Z")
        >>> found = qg.metric_tensor(objective, [0.5, 0.1], qg.QNSPSA(samples=400), key=0)
        >>> bool(abs(found.matrix[0, 0] - 0.25) < 5 * found.standard_error[0, 0] + 1e-3), found.cost.circuit_runs
        (True, 1600)

    References:
        J. Gacon, C. Zoufal, G. Carleo, S. Woerner, "Simultaneous perturbation stochastic approximation of the quantum
        Fisher information", Quantum 5, 567 (2021), arXiv:2103.09232.
    """

    samples: int = eqx.field(static=True)
    shots: int | None = eqx.field(static=True)
    step: float = eqx.field(static=True)
    access = Access.single_copy
    is_random = True

    def __init__(self, samples: int = 1, shots: int | None = None, step: float = 0.01):
        self.samples = checked_count("samples", samples)
        self.shots = None if shots is None else checked_count("shots", shots)
        self.step = checked_positive("step", step)

    def plan(self, problem: Problem, key: Key | None) -> tuple[Overlaps]:
        assert key is not None
        program, angles = problem.program, problem.point.coordinates
        signs = generator(key).choice([-1.0, 1.0], size=(self.samples, 2, len(problem.directions)))
        u, v = self.step * signs.swapaxes(0, 1) @ np.asarray(problem.directions, float)
        moves = np.stack([u + v, u, v - u, -u], axis=1).reshape(-1, len(angles))
        settings = rounded(program.circuit, np.arange(len(angles)), np.asarray(angles, float) + moves, angles.dtype)
        return (SignedOverlaps(program, angles, settings, self.shots, signs),)

    def combine(self, problem: Problem, queries: tuple[Any, ...], answers: tuple[Means]) -> MatrixReading:
        found = np.asarray(answers[0].mean, float).reshape(self.samples, 4) @ [1.0, -1.0, -1.0, 1.0]
        # Where a budget ended early, the samples that are complete.
        complete = ~np.isnan(found)
        found, samples = found[complete], int(complete.sum())
        if not samples:
            return MatrixReading(*np.full((2, 1, *(len(problem.directions),) * 2), np.nan))
        u, v = queries[0].signs[complete].swapaxes(0, 1)
        products = (u[:, :, None] * v[:, None] + v[:, :, None] * u[:, None]) / 2
        each = -found[:, None, None] / (4 * self.step**2) * products
        spread = np.full(each.shape[1:], np.nan)
        if samples > 1:
            spread = each.var(axis=0, ddof=1) / samples
        bias = np.full(each.shape[1:], self._bias(problem))
        if answers[0].bias is not None:
            bias = bias + np.mean(answers[0].bias.reshape(self.samples, 4)[complete]) / self.step**2
        stats = {"degrees_of_freedom": samples - 1}
        return MatrixReading(each.mean(axis=0)[None], spread[None], bias[None], stats=stats)

    @classmethod
    def for_accuracy(cls, problem: Problem, epsilon: float, delta: float | None) -> Self:
        """None: at the step that its bias bound asks for, single samples are far too large to be averaged."""
        raise NotApplicable(
            f"{cls.__name__} has a bias, which is proved to stay below epsilon={epsilon:g} only at steps so small that "
            "no number of samples would do: give qcgrad.OverlapShift(), or choose its options and look at variances"
        )

    def _bias(self, problem: Problem) -> float:
        """The remainder of fourth order; NaN where a gate's frequencies are not known."""
        gates = problem.program.circuit.angle_gates
        gaps = [frequencies(gate) for gate in gates]
        fastest = np.array([np.nan if gap is None else max(gap, default=0.0) for gap in gaps])
        return 17 / 96 * self.step**2 * float(np.abs(problem.directions).sum(axis=0) @ fastest) ** 4
