"""OpenQASM 2 and 3, read by a parser of our own, and OpenQASM 3 written."""

from ._exporter import to_openqasm3 as to_openqasm3
from ._importer import Imported as Imported
from ._importer import load_qasm as load_qasm
from ._importer import parse_qasm as parse_qasm
from ._source import QasmError as QasmError
