"""Dimension-free shadow tomography by noisy collective measurements, without a hypothesis state."""

import math
from typing import Any, ClassVar, NamedTuple, Self, get_args

import equinox as eqx
import numpy as np

from ...array_types import Key
from ...cost import Cost
from ...estimator import AbstractEstimator, total_cost, unknown
from ...ir.sweep_form import Encoding, SweepForm, one_state_forms
from ...objective import Point, Reading
from ...queries import Access, Evaluate, PointerSweep
from .._checks import checked_choice, checked_count
from .._programs import check_covariances, program_at
from ..accuracy import checked_accuracy, counted, log_of, num_components
from . import _pointer_statistics as statistics
from ._pointer_accuracy import expected_copies, fewest_copies
from ._pointer_statistics import BatchedMeans


class ReadOnceTomography(AbstractEstimator):
    r"""All M derivatives from about \(\sqrt M \log M/\epsilon^2\) copies, held one at a time.

    Every string of the backward sweep has a wide pointer register. One copy of \(|\Psi\rangle\) after the other is
    prepared, un-computed past all pointers, shifts each of them by its string, and is discarded; then the pointers are
    read. With pointer variance \(s^2\) in units of one copy's variance, a sweep over D strings has

    .. math:: \mathrm{Var}_j \le \frac1k\Big(1 + s^2 + \frac{D}{s^2}\Big),

    whatever the state and the strings, so \(s^2 = \sqrt D\) gives error \(\epsilon\) in all of them from
    \(O(\sqrt D\log D/\epsilon^2)\) copies: no dimension enters and nothing is known of the state. `GentleSweep` makes
    the same measurement with the copies held together, and finds a better \(s^2\) where the strings interact little.

    Args:
        copies: total number of copies, divided over the sweeps and the batches.
        batches: independent repetitions; their spread is the reported variance (NaN for one).
        encoding: how an observable of several strings is swept, as for `GentleSweep`.

    Access: multi copy: the pointers stay entangled with the copies that have passed. `cost.qubits` is n + 1 and
    D pointers of O(log k) qubits.

    Statistics: `bias_bound` and its warning as for `GentleSweep`, at most D/(2 s^2 k) = \(\sqrt D\)/(2k). Fidelity
    "exact" with the same reservation.

    Cost: `copies` copies (less what does not divide), O(M) gates a copy, known in advance.

    Raises:
        ValueError: counts that are no positive integers, or too few copies.
        NotApplicable: encoding="none" for an observable of several strings.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1), "ZZ")
        >>> e = qg.estimate(objective, [0.5, 0.3], qg.ReadOnceTomography(copies=8_000), key=0)
        >>> e.cost.copies, e.cost.qubits  # 3 for one copy, 14 for each of the 3 pointers: value and two derivatives
        (8000, 42)

    References:
        P. Sinha, "Dimension independent and computationally efficient shadow tomography", arXiv:2411.01420.
    """

    copies: int = eqx.field(static=True)
    batches: int = eqx.field(static=True)
    encoding: Encoding = eqx.field(static=True)
    access = Access.multi_copy
    called = "read-once"
    accuracy_option = "copies"
    is_typical = True
    is_traceable: ClassVar[bool] = False

    def __init__(self, copies: int, *, batches: int = 8, encoding: Encoding = "block"):
        self.copies = checked_count("copies", copies)
        self.batches = checked_count("batches", batches)
        self.encoding = checked_choice("encoding", encoding, get_args(Encoding))

    def init(self, point: Point, key: Key | None) -> "_State":
        check_covariances(point, self)
        program = program_at(point, self, samples=True)
        forms = one_state_forms(program, np.asarray(point.coordinates, float), self.encoding, discards=True)
        statistics.check_copies(self.copies, len(forms), self.batches)
        return _State(point, program.constants, forms, self._plan(forms))

    def ask(self, state: "_State") -> tuple[PointerSweep, ...]:
        return state.sweeps if state.found is None else ()

    def tell(self, state: "_State", answers: tuple) -> "_State":
        found = [BatchedMeans.of(query, answer) for query, answer in zip(state.sweeps, answers, strict=True)]
        return state._replace(found=found)

    def read(self, state: "_State") -> Reading:
        found = state.found
        if found is None:
            if state.sweeps:
                return unknown(state.point)
            found = []  # a constant observable
        return statistics.reading([statistics.plain(sweeps) for sweeps in found], state.point, state.constants)

    def report(self, stats: dict[str, Any]) -> str:
        return statistics.in_words(stats)

    def value_query(self, point: Point) -> Evaluate:
        return Evaluate(program_at(point, self), point.coordinates[None])

    def predict(self, point: Point) -> Cost:
        return total_cost(self.init(point, None).sweeps)

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        r"""About \(2(1 + 2\sqrt D)\ln(2M/\delta)/\epsilon^2\) copies for a single string, and what the bias takes."""
        epsilon, delta = checked_accuracy(epsilon, delta)
        program, log = program_at(point, cls, samples=True), log_of(num_components(point), delta)
        needed, encoding, _ = fewest_copies(point, program, log, epsilon, lambda forms: [_width(f) for f in forms])
        return cls(counted(cls, needed, epsilon), batches=1, encoding=encoding)

    @classmethod
    def expected_for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        r"""The same at \(V = 1 + 2\sqrt M\), without the bias."""
        epsilon, delta = checked_accuracy(epsilon, delta)
        program, components = program_at(point, cls, samples=True), num_components(point)
        variance = 1 + 2 * math.sqrt(components)
        needed = expected_copies(point, program, variance, log_of(components, delta), epsilon)
        return cls(counted(cls, needed, epsilon), batches=1)

    def _plan(self, forms: list[SweepForm]) -> tuple[PointerSweep, ...]:
        return tuple(
            PointerSweep(form, copies, _width(form), self.batches, held="pointers")
            for form, copies in zip(forms, statistics.copies_a_sweep(forms, self.copies, self.batches), strict=True)
        )


def _width(form: SweepForm) -> float:
    return math.sqrt(form.num_components)


class _State(NamedTuple):
    point: Point
    constants: np.ndarray
    forms: list[SweepForm]
    sweeps: tuple[PointerSweep, ...]
    found: list[BatchedMeans] | None = None
