"""What a study computes, as data: checked, hashable, readable from TOML."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import Field, ValidationError, model_validator

from ._errors_of_specs import MOST_BYTES, SpecError, check_nesting, explain, parse_toml
from .cells import Cell, Cells
from .factories import is_factory_name
from .gradients import Gradients
from .kernels import TangentKernels
from .kind import AbstractKind, Part, Whole, Words
from .rules import Rules
from .scaling import Scaling
from .training import Training


class StudySpec(Part):
    """A study: one or several kinds, each with its own grid.

    Attributes:
        title: for the report.
        seed: of all random numbers.
        scaling: cost against M, and who has backpropagation scaling.
        gradients: error and cost of methods with their options on circuits.
        ntk: tangent kernels of finite networks against their infinite limit.
        rules: backward rules of networks, their alignment with the true gradient and what they cost.
        training: losses against what they cost, of circuits and of networks.

    Example:
        >>> from qcgrad.studies.scaling import Scaling
        >>> from qcgrad.studies.spec import StudySpec
        >>> StudySpec(scaling=Scaling(methods=("adjoint",))).fingerprint == StudySpec(scaling=Scaling()).fingerprint
        False
    """

    title: Words = ""
    seed: Whole = Field(default=0, ge=0, lt=2**63)
    scaling: Scaling | None = None
    gradients: Gradients | None = None
    ntk: TangentKernels | None = None
    rules: Rules | None = None
    training: Training | None = None

    @model_validator(mode="after")
    def _check_kinds(self):
        if not list(self.kinds()):
            raise ValueError(f"a study of nothing: give one of {', '.join(f'[{name}]' for name in kinds_of_study())}")
        return self

    def kinds(self) -> Iterator[AbstractKind]:
        """Those that are given."""
        for name in kinds_of_study():
            if (kind := getattr(self, name)) is not None:
                yield kind

    def cells(self, *, allow_code: bool = False) -> Cells:
        """All cells in the order in which they run, cheap ones first within a kind.

        Args:
            allow_code: whether functions of the user's may be run to make circuits. No file can say that.
        """

        def make() -> Iterator[Cell]:
            for kind in self.kinds():
                for cell in kind.cells(self.seed):
                    yield cell.permitted() if allow_code else cell

        return Cells(make)

    def code(self) -> list[str]:
        """Functions of the user's that make circuits of the study."""
        return [name for kind in self.kinds() for name in kind.circuits_named() if is_factory_name(name)]

    def changed(self, change: Callable[[AbstractKind], AbstractKind | None]) -> "StudySpec":
        """With each kind as `change(kind)` makes it."""
        new = {name: change(kind) for name in kinds_of_study() if (kind := getattr(self, name)) is not None}
        return self.model_copy(update=new)

    @property
    def fingerprint(self) -> str:
        """Ten hexadecimal digits that change with any field."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]


def kinds_of_study() -> tuple[str, ...]:
    """Names of the tables that a spec may have."""
    return tuple(name for name in StudySpec.model_fields if name not in ("title", "seed"))


def load_spec(path: "str | Path") -> StudySpec:
    """Read a study spec from a TOML file; fields left out take their defaults, files lie beside the spec.

    Raises:
        SpecError: the file cannot be read, is no TOML, or a field is unknown or wrong.
    """
    try:
        with Path(path).open("rb") as file:
            text = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise SpecError(f"spec {path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if len(text) > MOST_BYTES:
        raise SpecError(f"spec {path} has more than {MOST_BYTES:,} bytes: is it a TOML file?")
    try:
        data = parse_toml(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # ValueError also of an integer with thousands of digits
        raise SpecError(f"spec {path} is not a TOML file: {error}") from error
    return make_spec(data, f"spec {path}").changed(lambda kind: kind.with_files_in(Path(path).parent))


def read_spec(text: str, source: str) -> StudySpec:
    """A spec from JSON, as `StudySpec.model_dump_json` writes it and stores keep it.

    Raises:
        SpecError: it is no JSON, or a field is unknown or wrong.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError(f"{source} is not JSON: {error}") from error
    return make_spec(data, source)


def make_spec(data: dict, source: str = "spec") -> StudySpec:
    """A spec from plain data, with one line for each wrong field.

    Raises:
        SpecError: names every wrong field.
    """
    if not isinstance(data, dict):
        raise SpecError(f"{source} is {data!r:.80}: give a table")
    check_nesting(data, source)
    try:
        return StudySpec.model_validate(data)
    except ValidationError as error:
        raise SpecError(f"{source}: {'; '.join(explain(e, StudySpec) for e in error.errors())}") from error
    except (TypeError, ArithmeticError) as error:  # a method's own, of a number that it cannot take
        raise SpecError(f"{source}: {error}") from error
