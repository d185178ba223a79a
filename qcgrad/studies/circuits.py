"""The circuits of a study: of the library, the user's files with or without a record, or made by functions."""

import hashlib
import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ImportRefused
from ..interop.objectives import as_objective, takes_observable
from ..interop.qasm import load_qasm
from ..interop.qasm.limits import MAX_BYTES
from ..ir import Expectation
from ..ir.parameter_map import ravel
from ..library import is_file_name, list_circuits, load_circuit
from ..objective import AbstractObjective
from ._study_circuit import StudyCircuit
from .cells import NOT_HERE
from .factories import CodeRefused, Factory, is_factory_name

_DEFAULT = "Z on every qubit, summed (default)"


def load_study_circuit(
    name: str,
    observable: str | None = None,
    seed: int = 0,
    *,
    allow_code: bool = False,
    content: str | None = None,
) -> StudyCircuit:
    """A circuit of the library, an OpenQASM file with or without a .toml file beside it, or what a function makes.

    A function returns a circuit, an objective, a QNode, a tape, alone or in a tuple with its point (with its arguments,
    for a QNode): everything that `qcgrad.interop.objectives.as_objective` knows.

    Args:
        name: in the library, the path of a .qasm file, or a function as "file.py:function(depth=2)".
        observable: Pauli sum. Default: that of the objective, the recorded one, else Z on every qubit, summed.
        seed: of the angles, uniform in (-pi, pi), where none are given.
        allow_code: whether a function may be run.
        content: hash that its source has to have; by default any.

    Raises:
        CodeRefused: the name is that of a function, and none may be run.
        ImportRefused, ValueError: no such circuit, a damaged file, a wrong observable, nothing to differentiate.

    Example:
        >>> from qcgrad.studies.circuits import load_study_circuit
        >>> circuit = load_study_circuit("tfim_hva_n3_p1")
        >>> circuit.num_angles, circuit.observable, circuit.recorded is not None
        (5, 'recorded', True)
    """
    _check_regular(name)
    if is_factory_name(name):
        if not allow_code:
            raise CodeRefused(name)
        found = _made(name, observable, seed, Factory.named(name).make(content))
    elif _is_bare(name):
        program = load_qasm(name)
        measured = observable or _z_on_every_qubit(program.circuit.num_qubits)
        objective = program.expectation(measured)
        found = StudyCircuit(
            name, objective, _drawn(objective, seed), observable or _DEFAULT, _from(seed), None, program.notes
        )
    else:
        found = _recorded(name, observable)
    _check_measurable(found)
    return found


def _recorded(name: str, observable: str | None) -> StudyCircuit:
    recorded = load_circuit(name)
    program, params = recorded.program, recorded.params
    if observable is None:
        return StudyCircuit(name, recorded.objective, params, "recorded", "recorded", recorded, program.notes)
    # What is recorded belongs to another observable.
    return StudyCircuit(name, program.expectation(observable), params, observable, "recorded", None, program.notes)


def _made(name: str, observable: str | None, seed: int, returned: Any) -> StudyCircuit:
    """What the user's function returned: a circuit of any kind, or a tuple of one and its point."""
    parts: tuple[Any, ...] = returned if isinstance(returned, tuple) and returned else (returned,)
    given, point = parts[0], list(parts[1:])
    origin, measured = observable or "its own", observable
    try:
        if takes_observable(given) and not observable:
            origin, measured = _DEFAULT, _z_on_every_qubit(getattr(given, "circuit", given).num_qubits)
        objective = as_objective(given, measured, tuple(point))
    except (TypeError, ValueError) as error:
        raise ImportRefused(f"{name}: {error}") from error
    if not isinstance(objective, Expectation) or objective.is_vector or objective.num_outputs != 1:
        raise ImportRefused(f"{name}: a study differentiates one expectation value: return a circuit that has one")
    if not (takes_observable(given) or isinstance(given, AbstractObjective)):
        point = [objective.example]  # of a QNode or a tape: its own numbers
    params = _checked_point(name, objective, point) if point else _drawn(objective, seed)
    return StudyCircuit(
        name, objective, params, origin, "its own" if point else _from(seed), None, getattr(objective, "notes", ())
    )


def _checked_point(name: str, objective: Expectation, point: list[Any]) -> np.ndarray:
    """The numbers of a point in order."""
    try:
        params = np.asarray(ravel(point[0]), np.float64) if len(point) == 1 else None
    except (TypeError, ValueError):
        params = None
    if params is None or params.shape != (objective.num_parameters,) or not np.all(np.isfinite(params)):
        raise ImportRefused(
            f"{name}: return a circuit, or (circuit, point) with {objective.num_parameters} finite numbers"
        )
    return params


