"""Circuits and parameters as they are given on the command line."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import _completion as completion
from .errors import UserError
from .numbers import numbers

if TYPE_CHECKING:
    import numpy as np

    from ..interop.qasm import Imported
    from ..ir import Expectation


FILE = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="An OpenQASM file, or the name of a library circuit.",
        autocompletion=completion.files_and_circuits,
    ),
]


def objective_of(file: str, observable: str | None) -> "tuple[Expectation, Imported, np.ndarray | None]":
    """(objective, program, default parameters or None) of a file or a library circuit.

    Raises:
        UserError: no observable, or nothing to differentiate.
    """
    from ..interop.qasm import load_qasm
    from ..library import is_file_name, load_circuit

    path = Path(file)
    is_file = is_file_name(file) or path.is_file()
    if is_file and not path.with_suffix(".toml").is_file():
        program, parameters = load_qasm(file), None
        if observable is None:
            word = "Z" + "I" * (program.circuit.num_qubits - 1)
            raise UserError(f"{file} has no observable of its own: give one, for example --observable {word}")
        objective = program.expectation(observable)
    else:
        circuit = load_circuit(path if is_file else file)
        program, parameters = circuit.program, circuit.params
        objective = circuit.objective if observable is None else program.expectation(observable)
    if not program.parameter_names:
        raise UserError(f"{file} has no parameters, so there is nothing to differentiate: declare 'input float[64] a;'")
    return objective, program, parameters


def parameters_of(
    count: int, text: str | None, path: Path | None, random_seed: int | None, default: "np.ndarray | None"
) -> "np.ndarray | None":
    """The parameters from whichever option was given, else the default ones; None where there are none.

    Raises:
        UserError: two options, a file that cannot be read, another number of them.
    """
    import numpy as np

    given = [option for option in (text, path, random_seed) if option is not None]
    if len(given) > 1:
        raise UserError("give only one of --params, --params-file and --random-params")
    if random_seed is not None:
        return np.random.default_rng(random_seed).uniform(-np.pi, np.pi, count)
    if text is None and path is not None:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UserError(f"--params-file {path} cannot be read: {reason}") from error
    if text is None:
        return default
    values = numbers(text, "--params" if path is None else f"--params-file {path}")
    if len(values) != count:
        raise UserError(f"{len(values)} parameters were given, but the circuit has {count}")
    return np.array(values, dtype=float)
