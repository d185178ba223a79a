"""The command line, as a user meets it."""

import csv
import importlib
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

import qcgrad as qg
from qcgrad.cli import main
from qcgrad.cli._app import application
from qcgrad.library import list_circuits, load_circuit
from qcgrad.studies.cells import Cell

QASM = """OPENQASM 3.0;
include "stdgates.inc";
input float[64] a;
input float[64] b;
qubit[2] q;
ry(a) q[0];
cx q[0], q[1];
rz(2 * b) q[1];
ry(0.3) q[1];
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "mine.qasm"
    path.write_text(QASM)
    return str(path)


def run(*arguments):
    return CliRunner().invoke(application, [str(a) for a in arguments])


def refusal(*arguments) -> str:
    """The one line of an error, after checking that it is one, with exit code 2 and no traceback."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("qcgrad: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    return result.stderr


def test_grad_json_equals_estimate(program):
    options = ("--observable", "ZZ + 0.5*IX", "--params", "0.4, -1.1", "--shots", "500", "--seed", "7", "--json")
    shown = json.loads(run("grad", program, *options).stdout)
    circuit = qg.Circuit(2).ry(0, param=0).cnot(0, 1).rz(1, param=1, scale=2.0).ry(1, 0.3)
    objective = qg.Expectation(circuit, {"ZZ": 1.0, "IX": 0.5})
    expected = qg.estimate(objective, np.array([0.4, -1.1]), qg.ParameterShift(shots=500), key=7)
    rows = shown["gradient"]
    assert shown["value"] == float(expected.value)
    assert shown["value_standard_error"] == pytest.approx(float(expected.value_variance) ** 0.5, rel=1e-12)
    assert [row["parameter"] for row in rows] == ["a", "b"]
    np.testing.assert_allclose([row["derivative"] for row in rows], expected.gradient, rtol=1e-12)
    np.testing.assert_allclose([row["standard_error"] ** 2 for row in rows], expected.variance, rtol=1e-12)
    assert qg.Cost(**shown["cost"]) == expected.cost
    assert (shown["access"], shown["result"]) == ("single_copy", "ok")


def test_grad_of_library_circuit_uses_its_observable_and_point():
    circuit = load_circuit("tfim_hva_n3_p1")
    shown = json.loads(run("grad", "tfim_hva_n3_p1", "--method", "Reverse_Mode", "--json").stdout)
    np.testing.assert_allclose([row["derivative"] for row in shown["gradient"]], circuit.gradient, atol=1e-9)
    assert shown["method"] == "reverse-mode"


def test_grad_prints_errors_and_cost(program):
    result = run("grad", program, "--observable", "ZZ", "--params", "0.4 0.2", "--shots", 100)
    assert result.exit_code == 0
    for expected in ("value", "±", "standard error", "circuit runs", "500"):
        assert expected in result.stdout
    assert "exact" in run("grad", program, "--observable", "ZZ", "--random-params", 1, "--method", "adjoint").stdout


MEASURED = QASM.replace("qubit[2] q;", "qubit[2] q;\nbit[2] c;") + "c = measure q;\n"
NOTES = ["line 6: classical bits are left out", "line 11: measure is left out: after the last gate it changes no"]


def test_grad_notes_what_of_the_file_is_left_out(tmp_path, program):
    path = tmp_path / "measured.qasm"
    path.write_text(MEASURED)
    options = ("--observable", "ZZ", "--params", "0.4 0.2", "--method", "adjoint")
    result = run("grad", path, *options)
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"note: {path}, {note}") for line, note in zip(lines, NOTES, strict=True))
    assert "left out" not in result.stdout
    in_json = run("grad", path, *options, "--json")
    assert in_json.stderr == ""
    notes = json.loads(in_json.stdout)["notes"]
    assert all(found.startswith(note) for found, note in zip(notes, NOTES, strict=True))
    assert run("grad", program, *options).stderr == ""
    assert json.loads(run("grad", program, *options, "--json").stdout)["notes"] == []