def _drawn(objective: Expectation, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-np.pi, np.pi, objective.num_parameters)


def _from(seed: int) -> str:
    return f"uniform in (-pi, pi) from seed {seed}"


def within(names: tuple[str, ...], max_qubits: int) -> tuple[str, ...]:
    """The circuits on at most `max_qubits` qubits, and those whose size nobody knows, so that their cell can say so.

    These are files that cannot be read, and functions: nothing is run to find out.
    """
    return tuple(name for name in names if _num_qubits(name) <= max_qubits)


def _num_qubits(name: str) -> int:
    if is_factory_name(name):
        return 0
    if not is_file_name(name):
        return _sizes().get(name.rpartition("/")[2], 0)
    return _qubits_of_file(name, content_of(name))


@lru_cache(maxsize=1)
def _sizes() -> dict[str, int]:
    return {circuit.name: circuit.num_qubits for circuit in list_circuits()}


@lru_cache(maxsize=100_000)
def _qubits_of_file(name: str, content: str) -> int:
    """The size of a file with this content: cells are made more than once, and a file is read once."""
    try:
        return (load_qasm(name) if _is_bare(name) else load_circuit(name).program).circuit.num_qubits
    except ValueError:  # every refusal of a file is one
        return 0


def absolute_name(name: str, folder: Path) -> str:
    """The name of a circuit, absolute if it is that of a file, which is relative to `folder`."""
    if is_factory_name(name):
        factory = Factory.named(name)
        return str(replace(factory, place=_absolute(factory.place, folder)) if factory.is_file else factory)
    return _absolute(name, folder) if is_file_name(name) else name


def _absolute(path: str, beside: Path) -> str:
    # Functions, since methods of paths raise errors of their own for homes that are unknown and links in circles. A
    # link keeps its name, which says what the file is.
    folder, name = os.path.split(os.path.join(beside, os.path.expanduser(path)))
    return os.path.join(os.path.realpath(folder), name)


def short_name(name: str) -> str:
    """The name of a circuit without the folder of its file: the same wherever that lies."""
    if is_factory_name(name):
        factory = Factory.named(name)
        return str(replace(factory, place=Path(factory.place).name) if factory.is_file else factory)
    return Path(name).name if is_file_name(name) else name


def content_of(name: str) -> str | None:
    """A hash of what a circuit is made from: another content, another result.

    None for circuits of the library, `NOT_HERE` where there is no such file or module.

    Of a file it is one of the .toml file beside it, too; of a function that of the file which defines it, and not of
    what that imports.
    """
    if is_factory_name(name):
        source = Factory.named(name).source()
        return hashlib.sha256(_bytes(source)).hexdigest() if source and os.path.isfile(source) else NOT_HERE
    if not is_file_name(name):
        return None
    if not any(map(os.path.isfile, _files(name))):
        return NOT_HERE
    digest = hashlib.sha256()
    for path in _files(name):
        content = _bytes(path)
        digest.update(b"%d:" % len(content) + content)
    return digest.hexdigest()


def _bytes(path: Path) -> bytes:
    """What a file holds; nothing where there is none. No more than a program may have, so that devices end."""
    if not os.path.isfile(path):  # unlike that of a Path it takes any name
        return b""
    try:
        with path.open("rb") as file:
            # Python makes room for as much as is asked for.
            return file.read(min(os.fstat(file.fileno()).st_size, MAX_BYTES))
    except OSError:
        return b""


def _check_regular(name: str):
    """A pipe or a device can be read forever."""
    for path in _files(name) if is_file_name(name) else ():
        if os.path.exists(path) and not os.path.isfile(path):
            raise ImportRefused(f"{path} is no file: give the path of an OpenQASM file")


def _files(name: str) -> tuple[Path, Path]:
    """The program and the .toml file beside it."""
    program = Path(name).with_suffix(".qasm") if name.lower().endswith(".toml") else Path(name)
    return program, program.with_suffix(".toml")


def _is_bare(name: str) -> bool:
    path = Path(name)
    return is_file_name(name) and path.suffix.lower() != ".toml" and not os.path.exists(path.with_suffix(".toml"))


def _z_on_every_qubit(n: int) -> list[tuple[str, float]]:
    return [("I" * q + "Z" + "I" * (n - 1 - q), 1.0) for q in range(n)]


def _check_measurable(circuit: StudyCircuit):
    if circuit.num_angles == 0:
        raise ImportRefused(f"{circuit.name} has no gate with a parameter: there is nothing to differentiate")
    if not np.any(circuit.ranges):
        raise ImportRefused(f"observable {circuit.observable} of {circuit.name} measures nothing: give a Pauli string")
