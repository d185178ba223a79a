"""What a study consists of: its cells."""

from collections.abc import Iterator

from ..catalogue import Method, methods
from ._circuit_cells import CircuitCell
from ._hard_cells import HardInstanceCell
from ._methods import is_searched, samples, takes_any_circuit, trials_of
from ._network_cells import NetworkCell
from .cells import Cell
from .spec import StudySpec


def cells_of(spec: StudySpec) -> list[Cell]:
    """The cells of a study in the order in which they run, cheap ones first.

    Example:
        >>> from qcgrad.studies.plan import cells_of
        >>> from qcgrad.studies.spec import StudySpec
        >>> [cell.n for cell in cells_of(StudySpec(methods=("backprop",)))]
        [2, 3, 4, 5]
    """
    compared = [methods()[name] for name in spec.methods]
    return [
        *_network_cells(spec, [method for method in compared if method.differentiates == "networks"]),
        *_circuit_cells(spec, [method for method in compared if takes_any_circuit(method)]),
        *_hard_cells(spec, [method for method in compared if is_searched(method)]),
    ]


def _network_cells(spec: StudySpec, compared: list[Method]) -> Iterator[NetworkCell]:
    network = spec.network
    if network is None:
        return
    for method in compared:
        for n in network.levels:
            yield NetworkCell(method=method.name, seed=spec.seed, n=n, batch=network.batch)


def _circuit_cells(spec: StudySpec, compared: list[Method]) -> Iterator[CircuitCell]:
    from .circuits import within

    everything = [(series, name) for series in spec.circuits for name in series.circuits]
    small = [(s, name) for s in spec.circuits for name in within(s.circuits, s.max_sampled_qubits)]
    # Exact methods first: they are the cheap ones.
    for method in sorted(compared, key=samples):
        accuracies = [(epsilon, spec.delta) for epsilon in spec.epsilon] if samples(method) else [(None, None)]
        for epsilon, delta in accuracies:
            for series, name in small if samples(method) else everything:
                yield CircuitCell.of(
                    name,
                    method=method.name,
                    model=series.label,
                    seed=spec.seed,
                    observable=series.observable,
                    # What is simulated has no noise.
                    noise=(series.noise or None) if samples(method) else None,
                    epsilon=epsilon,
                    delta=delta,
                )


def _hard_cells(spec: StudySpec, compared: list[Method]) -> Iterator[HardInstanceCell]:
    hard = spec.hard_instance
    if hard is None:
        return
    for method in compared:
        for epsilon in spec.epsilon:
            for n in hard.qubits:
                yield HardInstanceCell(
                    method=method.name,
                    seed=spec.seed,
                    epsilon=epsilon,
                    delta=spec.delta,
                    n=n,
                    trials=hard.trials.get(method.name, trials_of(method)),
                    ladder=hard.ladder,
                    tilt=hard.tilt,
                )
