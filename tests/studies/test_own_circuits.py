"""A newcomer's first study: three programs of their own, a spec of a few lines, a verdict and a figure."""

from typer.testing import CliRunner

from qcgrad.cli._app import application

SPEC = """
[scaling]
methods = ["adjoint", "parameter-shift"]
hard_instance = false
network = false
[[scaling.circuits]]
label = "mine"
circuits = ["depth1.qasm", "depth4.qasm", "depth16.qasm"]
"""


def layers(depth: int) -> str:
    lines = ["OPENQASM 3.0;", 'include "stdgates.inc";', "qubit[2] q;"]
    for k in range(depth):
        lines += [f"input float a{k}; input float b{k};", f"ry(a{k}) q[0]; rx(b{k}) q[1]; cx q[0], q[1];"]
    return "\n".join(lines)


def invoke(*arguments):
    return CliRunner().invoke(application, list(map(str, arguments)))


def test_three_programs_of_growing_depth_end_in_a_verdict_and_a_figure(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for depth in (1, 4, 16):
        (tmp_path / f"depth{depth}.qasm").write_text(layers(depth))
    (tmp_path / "mine.toml").write_text(SPEC)
    assert len(SPEC.strip().splitlines()) < 10
    result = invoke("study", "run", "mine.toml", "--out", "out")
    assert result.exit_code == 0, result.stderr
    first = {name: result.stdout.split(f"\n{name} ")[1].splitlines()[0] for name in ("adjoint", "parameter-shift")}
    assert first["adjoint"].rstrip().endswith("yes")
    assert first["parameter-shift"].rstrip().endswith("no")
    assert "depth1.qasm, depth4.qasm, depth16.qasm: observable Z on every qubit" in result.stdout
    assert (tmp_path / "out" / "scaling.png").read_bytes().startswith(b"\x89PNG")
    assert "parameter-shift, mine" in (tmp_path / "out" / "scaling.svg").read_text()


def test_a_program_in_place_of_a_spec_is_told_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "depth1.qasm").write_text(layers(1))
    for command in ("run", "status"):
        refused = invoke("study", command, "depth1.qasm")
        assert refused.exit_code == 2
        assert len(refused.stderr.strip().splitlines()) == 1
