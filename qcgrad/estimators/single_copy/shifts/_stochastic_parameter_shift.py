"""The stochastic parameter-shift rule, for evolutions under sums of Pauli strings."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Self

import equinox as eqx
import numpy as np

from ....array_types import Key, Settings
from ....cost import Cost
from ....draws import generator
from ....estimator import OneRoundEstimator, total_cost
from ....ir import Circuit, Program
from ....ir.angles import rounded
from ....ir.gates import Gate
from ....objective import Point, Reading
from ....queries import Access, Evaluate, Means
from ..._checks import checked_choice, checked_count
from ..._programs import program_at
from ...accuracy import checked_accuracy, counted, hoeffding, log_of, num_components
from ._derivative_bounds import ranges_along, spread_along
from ._evaluations import Evaluations, has_rule


@dataclass(frozen=True, eq=False)
class _Inserted(Evaluate):
    """Settings of a circuit with one evolution cut in two, forward and backward in turn.

    Attributes:
        angle: which of the original angles is that evolution's.
        factor: what a difference of two evaluations counts.
    """

    angle: int = 0
    factor: float = 0.0


class StochasticParameterShift(OneRoundEstimator):
    r"""Unbiased gradients of evolutions under a sum of Pauli strings, whatever its spectrum.

    For a gate \(e^{-i\theta H}\) with \(H = \sum_k c_k P_k\),

    .. math:: \partial_\theta F = \int_0^1\! ds \sum_k c_k\, [F_{k,+}(s) - F_{k,-}(s)],

    where \(F_{k,\pm}(s)\) is measured with \(e^{-i(1-s)\theta H}\, e^{\mp i\pi P_k/4}\, e^{-is\theta H}\) in place of
    the gate. Each of S samples draws s evenly and the string k in proportion to \(|c_k|\), and takes two circuits.
    Gates with a shift rule keep it: in one estimate each angle is differentiated by what is cheapest for it.

    Args:
        samples: S, for each evolution.
        shots: shots per circuit evaluation, in each measurement basis of the observable; None for exact ones.
        evolutions: "unknown" to sample only evolutions without a practical shift rule, "all" for every evolution.

    Access: single copy. Unbiased. The variance of a sampled derivative is the sample variance over (s, k), shot noise
    included; NaN for one sample. Others have the variance of `ParameterShift`.

    Cost: 1 + 2S evaluations for each sampled evolution, of a circuit with two gates more, and 2R for every other gate.
    Without shots the FLOPs depend on which strings are drawn: `predict` says how many there may be at most.

    Raises:
        ValueError: samples or shots that are no positive integer.
        TooLarge: settings that would not fit into memory.
        NotApplicable: a gate that is no evolution has no shift rule.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> circuit = qg.Circuit(2).evolution("XX + 0.5*ZI", (0, 1), param=0)
        >>> shift = qg.StochasticParameterShift(samples=2000, evolutions="all")
        >>> e = qg.estimate(qg.Expectation(circuit, "IZ"), [0.4], shift, key=0)
        >>> bool(abs(e.gradient[0] + 1.3829) < 5 * e.variance[0] ** 0.5), e.cost.circuit_runs
        (True, 4001)

    References:
        L. Banchi, G. E. Crooks, "Measuring analytic gradients of general quantum evolution with the stochastic
        parameter shift rule", Quantum 5, 386 (2021), arXiv:2005.10299.
    """

    samples: int = eqx.field(static=True)
    shots: int | None = eqx.field(static=True)
    evolutions: Literal["unknown", "all"] = eqx.field(static=True)
    access = Access.single_copy
    accuracy_option = "samples"
    is_random = True
    # Which circuits run is drawn on the host.
    is_traceable = False

    def __init__(self, samples: int = 100, shots: int | None = None, evolutions: Literal["unknown", "all"] = "unknown"):
        self.samples = checked_count("samples", samples)
        self.shots = None if shots is None else checked_count("shots", shots)
        self.evolutions = checked_choice("evolutions", evolutions, ("unknown", "all"))

    def plan(self, point: Point, key: Key) -> tuple[Evaluate, ...]:
        program, parts = self._problem(point)
        parts.rules.check_memory(self, point.coordinates)
        asked = [Evaluate(program, parts.rules.settings(program.circuit, point.coordinates), self.shots)]
        rng = generator(key)
        for angle in parts.sampled:
            weights = _weights(program.circuit.angle_gates[angle])
            drawn = rng.multinomial(self.samples, np.abs(weights) / np.abs(weights).sum())
            for term in np.flatnonzero(drawn):
                cut = _cut(program, angle, int(term))
                settings = _settings(cut, point.coordinates, angle, rng.random(drawn[term]))
                factor = float(np.abs(weights).sum() * np.sign(weights[term]))
                asked.append(_Inserted(cut, settings, self.shots, angle, factor))
        return tuple(asked)

    def predict(self, point: Point) -> Cost:
        """Exact with shots; without, FLOPs as if every string drawn were the one that takes most."""
        program, parts = self._problem(point)
        angles = np.asarray(point.coordinates)
        asked = [Evaluate(program, np.broadcast_to(angles, parts.rules.shape), self.shots)]
        for angle in parts.sampled:
            terms = range(len(_weights(program.circuit.angle_gates[angle])))
            each = [Evaluate(_cut(program, angle, k), np.zeros((1, len(angles) + 2), angles.dtype)) for k in terms]
            dearest = max(each, key=lambda query: query.cost().flops)
            settings = np.broadcast_to(dearest.angles, (2 * self.samples, len(angles) + 2))
            asked.append(replace(dearest, angles=settings, shots=self.shots))
        return total_cost(asked)

    def combine(self, point: Point, queries: tuple[Any, ...], answers: tuple[Means, ...]) -> Reading:
        _, parts = self._problem(point)
        known, dtype = answers[0], np.asarray(point.coordinates).dtype
        coefficients, cotangents = parts.rules.coefficients[:, None], np.asarray(point.cotangents, float)
        mean, variance = np.asarray(known.mean, float), np.asarray(known.variance, float)
        gradient = cotangents @ parts.rules.sum_by_gate(coefficients * mean[1:]).T
        spread = np.square(cotangents) @ parts.rules.sum_by_gate(coefficients**2 * variance[1:]).T
        off = np.zeros_like(mean) if known.bias is None else np.asarray(known.bias, float)
        bias = np.abs(cotangents) @ parts.rules.sum_by_gate(np.abs(coefficients) * off[1:]).T
        for angle in parts.sampled:
            found = [_differences(q, a) for q, a in zip(queries[1:], answers[1:], strict=True) if q.angle == angle]
            each = np.concatenate([values for values, _ in found]) @ cotangents.T
            gradient[:, angle] = each.mean(axis=0)
            spread[:, angle] = each.var(axis=0, ddof=1) / len(each) if len(each) > 1 else np.nan
            bias[:, angle] = (np.concatenate([bounds for _, bounds in found]) @ np.abs(cotangents).T).mean(axis=0)
        degrees = [self.samples - 1] * bool(parts.sampled) + [self.shots - 1 if self.shots else np.inf]
        return Reading(
            value=mean[0].astype(dtype),
            gradient=gradient.astype(dtype),
            variance=spread.astype(dtype),
            value_variance=variance[0].astype(dtype),
            bias_bound=bias.astype(dtype),
            value_bias_bound=off[0].astype(dtype),
            stats={"degrees_of_freedom": min(degrees)} if np.isfinite(min(degrees)) else {},
        )

    def value_query(self, point: Point) -> Evaluate:
        return Evaluate(program_at(point, self, samples=self.shots is not None), point.coordinates[None], self.shots)

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        r"""Samples by Hoeffding's inequality, each with the shots that the gates with shift rules take, or one.

        A sample is the difference of two means of N shots times \(\Lambda = \sum_k |c_k|\), and its expectation over
        the shots lies between \(-2\Lambda R\) and \(2\Lambda R\), so

        .. math:: S = 2\ln(2M/\delta)\,\Lambda^2 \Big(4R^2 + \frac2N \sum_b r_b^2\Big)/\epsilon^2,
            \qquad N = \max\Big(1,\; 2\ln(2M/\delta) \sum_b r_b^2\, \max_a \sum_\mu c_{a\mu}^2/\epsilon^2\Big),

        where R is the sum of the observable's |coefficients|.
        """
        epsilon, delta = checked_accuracy(epsilon, delta)
        program, parts = cls()._problem(point)
        cotangents, gates = np.asarray(point.cotangents), program.circuit.angle_gates
        spread, log = spread_along(program, cotangents), log_of(num_components(point), delta)
        squares = np.bincount(parts.rules.owner, parts.rules.coefficients**2, len(gates))
        shots = max(1, counted(cls, hoeffding(spread * squares, log, epsilon), epsilon))
        if not parts.sampled:
            return cls(2, max(2, shots))
        width = max(float(np.abs(_weights(gates[angle])).sum()) for angle in parts.sampled)
        drawn = (2 * width * float(np.max(ranges_along(program, cotangents), initial=0.0))) ** 2
        noise = 2 * width**2 * spread / shots
        return cls(max(2, counted(cls, hoeffding(np.array([drawn + noise]), log, epsilon), epsilon)), shots)

    def _problem(self, point) -> "tuple[Program, _Parts]":
        program = program_at(point, self, samples=self.shots is not None)
        return program, _parts(program.circuit.angle_gates, self.evolutions == "all")


class _Parts(NamedTuple):
    """Which angles are sampled, and the shift rules of the others."""

    sampled: tuple[int, ...]
    rules: Evaluations


@lru_cache(maxsize=32)
def _parts(gates: tuple[Gate, ...], every: bool) -> _Parts:
    evolutions = [i for i, gate in enumerate(gates) if gate.name == "evolution"]
    sampled = tuple(i for i in evolutions if len(_weights(gates[i])) and (every or not has_rule(gates[i])))
    return _Parts(sampled, Evaluations.of(tuple(gates), frozenset(sampled)))


def _weights(gate: Gate) -> np.ndarray:
    """Coefficients of the strings; the identity changes a global phase."""
    return gate.detail.coefficients[(gate.detail.x | gate.detail.z) != 0]


@lru_cache(maxsize=256)
def _cut(program: Program, angle: int, term: int) -> Program:
    """The circuit with an evolution cut in two, and a rotation about one of its strings in between."""
    gates: list[Gate] = []
    position = 0
    for gate in program.circuit.gates:
        if gate.param is None:
            gates.append(gate)
            continue
        if position == angle:
            words = [word for word in gate.detail.words if set(word) - {"I"}]
            rotation = Gate("pauli_rot", gate.wires, 0, detail=words[term])
            gates += [replace(gate, param=0), rotation, replace(gate, param=0)]
        else:
            gates.append(replace(gate, param=0))
        position += 1
    return Program(Circuit(program.num_qubits, gates, program.circuit.name), program.observables)


def _settings(cut, angles, angle, times) -> Settings:
    """(2 S, A + 2): for each time the two signs of the rotation."""
    wide = np.asarray(angles, float)
    parts = np.repeat(np.stack([times, np.zeros_like(times), 1 - times], axis=1) * wide[angle], 2, axis=0)
    parts[:, 1] = np.tile([np.pi / 2, -np.pi / 2], len(times))
    rows = len(parts)
    before, after = (np.broadcast_to(part, (rows, len(part))) for part in (wide[:angle], wide[angle + 1 :]))
    settings = np.concatenate([before, parts, after], axis=1)
    return rounded(cut.circuit, np.arange(settings.shape[1]), settings, np.asarray(angles).dtype)


def _differences(query, answer):
    """(s, K) samples of the derivative, and bounds on how far off they are on average."""
    mean = np.asarray(answer.mean, float)
    off = np.zeros_like(mean) if answer.bias is None else np.asarray(answer.bias, float)
    return query.factor * (mean[0::2] - mean[1::2]), abs(query.factor) * (off[0::2] + off[1::2])
