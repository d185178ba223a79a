"""Circuits of studies: files with and without a record beside them, and what their errors are measured in."""

import re
import shutil

import jax
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.library import load_circuit
from qcgrad.studies.circuits import load_study_circuit
from qcgrad.studies.executors import InProcess
from qcgrad.studies.report import records_in
from qcgrad.studies.run import run_cells
from qcgrad.studies.scaling import Scaling
from qcgrad.studies.scaling._circuit_cells import CircuitCell
from qcgrad.studies.scaling.laws import accuracy_laws, laws_of
from qcgrad.studies.spec import load_spec, make_spec
from qcgrad.studies.status import status_of
from qcgrad.studies.store import Store

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
# One parameter drives two angles with different factors, another none of its own.
SHARED = (
    HEAD
    + "input float a;\ninput float b;\nqubit[2] q;\nry(2*a) q[0];\nrx(3*a + 0.1) q[1];\ncx q[0], q[1];\nry(b) q[1];"
)
# As many gate angles as parameters, but no angle is a parameter.
CURVED = HEAD + "input float a;\ninput float b;\nqubit[2] q;\nry(a*b) q[0];\ncx q[0], q[1];\nrx(sin(a)) q[1];"


@pytest.fixture
def folder(tmp_path):
    """A folder with programs, and one with a record beside it."""
    original = load_circuit("tfim_hva_n3_p1")
    for ending in (".qasm", ".toml"):
        shutil.copy(original.path.with_suffix(ending), tmp_path / f"recorded{ending}")
    (tmp_path / "shared.qasm").write_text(SHARED)
    (tmp_path / "curved.qasm").write_text(CURVED)
    return tmp_path


def spoil(folder, key, value):
    path = folder / "recorded.toml"
    path.write_text(re.sub(rf"(?m)^{key} = .*(\n[ \]].*)*", f"{key} = {value}", path.read_text()))


def cell(path, method="adjoint", **settings):
    return CircuitCell.of(str(path), method=method, model="mine", **settings)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("gradient", "[0, 0]", r"recorded\.toml: point\.gradient\[0\] is 0\.0, but the adjoint method finds 4\.5"),
        ("value", "0.25", r"recorded\.toml: point\.value is 0\.25, but the adjoint method finds"),
        ("params", "[0.1, 0.2]", r"recorded\.toml: point\.value is "),
    ],
)
@pytest.mark.parametrize("method", ["adjoint", "parameter-shift", "gentle-sweep"])
def test_a_recorded_number_that_is_wrong_is_an_error(folder, method, key, value, message):
    right = cell(folder / "recorded.qasm", method, epsilon=0.3, delta=0.02).compute()
    assert right["max_error"] < (1e-9 if method == "adjoint" else 1.5)
    spoil(folder, key, value)
    with pytest.raises(qg.ImportRefused, match=message):
        cell(folder / "recorded.qasm", method, epsilon=0.3, delta=0.02).compute()


def test_in_accuracy_studies_a_record_that_is_wrong_is_an_error_too(folder):
    spoil(folder, "value", "0.25")
    spec = {
        "circuits": [str(folder / "recorded.qasm")],
        "methods": ["adjoint", {"name": "parameter-shift", "shots": 9}],
    }
    for found in make_spec({"gradients": spec}).cells():
        with pytest.raises(qg.ImportRefused, match=r"recorded\.toml: point\.value is 0\.25"):
            found.compute()


def test_a_wrong_digit_is_seen(folder):
    circuit = load_circuit("tfim_hva_n3_p1")
    almost = [float(circuit.gradient[0]), float(circuit.gradient[1]) + 1e-6]
    spoil(folder, "gradient", almost)
    with pytest.raises(qg.ImportRefused, match=r"point\.gradient\[1\]"):
        load_study_circuit(str(folder / "recorded.qasm")).reference()


def test_files_need_no_record(folder):
    circuit = load_study_circuit(str(folder / "curved.qasm"), seed=3)
    assert circuit.objective.program.observables[0] == qg.PauliSum("ZI + IZ")
    np.testing.assert_array_equal(circuit.params, np.random.default_rng(3).uniform(-np.pi, np.pi, 2))
    assert (circuit.observable, circuit.angles) == (
        "Z on every qubit, summed (default)",
        "uniform in (-pi, pi) from seed 3",
    )
    record = cell(folder / "curved.qasm", seed=3).compute()
    assert record["observable"] == circuit.observable


