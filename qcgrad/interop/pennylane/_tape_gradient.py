"""From a tape to its Jacobian, by any estimator: what PennyLane's transform is made of."""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
import pennylane as qml
from jax.core import Tracer
from jaxtyping import Float
from pennylane.gradients.gradient_transform import (
    assert_no_trainable_tape_batching,
    choose_trainable_param_indices,
    contract_qjac_with_cjac,
)
from pennylane.tape import QuantumScript
from pennylane.transforms import broadcast_expand, convert_to_numpy_parameters
from pennylane.transforms.core import Transform

from ...array_types import Key
from ...backend import AbstractBackend
from ...errors import ImportRefused, NotApplicable
from ...estimate import estimate
from ...estimator import AbstractEstimator
from ...queries import EXACT, Access
from ...result import Estimate
from ...simulators import Statevector
from ._expansion import STATES, expanded
from ._frameworks import finisher, is_traced, on_host
from ._keys import stream_of
from ._nesting import nested
from ._objective import QNodeExpectation
from ._tapes import FIXED, as_numpy, numbers, outline, raveled, tape_objective

# Circuits that are kept; a QNode and its transforms seldom have more at a time.
_MAX_KEPT = 16

# What a method asks for that devices of today do not run; who reads amplitudes knows that a simulator answers.
_BEYOND_DEVICES = {
    Access.multi_copy: ", jointly measured copies of states included",
    Access.coherent: ", circuits included that run the preparation and its inverse many times",
}


def as_transform(function: "TapeGradient") -> Transform:
    """PennyLane's transform, which shows the function's attributes as its own."""
    return Transform(
        function, expand_transform=expanded, classical_cotransform=contract_qjac_with_cjac, final_transform=True
    )


class TapeGradient:
    """The Jacobian of a tape by an estimator; see `gradient` for arguments and attributes."""

    def __init__(self, estimator: AbstractEstimator, backend: AbstractBackend | None, key: Key | None):
        self.estimator = estimator
        self.backend = Statevector() if backend is None else backend
        self.estimates: list[Estimate] = []
        method = " ".join(repr(estimator).split()).replace("( ", "(").replace(" )", ")")
        self.__name__ = f"gradient({method}, backend={type(self.backend).__name__})"
        self._kept: list[tuple[Any, QNodeExpectation]] = []
        self._keys = stream_of(key)
        self._said: set[str] = set()

    def __call__(
        self, tape: QuantumScript, argnum: int | Sequence[int] | None = None
    ) -> tuple[list[QuantumScript], Callable[[Any], Any]]:
        if qml.capture.enabled():
            raise NotApplicable(
                f"{self.__name__} differentiates tapes, and PennyLane captures programs instead: call "
                "qml.capture.disable(), or differentiate qcgrad.as_jax of the QNode"
            )
        _check_batch(tape, self.__name__)
        if argnum is None and not tape.trainable_params:
            return [], lambda _: _of_nothing(tape)
        places = choose_trainable_param_indices(tape, argnum)
        return [], lambda _: self._jacobian(tape, places)

    def _jacobian(self, tape, places):
        chosen = [tape.trainable_params[place] for place in places]
        params = tape.get_parameters(trainable_only=False)
        for k in chosen:
            _check_trainable(tape, k, params[k])
        copies, batch = (max(tape.shots.num_copies, 1), tape.batch_size or 1)
        shapes = [tuple(getattr(params[k], "shape", ())) if k in chosen else None for k in tape.trainable_params]
        results = [_result_shape(measurement) for measurement in tape.measurements]
        sizes = [sum(int(np.prod(s)) for s in group if s is not None) for group in (results, shapes)]
        if not chosen:
            rows = np.zeros((copies, batch, *sizes))
        elif is_traced(params):
            rows = on_host(partial(self._rows, chosen=chosen, copies=copies), tape, (copies, batch, *sizes))
        else:
            rows = self._rows(tape, chosen, copies)
        is_batch, is_copied = tape.batch_size is not None, tape.shots.has_partitioned_shots
        finish = finisher([params[k] for k in tape.trainable_params])
        return nested(rows, results, shapes, is_batch=is_batch, is_copied=is_copied, finish=finish)

    def _rows(self, tape, chosen, copies) -> Float[np.ndarray, "copies batch L N"]:
        """An independent estimate for each copy and each entry of the batch."""
        if tape.shots:
            self._say_once(
                "shots",
                f"the QNode has {tape.shots}, which are those of its values: its gradient is that of {self.__name__}, "
                "whose shots are its own",
            )
        tapes = [tape] if tape.batch_size is None else _first(broadcast_expand, _with_numpy(tape))
        # Whatever JAX's mode, PennyLane's numbers are double: it is set for what runs in here alone.
        with jax.enable_x64(True):
            points = [(self._objective(t, chosen), raveled(numbers(t, chosen)).astype(float)) for t in tapes]
            found = [[self._estimate(*point) for point in points] for _ in range(copies)]
        self.estimates[:] = [estimate for copy in found for estimate in copy]
        return np.array([[np.asarray(e.gradient).reshape(-1, points[0][1].size) for e in copy] for copy in found])

    def _estimate(self, objective, params):
        found = estimate(objective, params, self.estimator, self.backend, key=self._keys.next())
        if str(found.result) != "ok":
            warnings.warn(f"{self.__name__}: {found.result.message}", UserWarning, stacklevel=2)
        beyond = _BEYOND_DEVICES.get(self.estimator.access, "")
        if beyond or found.fidelity != EXACT:
            self._say_once(
                "fidelity",
                f"{self.__name__} is not run on the QNode's device: {type(self.backend).__name__} answered{beyond}; "
                f"the fidelity of its answers is {str(found.fidelity)!r}",
            )
        return found

    def _objective(self, tape, chosen) -> QNodeExpectation:
        found = outline(tape, chosen)
        for known, objective in self._kept:
            if known == found:
                return objective
        objective = tape_objective(_with_numpy(tape), chosen)
        if found is not None:
            self._kept = [(found, objective), *self._kept[: _MAX_KEPT - 1]]
        return objective

    def _say_once(self, what, words):
        if what not in self._said:
            self._said.add(what)
            warnings.warn(words, UserWarning, stacklevel=2)


