"""Circuits that functions of the user's make: with permission only, from the source that was looked at."""

import sys
import textwrap

import numpy as np
import pytest
from typer.testing import CliRunner

import qcgrad as qg
from qcgrad.cli._app import application
from qcgrad.studies.circuits import content_of, load_study_circuit
from qcgrad.studies.executors import Processes
from qcgrad.studies.factories import CodeRefused, Factory
from qcgrad.studies.gradients import Gradients
from qcgrad.studies.run import run_cells
from qcgrad.studies.spec import SpecError, load_spec, make_spec
from qcgrad.studies.store import Store

SOURCE = """
    import pathlib
    import qcgrad as qg
    pathlib.Path(__file__).with_name("ran").touch()

    def layers(depth=1, angle=None):
        circuit = qg.Circuit(2)
        for k in range(depth):
            circuit = circuit.ry(0, param=2 * k).rx(1, param=2 * k + 1).cnot(0, 1)
        return circuit if angle is None else (circuit, [angle] * (2 * depth))

    def imported(): return qg.interop.parse_qasm("input float a; input float b; qubit q; rx(a * b) q;")
    def objective(): return qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z"), 0.3 * __import__("numpy").ones(1)
    def vector(): return qg.Expectation(qg.Circuit(1).ry(0, param=0), ["Z", "X"])
    def short(): return qg.Circuit(1).ry(0, param=0), [0.1, 0.2]
    def odd(): return qg.Circuit(1).ry(0, param=0), float("nan")
    def number(): return 3
    def broken(): raise RuntimeError("no such ansatz")
    def leaving(): raise SystemExit("bye")
    value = 3
"""
FRAMEWORKS = """
    def qnode():
        import numpy as np, pennylane as qml
        @qml.qnode(qml.device("default.qubit"))
        def f(x, y):
            qml.RY(x["a"] * y[0], 0)
            qml.RX(y[1], 0)
            return qml.expval(qml.Z(0))
        return f, {"a": 0.5}, np.array([0.3, 0.2])
    def tape():
        import pennylane as qml
        return qml.tape.QuantumScript([qml.RY(0.5, 0)], [qml.expval(qml.Z(0))])
    def qiskit():
        from qiskit import QuantumCircuit
        from qiskit.circuit import Parameter
        circuit = QuantumCircuit(2)
        circuit.ry(Parameter("a"), 1)
        return circuit, [0.5]
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "ansatz.py"
    path.write_text(textwrap.dedent(SOURCE))
    return path


def load(path, call, **settings):
    return load_study_circuit(f"{path}:{call}", allow_code=True, **settings)


def test_what_a_function_returns_becomes_an_objective_at_a_point(file):
    circuit = load(file, "layers(depth=2)", seed=3)
    assert (circuit.num_angles, circuit.observable) == (4, "Z on every qubit, summed (default)")
    np.testing.assert_array_equal(circuit.params, np.random.default_rng(3).uniform(-np.pi, np.pi, 4))
    own = load(file, "layers(angle=0.5)", observable="ZI")
    assert (own.observable, own.angles, own.params.tolist()) == ("ZI", "its own", [0.5, 0.5])
    assert float(own.reference().value) == pytest.approx(np.cos(0.5))
    assert len(load(file, "imported").params) == 2
    assert (load(file, "objective").observable, load(file, "objective").params.tolist()) == ("its own", [0.3])


def test_circuits_of_other_frameworks_are_taken(tmp_path):
    path = tmp_path / "others.py"
    path.write_text(textwrap.dedent(FRAMEWORKS))
    assert load(path, "qnode").params.tolist() == [0.5, 0.3, 0.2]
    assert float(load(path, "qnode").reference().value) == pytest.approx(np.cos(0.15) * np.cos(0.2))
    assert float(load(path, "tape").reference().value) == pytest.approx(np.cos(0.5))
    assert float(load(path, "qiskit", observable="IZ").reference().value) == pytest.approx(np.cos(0.5))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("missing", "has no function 'missing'"),
        ("value", "has no function 'value'"),
        ("layers(width=3)", "TypeError: .*unexpected keyword argument 'width'"),
        ("broken", "RuntimeError: no such ansatz"),
        ("leaving", "SystemExit: bye"),
        ("number", "3 is no circuit: give a qcgrad circuit"),
        ("vector", "a study differentiates one expectation value"),
        ("short", r"\(circuit, point\) with 1 finite numbers"),
        ("odd", r"\(circuit, point\) with 1 finite numbers"),
        ("layers(depth=0)", "no gate with a parameter"),
    ],
)
def test_what_is_no_circuit_is_refused_by_name(file, call, message):
    with pytest.raises(qg.ImportRefused, match=message):
        load(file, call)


def test_an_objective_keeps_its_observable(file):
    with pytest.raises(qg.ImportRefused, match="has an observable of its own: leave out 'X'"):
        load(file, "objective", observable="X")


def test_nothing_runs_without_permission(file):
    with pytest.raises(CodeRefused, match="give --allow-code if you trust it"):
        load_study_circuit(f"{file}:layers")
    spec = make_spec({"gradients": {"circuits": [f"{file}:layers"], "methods": ["adjoint"]}})
    (cell,) = spec.cells()
    with pytest.raises(CodeRefused):
        cell.compute()
    assert spec.code() == [f"{file}:layers"]
    assert not file.with_name("ran").exists()
    (cell,) = spec.cells(allow_code=True)
    assert cell.compute()["M"] == 2
    assert "allow_code" not in cell.data


def test_no_file_can_give_the_permission():
    with pytest.raises(SpecError, match="allow_code: no such field"):
        make_spec({"allow_code": True, "gradients": {"circuits": ["a.py:f"], "methods": ["adjoint"]}})


@pytest.fixture
def spec(file):
    path = file.with_name("study.toml")
    path.write_text(
        '[gradients]\nmethods = ["adjoint"]\n'
        'circuits = [{factory = "ansatz.py:layers", arguments = {depth = [1, 2]}}, "ansatz.py:objective"]\n'
    )
    return path


def invoke(*arguments):
    return CliRunner().invoke(application, list(map(str, arguments)))


def test_on_the_command_line_it_takes_a_flag_and_reports_take_none(spec, file, tmp_path):
    for command in (("study", "run", spec, "--out", tmp_path / "out"), ("scaling", "--circuits", f"{file}:layers")):
        refused = invoke(*command)
        assert refused.exit_code == 2
        assert len(refused.stderr.strip().splitlines()) == 1
        assert "--allow-code" in refused.stderr
    assert not (tmp_path / "out").exists()
    assert not file.with_name("ran").exists()
    done = invoke("study", "run", spec, "--out", tmp_path / "out", "--allow-code")
    assert "3 cells computed" in done.stdout, done.stderr
    file.with_name("ran").unlink()
    for command in (("status", tmp_path / "out"), ("show", tmp_path / "out"), ("export", tmp_path / "out", "a.csv")):
        result = invoke("study", *command[:2], *(tmp_path / name for name in command[2:]))
        assert result.exit_code == 0, result.stderr
    assert "layers(depth=2)" in invoke("study", "show", tmp_path / "out").stdout
    assert invoke("study", "resume", tmp_path / "out").exit_code == 2
    assert not file.with_name("ran").exists()
    assert "0 cells computed, 3 taken" in invoke("study", "resume", tmp_path / "out", "--allow-code").stdout
    file.unlink()  # as on another machine
    assert "3 of 3 cells are finished" in invoke("study", "status", tmp_path / "out").stdout
    assert "layers(depth=2)" in invoke("study", "show", tmp_path / "out").stdout
    assert "cannot be read: No such file" in invoke("study", "resume", tmp_path / "out", "--allow-code").stderr


def test_limits_of_qubits_cannot_be_held_against_functions(spec):
    assert "--max-qubits" in invoke("study", "run", spec, "--max-qubits", 3, "--allow-code").stderr


@pytest.mark.slow
def test_other_processes_get_the_permission_with_the_cell(spec, tmp_path):
    with Store(tmp_path / "study.sqlite") as store:
        outcome = run_cells(load_spec(spec).cells(allow_code=True), store, Processes(2))
        assert [record["M"] for _, record in outcome.records] == [2, 4, 1]
        refused = run_cells(
            make_spec({"seed": 1, **load_spec(spec).model_dump(exclude={"seed"})}).cells(), store, Processes(1)
        )
    assert all("--allow-code" in message for _, message in refused.failures)
    assert len(refused.failures) == 3


def test_another_source_is_another_cell_and_what_runs_is_what_was_hashed(file):
    kind = Gradients(circuits=(f"{file}:layers",), methods=("adjoint",))
    (before,) = kind.cells(0)
    assert (before.circuit, before.data["circuit"]) == ("ansatz.py:layers", "ansatz.py:layers")
    file.write_text(file.read_text() + "\n# changed\n")
    (after,) = kind.cells(0)
    assert before.data != after.data
    with pytest.raises(qg.ImportRefused, match="has changed since the study began"):
        before.permitted().compute()
    with pytest.raises(qg.ImportRefused, match="has changed since the study began"):
        Factory.named(f"{file}:layers").make(before.content)


def test_modules_are_found_without_importing_their_packages(file, tmp_path, monkeypatch):
    package = tmp_path / "lab_of_somebody"
    package.mkdir()
    (package / "__init__.py").write_text("import pathlib\npathlib.Path(__file__).with_name('imported').touch()\n")
    file.rename(package / "ansatz.py")
    (package / "ansatz.py").write_text((package / "ansatz.py").read_text() + "\nfrom . import other\n")
    (package / "other.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    name = "lab_of_somebody.ansatz:layers(depth=3)"
    content = content_of(name)
    assert content != content_of("lab_of_somebody.other:layers")
    assert not (package / "imported").exists()
    assert load_study_circuit(name, allow_code=True, content=content).num_angles == 6
    monkeypatch.delitem(sys.modules, "lab_of_somebody")
    with pytest.raises(qg.ImportRefused, match=r"no Python module 'lab_of_nobody' here; .*lab_of_nobody\.py"):
        load_study_circuit("lab_of_nobody:layers", allow_code=True)


def test_folders_without_a_file_are_packages_too(file, tmp_path, monkeypatch):
    (tmp_path / "somebody" / "lab").mkdir(parents=True)
    file.rename(tmp_path / "somebody" / "lab" / "ansatz.py")
    monkeypatch.syspath_prepend(tmp_path)
    assert Factory.named("somebody.lab.ansatz:layers").source() == tmp_path / "somebody" / "lab" / "ansatz.py"
    assert "somebody" not in sys.modules
    for none in ("sys", "somebody", "somebody.lab.other", "json.decoder.JSONDecoder"):
        assert Factory.named(f"{none}:f").source() is None


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"factory": "a.py:f", "depth": 3}, "'depth' is unknown .*arguments = "),
        ({"arguments": {"depth": 3}}, "write {factory = "),
        ({"factory": "a.py:f", "arguments": {"x-y": 1}}, "write arguments as name=value"),
        ({"factory": "a.py:f", "arguments": {"x": float("nan")}}, "nan cannot be an argument"),
        ({"factory": "a.py:f(x=1)", "arguments": {"x": 2}}, "x is given twice"),
        ({"factory": "a.py:f", "arguments": {n: list(range(1001)) for n in "xy"}}, "more than 1,000,000 circuits"),
        ({"factory": "os.system:f;"}, "names no function"),
        ("../a b:f", "names no function: write file.py:function"),
        ("a.py:f(__import__('os'))", "write arguments as name=value"),
        ("a.py:f(x=1 y=2)", "put a comma"),
    ],
)
def test_what_names_no_function_is_an_error_of_the_spec(entry, message):
    with pytest.raises(SpecError, match=f"gradients.circuits: .*{message}"):
        make_spec({"gradients": {"circuits": [entry], "methods": ["adjoint"]}})


def test_arguments_are_grids_and_names_are_read_back():
    entry = {"factory": "~/a.py:f", "arguments": {"depth": [1, 2], "gate": "ry", "pair": [[0, 1]]}}
    kind = Gradients(circuits=[entry], methods=["adjoint"])
    assert kind.circuits == tuple(f'~/a.py:f(depth={d}, gate="ry", pair=[0, 1])' for d in (1, 2))
    for name in kind.circuits:
        assert str(Factory.named(name)) == name
    assert Factory.named('a.py:f(x="b:c(1), y=2")').arguments == {"x": "b:c(1), y=2"}


def test_series_do_not_sample_circuits_that_turn_out_too_large(file):
    series = {"label": "mine", "circuits": [f"{file}:layers"], "max_sampled_qubits": 1}
    spec = make_spec(
        {"scaling": {"circuits": [series], "methods": ["adjoint", "parameter-shift"], "network": False, "seeds": 1}}
    )
    exact, sampled = [cell for cell in spec.cells(allow_code=True) if cell.kind == "circuit"]
    assert exact.compute()["qubits"] == 2
    with pytest.raises(qg.StateTooLarge, match="has 2 qubits, and methods that sample simulate 1"):
        sampled.compute()
