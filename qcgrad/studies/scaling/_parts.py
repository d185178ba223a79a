"""The parts of a study's spec: series of circuits, the hard instance, the classical baseline."""

from typing import Annotated

from pydantic import Field, field_validator

from .._circuit_fields import CircuitNames, ObservableText
from .._methods import ranked, searched
from ..kind import Number, Part, Whole, Words, distinct


class CircuitSeries(Part):
    """Circuits that differ in size and depth, fitted together.

    Attributes:
        label: name of the series in the table.
        circuits: names in the circuit library, or OpenQASM files, relative to the folder of the spec. A .toml file
            beside a program (as in the library) gives its observable and its angles, but is not needed.
        observable: Pauli sum, for example "ZZI + 0.5*IXI". Default: the recorded one, else Z on every qubit, summed.
        noise: what goes wrong where methods sample, in words as "depolarizing=0.01,2@cx" (see `qcgrad.ir.noise`). Their
            cells hold the bias that it gives to the gradient; errors are those to the gradient without noise.
        max_sampled_qubits: methods that sample simulate up to this size; white-box methods all of them.
    """

    label: Words = Field(min_length=1)
    circuits: CircuitNames
    observable: ObservableText | None = None
    noise: tuple[str, ...] = ()
    max_sampled_qubits: Whole = Field(default=8, ge=1)

    @field_validator("noise", mode="before")
    @classmethod
    def _one_or_several(cls, noise):
        return (noise,) if isinstance(noise, str) else noise

    @field_validator("noise")
    @classmethod
    def _check_noise(cls, noise):
        from ...ir.noise import noise_in_words

        noise_in_words(noise)  # refuses by name what is none
        return noise


class HardInstance(Part):
    """The all-Pauli hard instance and the search for the copies that reach epsilon on it.

    Attributes:
        qubits: values of n; M = 4^n - 1.
        trials: at each step of the ladder and for each seed, by method; those not named take 200 where JAX runs them
            side by side, else 100.
        ladder: ratio of neighbouring steps; the copies found are rounded up by at most this factor.
        tilt: RY angle of the tilted qubits, radians.
    """

    qubits: tuple[Whole, ...] = (2, 3, 4, 5)
    trials: dict[str, Annotated[Whole, Field(ge=1)]] = {}
    ladder: Number = Field(default=1.1, gt=1, le=2)
    tilt: Number = 0.5

    @field_validator("trials")
    @classmethod
    def _check_trials(cls, trials):
        known = searched(ranked())
        for name in trials:
            if name not in known:
                raise ValueError(f"no copies are searched for {name!r}: give trials for {', '.join(known)}")
        return trials

    @field_validator("qubits")
    @classmethod
    def _check_qubits(cls, qubits):
        if any(not 2 <= n <= 8 for n in qubits):
            raise ValueError("give values from 2 to 8")
        return distinct(qubits)


class Network(Part):
    """Two-layer perceptrons with 2^n inputs and 2^n - 1 hidden units: 4^n - 1 weights, M of the hard instance.

    Each one is built, its gradient computed and both costs counted by XLA; n = 10 has 10^6 weights.

    Attributes:
        levels: values of n.
        batch: examples in a batch.
    """

    levels: tuple[Whole, ...] = (1, 2, 3, 4, 5, 6, 8, 10)
    batch: Whole = Field(default=32, ge=1)

    @field_validator("levels")
    @classmethod
    def _check_levels(cls, levels):
        if any(not 1 <= n <= 12 for n in levels):
            raise ValueError("give values from 1 to 12")
        return distinct(levels)
