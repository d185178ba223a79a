"""The circuits of a study: of the library, or the user's files, with or without recorded values beside them."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..errors import ImportRefused
from ..estimate import Estimate, estimate
from ..estimators import Adjoint
from ..interop.qasm import Imported, load_qasm
from ..ir import Expectation
from ..library import LibraryCircuit, is_file_name, list_circuits, load_circuit
from ..objective import Reading

# Other frameworks agree to 1e-10; files may round a little more than that.
_AGREEMENT = 1e-8


@dataclass(frozen=True, eq=False)
class StudyCircuit:
    """A circuit at a point, with where its observable and its angles come from.

    Attributes:
        name: as in the spec.
        objective: the expectation value.
        params: the point, shape (P,), radians.
        observable, angles: where each of them comes from, in words.
        recorded: the library's or the .toml file's record of the same objective at the same point, if there is one.
        notes: what of the program was read differently than written, see `qcgrad.interop.Imported`.
    """

    name: str
    objective: Expectation
    params: np.ndarray
    observable: str
    angles: str
    recorded: LibraryCircuit | None
    notes: tuple[str, ...] = ()

    @property
    def num_angles(self) -> int:
        """M, the parameterised gates."""
        return self.objective.circuit.num_angles

    @cached_property
    def ranges(self) -> np.ndarray:
        """For each measured basis the sum of the |coefficients| that are measured in it."""
        return np.array([np.abs(basis.coefficients).sum() for basis in self.objective.program.bases])

    @cached_property
    def units(self) -> np.ndarray:
        """(P,) sqrt(sum over angles of (d angle / d parameter)^2): what a parameter's component is measured in."""
        one, outputs = np.ones((1, self.num_angles)), np.zeros(1)
        reading = Reading(value=outputs, gradient=one, variance=one, value_variance=outputs)
        # The chain rule for variances is the sum of squares, for parameters of any structure.
        return np.sqrt(np.asarray(self.objective.to_params(self.params, reading).variance)[0])

    def reference(self) -> Estimate:
        """Value and gradient by the adjoint method; what is recorded has to agree with them.

        Raises:
            ImportRefused: a recorded number that is wrong, with its file and key.
            ValueError: no gradient exists at the point.
        """
        found = estimate(self.objective, self.params, Adjoint())
        if not np.all(np.isfinite([found.value, *np.asarray(found.gradient)])):
            raise ValueError(
                f"{self.name} has no finite value and gradient at {self.params.tolist()}: give other angles"
            )
        if self.recorded is not None:
            scale = np.abs(self.recorded.observable.coefficients).sum()
            value, gradient = float(found.value), np.asarray(found.gradient)
            self._compare("point.value", self.recorded.value, value, scale)
            for k, (given, right) in enumerate(zip(self.recorded.gradient.tolist(), gradient.tolist(), strict=True)):
                self._compare(f"point.gradient[{k}]", given, right, scale * max(1.0, self.units[k]))
        return found

    def _compare(self, key: str, given: float, right: float, scale: float):
        assert self.recorded is not None
        if not abs(given - right) <= _AGREEMENT * scale:
            raise ImportRefused(
                f"{self.recorded.path.with_suffix('.toml')}: {key} is {given!r}, but the adjoint method finds "
                f"{right!r} for this circuit, observable and point: correct the file, or delete it to do without"
            )


def load_study_circuit(name: str, observable: str | None = None, seed: int = 0) -> StudyCircuit:
    """A circuit of the library, or an OpenQASM file; a .toml file beside it is used but not needed.

    Args:
        name: in the library, or the path of a .qasm file.
        observable: Pauli sum. Default: the recorded one, else Z on every qubit, summed.
        seed: of the angles, uniform in (-pi, pi), where none are recorded.

    Raises:
        ImportRefused, ValueError: no such circuit, a damaged file, a wrong observable, nothing to differentiate.

    Example:
        >>> from qcgrad.studies.circuits import load_study_circuit
        >>> circuit = load_study_circuit("tfim_hva_n3_p1")
        >>> circuit.num_angles, circuit.observable, circuit.recorded is not None
        (5, 'recorded', True)
    """
    if _is_bare(name):
        recorded, program = None, load_qasm(name)
        params = np.random.default_rng(seed).uniform(-np.pi, np.pi, len(program.parameter_names))
        angles = f"uniform in (-pi, pi) from seed {seed}"
    else:
        recorded = load_circuit(name)
        program, params, angles = recorded.program, recorded.params, "recorded"
    if observable is None and recorded is not None:
        origin, objective = "recorded", recorded.objective
    else:
        origin = observable or "Z on every qubit, summed (default)"
        objective = program.expectation(observable or _z_on_every_qubit(program))
        recorded = None  # its values belong to another observable
    found = StudyCircuit(name, objective, params, origin, angles, recorded, program.notes)
    _check_measurable(found)
    return found


def within(names: tuple[str, ...], max_qubits: int) -> tuple[str, ...]:
    """The circuits on at most `max_qubits` qubits, and those that cannot be read, so that their cell can say so."""
    sizes = {c.name: c.num_qubits for c in list_circuits()}

    def size(name: str) -> int:
        if not is_file_name(name):
            return sizes.get(name.rpartition("/")[2], 0)
        try:
            return (load_qasm(name) if _is_bare(name) else load_circuit(name).program).circuit.num_qubits
        except ValueError:  # every refusal of a file is one
            return 0

    return tuple(name for name in names if size(name) <= max_qubits)


def absolute_name(name: str, folder: Path) -> str:
    """The name of a circuit, absolute if it is that of a file, which is relative to `folder`."""
    return str((folder / Path(name).expanduser()).resolve()) if is_file_name(name) else name


def content_of(name: str) -> str:
    """A hash of a file and of the .toml file beside it: another content, another result."""
    digest = hashlib.sha256()
    program = Path(name).with_suffix(".qasm") if name.lower().endswith(".toml") else Path(name)
    for path in (program, program.with_suffix(".toml")):
        content = path.read_bytes() if path.is_file() else b""
        digest.update(b"%d:" % len(content) + content)
    return digest.hexdigest()


def _is_bare(name: str) -> bool:
    path = Path(name)
    return is_file_name(name) and path.suffix.lower() != ".toml" and not path.with_suffix(".toml").exists()


def _z_on_every_qubit(program: Imported) -> list[tuple[str, float]]:
    n = program.circuit.num_qubits
    return [("I" * q + "Z" + "I" * (n - 1 - q), 1.0) for q in range(n)]


def _check_measurable(circuit: StudyCircuit):
    if circuit.num_angles == 0:
        raise ImportRefused(f"{circuit.name} has no gate with a parameter: there is nothing to differentiate")
    if not np.any(circuit.ranges):
        raise ImportRefused(f"observable {circuit.observable} of {circuit.name} measures nothing: give a Pauli string")