def test_scaling_notes_what_of_a_file_is_left_out(tmp_path, program):
    path = tmp_path / "measured.qasm"
    path.write_text(MEASURED)
    options = ("--circuits", f"{program}, {path}", "--methods", "adjoint,gentle-sweep", "--epsilon", "0.3")
    for repetition in ("computed", "taken from an earlier run"):  # the notes are kept with the results
        result = run("scaling", *options, "--out", tmp_path / "out")
        assert result.exit_code == 0
        assert repetition in result.stdout
        lines = [line for line in result.stderr.splitlines() if line.startswith("note: ")]
        assert len(lines) == 2
        assert all(line.startswith(f"note: measured.qasm, {note}") for line, note in zip(lines, NOTES, strict=True))


def test_grad_by_bell_shadow_at_clifford_angles(program, tmp_path):
    parameters = tmp_path / "parameters.json"
    parameters.write_text("[0.0, 0.0]")
    options = ("--observable", "YY", "--params-file", parameters, "--method", "bell-shadow", "--json")
    fixed = QASM.replace("ry(0.3) q[1];\n", "")
    (tmp_path / "clifford.qasm").write_text(fixed)
    shown = json.loads(run("grad", tmp_path / "clifford.qasm", *options, "--copies", "900").stdout)
    assert shown["cost"]["copies"] == 900
    assert shown["gradient"][0]["bias_bound"] > 0
    assert "needs --copies" in refusal("grad", tmp_path / "clifford.qasm", *options)
    assert "not Clifford" in refusal("grad", program, *options, "--copies", "900")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "the circuit has 2 parameters: give --params with 2 numbers"),
        (("--params", "1"), "1 parameters were given, but the circuit has 2"),
        (("--params", "1,x"), "--params: 'x' is not a number"),
        (("--params", "1,nan"), "finite"),
        (("--params", "1,2", "--random-params", "1"), "only one of"),
        (("--params-file", "nowhere"), "--params-file nowhere cannot be read: No such file"),
        (("--params", "1,2", "--method", "paramter-shift"), "did you mean 'parameter-shift'?"),
        (("--params", "1,2", "--shots", "0"), "parameter-shift: shots=0: give a positive integer"),
        (("--params", "1,2", "--shots", "1.5"), "parameter-shift: shots=1.5: give a positive integer"),
        (("--params", "1,2", "--shots", "many"), "give a positive integer"),
        (("--params", "1,2", "--method", "adjoint", "--shots", "10"), "--shots 10 does not apply to adjoint"),
        (("--params", "1,2", "--copies", "10"), "--copies 10 does not apply to parameter-shift: it has --shots"),
        (("--params", "1,2", "--observable", "ZQ"), "ZQ"),
        (("--params", "1,2", "--observable", "ZZZ"), "observable acts on 3 qubits"),
        (("--params", "1,2", "--method", "adjoint", "--delta", 0.1), "--delta 0.1 does not apply to adjoint"),
        (("--params", "1,2", "--method", "bell-shadow", "--copies", 9, "--delta", "nan"), "delta='nan': give a number"),
        (("--params", "1,2", "--shots", 10, "--seed", 2**70), "give an integer of 64 bits"),
        (("--wrong",), "No such option"),
    ],
)
def test_grad_refuses_in_one_line(program, options, message):
    if "--observable" not in options:
        options = ("--observable", "ZZ", *options)
    assert message in refusal("grad", program, *options)


def test_unreadable_programs_are_refused(tmp_path, program):
    truncated = tmp_path / "truncated.qasm"
    truncated.write_text(QASM[:-8])
    message = refusal("grad", truncated, "--observable", "ZZ", "--params", "1,2")
    assert f"{truncated}, line 9, column" in message
    assert "No such file" in refusal("grad", tmp_path / "missing.qasm", "--observable", "ZZ")
    assert "did you mean " in refusal("grad", "tfim_hva_n3")
    assert "no observable of its own" in refusal("grad", program)


def test_grad_of_a_file_uses_what_is_recorded_beside_it(tmp_path):
    original = load_circuit("tfim_hva_n3_p1")
    for ending in (".qasm", ".toml"):
        shutil.copy(original.path.with_suffix(ending), tmp_path / f"mine{ending}")
    shown = json.loads(run("grad", tmp_path / "mine.qasm", "--json").stdout)
    np.testing.assert_allclose([row["derivative"] for row in shown["gradient"]], original.gradient, atol=1e-9)


