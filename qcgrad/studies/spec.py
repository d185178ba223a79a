"""What a scaling study computes, as data: checked, hashable, readable from TOML."""

import difflib
import hashlib
import json
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

METHODS = ("adjoint", "parameter-shift", "gentle-sweep", "read-once", "bell-shadow", "backprop")
"""Methods that a study knows, named as on the command line."""

_SIZE_AND_DEPTH = (
    *(f"efficient_su2_n{n}_r{r}" for n, r in ((2, 1), (4, 1), (4, 2), (4, 4), (4, 8))),
    *(f"efficient_su2_n{n}_r2" for n in (6, 8, 12, 16)),
)
_SPIN_CHAINS = ("tfim_hva_n3_p1", "tfim_hva_n4_p2", "tfim_hva_n6_p3", "tfim_hva_n8_p4", "tfim_hva_n12_p4")


class SpecError(ValueError):
    """A study spec that cannot be used; the message names the field and what it should be."""


class _Strict(BaseModel):
    # A misspelt field would silently fall back to its default, so it is an error.
    model_config = ConfigDict(extra="forbid", frozen=True)


class CircuitSeries(_Strict):
    """Library circuits that differ in size and depth, fitted together.

    Attributes:
        label: name of the series in the table.
        circuits: names in the circuit library.
        max_sampled_qubits: methods that sample simulate up to this size; white-box methods all of them.
    """

    label: str
    circuits: tuple[str, ...] = Field(min_length=1)
    max_sampled_qubits: int = Field(default=8, ge=1)


class HardInstance(_Strict):
    """The all-Pauli hard instance and the search for the copies that reach epsilon on it.

    Attributes:
        qubits: values of n; M = 4^n - 1.
        trials: for each method, trials at each step of the ladder.
        ladder: ratio of neighbouring steps; the copies found are rounded up by at most this factor.
        tilt: RY angle of the tilted qubits, radians.
    """

    qubits: tuple[int, ...] = (2, 3, 4, 5)
    trials: dict[Literal["parameter-shift", "read-once", "bell-shadow"], int] = {
        "parameter-shift": 500,
        "read-once": 200,
        "bell-shadow": 250,
    }
    ladder: float = Field(default=1.1, gt=1, le=2)
    tilt: float = 0.5

    @field_validator("qubits")
    @classmethod
    def _check_qubits(cls, qubits):
        if any(not 2 <= n <= 8 for n in qubits):
            raise ValueError("give values from 2 to 8")
        return qubits


class Network(_Strict):
    """Two-layer perceptrons with 2^n inputs and 2^n - 1 hidden units: 4^n - 1 weights, M of the hard instance.

    Attributes:
        levels: values of n.
        batch: examples in a batch.
    """

    levels: tuple[int, ...] = (2, 3, 4, 5)
    batch: int = Field(default=32, ge=1)

    @field_validator("levels")
    @classmethod
    def _check_levels(cls, levels):
        if any(not 1 <= n <= 8 for n in levels):
            raise ValueError("give values from 1 to 8")
        return levels


class StudySpec(_Strict):
    """A scaling study. Every field has the default of `qcgrad scaling`.

    Attributes:
        seed: of all random numbers.
        methods: which of `METHODS`.
        epsilon: accuracy in the max norm. For circuits it is in units of sqrt(sum_b c_b^2), with c_b the
            sum of the observable's |coefficients| that are measured together; 1 for a single string.
        delta: probability that the worst component misses epsilon.
        circuits: series of real circuits.
        hard_instance: the all-Pauli hard instance; None leaves it out.
        network: the classical baseline; None leaves it out.

    Example:
        >>> from qcgrad.studies.spec import StudySpec
        >>> StudySpec(methods=("adjoint",)).fingerprint == StudySpec().fingerprint
        False
    """

    seed: int = Field(default=0, ge=0)
    methods: tuple[str, ...] = METHODS
    epsilon: float = Field(default=0.3, gt=0, lt=1)
    delta: float = Field(default=0.02, gt=0, lt=1)
    circuits: tuple[CircuitSeries, ...] = (
        CircuitSeries(label="efficient_su2", circuits=_SIZE_AND_DEPTH),
        CircuitSeries(label="tfim_hva", circuits=_SPIN_CHAINS),
    )
    hard_instance: HardInstance | None = HardInstance()
    network: Network | None = Network()

    @field_validator("methods")
    @classmethod
    def _check_methods(cls, methods):
        if not methods:
            raise ValueError(f"give at least one of {', '.join(METHODS)}")
        return tuple(dict.fromkeys(nearest_method(name, METHODS) for name in methods))

    @property
    def fingerprint(self) -> str:
        """Ten hexadecimal digits that change with any field."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]


def nearest_method(name: str, known, kind: str = "method") -> str:
    """The name if it is known (a `kind` of thing), else a `ValueError` that suggests the nearest one.

    Example:
        >>> from qcgrad.studies.spec import METHODS, nearest_method
        >>> nearest_method("paramter-shift", METHODS)
        Traceback (most recent call last):
        ...
        ValueError: method 'paramter-shift' is not known: did you mean 'parameter-shift'? Known: adjoint, ...
    """
    canonical = name.strip().lower().replace("_", "-")
    if canonical in known:
        return canonical
    near = difflib.get_close_matches(canonical, known, n=1, cutoff=0.3)
    hint = f": did you mean {near[0]!r}? Known" if near else "; known"
    raise ValueError(f"{kind} {name!r} is not known{hint}: {', '.join(known)}")


def load_spec(path: "str | Path") -> StudySpec:
    """Read a study spec from a TOML file; fields left out take their defaults.

    Raises:
        SpecError: the file cannot be read, is no TOML, or a field is unknown or wrong.
    """
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"spec {path} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"spec {path} is not a TOML file: {error}") from error
    return make_spec(data, f"spec {path}")


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
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        top = len(error["loc"]) == 1
        near = difflib.get_close_matches(field, StudySpec.model_fields, n=1) if top else []
        return f"{field}: no such field" + (f", did you mean {near[0]!r}?" if near else "")
    return message if message.startswith("method ") else f"{field}: {message}"


def quick(spec: StudySpec) -> StudySpec:
    """A smaller study: circuits up to 8 qubits, the hard instance to n = 4 with fewer trials."""
    hard = spec.hard_instance and spec.hard_instance.model_copy(
        update={
            "qubits": tuple(n for n in spec.hard_instance.qubits if n <= 4),
            "trials": {name: min(100, count) for name, count in spec.hard_instance.trials.items()},
            "ladder": max(spec.hard_instance.ladder, 1.2),
        }
    )
    return limit_qubits(spec.model_copy(update={"hard_instance": hard}), 8)


def limit_qubits(spec: StudySpec, max_qubits: int) -> StudySpec:
    """The study without anything on more than `max_qubits` qubits; the hard instance of n has n + 1."""
    from ..interop.library import list_circuits

    # Names that the library does not have stay in, so that their cell can say so.
    too_large = {c.name for c in list_circuits() if c.num_qubits > max_qubits}
    series = tuple(
        s.model_copy(update={"circuits": kept})
        for s in spec.circuits
        if (kept := tuple(name for name in s.circuits if name not in too_large))
    )
    hard = spec.hard_instance
    if hard is not None:
        kept = tuple(n for n in hard.qubits if n + 1 <= max_qubits)
        hard = hard.model_copy(update={"qubits": kept}) if kept else None
    return spec.model_copy(update={"circuits": series, "hard_instance": hard})
