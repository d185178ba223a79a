"""What the collection holds: the cases made by MQT Bench."""

from collections.abc import Iterator

import networkx as nx
from mqt.bench import BenchmarkLevel, get_benchmark
from mqt.bench.targets import get_target_for_gateset
from qiskit import QuantumCircuit

from . import hamiltonians
from .case import Case, Terms


def cases() -> Iterator[Case]:
    """MQT Bench, with free parameters and without the final measurements."""
    algorithm = BenchmarkLevel.ALG
    mixed = hamiltonians.ising(5, 1.0, 0.5)
    heisenberg = hamiltonians.heisenberg(4)
    yield _mqt("mqt_vqe_su2_n5", "vqe_su2", 5, algorithm, mixed, reps=2)
    yield _mqt("mqt_vqe_real_amp_n6", "vqe_real_amp", 6, algorithm, hamiltonians.ising(6), reps=3)
    yield _mqt("mqt_vqe_two_local_n4", "vqe_two_local", 4, algorithm, heisenberg)
    yield _mqt("mqt_qnn_n4", "qnn", 4, algorithm, [("ZZZZ", 1.0)])
    yield _mqt("mqt_qnn_n8", "qnn", 8, algorithm, [("ZZZZZZZZ", 1.0)])
    edges = _edges(get_benchmark("qaoa", algorithm, 6, random_parameters=False))
    cost = hamiltonians.cut(nx.Graph(edges))
    yield _mqt("mqt_qaoa_n6", "qaoa", 6, algorithm, cost)
    yield _mqt("mqt_vqe_su2_n4_heron", "vqe_su2", 4, BenchmarkLevel.NATIVEGATES, heisenberg, reps=1)


def _mqt(name: str, benchmark: str, qubits: int, level: BenchmarkLevel, observable: Terms, **options: int) -> Case:
    native = level is BenchmarkLevel.NATIVEGATES
    target = get_target_for_gateset("ibm_heron", qubits) if native else None
    circuit = get_benchmark(benchmark, level, qubits, target=target, random_parameters=False, **options)
    circuit.remove_final_measurements()
    words = [repr(benchmark), str(level), str(qubits), "random_parameters=False"]
    words += [f"{key}={value}" for key, value in options.items()]
    if native:
        words.append(f"target=get_target_for_gateset('ibm_heron', {qubits})")
    description = f"MQT Bench {benchmark}, {'native gates of IBM Heron' if native else 'algorithm level'}"
    return Case(
        name,
        "mqt",
        description,
        circuit,
        observable,
        "mqt.bench",
        f"get_benchmark({', '.join(words)})",
        "final measurements and barrier removed",
    )


def _edges(circuit: QuantumCircuit) -> list[tuple[int, int]]:
    """The graph of MQT Bench's QAOA circuit: its rzz gates."""
    pairs = [i.qubits for i in circuit.data if i.operation.name == "rzz"]
    return sorted({(circuit.find_bit(a).index, circuit.find_bit(b).index) for a, b in pairs})
