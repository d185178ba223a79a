"""The command line: `qcgrad scaling`, `qcgrad grad`, `qcgrad circuits`."""

from ._app import main as main
