"""The corpus script: every class of verdict, limits of time and memory, and the count."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import qcgrad as qg
from qcgrad.interop import QasmError

SCRIPTS = Path(__file__).resolve().parents[1] / "benchmarks" / "corpus"
spec = importlib.util.spec_from_file_location("judge", SCRIPTS / "judge.py")
corpus = importlib.util.module_from_spec(spec)
spec.loader.exec_module(corpus)

HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[3];\n'
FILES = {
    "plain": ("h q[0];\nu3(0.1,0.2,0.3) q[1];\nccx q[0],q[1],q[2];\nrz(pi/3) q[2];\n", "equal"),
    "condition": ("creg c[3];\nh q[0];\nmeasure q[0] -> c[0];\nif(c==1) x q[1];\n", "refused"),
    "reset": ("h q[0];\nreset q[0];\nx q[0];\n", "refused"),
    "no program": ("h q[0]\n", "refused"),
    "wide": ("qreg r[30];\nh r;\n", "beyond"),
}


@pytest.fixture
def folder(tmp_path):
    for name, (body, _) in FILES.items():
        (tmp_path / f"{name}.qasm").write_text(HEAD + body)
    return tmp_path


def test_each_class_is_recognised(folder, monkeypatch):
    limits = corpus.Limits(max_qubits=20)
    for name, (_, kind) in FILES.items():
        verdict = corpus.judge(folder / f"{name}.qasm", limits)
        assert verdict.kind == kind, (name, verdict)
    plain = folder / "plain.qasm"
    loaded = qg.interop.load_qasm(plain)

    def raising(error):
        def load(path):
            raise error

        return load

    circuit = loaded.circuit.x(0)
    for load, kind in (
        (raising(QasmError("no", "plain.qasm", 1, 1)), "mistaken"),
        (raising(KeyError("no")), "crashed"),
        (lambda path: type(loaded)(circuit, loaded.parameter_names, None), "wrong"),
    ):
        monkeypatch.setattr("qcgrad.interop.load_qasm", load)
        assert corpus.judge(plain, limits).kind == kind
    monkeypatch.setattr("qcgrad.interop.load_qasm", lambda path: loaded)
    assert corpus.judge(folder / "reset.qasm", limits).kind == "wrong"  # what is not unitary was loaded


def test_products_of_neighbouring_gates_are_the_circuit():
    rng = np.random.default_rng(0)

    def placed(wires, matrix, num_qubits):
        rest = [q for q in range(num_qubits) if q not in wires]
        order = [*wires, *rest]
        whole = np.kron(matrix, np.eye(2 ** len(rest))).reshape((2,) * 2 * num_qubits)
        axes = [order.index(q) for q in range(num_qubits)]
        return whole.transpose([*axes, *(a + num_qubits for a in axes)]).reshape(2**num_qubits, -1)

    for num_qubits, width in ((2, 3), (5, 3), (6, 3), (5, 4)):
        gates = []
        for _ in range(60):
            wires = rng.permutation(num_qubits)[: rng.integers(1, min(3, num_qubits) + 1)].tolist()
            matrix = rng.standard_normal((2, 2 ** len(wires), 2 ** len(wires)))
            gates.append((wires, np.linalg.qr(matrix[0] + 1j * matrix[1])[0]))
        blocks = corpus.fused(gates, width)
        assert len(blocks) < len(gates)
        assert all(len(wires) <= width for wires, _ in blocks)
        one, other = np.eye(2**num_qubits), np.eye(2**num_qubits)
        for wires, matrix in gates:
            one = placed(wires, matrix, num_qubits) @ one
        for wires, matrix in blocks:
            other = placed(wires, matrix, num_qubits) @ other
        np.testing.assert_allclose(other, one, atol=1e-13)


def test_the_command_counts_and_bounds_every_file(folder):
    (folder / "long.qasm").write_text(HEAD + "h q[0];\n" * 400_000)
    command = [
        sys.executable,
        str(SCRIPTS / "run.py"),
        str(folder),
        "--seconds",
        "2.5",
        "--csv",
        str(folder / "out.csv"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = dict(line.split(",")[:2] for line in (folder / "out.csv").read_text().splitlines()[1:])
    kinds = {Path(path).stem: kind for path, kind in rows.items()}
    # A busy machine may need longer than the limit for any file, but never says anything else about it.
    assert all(kinds[name] in (kind, "slow") for name, (_, kind) in FILES.items()), kinds
    assert kinds["long"] == "slow"
    assert "| all | 6 |" in done.stdout
