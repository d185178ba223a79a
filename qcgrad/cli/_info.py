"""`qcgrad info`: what runs the simulations on this machine."""

EXAMPLE = "Example: qcgrad info"


def info() -> None:
    """Show the engine, its instruction set and threads, JAX's devices, and versions."""
    from importlib.metadata import version

    from rich.console import Console
    from rich.table import Table

    from ..simulators.statevector import native_library

    table = Table(show_header=False, box=None)
    for name, value in native_library.describe().items():
        table.add_row(name, str(value))
    for package in ("jax", "pennylane", "qiskit", "stim"):
        table.add_row(package, version(package))
    Console().print(table)
