"""The circuits that come with qcgrad agree with the values that other libraries computed."""

import shutil

import numpy as np
import pytest

import qcgrad as qg
from qcgrad.interop import list_circuits, load_circuit

CIRCUITS = list_circuits()


def test_the_list_is_metadata_only():
    assert len(CIRCUITS) >= 60
    assert all("program" not in vars(c) for c in list_circuits("qaoa"))
    assert {c.family for c in CIRCUITS} == {"ansatz", "iqp", "molecules", "mqt", "qaoa", "spin_chains"}


@pytest.mark.parametrize("name", [c.name for c in CIRCUITS if c.num_qubits <= 8])
def test_values_and_gradients(name):
    circuit = load_circuit(name)
    found = qg.estimate(circuit.objective, circuit.params, qg.Adjoint())
    np.testing.assert_allclose(found.value, circuit.value, atol=1e-9)
    np.testing.assert_allclose(found.gradient, circuit.gradient, atol=1e-9)
    assert circuit.program.parameter_map is None
    assert circuit.circuit.num_parameters == circuit.num_parameters == circuit.counts["parameters"]


def test_by_family_and_by_path(tmp_path):
    assert load_circuit("molecules/h2_givens_n4").name == "h2_givens_n4"
    original = load_circuit("h2_givens_n4")
    for suffix in (".qasm", ".toml"):
        shutil.copy(original.path.with_suffix(suffix), tmp_path / f"mine{suffix}")
    mine = load_circuit(tmp_path / "mine.qasm")
    assert mine.circuit == original.circuit
    (tmp_path / "mine.toml").write_text("name = 'x'\n")
    with pytest.raises(qg.ImportRefused, match="the key 'point' is missing"):
        load_circuit(str(tmp_path / "mine.qasm"))
    (tmp_path / "mine.toml").unlink()
    with pytest.raises(qg.ImportRefused, match="must lie beside"):
        load_circuit(tmp_path / "mine.qasm")


def test_unknown_names_suggest():
    with pytest.raises(qg.ImportRefused, match="did you mean h2_givens_n4"):
        load_circuit("h2_given_n4")
    with pytest.raises(qg.ImportRefused, match="the families are ansatz"):
        list_circuits("none")
