"""The command line: `qcgrad scaling`, `qcgrad grad`, `qcgrad circuits`."""

from .app import main as main
