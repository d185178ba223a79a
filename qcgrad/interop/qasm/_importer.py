"""OpenQASM 2 and 3 programs as circuits."""

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...errors import ImportRefused
from ...ir.circuit import Circuit
from ...ir.expectation import Expectation
from ...ir.observable import PauliSum, Terms
from ...ir.parameter_map import PureMap
from ..instructions._assemble import assemble
from ._parser import Parser, language_of
from ._reader import Reader
from ._source import QasmError, Source
from .limits import MAX_BYTES

# Longer programs are read again rather than kept.
_MAX_KEPT = 100_000

# Of a path that is none, so much is shown.
_PATH_SHOWN = 200


@dataclass(frozen=True)
class Imported:
    """An imported program.

    Attributes:
        circuit: the circuit; qubit i is the i-th declared one, so register q of one program is q[0], q[1], ...
        parameter_names: the inputs in their order of declaration; parameters come in this order.
        parameter_map: circuit parameters from the inputs, JAX-traceable; None where they are the same.
        notes: what was read differently than written, with its line: final measurements and classical registers that
            were left out, quotients of integers that are not what they seem.
    """

    circuit: Circuit
    parameter_names: tuple[str, ...]
    parameter_map: PureMap | None
    notes: tuple[str, ...] = ()

    def expectation(self, observable: PauliSum | Terms | Sequence[PauliSum]) -> Expectation:
        """The objective of measuring `observable`; letter i of a Pauli word acts on qubit i."""
        if self.parameter_map is None:
            return Expectation(self.circuit, observable)
        return Expectation(self.circuit, observable, self.parameter_map, example=np.zeros(len(self.parameter_names)))


def load_qasm(path: "str | Path") -> Imported:
    """Read an OpenQASM 2 or 3 file.

    Args:
        path: the file, UTF-8.

    Returns:
        The circuit with its inputs as parameters, see `parse_qasm`.

    Raises:
        QasmError: the file cannot be read, or `parse_qasm` refuses it.

    Example:
        >>> import tempfile, pathlib
        >>> from qcgrad.interop import load_qasm
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "one.qasm")
        ...     _ = path.write_text('OPENQASM 3.0; include "stdgates.inc"; input float a; qubit q; rx(2*a) q;')
        ...     load_qasm(path).circuit
        Circuit(num_qubits=1, 1 gates, 1 parameters)
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = "; for a program's text, not a path, call parse_qasm" if set(";\n") & set(str(path)) else ""
        raise QasmError(f"the file cannot be read: {reason}{hint}", str(path)[:_PATH_SHOWN]) from error
    if len(data) > MAX_BYTES:
        raise QasmError(f"the file has more than {MAX_BYTES} bytes", str(path))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        raise QasmError("the file is not UTF-8 text", str(path), line, column) from error
    return parse_qasm(text, str(path))


def parse_qasm(text: str, source: str = "<string>") -> Imported:
    """Read an OpenQASM 2 or 3 program.

    Angles are any expressions of constants and inputs, real numbers that are not wrapped to a turn. Where each is
    affine in one input the inputs are the circuit's parameters; else `parameter_map` keeps the expressions, and
    derivatives are exact. Global phases are left out. Gates of the standard library need no `include`. Without a
    version line a program is OpenQASM 3, unless it includes qelib1.inc.

    Args:
        text: the program. Supported: registers and physical qubits, indices, ranges, sets and aliases of qubits, gate
            definitions and calls, with `ctrl`, `negctrl`, `inv` and `pow`, `input float`/`angle`, `const`, loops and
            conditions over constants, subroutines of qubits and numbers, `barrier` (ignored), bits, measurements after
            the last gate and resets before the first (left out, see `Imported.notes`). In OpenQASM 3 integers divide as
            integers: 1/2 is 0.
        source: what errors call it.

    Returns:
        The circuit with its inputs as parameters.

    Raises:
        QasmError: a syntax error, a construct that is not supported, or more qubits, gates or nesting than the limits
            in `qcgrad.interop.qasm.limits`; with line and column, before time or memory is spent.

    Example:
        >>> from qcgrad.interop import parse_qasm
        >>> program = parse_qasm('OPENQASM 3.0; include "stdgates.inc"; input float a; qubit[2] q; ry(a/2) q[1];')
        >>> program.parameter_names, program.circuit.gates[0].scale
        (('a',), 0.5)
    """
    return _kept(text, source) if len(text) <= _MAX_KEPT else _read(text, source)


def _read(text, source) -> Imported:
    # All that reading makes is kept and holds no cycles, so the collector would walk it again and again for nothing.
    collects = gc.isenabled()
    gc.disable()
    try:
        return _imported(text, source)
    finally:
        if collects:
            gc.enable()


def _imported(text, source) -> Imported:
    program = Source(source, text)
    if not program.text.strip():
        raise QasmError("the program is empty", source, 1, 1)
    language = language_of(program)
    reader = Reader(program, language)
    try:
        for place, statement in Parser(program, language).statements():
            reader.read(place, statement)
    except RecursionError as error:
        raise QasmError("the program is nested too deeply for the stack that Python has left", source, 1, 1) from error
    return _finish(reader)


_kept = lru_cache(maxsize=128)(_read)


def _finish(reader) -> Imported:
    source, num_qubits, inputs = reader.source, reader.registers.num_qubits, reader.inputs
    if not num_qubits:
        raise QasmError("the program declares no qubits", source.name, 1, 1)
    try:
        circuit, parameter_map = assemble(num_qubits, reader.instructions, len(inputs), source.name)
    except (ImportRefused, ValueError) as error:
        raise QasmError(str(error), source.name) from error
    return Imported(circuit, tuple(inputs), parameter_map, reader.notes.lines())