def test_grad_names_what_a_program_without_parameters_lacks(tmp_path):
    (tmp_path / "fixed.qasm").write_text('OPENQASM 3.0; include "stdgates.inc"; qubit q; h q;')
    assert "has no parameters, so there is nothing to differentiate" in refusal(
        "grad", tmp_path / "fixed.qasm", "--observable", "Z"
    )


def test_json_of_a_gradient_that_is_no_number(program, monkeypatch):
    def broken(objective, params, estimator, key):
        found = estimate(objective, params, estimator, key=key)
        nothing = np.array([np.nan, np.inf])
        changed = replace(found, gradient=nothing, variance=nothing, bias_bound=nothing, value=np.nan)
        return replace(changed, result=qg.Result("not_finite", "the gradient is NaN"))

    module = importlib.import_module("qcgrad.estimate")
    estimate = module.estimate
    monkeypatch.setattr(module, "estimate", broken)
    result = run("grad", program, "--observable", "ZZ", "--params", "1,2", "--json")
    shown = json.loads(result.stdout, parse_constant=pytest.fail)
    assert result.exit_code == 1
    assert shown["value"] is None
    assert [row["derivative"] for row in shown["gradient"]] == [None, None]
    assert (shown["result"], shown["message"]) == ("not_finite", "the gradient is NaN")


def test_circuits_lists_the_library():
    everything = run("circuits")
    assert everything.exit_code == 0
    assert all(circuit.name in everything.stdout for circuit in list_circuits())
    some = run("circuits", "--family", "qaoa", "--max-qubits", 4, "--filter", "CUT")
    assert "maxcut_regular2_n4_p1" in some.stdout
    assert "n10" not in some.stdout
    assert "the families are" in refusal("circuits", "--family", "nothing")


def test_ntk_prints_the_slope_and_draws(tmp_path):
    figure = tmp_path / "kernel.png"
    options = ("--activation", "split_relu", "--depth", 1, "--widths", "16,64", "--seeds", 2, "--inputs", 3)
    result = run("ntk", *options, "--out", figure)
    assert result.exit_code == 0
    assert "theory: -0.5" in result.stdout
    assert figure.stat().st_size > 10_000
    assert "did you mean 'modrelu'" in refusal("ntk", "--activation", "modrelo")
    assert "no finite NTK" in refusal("ntk", "--b", 0.5)
    assert "at least two different positive integers" in refusal("ntk", "--widths", "64")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--method", "gentle-sweep"), "gentle-sweep needs --copies: total number of copies"),
        (("--method", "online-tomography"), "online-tomography needs --epsilon"),
        (("--method", "adjoint", "--shots", 9), "--shots 9 does not apply to adjoint: it has no options"),
        (("--method", "read-once", "--copies", 100, "--epsilon", 0.5), "--epsilon 0.5 does not apply to read-once"),
        (("--method", "gentle-sweep", "--copies", 100, "--option", "batches"), "write it as name=value"),
        (("--method", "gentle-sweep", "--copies", "1e3", "--option", "batches=0"), "gentle-sweep: batches"),
        (("--method", "gentle-sweep", "--copies", 9, "--option", "copies=9"), "--copies and --option copies"),
        (("--method", "gentle-sweep", "--copies", 9, "--option", "wrong=9"), "--option wrong=... 9 does not apply"),
        (("--method", "backprop"), "method 'backprop' is for networks: give one for circuits, adaptive-shots, adjoint"),
    ],
)
def test_grad_names_what_a_multi_copy_method_needs(options, message):
    assert message in refusal("grad", "tfim_hva_n3_p1", *options)


def test_grad_by_a_sweep():
    result = run("grad", "tfim_hva_n3_p1", "--method", "gentle-sweep", "--copies", 10_000, "--json")
    shown = json.loads(result.stdout)
    assert shown["fidelity"] == "exact"
    assert shown["cost"]["copies"] <= 10_000


