"""The data types that pass between the parts of the generator."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

Terms = list[tuple[str, float]]
"""A Hermitian observable: character i of each Pauli string acts on ``q[i]``."""

LIBRARIES = {
    "qiskit": ("Apache-2.0", "https://github.com/Qiskit/qiskit"),
    "pennylane": ("Apache-2.0", "https://github.com/PennyLaneAI/pennylane"),
    "mqt.bench": ("MIT", "https://github.com/munich-quantum-toolkit/bench"),
    "qiskit-nature": ("Apache-2.0", "https://github.com/qiskit-community/qiskit-nature"),
}


@dataclass(frozen=True)
class Template:
    """A PennyLane circuit: ``apply(params)`` queues its operations on wires 0..qubits-1."""

    qubits: int
    parameters: list[str]
    apply: Callable[[Any], None]


@dataclass(frozen=True)
class Case:
    """One circuit of the collection, as its library built it, and its observable."""

    name: str
    family: str
    description: str
    circuit: QuantumCircuit | Template
    observable: Terms
    library: str
    call: str
    notes: str = ""

    def source(self) -> dict[str, str]:
        """The ``[source]`` table of the TOML file."""
        licence, url = LIBRARIES[self.library]
        return {
            "library": self.library,
            "version": version(self.library),
            "call": self.call,
            "licence": licence,
            "url": url,
            "notes": self.notes,
        }


def called(function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[Any, str]:
    """Call ``function`` and return its result with the call written out as text."""
    words = [_word(a) for a in args] + [f"{k}={_word(a)}" for k, a in kwargs.items()]
    return function(*args, **kwargs), f"{function.__name__}({', '.join(words)})"


def _word(value: Any) -> str:
    """How an argument is written in a ``call``; operators are named, not spelled out."""
    if isinstance(value, SparsePauliOp):
        return "H"
    if isinstance(value, QuantumCircuit):
        return value.name
    if isinstance(value, list | tuple) and any(isinstance(v, SparsePauliOp) for v in value):
        return "[" + ", ".join(f"H{i}" for i in range(len(value))) + "]"
    return repr(value)


def sparse_pauli(terms: Sequence[tuple[str, float]]) -> SparsePauliOp:
    """The observable as Qiskit writes it: with the labels reversed."""
    return SparsePauliOp.from_list([(label[::-1], value) for label, value in terms])
