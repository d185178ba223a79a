"""Tapes with shots: expectation values of Pauli sums by the engine, everything else from outcomes in rotated bases."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Int

from ....array_types import Key, Settings
from ....draws import generator
from ....ir import pauli
from ....queries import AbstractQuery, Evaluate, MeasureBases, RandomizedMeasure
from ._lowering import Lowered, Place, lower_tape, settings_of, without_observables
from ._program import has_pauli_form
from ._questions import answered


class _Group(NamedTuple):
    """Measurements that share their outcomes.

    Attributes:
        indices: of the measurements.
        labels: wires that are read.
        gates: PennyLane's, which turn their basis into the computational one.
    """

    indices: list[int]
    labels: tuple[Any, ...]
    gates: list[Any]


class _Split(NamedTuple):
    """Indices of expectation values of Pauli sums and of classical shadows, and groups of all other measurements."""

    means: list[int]
    shadows: list[int]
    groups: list[_Group]


def sampled(
    tape: Any, engine: Any, place: Place, lowered: Lowered, angles: Settings, key: Key | None
) -> list[list[Any]]:
    """Results of all measurements, for each entry of the shot vector.

    Args:
        tape, engine, key: as for `execute`.
        place, lowered, angles: of the tape.
    """
    shots, split = tuple(tape.shots), _split(tape.measurements, place)
    program = engine.programs(lowered, place, [tape.measurements[k] for k in split.means]) if split.means else None
    queries: list[AbstractQuery] = []
    if program is not None:
        settings = np.repeat(angles, len(shots), axis=0)
        queries.append(Evaluate(program.objective.program, settings, shots))
    queries += [_in_basis(group, place, lowered, angles[0], shots) for group in split.groups]
    whole = without_observables(place, tuple(lowered.parts))
    queries += [RandomizedMeasure(whole, angles[0], "local", count) for _ in split.shadows for count in shots]
    answers = iter(answered(queries, engine.backend, key))
    rng = generator(jax.random.fold_in(key, 1))  # pyright: ignore[reportArgumentType]
    results: list[list[Any]] = [[None] * len(tape.measurements) for _ in shots]
    if program is not None:
        for part, row in zip(results, next(answers).mean, strict=True):
            for k, value in zip(split.means, program.results(row), strict=True):
                part[k] = value
    for group in split.groups:
        for part, counts in zip(results, next(answers).counts, strict=True):
            outcomes = _outcomes(counts, len(group.labels), rng)
            for k in group.indices:
                part[k] = _processed(tape.measurements[k], outcomes, group.labels)
    for k in split.shadows:
        for part in results:
            part[k] = _shadow(tape.measurements[k], next(answers), place)
    return results


def _split(measurements: Sequence[Any], place: Place) -> _Split:
    """Who is read off which shots: what one product basis measures is read off the same, as on PennyLane's devices."""
    from pennylane.measurements import ClassicalShadowMP, ExpectationMP, ShadowExpvalMP

    # Where nothing but expectation values is measured, the engine gives them without single shots.
    are_all_means = all(isinstance(measurement, ExpectationMP) for measurement in measurements)
    means, shadows, plain, words, others = [], [], [], [], []
    for k, measurement in enumerate(measurements):
        observable = measurement.obs
        if isinstance(measurement, (ClassicalShadowMP, ShadowExpvalMP)):
            shadows.append(k)
        elif observable is None:
            plain.append(k)
        elif not has_pauli_form(observable):
            others.append(k)
        elif _is_word(observable) and not are_all_means:
            words.append(k)
        else:
            (means if isinstance(measurement, ExpectationMP) else others).append(k)
    groups = _word_groups(measurements, words)
    groups += [_Group([k], measurements[k].wires.labels, measurements[k].diagonalizing_gates()) for k in others]
    if plain:
        read = [measurements[k].wires.labels for k in plain]
        labels = {w for wires in read for w in wires} if all(read) else place.order
        groups.append(_Group(plain, tuple(sorted(labels, key=place.qubit.__getitem__)), []))
    return _Split(means, shadows, groups)


def _is_word(observable) -> bool:
    """One Pauli string, up to a factor, that is not the identity."""
    return len(observable.pauli_rep) == 1 and all(len(word) for word in observable.pauli_rep)


def _word_groups(measurements: Sequence[Any], words: list[int]) -> list[_Group]:
    """Pauli words that one product basis measures together, first fit."""
    import pennylane as qml

    found: list[tuple[list[int], dict[Any, str]]] = []
    for k in words:
        (word,) = measurements[k].obs.pauli_rep
        fits = (group for group in found if all(group[1].get(at, letter) == letter for at, letter in word.items()))
        group = next(fits, None)
        if group is None:
            group = ([], {})
            found.append(group)
        group[0].append(k)
        group[1].update(word)
    rotations = {"X": lambda w: [qml.H(w)], "Y": lambda w: [qml.Z(w), qml.S(w), qml.H(w)], "Z": lambda w: []}
    groups = []
    for indices, basis in found:
        labels = dict.fromkeys(w for k in indices for w in measurements[k].wires.labels)
        with qml.QueuingManager.stop_recording():
            gates = [gate for label, letter in basis.items() for gate in rotations[letter](label)]
        groups.append(_Group(indices, tuple(labels), gates))
    return groups


def _in_basis(group: _Group, place: Place, lowered: Lowered, angles, shots) -> MeasureBases:
    rotation = lower_tape(group.gates, place.qubit)
    program = without_observables(place, (*lowered.parts, *rotation.parts))
    angles = np.concatenate([angles, settings_of(rotation, place, angles.dtype)[0]])
    n = program.num_qubits
    z = np.tile(pauli.mask_array([pauli.bit(place.qubit[w], n) for w in group.labels], n), (len(shots), 1))
    return MeasureBases(program, angles, np.zeros_like(z), z, np.array(shots))


def _outcomes(counts: Int[np.ndarray, "2**r"], width: int, rng) -> Int[np.ndarray, "S r"]:
    """How often each outcome came as the bits of single shots, in random order: shots are exchangeable."""
    drawn = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    return (drawn[:, None] >> np.arange(width)) & 1


def _processed(measurement, outcomes, labels) -> Any:
    from pennylane.wires import Wires

    return measurement.process_samples(outcomes, Wires(labels))


def _shadow(measurement, snapshots, place: Place) -> Any:
    """PennyLane's bits and recipes (0, 1, 2 for X, Y, Z), each (S, wires), or the expectation values they give."""
    from pennylane import ClassicalShadow
    from pennylane.measurements import ClassicalShadowMP

    n = len(place.order)
    columns = [place.qubit[w] for w in measurement.wires] or list(range(n))
    letters = np.where(snapshots.x == 0, 2, np.where(snapshots.z == 0, 0, 1))
    bits = (snapshots.bits[:, None] >> np.arange(n)) & 1
    bits, recipes = (array[:, columns].astype(np.int8) for array in (bits, letters))
    if isinstance(measurement, ClassicalShadowMP):
        return np.stack([bits, recipes])
    shadow = ClassicalShadow(bits, recipes, wire_map=[place.order[q] for q in columns])
    return shadow.expval(measurement.H, measurement.k)