def test_circuits_shows_one():
    result = run("circuits", "h2_givens_n4")
    assert result.exit_code == 0
    circuit = load_circuit("h2_givens_n4")
    assert str(circuit.circuit) in result.stdout
    for expected in ("pennylane", "Apache-2.0", "qubits       4"):
        assert expected in result.stdout
    assert "did you mean" in refusal("circuits", "h2_given")


def test_other_kinds_than_methods_are_listed_and_shown():
    listed = run("methods", "--kind", "activations").stdout
    assert "split-relu" in listed
    assert "access" not in listed
    shown = run("methods", "Dense", "--kind", "layers").stdout
    assert shown.startswith("dense\nA fully connected layer")
    assert "width (int, needed)\n    number of outputs n." in shown
    assert "--shots (int | Sequence[int] | None, default None)" in run("methods", "parameter-shift").stdout
    assert "did you mean 'holomorphic-branch'" in refusal("methods", "holomorphic", "--kind", "rules")
    assert "--kind layer: give one of methods, activations" in refusal("methods", "--kind", "layer")
    assert "qcgrad methods feedback-alignment --kind rules shows it" in refusal("methods", "feedback-alignment")


def test_the_tangent_kernel_takes_functions_of_complex_numbers_that_need_no_more_than_b():
    known = refusal("ntk", "--activation", "qqqq").partition("known: ")[2].strip().split(", ")
    assert {"split-relu", "modrelu", "zrelu", "cardioid", "exponential"} <= set(known)
    assert not {"relu", "polynomial", "generic", "hermite-series"} & set(known)


def test_a_gradient_takes_single_copies_where_nobody_says_how():
    shown = json.loads(run("grad", "tfim_hva_n3_p1", "--shots", 100, "--json").stdout)
    assert shown["method"] == "parameter-shift"


def fake_compute(cell, notify=None, *, max_bytes=None):
    counters = dict.fromkeys(("copies", "shots", "circuit_runs", "gates", "qubits", "flops", "peak_bytes"), 10)
    return {"M": 4**cell.n - 1, "qubits": 3, "gradient": counters, "value": counters}


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "study.toml"
    path.write_text('[scaling]\nmethods = ["backprop"]\n[scaling.network]\nlevels = [1, 2, 3]\n')
    return path


def test_scaling_writes_results_and_resumes(study, tmp_path):
    first = run("scaling", "--spec", study, "--seed", 1)
    assert first.exit_code == 0
    assert "3 cells computed." in first.stdout
    assert "yes" in first.stdout
    (folder,) = (tmp_path / "qcgrad-results").iterdir()
    assert str(folder.relative_to(tmp_path)) in first.stdout
    written = {path.name for path in folder.iterdir()}
    assert {"study.sqlite", "cells.csv", "spec.json", "scaling.png", "scaling.svg"} <= written
    second = run("scaling", "--spec", study, "--seed", 1)
    assert "0 cells computed, 3 taken from an earlier run" in second.stdout


def test_scaling_interrupted_says_where_and_how(study, tmp_path, monkeypatch):
    def interrupted(cell, notify=None, *, max_bytes=None):
        if cell.n == 2:
            raise KeyboardInterrupt
        return fake_compute(cell, notify)

    monkeypatch.setattr(Cell, "compute", interrupted)
    result = run("scaling", "--spec", study, "--out", tmp_path / "kept")
    assert result.exit_code == 130
    assert "1 of 3 cells are finished and kept in" in result.stderr
    assert f"qcgrad scaling --spec {study} --out {tmp_path / 'kept'}" in " ".join(result.stderr.split())
    monkeypatch.setattr(Cell, "compute", fake_compute)
    assert "2 cells computed, 1 taken" in run("scaling", "--spec", study, "--out", tmp_path / "kept").stdout


def test_scaling_reports_failed_cells(study, tmp_path, monkeypatch):
    def failing(cell, notify=None, *, max_bytes=None):
        if cell.n == 2:
            raise MemoryError("too large")
        return fake_compute(cell, notify)

    monkeypatch.setattr(Cell, "compute", failing)
    result = run("scaling", "--spec", study, "--out", tmp_path / "some")
    assert result.exit_code == 1
    assert "failed: backprop, perceptron, n = 2: MemoryError: too large" in result.stderr


