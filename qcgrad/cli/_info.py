"""`qcgrad info`: what runs the simulations on this machine."""

from . import _consoles as consoles

EXAMPLE = "Example: qcgrad info"

_PACKAGES = ("jax", "pennylane", "qiskit", "stim")


def info(as_json: consoles.JSON = False) -> None:
    """Show the engine, its instruction set and threads, JAX's devices, and versions."""
    from importlib.metadata import version

    from rich.table import Table

    from ..simulators.statevector import native_library
    from ..version import __version__

    about = {name: str(value) for name, value in native_library.describe().items()}
    about |= {"qcgrad": __version__, **{package: version(package) for package in _PACKAGES}}
    if as_json:
        consoles.print_json(about)
        return
    table = Table(show_header=False, box=None)
    for name, value in about.items():
        table.add_row(name, value)
    consoles.output().print(table)
