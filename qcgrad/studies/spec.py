"""What a study computes, as data: checked, hashable, readable from TOML."""

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import Field, ValidationError, model_validator

from ._errors_of_specs import SpecError, explain
from .cells import Cell
from .gradients import Gradients
from .kernels import TangentKernels
from .kind import AbstractKind, Part, Whole
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

    title: str = ""
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

    def cells(self) -> list[Cell]:
        """All cells in the order in which they run, cheap ones first within a kind."""
        return [cell for kind in self.kinds() for cell in kind.cells(self.seed)]

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
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"spec {path} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SpecError(f"spec {path} is not a TOML file: {error}") from error
    return make_spec(data, f"spec {path}").changed(lambda kind: kind.with_files_in(Path(path).parent))


def make_spec(data: dict, source: str = "spec") -> StudySpec:
    """A spec from plain data, with one line for each wrong field.

    Raises:
        SpecError: names every wrong field.
    """
    try:
        return StudySpec(**data)
    except ValidationError as error:
        raise SpecError(f"{source}: {'; '.join(explain(e, StudySpec) for e in error.errors())}") from error
