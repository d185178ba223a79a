"""Pauli shadows from Bell measurements of two copies, with signs by coherent majority votes."""

import math
from typing import ClassVar, Literal, NamedTuple

import equinox as eqx
import numpy as np

from ...cost import Cost
from ...errors import NotApplicable
from ...estimator import AbstractEstimator, unknown
from ...ir.pull_back import NotClifford, PauliComponents, pull_back
from ...objective import Point
from ...queries import Access, BellSample, Evaluate, MajorityVotes
from ..angles import gate_angles
from ..checks import checked_count, checked_fraction
from . import pauli_statistics as statistics


class BellShadow(AbstractEstimator):
    r"""All Pauli-expectation components of one state from two-copy measurements, in log M copies.

    Wherever the gradient observables pull back to Pauli strings of one common state (operator pools
    i<[H, P]>, circuits that are Clifford behind the first parameterised gate, the all-Pauli hard
    instance), one set of samples serves every component:

    1. Bell-measure N pairs of copies. Each string's eigenvalue under P (x) P averages to
       \(u_P = \langle P\rangle^2\), so \(|\langle P\rangle| = \sqrt{u_P}\), for all strings at once.
    2. Strings whose \(\hat u_P\) exceeds the noise level \(\eta = \sqrt{2\ln(2D/\delta)/N}\) get a sign by
       a majority vote, all on the same k copies; the others are reported as 0.

    Args:
        copies: total number of copies, divided between the two steps so that both reach the same error:
            \(4\ln(2D/\delta)/\epsilon^4 + 2\ln(D/\delta)/\epsilon^2 = \) `copies` defines
            \(\epsilon = \sqrt\eta\).
        signs: "votes".
        delta: probability that any of the D strings misses its bound.

    Access: multi copy (2 copies held coherently for step 1, k for step 2).

    Statistics: `variance` is the first-order (delta-method) variance of the components that were
    resolved; unresolved strings add nothing to it but \(\sqrt{\hat u + \eta}\) times their coefficient to
    `bias_bound`, which holds with probability 1 - delta. Fidelity "idealized": votes are drawn as if on
    fresh copies, and the quantum union bound on the difference is part of `bias_bound`.

    Cost: `copies` copies for any number of components (without the votes' share where nothing is
    resolved); classical work O(N D).

    Raises:
        ValueError: copies that are no positive integer or too few for one pair and one vote.
        NotApplicable: a gate behind the first parameterised one is not Clifford at its angle.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> pool = qg.OperatorPool(qg.Circuit(2).ry(0, param=0), qg.PauliSum("ZI"), ["YI", "XI"])
        >>> e = qg.estimate(pool, [0.5], qg.BellShadow(copies=20_000), key=0)
        >>> e.cost.copies, bool(abs(e.gradient[0] - 0.9589) < 5 * e.variance[0] ** 0.5)
        (20000, True)

    References:
        H.-Y. Huang, R. Kueng, J. Preskill, Phys. Rev. Lett. 126, 190505 (2021), arXiv:2101.02464;
        A. Abbas et al., NeurIPS 2023, arXiv:2305.13362.
    """

    copies: int = eqx.field(static=True)
    signs: Literal["votes"] = eqx.field(static=True)
    delta: float = eqx.field(static=True)
    access = Access.multi_copy
    fidelity: ClassVar[str] = "idealized"
    is_traceable: ClassVar[bool] = False

    def __init__(self, copies: int, signs: Literal["votes"] = "votes", delta: float = 0.05):
        self.copies = checked_count("copies", copies)
        if self.copies < 3:
            raise ValueError(f"copies={copies}: give at least 3, for one pair and one vote")
        if signs != "votes":
            raise ValueError(f"signs={signs!r}: give 'votes'")
        self.signs = signs
        self.delta = checked_fraction("delta", delta)

    def init(self, point):
        program = gate_angles(point, self)
        try:
            components = pull_back(program, np.asarray(point.coordinates, float))
        except NotClifford as error:
            raise NotApplicable(
                f"BellShadow needs gradient observables that are Pauli strings of one common state, but {error}. "
                "Use an OperatorPool, Clifford angles, or a single-copy method"
            ) from error
        votes = _vote_copies(self.copies, len(components.x), self.delta)
        pairs = (self.copies - votes) // 2
        return _State(point, components, pairs, self.copies - 2 * pairs)

    def ask(self, state):
        common, angles = state.components.preparation, np.zeros(0, state.point.coordinates.dtype)
        if state.magnitudes is None:
            return (BellSample(common, angles, state.pairs),)
        resolved = state.magnitudes.resolved
        if state.votes is None and len(resolved):
            parts = state.components
            size = np.sqrt(state.magnitudes.squares[resolved])
            return (MajorityVotes(common, angles, parts.x[resolved], parts.z[resolved], size, state.vote_copies),)
        return ()

    def tell(self, state, answers):
        (answer,) = answers
        if state.magnitudes is not None:
            return state._replace(votes=answer)
        return state._replace(magnitudes=statistics.magnitudes(answer, state.components, self.delta))

    def read(self, state):
        if state.magnitudes is None:
            return unknown(state.point)
        return statistics.reading(state.components, state.magnitudes, state.votes, state.point)

    def value_query(self, point):
        return Evaluate(gate_angles(point, self), point.coordinates[None])

    def predict(self, point):
        """Upper bound: every string that the pull-back could give, of full weight, gets a vote."""
        program = gate_angles(point, self)
        circuit, n = program.circuit, program.num_qubits
        first = next((i for i, gate in enumerate(circuit.gates) if gate.param is not None), circuit.num_gates)
        terms = sum(observable.num_terms for observable in program.observables)
        table = circuit.op_table
        per_row = [2 ** (1 + int(np.bitwise_count(c))) for c in table.controls[table.slot >= 0]]
        strings = min(terms * (1 + sum(per_row)), 4**n - 1)
        # Fewer strings leave more copies to the pairs, so each counter takes its own worst case.
        votes = _vote_copies(self.copies, strings, self.delta) + 1
        pair_gates = (self.copies // 2) * (2 * first + 2 * n)
        vote_gates = votes * (first + strings * (2 * n + 2))
        return Cost(
            copies=self.copies,
            shots=self.copies // 2 + strings,
            circuit_runs=2,
            gates=pair_gates + vote_gates,
            qubits=max(2, votes) * n,
        )


class _State(NamedTuple):
    point: Point
    components: PauliComponents
    pairs: int
    vote_copies: int
    magnitudes: "statistics.Magnitudes | None" = None
    votes: object = None


def _vote_copies(copies: int, strings: int, delta: float) -> int:
    """k, from copies = 4 ln(2D/delta) w^2 + 2 ln(D/delta) w with w = 1/epsilon^2."""
    strings = max(strings, 1)
    quadratic, linear = 4 * math.log(2 * strings / delta), 2 * math.log(strings / delta)
    weight = (math.sqrt(linear**2 + 4 * quadratic * copies) - linear) / (2 * quadratic)
    return min(max(1, round(linear * weight)), copies - 2)
