"""`qcgrad scaling`: who has backpropagation scaling."""

import re
from pathlib import Path
from typing import Annotated

import typer

from . import _completion as completion
from . import _consoles as consoles
from ._run_options import ALLOW_CODE, JOBS, MAX_MEMORY, MAX_QUBITS, QUICK, again, gib, smaller
from ._studying import Setting, run_study
from .errors import UserError
from .numbers import numbers

EXAMPLE = 'Example: qcgrad scaling --methods "parameter-shift,bell-shadow" --out hard-instance'


_SPEC = Annotated[Path | None, typer.Option(help="Study spec, a TOML file; fields left out have defaults.")]
_OUT = Annotated[
    Path | None, typer.Option(help="Folder of the results.", show_default="qcgrad-results/scaling-<hash of the spec>")
]
_METHODS = Annotated[
    str | None,
    typer.Option(
        help="Comma-separated names that qcgrad methods lists.",
        show_default="typical ones",
        autocompletion=completion.several_methods,
    ),
]
_CIRCUITS = Annotated[
    str | None,
    typer.Option(
        help="Comma-separated OpenQASM files, names of library circuits, or with --allow-code Python functions as "
        "ansatz.py:layers(depth=2): one series of growing size."
    ),
]
_OBSERVABLE = Annotated[
    str | None,
    typer.Option(
        help="Pauli sum for --circuits, for example ZZI + 0.5*IXI.",
        show_default="the recorded one, else Z on every qubit, summed",
    ),
]
_EPSILON = Annotated[str | None, typer.Option(help="Comma-separated accuracies, for example 0.3,0.1.")]
_SEED = Annotated[int | None, typer.Option(help="Seed of all random numbers.", min=0)]


def scaling(
    context: typer.Context,
    spec: _SPEC = None,
    out: _OUT = None,
    methods: _METHODS = None,
    circuits: _CIRCUITS = None,
    observable: _OBSERVABLE = None,
    epsilon: _EPSILON = None,
    max_qubits: MAX_QUBITS = None,
    max_memory: MAX_MEMORY = None,
    seed: _SEED = None,
    jobs: JOBS = 1,
    quick: QUICK = False,
    allow_code: ALLOW_CODE = False,
    as_json: consoles.JSON = False,
) -> None:
    """Measure how the cost of a gradient grows with M, for every method, and give a verdict.

    The models are real circuits of the library or your own, the all-Pauli hard instance, and a classical network.
    Circuits need nothing but their program: a .toml file beside it, as in the library, gives observable and angles;
    without one the angles are drawn from the seed. Gradients are compared with the adjoint method.

    Finished parts are kept: an interrupted study goes on where it stopped, a finished one is shown again. Several
    processes on one folder share the work. Exit code 1: some parts failed or would not fit into memory.
    """
    study = _study(spec, methods, circuits, observable, epsilon, max_qubits, seed, quick)
    setting = Setting(
        out or Path("qcgrad-results") / f"scaling-{study.fingerprint}",
        jobs,
        max_bytes=gib(max_memory),
        again=again(context, "scaling"),
        debug=context.obj["debug"],
        allow_code=allow_code,
        as_json=as_json,
    )
    run_study(study, setting)


def _study(spec, methods, circuits, observable, epsilon, max_qubits, seed, quick):
    from ..studies import spec as specs
    from ..studies.scaling import Scaling

    study = specs.load_spec(spec) if spec is not None else specs.StudySpec(scaling=Scaling())
    if study.scaling is None:
        raise UserError(f"spec {spec} has no [scaling]: qcgrad study run {spec} runs what it has")
    changes = {}
    if methods is not None:
        changes["methods"] = _listed(methods)
    if circuits is not None:
        changes["circuits"] = [{"label": "circuits", "circuits": _listed(circuits), "observable": observable}]
    elif observable is not None:
        raise UserError("--observable belongs to --circuits: give both, or write it into the spec")
    if epsilon is not None:
        changes["epsilon"] = numbers(epsilon, "--epsilon")
    # Through the constructor again, which checks; copying would not.
    data = {"title": study.title, "seed": study.seed if seed is None else seed}
    data["scaling"] = {**study.scaling.model_dump(), **changes}
    study = specs.make_spec(data, "options").changed(lambda kind: kind.with_files_in(Path.cwd()))
    return smaller(study, quick, max_qubits)


def _listed(text: str) -> tuple[str, ...]:
    # The arguments of a function have commas of their own.
    return tuple(name.strip() for name in re.split(r",(?![^()]*\))", text) if name.strip())
