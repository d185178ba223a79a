"""V2 primitives of Qiskit as backends: simulators with and without noise, and hardware."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from ...array_types import Key
from ...draws import generator
from ...errors import UnsupportedQuery
from ...ir.circuit import Circuit
from ...queries import AbstractQuery, Access, Evaluate, Means
from ..sampler._bitstrings import Unusable
from ..sampler._jobs import Job
from ..sampler._measuring import MeasuringBackend, checked, slices
from ..sampler._plans import Run
from . import _estimates as estimates
from . import _primitives as primitives
from ._exporter import to_circuit
from ._pubs import REGISTER, Pub, Template, in_order, tagged, templates

if TYPE_CHECKING:
    from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2
    from qiskit.providers import BackendV2
    from qiskit.transpiler import StagedPassManager

# Transpiled circuits that are kept for the next question.
_MOST_KEPT = 500


class QiskitBackend(MeasuringBackend):
    r"""Any V2 primitive of Qiskit answers: Aer with a noise model, a backend's primitives, hardware.

    A Sampler answers `Evaluate` with shots, `MeasureBases`, `RandomizedMeasure`, `BellSample` on 2n qubits, and
    `MajorityVotes` on one copy after another (`signs="mimicking"`). An Estimator answers `Evaluate` alone: exactly if
    it is Qiskit's `StatevectorEstimator` or Aer's, which draw no shots, and otherwise with shots. Those know a
    *precision* only. One pub for each measurement basis asks for \(\epsilon = 1/\sqrt{N - 1/2}\), which is N shots to
    an estimator that takes \(\lceil\epsilon^{-2}\rceil\); an answer whose metadata do not say that it did is refused.
    The variance is the square of its own standard error, times N/(N-1), since that is worked out from the same shots,
    and NaN for one shot; Qiskit's is an upper bound where strings share a basis. A Sampler is the better choice.

    Circuits that differ in angles only are transpiled once, for the device (`backend` or the primitive's own) or by
    `pass_manager`, and are one pub; for Aer, which loses parameters of some gates without a word, one each. Observables
    follow the layout, and measured bits belong to the qubits before it. Where all qubits are connected gates stay as
    they are written, so that noise acts on each; else they are routed and optimised lightly. All pubs of a question
    are one job unless `max_pubs_per_job` says otherwise. Results that say in their metadata whose they are, as Qiskit's
    do, are put in order.

    A simulator with an integer seed starts from it in every run, Qiskit's own even for every circuit; what has to be
    independent would be the same draw. Such seeds are combined with the key of the question.

    Args:
        primitive: a `BaseSamplerV2` or `BaseEstimatorV2`.
        backend: whose target circuits are transpiled for, by default the primitive's, and none for Qiskit's own
            simulators.
        pass_manager: transpiles instead.
        is_noisy: whether expectation values may be off on average, so that biases are NaN and the fidelity is "noisy".
            By default False for Qiskit's own simulators and for Aer without a noise model, True for all others.
        max_pubs_per_job: the most that are submitted together.
        retries: how often a job that raises is submitted again before `BackendFailed` keeps what was answered.

    Raises:
        TypeError, ValueError: no V2 primitive; numbers that are no counts.
        UnsupportedQuery: when asked: more qubits than the device has, exact values of a device, shots of an exact
            Estimator, questions of bitstrings to an Estimator.
        BackendFailed: when asked: a job failed, or returned NaN, too few shots, or results of other circuits.

    Example:
        A CNOT that depolarizes its two qubits by 10 % shrinks signals to 0.9:

        >>> import jax, qcgrad as qg
        >>> from qiskit_aer.noise import NoiseModel, depolarizing_error
        >>> from qiskit_aer.primitives import EstimatorV2
        >>> from qcgrad.interop import QiskitBackend
        >>> jax.config.update("jax_enable_x64", True)
        >>> noise = NoiseModel()
        >>> noise.add_all_qubit_quantum_error(depolarizing_error(0.1, 2), ["cx"])
        >>> backend = QiskitBackend(EstimatorV2(options={"backend_options": {"noise_model": noise}}))
        >>> objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1), "IZ")
        >>> e = qg.estimate(objective, [0.5], qg.ParameterShift(), backend)
        >>> print(e.gradient.round(4), e.fidelity, e.bias_bound)  # -sin(0.5) = -0.4794
        [-0.4315] noisy [nan]
    """

    def __init__(
        self,
        primitive: "BaseSamplerV2 | BaseEstimatorV2",
        backend: "BackendV2 | None" = None,
        pass_manager: "StagedPassManager | None" = None,
        is_noisy: bool | None = None,
        max_pubs_per_job: int | None = None,
        retries: int = 0,
    ):
        self.is_sampler = primitives.checked_primitive(primitive)
        self.device = primitives.device_of(primitive) if backend is None else backend
        if is_noisy is None:
            is_noisy = primitives.may_be_noisy(primitive, self.device)
        super().__init__(is_noisy, retries)
        self.primitive, self.pass_manager = primitive, pass_manager
        self.max_pubs_per_job = None if max_pubs_per_job is None else checked("max_pubs_per_job", max_pubs_per_job, 1)
        self._transpiled: dict[tuple[Circuit, bool], Any] = {}

    @property
    def access(self) -> Access:  # pyright: ignore[reportIncompatibleVariableOverride]
        return Access.multi_copy if self.is_sampler else Access.single_copy

    def resume(self, query: AbstractQuery, key: Key | None, answered: Any) -> Any:
        if self.is_sampler:
            return super().resume(query, key, answered)
        if not isinstance(query, Evaluate):
            return self.refuse(query)
        is_exact = primitives.is_exact(self.primitive)
        if is_exact and query.shots is not None:
            raise UnsupportedQuery(
                f"{type(self.primitive).__name__} knows expectation values and takes no shots: leave the shots of the "
                "method out, or give a Sampler"
            )
        if query.shots is None:
            return super().resume(query, key, answered) if is_exact else super().exact(query, answered)
        return self._said(estimates.sampled(self, query, key, answered))

    def exact(self, query: Evaluate, before: Any) -> Means:
        if self.is_sampler:
            return super().exact(query, before)
        return estimates.exact(self, query, before)

    def jobs(self, runs: Sequence[Run], places: list[int], key: Key) -> list[Job]:
        circuits, shots = [runs[place].circuit for place in places], [runs[place].shots for place in places]
        pubs = self.pubs(templates(places, circuits, shots), is_measured=True)
        given = [(pub.circuit, pub.values, pub.template.label) for pub in pubs]
        return self.in_jobs(given, [pub.template for pub in pubs], key, _bits)

    def in_jobs(
        self,
        given: Sequence[tuple],
        of: Sequence[Template],
        key: Key | None,
        read: Callable[[Any, Template], Sequence[Any]],
        primitive: Any = None,
    ) -> list[Job]:
        """Pubs in jobs, whose results are read off a pub's.

        Args:
            given: pubs.
            of: the template of each.
            key: what seeds are combined with; None leaves them.
            read: one result for each place of a template.
            primitive: who runs, by default the user's.
        """
        seed = None if key is None else primitives.seed_of(self.primitive, self.device)
        labels = [template.label for template in of] if seed is not None else [None] * len(of)
        # From one seed, pubs with another number of shots would repeat the same draws.
        together = [[i for i, each in enumerate(labels) if each == label] for label in dict.fromkeys(labels)]
        parts = [part for members in together for part in slices(members, self.max_pubs_per_job)]

        def job(part: tuple[int, ...]) -> Job:
            places = tuple(place for i in part for place in of[i].places)

            def submit():
                runner = self.primitive if primitive is None else primitive
                if key is not None and seed is not None:
                    drawn = generator(jax.random.fold_in(key, places[0])).integers(2**31)
                    runner = primitives.reseeded(runner, seed, int(drawn))
                found: Any = runner.run([given[i] for i in part]).result()
                results = in_order(list(found), part)
                return [row for result, i in zip(results, part, strict=True) for row in read(result, of[i])]

            return Job(places, submit)

        return [job(part) for part in parts if part]

    def pubs(self, found: Sequence[Template], is_measured: bool) -> list[Pub]:
        """The templates, transpiled; of a primitive that binds parameters wrongly, one for each circuit."""
        made = []
        for template, circuit in zip(found, self._for_device(found, is_measured), strict=True):
            # Transpilation may leave parameters out, on which then nothing depends.
            values = template.values[:, [parameter.index for parameter in circuit.parameters]]
            if not circuit.parameters:
                made.append(Pub(circuit, None, template))
            elif primitives.binds_parameters(self.primitive):
                made.append(Pub(circuit, values, template))
            else:
                bound = [circuit.assign_parameters(row) for row in values]
                made += [Pub(each, None, part) for each, part in zip(bound, template.singles, strict=True)]
        return [pub._replace(circuit=tagged(pub.circuit, number)) for number, pub in enumerate(made)]

    def _for_device(self, found, is_measured) -> list[Any]:
        new = dict.fromkeys((t.circuit, is_measured) for t in found if (t.circuit, is_measured) not in self._transpiled)
        if len(self._transpiled) > _MOST_KEPT:
            self._transpiled.clear()
            new = dict.fromkeys((t.circuit, is_measured) for t in found)
        exported = [self._exported(circuit, is_measured) for circuit, _ in new]
        manager = self._manager(exported) if exported else None
        # In this process: others would be forked from one in which JAX has threads.
        done = exported if manager is None else manager.run(exported, num_processes=1)
        self._transpiled.update(zip(new, done, strict=True))
        return [self._transpiled[t.circuit, is_measured] for t in found]

    def _exported(self, circuit, is_measured):
        exported = to_circuit(circuit)
        # A phase that nothing shows may be a parameter that simulators then miss.
        exported.global_phase = 0
        if is_measured:
            exported.measure_all()
        return exported

    def _manager(self, exported) -> Any:
        """What transpiles; None where nothing has to be."""
        from qiskit.transpiler import generate_preset_pass_manager

        most = max(circuit.num_qubits for circuit in exported)
        available = getattr(self.device, "num_qubits", None)
        if available is not None and available < most:
            raise UnsupportedQuery(
                f"the question takes {most} qubits, but {self.device.name} has {available}: give a larger device "
                "(pairs of copies take twice as many qubits as one copy)"
            )
        if self.pass_manager is None and self.device is not None:
            level = 0 if getattr(self.device, "coupling_map", None) is None else 1
            self.pass_manager = generate_preset_pass_manager(level, self.device, seed_transpiler=0)
        elif self.pass_manager is None and primitives.simulates_by_itself(self.primitive):
            # As they are, evolutions would be exponentials of matrices.
            self.pass_manager = generate_preset_pass_manager(0, basis_gates=["u", "cx"])
        return self.pass_manager


def _bits(result, template: Template) -> list[np.ndarray]:
    """(shots, n) bits of each circuit of a pub, qubit 0 first."""
    found = getattr(result.data, REGISTER, None)
    if found is None or not hasattr(found, "to_bool_array"):
        raise Unusable(f"a result holds {list(result.data)}, and no bits of the register {REGISTER!r}")
    bits = found.to_bool_array(order="little")
    count = len(template.places)
    if bits[..., 0, 0].size != count:
        raise Unusable(f"a result of shape {found.shape} came back for {count} circuits")
    return list(bits.reshape(count, *bits.shape[-2:]))
