"""Devices of PennyLane as backends."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...array_types import Key
from ...backend import AbstractBackend
from ...errors import UnsupportedQuery
from ...queries import NOISY, AbstractQuery, Evaluate, Means
from ..sampler._bitstrings import Unusable
from ..sampler._jobs import Job
from ..sampler._measuring import MeasuringBackend, checked, slices
from ..sampler._plans import Run
from ._exporter import operations, operator, terms_of

if TYPE_CHECKING:
    from pennylane.devices import Device

# Simulators that add no noise of their own to circuits without channels.
_IDEAL = ("default.qubit", "default.mixed", "reference.qubit", "lightning.")


class PennyLaneBackend(MeasuringBackend):
    """Any device of PennyLane answers: simulators, noisy ones too, and hardware by its plug-in.

    It answers `Evaluate`, exactly where the question has no shots and the device is analytic, `MeasureBases`,
    `RandomizedMeasure`, `BellSample` on 2n wires, and `MajorityVotes` on one copy after another
    (`signs="mimicking"`). All circuits of a question are one batch, which passes the device's own preprocessing: noise
    by `qml.add_noise` and other transforms of the device act on it, basis changes included. The number of shots is the
    question's. Random numbers are the device's, so that results are reproduced by its seed and ours together.

    Qubit q is the device's wire number q, whatever its label.

    Args:
        device: for example `qml.device("default.mixed", wires=2)`.
        is_noisy: whether expectation values may be off on average, so that biases are NaN and the fidelity is "noisy".
            By default False for PennyLane's own simulators and lightning without readout errors and transforms of the
            device, True for all other devices.
        max_circuits: the most that are executed in one batch.
        retries: how often a batch that raises is executed again before `BackendFailed` keeps what was answered.

    Raises:
        TypeError, ValueError: no device; numbers that are no counts.
        UnsupportedQuery: when asked: too few wires; an exact question to a device that has a number of shots.
        BackendFailed: when asked: the device raised, or returned NaN or too few outcomes.

    Example:
        Exact expectation values of a state that an error of 10 % depolarizes, so that signals shrink by 1 - 4/3 * 0.1:

        >>> import jax, pennylane as qml, qcgrad as qg
        >>> from qcgrad.interop import PennyLaneBackend
        >>> jax.config.update("jax_enable_x64", True)
        >>> noise = qml.NoiseModel({qml.noise.op_eq("RY"): qml.noise.partial_wires(qml.DepolarizingChannel, 0.1)})
        >>> backend = PennyLaneBackend(qml.add_noise(qml.device("default.mixed", wires=1), noise))
        >>> e = qg.estimate(qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z"), [0.5], qg.ParameterShift(), backend)
        >>> print(e.gradient.round(4), e.fidelity, e.bias_bound)  # -sin(0.5) = -0.4794
        [-0.4155] noisy [nan]
    """

    def __init__(
        self, device: "Device", is_noisy: bool | None = None, max_circuits: int | None = None, retries: int = 0
    ):
        from pennylane.devices import Device, LegacyDevice, LegacyDeviceFacade

        if isinstance(device, LegacyDevice):
            device = LegacyDeviceFacade(device)
        if not isinstance(device, Device):
            raise TypeError(
                f"device is {device!r}: give a device of PennyLane, for example qml.device('default.qubit')"
            )
        super().__init__(_may_be_noisy(device) if is_noisy is None else is_noisy, retries)
        self.device = device
        self.max_circuits = None if max_circuits is None else checked("max_circuits", max_circuits, 1)

    def resume(self, query: AbstractQuery, key: Key | None, answered: Any) -> Any:
        import pennylane as qml

        # Else what is made inside of a QNode would become part of it.
        with qml.QueuingManager.stop_recording():
            return super().resume(query, key, answered)

    def jobs(self, runs: Sequence[Run], places: list[int], key: Key) -> list[Job]:
        import pennylane as qml
        from pennylane.tape import QuantumScript

        tapes = {}
        for place in places:
            circuit, shots = runs[place]
            wires = self._wires(circuit.num_qubits)
            tapes[place] = QuantumScript(operations(circuit, wires), [qml.sample(wires=wires)], shots=shots)

        def job(part):
            def submit():
                found = self._executed([tapes[place] for place in part])
                # Of a single wire, and of a single shot, an axis may be missing.
                return [
                    np.asarray(bits).reshape(-1, runs[place].circuit.num_qubits)
                    for bits, place in zip(found, part, strict=True)
                ]

            return Job(part, submit)

        return [job(part) for part in slices(places, self.max_circuits)]

    def exact(self, query: Evaluate, before: Any) -> Means:
        import pennylane as qml
        from pennylane.tape import QuantumScript

        program, shots = query.program, self.device.shots.total_shots
        if shots is not None:
            raise UnsupportedQuery(
                f"the device has shots={shots}, and exact expectation values are asked: give shots to the method, or "
                "a device without shots"
            )
        wires = self._wires(program.num_qubits)
        # Identities are constants of the program, and nothing to measure.
        terms = [[term for term in terms_of(o) if set(term[0]) != {"I"}] for o in program.observables]
        measured = [(k, operator(found, wires)) for k, found in enumerate(terms) if found]

        def submit(part):
            circuits = [operations(program.bound(query.angles[place]), wires) for place in part]
            tapes = [QuantumScript(gates, [qml.expval(each) for _, each in measured]) for gates in circuits]
            rows = np.tile(program.constants, (len(part), 1))
            if measured:
                found = [np.real(np.asarray(values, complex)).reshape(-1) for values in self._executed(tapes)]
                if wrong := {len(values) for values in found} - {len(measured)}:
                    raise Unusable(f"{wrong.pop()} expectation values came back for {len(measured)} observables")
                rows[:, [k for k, _ in measured]] += np.array(found)
            return list(rows)

        def jobs(left):
            return [Job(part, lambda part=part: submit(part)) for part in slices(left, self.max_circuits)]

        return self.exact_means(query, jobs, before)

    def _executed(self, tapes):
        import pennylane as qml

        # Cached, two circuits that are equal would give the same outcomes.
        found = qml.execute(tapes, self.device, diff_method=None, cache=False)
        if len(found) != len(tapes):
            raise Unusable(f"{len(found)} results came back for {len(tapes)} circuits")
        return found

    def _wires(self, needed: int) -> list:
        """Labels of the first wires."""
        if self.device.wires is None:
            return list(range(needed))
        labels = list(self.device.wires)
        if len(labels) < needed:
            raise UnsupportedQuery(
                f"the question takes {needed} wires, but device {self.device.name} has {len(labels)}: give a device "
                f"with wires={needed} (pairs of copies take twice as many as one copy)"
            )
        return labels[:needed]


def _may_be_noisy(device) -> bool:
    """Whether nothing says that the device runs circuits without noise."""
    is_transformed = hasattr(device, "original_device")
    answering = getattr(device, "backend", None)
    if isinstance(answering, AbstractBackend):  # a device of our own is as good as who answers in it
        return is_transformed or answering.fidelity == NOISY
    return is_transformed or not device.name.startswith(_IDEAL) or bool(getattr(device, "readout_err", None))