def test_scaling_of_own_files(program, tmp_path):
    options = ("--methods", "adjoint,parameter-shift", "--epsilon", "0.3,0.15", "--max-qubits", 2)
    result = run("scaling", "--circuits", f"{program}, efficient_su2_n2_r1", *options, "--out", tmp_path / "own")
    assert result.exit_code == 0
    assert "mine.qasm: observable Z on every qubit, summed (default); angles uniform in (-pi, pi) from seed 0." in (
        result.stdout
    )
    assert "Copies against accuracy" in result.stdout
    rows = list(csv.DictReader((tmp_path / "own" / "cells.csv").read_text().splitlines()))
    assert {row["observable"] for row in rows if row["circuit"] == "efficient_su2_n2_r1"} == {"recorded"}
    assert {row["epsilon"] for row in rows if row["method"] == "parameter-shift"} == {"0.3", "0.15"}
    observed = run("scaling", "--circuits", program, "--observable", "ZQ", "--methods", "adjoint")
    assert "observable 'ZQ' cannot be read" in observed.stderr
    assert "--observable belongs to --circuits" in refusal("scaling", "--observable", "ZZ")


def test_scaling_tells_what_is_wrong_beside_a_file(tmp_path):
    original = load_circuit("tfim_hva_n3_p1")
    shutil.copy(original.path, tmp_path / "mine.qasm")
    text = original.path.with_suffix(".toml").read_text()
    (tmp_path / "mine.toml").write_text(re.sub(r"gradient = \[[^]]*\]", "gradient = [0, 0]", text))
    spec = '[scaling]\nmethods = ["adjoint", "gentle-sweep"]\nhard_instance = false\nnetwork = false\n'
    (tmp_path / "study.toml").write_text(f'{spec}[[scaling.circuits]]\nlabel = "mine"\ncircuits = ["mine.qasm"]\n')
    result = run("scaling", "--spec", tmp_path / "study.toml", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert f"failed: adjoint, mine.qasm (and 3 more): {tmp_path / 'mine.toml'}: point.gradient[0] is 0.0, but the" in (
        result.stderr
    )


def test_scaling_refuses_what_would_not_fit_and_goes_on(study, tmp_path):
    study.write_text('[scaling]\nmethods = ["backprop"]\n[scaling.network]\nlevels = [1, 2, 3]\n')
    result = run("scaling", "--spec", study, "--out", tmp_path / "some", "--max-memory", 8192 / 2**30)
    assert result.exit_code == 1
    assert "n = 3: it would take 11,456 bytes (11.2 KiB) and 8,192 bytes (8.0 KiB) are" in result.stderr
    assert "2 cells computed." in result.stdout
    assert "give a positive number of GiB" in refusal("scaling", "--max-memory", "nan")


def test_scaling_refuses_in_one_line(study, tmp_path):
    assert "did you mean 'bell-shadow'" in refusal("scaling", "--methods", "belshadow")
    assert "nothing is left to compute" in refusal("scaling", "--methods", "bell-shadow", "--max-qubits", 2)
    study.write_text("[scaling]\nepsilonn = 0.1")
    assert "scaling.epsilonn: no such field, did you mean 'epsilon'?" in refusal("scaling", "--spec", study)
    (tmp_path / "file").write_text("x")
    assert "cannot be used" in refusal("scaling", "--methods", "backprop", "--out", tmp_path / "file")


@pytest.mark.parametrize("command", [(), ("scaling",), ("study",), ("grad",), ("circuits",)])
def test_help_has_an_example(command):
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "Example: qcgrad" in result.stdout


def test_version_and_bare_command():
    assert run("--version").stdout.startswith("qcgrad ")
    assert "Usage" in run().stdout


def test_debug_shows_the_traceback():
    result = run("--debug", "circuits", "nothing_like_it_at_all")
    assert isinstance(result.exception, qg.ImportRefused)


def test_main_exits():
    with pytest.raises(SystemExit) as stopped:
        main(["circuits", "--max-qubits", "2"])
    assert stopped.value.code == 0
