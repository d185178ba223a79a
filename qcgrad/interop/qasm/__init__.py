"""OpenQASM 2 and 3, read by a parser of our own."""

from .importer import Imported as Imported
from .importer import load_qasm as load_qasm
from .importer import parse_qasm as parse_qasm
from .source import QasmError as QasmError
