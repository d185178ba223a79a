"""Specs and stores that somebody else wrote, to do harm or by mistake: one clear error, and nothing happens."""

import io
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from qcgrad.cli._app import application
from qcgrad.cli.errors import explain
from qcgrad.studies.circuits import load_study_circuit
from qcgrad.studies.files import csv_text, replacing
from qcgrad.studies.render.console import print_summary
from qcgrad.studies.render.latex import latex
from qcgrad.studies.render.pictures import draw
from qcgrad.studies.spec import SpecError, load_spec, make_spec, read_spec
from qcgrad.studies.store import Store
from qcgrad.studies.summary import Column, Curve, Figure, Panel, Summary, Table

PROGRAM = 'OPENQASM 3.0; include "stdgates.inc"; input float a; qubit q; rx(a) q;'


def of_circuit(name) -> dict:
    return {"gradients": {"circuits": [name], "methods": ["adjoint"]}}


def spec_file(folder: Path, text: str | bytes) -> Path:
    path = folder / "study.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "[" * 5000 + "]" * 5000, "is not a TOML file"),
        ("a = " + "{a=" * 5000 + "1" + "}" * 5000, "is not a TOML file"),
        (".".join("a" * 30_000) + " = 1", "line 1 has a name with more than 20 dots"),
        ("title = 'x'\n[" + " . ".join(['"a b"'] * 30_000) + "]", "line 2 has a name with more than 20 dots"),
        ("a." * 18 + "a = [[[[[[1]]]]]]", "tables or lists in each other 20 times"),
        ("seed = 1" + "0" * 5000, "is not a TOML file: .*integer"),
        ("seed = 1" + "0" * 400, "seed: Input should be less than"),
        ("[scaling]\nepsilon = 1e-400", "0.0 given: give numbers greater than 0"),
        ("title = '\\u0000'\n[ntk]\nwidths = " + str(list(range(1, 10))) + "\nnetworks = nan", "ntk.networks"),
        (b"title = '\xff'", "is not a TOML file"),
        ("seed = 1\nseed = 2", "is not a TOML file"),
        ("# " + "x" * 2**24, "has more than 16,777,216 bytes"),
        ("", "a study of nothing"),
    ],
)
def test_bombs_are_defused(tmp_path, text, message):
    with pytest.raises(SpecError, match=message) as refused:
        load_spec(spec_file(tmp_path, text))
    assert len(str(refused.value)) < 600


def test_dots_in_texts_and_numbers_are_none_in_names(tmp_path):
    values = ", ".join(f"0.{k:03}" for k in range(1, 60))
    text = f'# 1.2.3.4 ... a.b\ntitle = "v1.2.3, a. b. c."\n[scaling]\nepsilon = [{values}]\n'
    assert len(load_spec(spec_file(tmp_path, text)).scaling.epsilon) == 59


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/", "nul\0l"])
def test_what_is_no_file_is_no_spec(path):
    with pytest.raises(SpecError, match=r"cannot be read|has more than|a study of nothing"):
        load_spec(path)


@pytest.mark.parametrize("text", ["", "3", "[]", "{", '{"scaling": {"epsilon": NaN}}', "[" * 10**5, "null", '{"a": 1}'])
def test_what_is_no_spec_in_a_store_is_refused(text):
    with pytest.raises(SpecError):
        read_spec(text, "the spec in x")


@pytest.mark.parametrize("command", ["\x1b[2J", "a\rb", "a\nb", "\0", "\x07", "\u202egpj.exe", "\ud800", "\u200b"])
@pytest.mark.parametrize(
    "spec",
    [
        lambda text: {"title": text, "scaling": {}},
        lambda text: of_circuit(f"{text}.qasm"),
        lambda text: of_circuit(f"{text}.py:f"),
        lambda text: {"scaling": {"circuits": [{"label": text, "circuits": ["a"]}]}},
    ],
)
def test_names_cannot_command_a_terminal(spec, command):
    with pytest.raises(SpecError, match=r"has the control character|unicode") as refused:
        make_spec(spec(command))
    assert explain(refused.value).isprintable()


@pytest.mark.parametrize(
    "name", ["../../../x.qasm", "/x.qasm", "con.qasm", "~nobody/x.qasm", "ü ñ 量子.qasm", "a" * 300 + ".qasm"]
)
def test_names_of_files_that_are_not_there_are_errors_of_their_cells_alone(tmp_path, name):
    text = f'[gradients]\ncircuits = ["{name}.qasm", "tfim_hva_n3_p1"]\nmethods = ["adjoint"]\n'
    spec = load_spec(spec_file(tmp_path, text))
    missing, _ = spec.cells()
    assert len(list(spec.changed(lambda kind: kind.within(4)).cells())) == 2
    with pytest.raises(ValueError, match="cannot be read"):
        missing.compute()
    assert [path.name for path in tmp_path.iterdir()] == ["study.toml"]


def test_names_of_files_have_an_end():
    with pytest.raises(SpecError, match="has 5,005 characters: give at most 4,096"):
        make_spec(of_circuit("a" * 5000 + ".qasm"))


