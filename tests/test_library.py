"""The circuits that come with qcgrad agree with the values that other libraries computed."""

import shutil
import tomllib

import numpy as np
import pytest

import qcgrad as qg
from qcgrad.library import list_circuits, load_circuit

CIRCUITS = list_circuits()


def test_the_list_is_metadata_only():
    assert len(CIRCUITS) >= 60
    assert all("program" not in vars(c) for c in list_circuits("qaoa"))
    assert {c.family for c in CIRCUITS} == {"ansatz", "commuting", "iqp", "molecules", "mqt", "qaoa", "spin_chains"}


@pytest.mark.parametrize("name", [c.name for c in CIRCUITS])
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


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("value = nan", "point.value is nan, and has to be a finite number"),
        ("gradient = [0.1, inf, 0.2]", r"point.gradient\[1\] is inf"),
        ("gradient = [0.1]", "point.gradient has 1 numbers, but there are 3 parameters"),
        ("params = [0.1, 0.2, true]", r"point.params\[2\] is True"),
        ("params = 0.1", "point.params is 0.1, and has to be a list"),
        ("qubits = 4.0", "qubits is 4.0, and has to be an integer"),
        ('parameters = "abc"', "parameters is 'abc', and has to be a list of names"),
        ('observable = [["ZZZZ", nan]]', "observable 'ZZZZ' is nan"),
    ],
)
def test_damaged_sidecars_are_refused_with_their_key(tmp_path, line, message):
    original = load_circuit("h2_givens_n4")
    shutil.copy(original.path, tmp_path / "mine.qasm")
    data = tomllib.loads(original.path.with_suffix(".toml").read_text())
    key, value = tomllib.loads(line).popitem()
    (data["point"] if key in data["point"] else data)[key] = value
    rows = [f"{name} = {_toml(data[name])}" for name in ("name", "qubits", "parameters", "observable")]
    rows += ["[point]", *(f"{name} = {_toml(data['point'][name])}" for name in ("params", "value", "gradient"))]
    (tmp_path / "mine.toml").write_text("\n".join(rows))
    with pytest.raises(qg.ImportRefused, match=message):
        load_circuit(tmp_path / "mine.qasm")


def _toml(value) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def test_unknown_names_suggest():
    with pytest.raises(qg.ImportRefused, match="did you mean h2_givens_n4"):
        load_circuit("h2_given_n4")
    with pytest.raises(qg.ImportRefused, match="the families are ansatz"):
        list_circuits("none")