@pytest.mark.parametrize("method", ["forward-mode", "reverse-mode"])
def test_exact_methods_are_compared_on_circuits_without_a_record(folder, method):
    assert cell(folder / "curved.qasm", method, seed=3).compute()["max_error"] < 1e-9


def test_an_observable_of_the_spec_replaces_the_recorded_one(folder):
    circuit = load_study_circuit(str(folder / "recorded.qasm"), "XXX")
    assert circuit.recorded is None
    np.testing.assert_array_equal(circuit.params, load_circuit("tfim_hva_n3_p1").params)
    assert np.all(np.isfinite(circuit.reference().gradient))
    with pytest.raises(ValueError, match="observable acts on 2 qubits"):
        load_study_circuit(str(folder / "recorded.qasm"), "XX")


def test_errors_are_measured_in_what_the_angles_do(folder):
    shared = load_study_circuit(str(folder / "shared.qasm"))
    np.testing.assert_allclose(shared.units, [13**0.5, 1])
    curved = load_study_circuit(str(folder / "curved.qasm"))
    a, b = curved.params
    assert curved.num_angles == len(curved.params)
    np.testing.assert_allclose(curved.units, [np.hypot(b, np.cos(a)), abs(a)])
    # The Z of both qubits are read in one basis, so that their ranges add up.
    np.testing.assert_allclose(curved.ranges, [2])


@pytest.mark.parametrize("method", ["parameter-shift", "gentle-sweep"])
@pytest.mark.parametrize("name", ["shared.qasm", "curved.qasm", "recorded.qasm"])
def test_sampled_errors_stay_within_epsilon(folder, name, method):
    # Hoeffding's bound holds with 1 - delta; the seeds that follow 0 do as well, so one in 10^6 may not.
    record = cell(folder / name, method, epsilon=0.3, delta=1e-6).compute()
    assert 0 < record["error_over_allowed"] < 1


def test_cells_with_noise_know_the_bias(folder):
    """Noise that shrinks every derivative to a half is most of the error; exact methods are simulated without."""
    spec = Scaling.model_validate(
        {
            "methods": ["adjoint", "parameter-shift"],
            "seeds": 1,
            "epsilon": 0.3,
            "circuits": [{"label": "a", "circuits": [str(folder / "shared.qasm")], "noise": "readout-error=0.25"}],
            "hard_instance": False,
            "network": False,
        }
    )
    exact, noisy = spec.cells(0)
    quiet = cell(folder / "shared.qasm", "adjoint").compute()
    assert exact.noise is None
    assert exact.compute()["gradient"] == quiet["gradient"]
    record = noisy.compute()
    circuit = noisy.load()
    bias = qg.noise_bias(circuit.objective, circuit.params, qg.NoiseModel().add_readout(qg.ReadoutError(0.25)))
    assert record["noise_bias"] == pytest.approx(np.max(np.abs(bias.gradient)), abs=1e-9)
    assert record["noise_bias_error"] == 0
    assert noisy.data["noise"] == ("readout-error=0.25",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("qubit q;\nh q;", "no gate with a parameter: there is nothing to differentiate"),
        ("input float a;\nqubit q;\nrx(a - a) q;", "no gate with a parameter"),
        ("input float a;\nqubit q;\nrx(a q;", "line 5"),
    ],
)
def test_files_that_cannot_be_studied_are_refused(folder, text, message):
    (folder / "odd.qasm").write_text(HEAD + text)
    with pytest.raises(qg.ImportRefused, match=message):
        cell(folder / "odd.qasm", "parameter-shift", epsilon=0.3, delta=0.02).compute()
    with pytest.raises(qg.ImportRefused, match="measures nothing"):
        load_study_circuit(str(folder / "curved.qasm"), "II")


def test_names_in_a_spec_are_relative_to_its_folder(folder, monkeypatch):
    (folder / "study.toml").write_text(
        '[[scaling.circuits]]\nlabel = "mine"\ncircuits = ["curved.qasm", "tfim_hva_n3_p1"]\n'
    )
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    spec = load_spec("../study.toml")
    assert spec.scaling is not None
    assert spec.scaling.circuits[0].circuits == (str(folder / "curved.qasm"), "tfim_hva_n3_p1")
    (first, *_) = [c for c in spec.cells() if c.kind == "circuit"]
    assert first.label == "adjoint, curved.qasm"
    assert first.compute()["M"] == 2


