"""The circuits that come with qcgrad: programs, observables, and exact values to compare with."""

import difflib
import importlib.resources
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ImportRefused
from ..ir.circuit import Circuit
from ..ir.expectation import Expectation
from ..ir.observable import PauliSum
from ._sidecar import read_sidecar

if TYPE_CHECKING:
    from ..interop.qasm import Imported


@dataclass(frozen=True, eq=False)
class LibraryCircuit:
    """A circuit with an observable, a point, and the exact value and gradient there.

    The program is read when `circuit`, `objective` or `program` is first used.

    Attributes:
        name, family, description: of the circuit; families are the folders.
        num_qubits, num_parameters: n, P.
        parameter_names: the inputs, in the order of `params`.
        params: the point, shape (P,), radians.
        value: expectation value there.
        gradient: its gradient, shape (P,).
        framework: what computed value and gradient.
        source: library, version, licence and call that made the circuit.
        counts: gate calls and parameters of the program.
        path: where the program is.
    """

    name: str
    family: str
    description: str
    num_qubits: int
    parameter_names: tuple[str, ...]
    terms: tuple[tuple[str, float], ...]
    params: np.ndarray
    value: float
    gradient: np.ndarray
    framework: str
    source: dict[str, Any]
    counts: dict[str, int]
    path: Any

    @property
    def num_parameters(self) -> int:
        return len(self.parameter_names)

    @cached_property
    def program(self) -> "Imported":
        """The imported program."""
        from ..interop.qasm import QasmError, parse_qasm

        try:
            data = self.path.read_bytes()
            text = data.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise QasmError(f"the program of circuit {self.name!r} cannot be read: {error}", str(self.path)) from error
        program = parse_qasm(text, str(self.path))
        if program.parameter_names != self.parameter_names:
            raise ImportRefused(f"{self.path} and its .toml file name different parameters: one of them is damaged")
        if program.circuit.num_qubits != self.num_qubits:
            raise ImportRefused(f"{self.path} and its .toml file have different numbers of qubits")
        return program

    @property
    def circuit(self) -> Circuit:
        """The circuit; its parameters are `parameter_names`."""
        return self.program.circuit

    @cached_property
    def observable(self) -> PauliSum:
        """The observable; letter i acts on qubit i."""
        return PauliSum(self.terms)

    @cached_property
    def objective(self) -> Expectation:
        """The expectation value as an objective for `qcgrad.estimate`."""
        return self.program.expectation(self.observable)


def load_circuit(name_or_path: "str | Path") -> LibraryCircuit:
    """A circuit of the library by name, or any OpenQASM file that has a .toml file beside it.

    Args:
        name_or_path: "h2_givens_n4", "molecules/h2_givens_n4", or the path of a .qasm file; the format
            of the .toml file is described in the library's README.

    Returns:
        A `LibraryCircuit`.

    Raises:
        ImportRefused: no such circuit (the message names similar ones), or a damaged file.

    Example:
        >>> import jax, qcgrad as qg
        >>> from qcgrad.library import load_circuit
        >>> jax.config.update("jax_enable_x64", True)
        >>> h2 = load_circuit("h2_givens_n4")
        >>> h2.num_qubits, h2.num_parameters
        (4, 3)
        >>> found = qg.estimate(h2.objective, h2.params, qg.Adjoint())
        >>> bool(abs(found.gradient - h2.gradient).max() < 1e-10)
        True
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or is_file_name(text):
        path = Path(text)
        program = path.with_suffix(".qasm") if path.suffix.lower() == ".toml" else path
        found = _read(path.with_suffix(".toml"), program, path.resolve().parent.name)
    else:
        family, _, name = text.rpartition("/")
        files = {n: (f, q, t) for f, n, q, t in _files()}
        if name not in files or (family and files[name][0] != family):
            near = difflib.get_close_matches(name, files, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(near)}?" if near else "qcgrad circuits or list_circuits() names them all"
            raise ImportRefused(f"no circuit {text!r} in the library: {hint}")
        family, program, metadata = files[name]
        found = _read(metadata, program, family)
    _ = found.program  # a damaged program is reported here, not at first use
    return found


def is_file_name(text: str) -> bool:
    """Whether a circuit's name is that of a file, and not one of the library.

    Example:
        >>> from qcgrad.library import is_file_name
        >>> is_file_name("mine.qasm"), is_file_name("molecules/h2_givens_n4")
        (True, False)
    """
    return text.lower().endswith((".qasm", ".toml"))


def list_circuits(family: str | None = None) -> list[LibraryCircuit]:
    """All circuits of the library, smallest first; reads metadata only, so it is fast.

    Args:
        family: only this folder, for example "qaoa".

    Returns:
        Records whose programs are read when first used.

    Raises:
        ImportRefused: no such family.

    Example:
        >>> from qcgrad.library import list_circuits
        >>> small = [c.name for c in list_circuits("molecules") if c.num_qubits <= 4]
        >>> "h2_givens_n4" in small
        True
    """
    files = list(_files())
    families = sorted({f for f, *_ in files})
    if family is not None and family not in families:
        raise ImportRefused(f"no family {family!r} in the library: the families are {', '.join(families)}")
    found = [_read(metadata, program, f) for f, _, program, metadata in files if family in (None, f)]
    return sorted(found, key=lambda c: (c.num_qubits, c.num_parameters, c.name))


def _root():
    try:
        root = importlib.resources.files("qcgrad.circuits")
        if any(child.is_dir() for child in root.iterdir()):
            return root
    except (ModuleNotFoundError, OSError):
        pass
    # A source checkout has the folder beside the package.
    root = Path(__file__).resolve().parents[2] / "circuits"
    if not root.is_dir():
        raise ImportRefused("the circuit library is not installed: reinstall qcgrad, or give the path of a .qasm file")
    return root


def _files() -> Iterator[tuple[str, str, Any, Any]]:
    """(family, name, program, metadata) of every circuit."""
    for folder in sorted(_root().iterdir(), key=lambda f: f.name):
        if not folder.is_dir() or folder.name.startswith(("_", ".")):
            continue
        files = {f.name: f for f in folder.iterdir()}
        for name in sorted(files):
            stem = name.removesuffix(".qasm")
            if stem != name and f"{stem}.toml" in files:
                yield folder.name, stem, files[name], files[f"{stem}.toml"]


def _read(metadata, program, family) -> LibraryCircuit:
    return LibraryCircuit(**{"family": family, **read_sidecar(metadata), "path": program})