def _first(transform: Any, tape):
    """The tapes that a transform makes."""
    return transform(tape)[0]


def _with_numpy(tape):
    return _first(convert_to_numpy_parameters, tape)[0]


def _check_batch(tape, name):
    try:
        assert_no_trainable_tape_batching(tape, name)
    except NotImplementedError as error:
        raise NotImplementedError(
            f"{error} Make a tape of each entry: differentiate pennylane.transforms.broadcast_expand(qnode)"
        ) from error


def _check_trainable(tape, index, value):
    info = tape.par_info[index]
    if info["op_idx"] >= len(tape.operations):
        raise ImportRefused(
            f"parameter {index} of the tape is trainable and stands in the measurement {tape[info['op_idx']]}: "
            "coefficients of observables are differentiated under qml.expval where a framework differentiates them "
            "(for a tape with plain numbers, set tape.trainable_params), matrices not"
        )
    if info["op"].name in (*FIXED, *STATES):
        raise ImportRefused(
            f"parameter {index} of the tape is trainable and is a matrix or a state of {info['op'].name}: only angles "
            "of gates are differentiated; build it of gates, or fix it"
        )
    if np.dtype(value.dtype if isinstance(value, Tracer) else as_numpy(value).dtype).kind == "c":
        raise ImportRefused(f"parameter {index} of the tape, of {info['op'].name}, is complex: give real angles")


def _result_shape(measurement):
    from pennylane.measurements import ProbabilityMP

    if not isinstance(measurement, ProbabilityMP):
        return ()
    if not measurement.wires:
        raise ImportRefused("the QNode returns qml.probs() of all wires of its device: name them, qml.probs(wires=...)")
    return (2 ** len(measurement.wires),)


def _of_nothing(tape):
    """What PennyLane's transforms give where no parameter is trainable."""
    warnings.warn(
        "the gradient of a tape without trainable parameters is empty: mark parameters as trainable in your framework, "
        "or set tape.trainable_params",
        UserWarning,
        stacklevel=2,
    )
    copy = tuple(np.zeros(0) for _ in tape.measurements)
    copy = copy[0] if len(copy) == 1 else copy
    return tuple(copy for _ in range(tape.shots.num_copies)) if tape.shots.has_partitioned_shots else copy