def test_pipes_devices_and_circles_of_links_are_no_programs(tmp_path):
    os.mkfifo(tmp_path / "pipe.qasm")
    (tmp_path / "zero.qasm").symlink_to("/dev/zero")
    (tmp_path / "circle.qasm").symlink_to(tmp_path / "circle.qasm")
    (tmp_path / "good.qasm").write_text(PROGRAM)
    (tmp_path / "good.toml").symlink_to("/dev/zero")
    (tmp_path / "linked.qasm").symlink_to(tmp_path / "target.qasm")
    (tmp_path / "target.qasm").write_text(PROGRAM)
    names = ["pipe.qasm", "zero.qasm", "circle.qasm", "good.qasm", "linked.qasm"]
    spec = load_spec(spec_file(tmp_path, f'[gradients]\ncircuits = {json.dumps(names)}\nmethods = ["adjoint"]\n'))
    *odd, linked = spec.cells()
    for cell in odd:
        with pytest.raises(ValueError, match=r"is no file|cannot be read"):
            cell.compute()
    assert linked.compute()["M"] == 1
    (tmp_path / "linked.qasm").unlink()
    (tmp_path / "linked.qasm").symlink_to(tmp_path / "blob")  # a link's name says what it is
    (tmp_path / "blob").write_text(PROGRAM)
    assert list(spec.cells())[-1].compute()["M"] == 1
    with pytest.raises(ValueError, match="is no file"):
        load_study_circuit(str(tmp_path / "pipe.qasm"))


HOSTILE = "\x1b[31m[bold]$\\frac$</script><!--<script>\\input{x}\u202e\r\n=1"


def shown_everywhere(name: str) -> Summary:
    columns = (Column("method", (name,), is_text=True), Column("copies", ("1",), (1,)))
    panel = Panel("panel", "M", "copies", (Curve(name, (1.0, 10.0), (2.0, 3.0), colour=name, marker=name),))
    return Summary("s", (Table(name, columns, (name,)),), (Figure("f", (panel,)),))


def test_words_command_nothing_where_they_are_shown(tmp_path):
    summary = shown_everywhere(HOSTILE)
    text = io.StringIO()
    print_summary(summary, Console(width=300, file=text))
    for form in (text.getvalue(), latex(summary.tables[0])):
        assert "\\x1b" in form.replace(r"\textbackslash{}", "\\")
        assert not {"\x1b", "\r", "\u202e"} & set(form)
    assert "[bold]" in text.getvalue()
    assert all(path.stat().st_size > 1000 for path in draw(summary.figures[0], tmp_path))


def test_spreadsheets_carry_out_no_texts():
    rows = [{"a": text, "b": -1.5} for text in ("=1+1", "+1", "-ZZ", "@x", "\tx", "\rx", "a=1")]
    first, *lines = csv_text(rows).splitlines()
    assert first == "a,b"
    assert [line for line in lines if not line.startswith(("'", "\"'", "a=1"))] == ['x",-1.5']


def test_links_cannot_be_put_where_files_are_written(tmp_path):
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "cells.csv").symlink_to(tmp_path / "victim")
    with replacing(tmp_path / "cells.csv") as part:
        assert str(os.getpid()) not in part.name or len(part.name) > 20
        part.write_text("new")
    assert ((tmp_path / "cells.csv").read_text(), (tmp_path / "victim").read_text()) == ("new", "kept")
    assert not (tmp_path / "cells.csv").is_symlink()


@pytest.fixture
def results(tmp_path):
    """A folder of results of one cell, which nobody computed."""
    counters = dict.fromkeys(("copies", "shots", "circuit_runs", "gates", "qubits", "flops", "peak_bytes"), 10)
    record = {"M": 3, "qubits": 3, "gradient": counters, "value": counters}
    study = make_spec({"scaling": {"methods": ["backprop"], "network": {"levels": [1]}}})
    with Store(tmp_path / "study.sqlite") as store:
        store.begin(study.model_dump_json(), {"host": "here"})
        store.put(study.cells()[0].data, record, 0.1)
    return tmp_path


def invoke(*arguments):
    return CliRunner().invoke(application, list(map(str, arguments)))


READERS = (("status",), ("show",), ("export", "rows.csv"))


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("runs SET provenance", "[1]"),
        ("runs SET provenance", '{"host": '),
        ("runs SET began", "yesterday"),
        ("runs SET began", 1e300),
        ("runs SET spec", "[[1]]"),
        ("runs SET spec", '{"scaling": {"epsilon": 7}}'),
        ("runs SET spec", 3),
        ("cells SET record", "[1]"),
        ("cells SET record", '{"M": NaN}'),
        ("cells SET record", "[" * 10**5),
        ("cells SET record", '{"M": 1' + "0" * 5000 + "}"),
        ("cells SET record", '{"M": 3}'),
        ("cells SET record", '{"M": "three", "gradient": 7, "value": []}'),
        ("cells SET record", b"\xff\xfe"),
        ("cells SET cell", "7"),
        ("cells SET finished_at", "\x1b[2J"),
        ("cells SET code_version", "\x1b[2J"),
    ],
)
def test_stores_that_do_not_hold_what_they_should_are_reported(results, change, value):
    with closing(sqlite3.connect(results / "study.sqlite")) as database, database:
        database.execute(f"UPDATE {change} = ?", (value,))
    for reader, *rest in READERS:
        result = invoke("study", reader, results, *(results / name for name in rest))
        assert result.exit_code in (0, 2), (reader, result.exception)
        assert "\x1b" not in result.stdout + result.stderr
        if result.exit_code == 2:
            assert len(result.stderr.strip().splitlines()) == 1
            assert "qcgrad --debug" not in result.stderr


def test_failures_in_a_store_command_no_terminal(results):
    with closing(sqlite3.connect(results / "study.sqlite")) as database, database:
        (key,) = database.execute("SELECT key FROM cells").fetchone()
        database.execute("DELETE FROM cells")
        database.execute("INSERT INTO claims VALUES (?, 'x', 1, 'failed', ?, '')", (key, HOSTILE))
    text = invoke("study", "status", results).stdout
    assert "failed: backprop" in text
    assert not {"\x1b", "\u202e", "\r"} & set(text)