def test_another_content_is_another_cell_and_another_place_is_not(folder, monkeypatch):
    def only_cell(where):
        series = {"label": "m", "circuits": [str(where / "curved.qasm")]}
        (found,) = make_spec({"scaling": {"methods": ["adjoint"], "circuits": [series]}}).cells()
        return found

    before = only_cell(folder)
    copy = folder / "copy"
    copy.mkdir()
    shutil.copy(folder / "curved.qasm", copy)
    with Store(folder / "study.sqlite") as store:
        assert run_cells([before], store, InProcess(raise_errors=True)).computed == 1
        assert run_cells([only_cell(copy)], store, InProcess(raise_errors=True)).reused == 1
        (folder / "curved.qasm").write_text(SHARED)
        with pytest.raises(qg.ImportRefused, match="has changed since the study began"):
            before.compute()
        assert run_cells([only_cell(folder)], store, InProcess(raise_errors=True)).computed == 1


def test_results_are_shown_where_the_files_are_not(folder):
    spec = make_spec({"gradients": {"circuits": [str(folder / "curved.qasm")], "methods": ["adjoint"]}})
    with Store(folder / "study.sqlite") as store:
        (before,) = run_cells(spec.cells(), store, InProcess(raise_errors=True)).records
        (folder / "curved.qasm").write_text(SHARED)
        assert records_in(spec, store) == []  # another program has no result
        (folder / "curved.qasm").unlink()
        ((_, record),) = records_in(spec, store)
        assert record == before[1]
        assert status_of(spec, store).data["finished"] == 1


def test_limits_hold_for_files(folder):
    files = [str(folder / "curved.qasm"), str(folder / "recorded.qasm"), str(folder / "missing.qasm")]
    series = {"label": "mine", "circuits": files, "max_sampled_qubits": 2}
    spec = Scaling.model_validate({"circuits": [series], "hard_instance": False, "network": False})
    sampled = {c.circuit for c in spec.cells(0) if c.method == "parameter-shift"}
    # What cannot be read stays, so that its cell can say why.
    assert sampled == {"curved.qasm", "missing.qasm"}
    smaller = spec.within(2)
    assert smaller is not None
    assert smaller.circuits[0].circuits == (files[0], files[2])


def test_epsilon_may_be_a_grid(folder):
    series = {"label": "mine", "circuits": [str(folder / "curved.qasm"), str(folder / "recorded.qasm")]}
    spec = Scaling.model_validate(
        {"epsilon": [0.2, 0.4], "seeds": 1, "circuits": [series], "hard_instance": False, "network": False}
    )
    assert spec.epsilon == (0.4, 0.2)
    cells = list(spec.cells(0))
    assert len({c.label for c in cells}) == len(cells) == 2 * (1 + 3 * 2)
    with Store(folder / "study.sqlite") as store:
        outcome = run_cells(cells, store, InProcess(raise_errors=True))
    laws = laws_of(outcome.records)
    assert [(law.method, law.epsilon) for law in laws] == [
        ("adjoint", None),
        ("parameter-shift", 0.4),
        ("parameter-shift", 0.2),
        ("gentle-sweep", 0.4),
        ("gentle-sweep", 0.2),
        ("read-once", 0.4),
        ("read-once", 0.2),
    ]
    for law in accuracy_laws(laws):
        assert (law.size, law.epsilons) == (5, (0.4, 0.2))
        assert law.power.exponent == pytest.approx(2, abs=0.05)  # counts are rounded up


def test_a_derivative_that_is_no_number_fails_its_cell(folder):
    (folder / "singular.qasm").write_text(HEAD + "input float a;\nqubit q;\nry(sqrt(-a * a)) q;\nrx(a) q;")
    with Store(folder / "study.sqlite") as store:
        outcome = run_cells([cell(folder / "singular.qasm")], store)
    assert outcome.records == []
    ((_, message),) = outcome.failures
    assert "no finite value and gradient at" in message


def test_units_follow_any_map():
    # The chain rule that `units` uses is that of the objective: one row for each angle.
    circuit = load_study_circuit("maxcut_regular2_n4_p1")
    jacobian = jax.jacobian(lambda p: circuit.objective.coordinates(p))(jax.numpy.asarray(circuit.params))
    np.testing.assert_allclose(circuit.units, np.sqrt(np.sum(np.square(jacobian), axis=0)))
