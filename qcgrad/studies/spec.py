"""What a scaling study computes, as data: checked, hashable, readable from TOML."""

import difflib
import hashlib
import json
import reprlib
import tomllib
from pathlib import Path

from pydantic import Field, ValidationError, field_validator

from ..catalogue import methods
from ._methods import known, ranked, searched, trials_of, typical
from ._spec_parts import CircuitSeries, HardInstance, Network, Number, Part, Whole

_SIZE_AND_DEPTH = (
    *(f"efficient_su2_n{n}_r{r}" for n, r in ((2, 1), (4, 1), (4, 2), (4, 4), (4, 8))),
    *(f"efficient_su2_n{n}_r2" for n in (6, 8, 12, 16)),
)
_SPIN_CHAINS = ("tfim_hva_n3_p1", "tfim_hva_n4_p2", "tfim_hva_n6_p3", "tfim_hva_n8_p4", "tfim_hva_n12_p4")


_QUICK_TRIALS = 100


class SpecError(ValueError):
    """A study spec that cannot be used; the message names the field and what it should be."""


class StudySpec(Part):
    """A scaling study. Every field has the default of `qcgrad scaling`.

    Attributes:
        seed: of all random numbers.
        methods: names that `qcgrad methods` lists, those of installed packages too; by default the typical ones.
        epsilon: accuracies in the max norm, one or several. For circuits they are in units of sqrt(sum_b c_b^2),
            with c_b the sum of the observable's |coefficients| that are measured together (1 for a single string),
            times sqrt(sum_a (d angle_a / d parameter)^2) of the component.
        delta: probability that the worst component misses epsilon.
        circuits: series of real circuits.
        hard_instance: the all-Pauli hard instance; None (in a TOML file: false) leaves it out.
        network: the classical baseline; None (false) leaves it out.

    Example:
        >>> from qcgrad.studies.spec import StudySpec
        >>> StudySpec(methods=("adjoint",)).fingerprint == StudySpec().fingerprint
        False
    """

    seed: Whole = Field(default=0, ge=0, lt=2**63)
    methods: tuple[str, ...] = Field(default_factory=typical)
    epsilon: tuple[Number, ...] = (0.3,)
    delta: Number = Field(default=0.02, gt=0, lt=1)
    circuits: tuple[CircuitSeries, ...] = (
        CircuitSeries(label="efficient_su2", circuits=_SIZE_AND_DEPTH),
        CircuitSeries(label="tfim_hva", circuits=_SPIN_CHAINS),
    )
    hard_instance: HardInstance | None = HardInstance()
    network: Network | None = Network()

    @field_validator("hard_instance", "network", mode="before")
    @classmethod
    def _false_is_none(cls, part):
        return None if part is False else part

    @field_validator("epsilon", mode="before")
    @classmethod
    def _one_or_several(cls, epsilon):
        return epsilon if isinstance(epsilon, (list, tuple)) else (epsilon,)

    @field_validator("epsilon")
    @classmethod
    def _check_epsilon(cls, epsilon):
        wrong = [value for value in epsilon if not 0 < value < 1]
        if wrong or not epsilon:
            raise ValueError(f"{wrong[0] if wrong else 'nothing'} given: give numbers greater than 0 and less than 1")
        return tuple(sorted(set(epsilon), reverse=True))

    @field_validator("circuits")
    @classmethod
    def _check_labels(cls, circuits):
        labels = [series.label for series in circuits]
        for name in labels:
            if labels.count(name) > 1:
                raise ValueError(f"two series are labelled {name!r} and would be fitted as one: rename one of them")
        return circuits

    @field_validator("methods")
    @classmethod
    def _check_methods(cls, methods):
        if not methods:
            raise ValueError(f"give at least one of {', '.join(ranked())}")
        return known(methods)

    @property
    def fingerprint(self) -> str:
        """Ten hexadecimal digits that change with any field."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]


def load_spec(path: "str | Path") -> StudySpec:
    """Read a study spec from a TOML file; fields left out take their defaults, files lie beside the spec.

    Raises:
        SpecError: the file cannot be read, is no TOML, or a field is unknown or wrong.
    """
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"spec {path} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"spec {path} is not a TOML file: {error}") from error
    return with_files_in(make_spec(data, f"spec {path}"), Path(path).parent)


def with_files_in(spec: StudySpec, folder: Path) -> StudySpec:
    """The study with absolute names for its circuits' files, which are relative to `folder`."""
    from ..library import is_file_name

    def absolute(name: str) -> str:
        return str((folder / Path(name).expanduser()).resolve()) if is_file_name(name) else name

    series = tuple(s.model_copy(update={"circuits": tuple(map(absolute, s.circuits))}) for s in spec.circuits)
    return spec.model_copy(update={"circuits": series})


def make_spec(data: dict, source: str = "spec") -> StudySpec:
    """A spec from plain data, with one line for each wrong field.

    Raises:
        SpecError: names every wrong field.
    """
    try:
        return StudySpec(**data)
    except ValidationError as error:
        raise SpecError(f"{source}: {'; '.join(_explain(e) for e in error.errors())}") from error


def _explain(error) -> str:
    field = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(error["loc"][-1]), _fields_at(error["loc"][:-1]), n=1)
        return f"{field}: no such field" + (f", did you mean {near[0]!r}?" if near else "")
    message = error["msg"].removeprefix("Value error, ").replace("valid tuple", "list")
    if error["type"] == "too_short":
        return f"{field}: give at least one"
    if message.startswith("method "):
        return message
    # Our own messages say what was given where that helps.
    given = "" if error["type"] in ("value_error", "missing") else f", and not {reprlib.repr(error['input'])}"
    return f"{field}: {message}{given}"


def _fields_at(location) -> list[str]:
    model = {(): StudySpec, ("circuits",): CircuitSeries, ("hard_instance",): HardInstance, ("network",): Network}
    return list(model[location[:1]].model_fields)


def quick(spec: StudySpec) -> StudySpec:
    """A smaller study: circuits up to 8 qubits, the hard instance to n = 4 with fewer trials."""
    hard = spec.hard_instance and spec.hard_instance.model_copy(
        update={
            "qubits": tuple(n for n in spec.hard_instance.qubits if n <= 4),
            "trials": {
                name: min(_QUICK_TRIALS, spec.hard_instance.trials.get(name, trials_of(methods()[name])))
                for name in searched(spec.methods)
            },
            "ladder": max(spec.hard_instance.ladder, 1.2),
        }
    )
    return limit_qubits(spec.model_copy(update={"hard_instance": hard}), 8)


def limit_qubits(spec: StudySpec, max_qubits: int) -> StudySpec:
    """The study without anything on more than `max_qubits` qubits; the hard instance of n has n + 1."""
    from .circuits import within

    series = tuple(
        s.model_copy(update={"circuits": kept}) for s in spec.circuits if (kept := within(s.circuits, max_qubits))
    )
    hard = spec.hard_instance
    if hard is not None:
        kept = tuple(n for n in hard.qubits if n + 1 <= max_qubits)
        hard = hard.model_copy(update={"qubits": kept}) if kept else None
    return spec.model_copy(update={"circuits": series, "hard_instance": hard})
