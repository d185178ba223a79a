"""What holds for every command: examples in its help, JSON alone on stdout, exit codes, names that shells complete."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from qcgrad import catalogue, entries
from qcgrad.cli._app import application
from qcgrad.studies.cells import Cell
from qcgrad.studies.executors import Dask, InProcess
from qcgrad.studies.ntk_convergence import Convergence
from qcgrad.studies.run import StudyInterrupted

SPEC = '[scaling]\nmethods = ["backprop"]\n[scaling.network]\nlevels = [1, 2]\n'
COUNTERS = dict.fromkeys(("copies", "shots", "circuit_runs", "gates", "qubits", "flops", "peak_bytes"), 10)
GROUP = typer.main.get_command(application)


def commands(group=GROUP, names=()):
    """(words, command) of all, those of groups too."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*names, name))
        else:
            yield (*names, name), command


COMMANDS = dict(commands())
LINES = {
    ("scaling",): "scaling --spec mine.toml --out other",
    ("reproduce",): "reproduce",
    ("grad",): "grad tfim_hva_n3_p1",
    ("advise",): "advise tfim_hva_n3_p1 --epsilon 0.1",
    ("methods",): "methods gentle-sweep",
    ("circuits",): "circuits h2_givens_n4",
    ("ntk",): "ntk --depth 1 --widths 4,8 --seeds 1 --inputs 2 --dimension 2",
    ("info",): "info",
    ("study", "run"): "study run mine.toml --out out",
    ("study", "resume"): "study resume out",
    ("study", "status"): "study status out",
    ("study", "export"): "study export out rows.csv",
    ("study", "plot"): "study plot out",
    ("study", "report"): "study report out",
    ("study", "show"): "study show out",
    ("study", "merge"): "study merge all out",
}
WRONG = {
    ("scaling",): "scaling --methods nothing",
    ("reproduce",): "reproduce nothing",
    ("grad",): "grad nothing",
    ("advise",): "advise nothing --epsilon 0.1",
    ("methods",): "methods nothing",
    ("circuits",): "circuits nothing",
    ("ntk",): "ntk --widths 4",
    ("info",): "info --wrong",
    ("study", "run"): "study run nothing.toml",
    ("study", "export"): "study export out rows.xls",
    ("study", "merge"): "study merge all nothing",
} | {("study", name): f"study {name} nothing" for name in ("resume", "status", "plot", "report", "show")}
WHERE = {  # what each command calls first
    ("scaling",): "qcgrad.studies.spec.load_spec",
    ("reproduce",): "qcgrad.studies.claims.claims_in",
    ("grad",): "qcgrad.library.load_circuit",
    ("advise",): "qcgrad.library.load_circuit",
    ("methods",): "qcgrad.catalogue.methods",
    ("circuits",): "qcgrad.library.load_circuit",
    ("ntk",): "qcgrad.studies.ntk_convergence.converge",
    ("info",): "qcgrad.simulators.statevector.native_library.describe",
    ("study", "run"): "qcgrad.studies.spec.load_spec",
} | {words: "qcgrad.studies.store.Store.__init__" for words in LINES if words[0] == "study" and words[1] != "run"}


def run(line, *more, **options):
    return CliRunner().invoke(application, [*shlex.split(line), *more], prog_name="qcgrad", **options)


def compute(cell, notify=None, *, max_bytes=None):
    return {"M": 4**cell.n - 1, "qubits": 3, "gradient": COUNTERS, "value": COUNTERS}


def drawn(figure, target):
    (target / f"{figure.name}.png").touch()
    return [target / f"{figure.name}.png"]


def converged(make, x, widths, seeds, *_):
    return Convergence(widths, np.ones((len(widths), seeds)), np.ones((len(widths), seeds)))


FAKES = {
    "qcgrad.studies.cells.Cell.compute": compute,
    "qcgrad.studies.render.pictures.draw": drawn,
    "qcgrad.studies.render.html.write_html": lambda report, target: target.touch(),
    "qcgrad.studies.ntk_convergence.converge": converged,
    "qcgrad.studies.ntk_convergence.draw": lambda found, title, path: path.touch(),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A spec and its results, once."""
    folder = tmp_path_factory.mktemp("results")
    (folder / "mine.toml").write_text(SPEC)
    with pytest.MonkeyPatch.context() as patch:
        for name, fake in FAKES.items():
            patch.setattr(name, fake)
        assert run(f"study run {folder}/mine.toml --out {folder}/out").exit_code == 0
    return folder


@pytest.fixture
def folder(results, tmp_path, monkeypatch):
    """A folder with the spec and its results, where nothing that is computed or drawn takes time."""
    shutil.copytree(results, tmp_path, dirs_exist_ok=True)
    for name, fake in FAKES.items():
        monkeypatch.setattr(name, fake)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("words", [(), ("study",), *COMMANDS])
def test_help_ends_with_examples_that_parse(words):
    shown = run(shlex.join(words), "--help")
    assert shown.exit_code == 0
    end = " ".join(shown.stdout.rpartition("╯")[2].split())
    assert end.startswith("Example: qcgrad ")
    examples = re.split(r",? (?:then|or) (?=qcgrad )", end.removeprefix("Example: "))
    assert not words or any(example.startswith(f"qcgrad {shlex.join(words)}") for example in examples)
    for example in examples:
        group, arguments = GROUP, shlex.split(example)[1:]
        while hasattr(group, "commands"):
            group, arguments = group.commands[arguments[0]], arguments[1:]
        with group.make_context(example, arguments):  # refuses what is no option, and values of the wrong type
            pass


def test_the_help_tells_the_exit_codes():
    shown = " ".join(run("--help").stdout.split())
    for code in ("0: done", "1: done but for a part", "2: refused", "130: interrupted"):
        assert code in shown


@pytest.mark.parametrize("group", ["", "study"])
def test_a_group_without_a_command_shows_its_help(group):
    result = run(group)
    assert (result.exit_code, result.stderr) == (0, "")
    assert " ".join(result.stdout.split()) == " ".join(run(group, "--help").stdout.split())


def test_every_command_is_looked_at():
    assert set(LINES) == set(WRONG) == set(WHERE) == set(COMMANDS)


@pytest.mark.parametrize("words", LINES)
def test_with_json_stdout_is_one_document(words, folder):
    result = run(LINES[words], "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout, parse_constant=pytest.fail)
    assert found


@pytest.mark.parametrize("words", WRONG)
def test_what_is_refused_is_one_line_and_leaves_stdout_empty(words, folder):
    result = run(WRONG[words], "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("qcgrad: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("words", WHERE)
def test_an_interrupt_is_exit_code_130(words, folder, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(WHERE[words], interrupted)
    assert run(LINES[words], "--json").exit_code == 130


@pytest.mark.parametrize(
    ("line", "again"),
    [
        (
            "study run mine.toml --out new --shard 2/2 -j 2 --max-memory 3 --quick --json",
            "study resume new --jobs 2 --shard 2/2 --max-memory 3.0 --json",
        ),
        ("study run mine.toml --out a --scheduler local --allow-code", "study resume a --scheduler local --allow-code"),
        ("study resume out --jobs 2 --shard 1/2", "study resume out --jobs 2 --shard 1/2"),
        ("--debug scaling --methods backprop --out new --json", "--debug scaling --out new --methods backprop --json"),
        ("reproduce --full --publish --json", "reproduce --full --publish --json"),
        ("reproduce complex-ntk --small --out new", "reproduce complex-ntk --small --out new"),
    ],
)
def test_the_command_that_goes_on_has_all_that_was_given(line, again, folder, monkeypatch):
    def interrupted(*_, **__):
        raise StudyInterrupted(1, 2)

    monkeypatch.setattr("qcgrad.studies.run.run_cells", interrupted)
    monkeypatch.setattr(Dask, "local", lambda *_: InProcess())
    result = run(line)
    assert result.exit_code == 130
    assert result.stderr.rpartition("To go on from there: qcgrad ")[2].strip() == again


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_stdout_that_takes_nothing_is_told():
    command = [sys.executable, "-m", "qcgrad", "methods", "adjoint"]
    with open("/dev/full", "w") as full:
        refused = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "No space left" in refused.stderr
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as nobody:
        left = subprocess.run(command, stdout=nobody, stderr=subprocess.PIPE, text=True, timeout=120)
    assert (left.returncode, left.stderr) == (141, "")


@pytest.mark.slow
def test_letters_that_a_terminal_lacks_are_no_error():
    command = [sys.executable, "-m", "qcgrad", "methods", "checkpointed"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    shown = subprocess.run(command, capture_output=True, env=environment, timeout=120, check=True).stdout
    assert b"keeps about 2?? of the ? states" in shown


@pytest.mark.parametrize("line", ["study run mine.toml --out new", "study resume out", "scaling --spec mine.toml"])
def test_failed_cells_are_exit_code_1_and_in_the_document(line, folder, monkeypatch):
    def failing(cell, notify=None, *, max_bytes=None):
        raise RuntimeError("broken")

    monkeypatch.setattr(Cell, "compute", failing)
    (folder / "out" / "study.sqlite").unlink()
    if "resume" in line:
        run("study run mine.toml --out out")
    result = run(line, "--json")
    assert result.exit_code == 1
    assert {missing["message"] for missing in json.loads(result.stdout)["failed"]} == {"RuntimeError: broken"}


def test_the_document_of_a_study_has_its_tables(folder):
    found = json.loads(run("study resume out --json").stdout)
    assert (found["computed"], found["reused"], found["failed"]) == (0, 2, [])
    assert "study.sqlite" in found["files"]
    assert [row["method"] for row in found["summaries"][0]["tables"][0]["rows"]] == ["backprop"]
    assert json.loads(run("study show out --json").stdout) == found["summaries"]


# Markup that does not close and markup of a colour, a name of an emoji, and an escape of a terminal.
OTHERS = "of [/nothing] and [red]all :smile: \x1b[31m"
SHOWN = "of [/nothing] and [red]all :smile: \\x1b[31m"


def test_texts_of_other_packages_are_shown_as_they_are(folder, monkeypatch):
    (name, method), *_ = catalogue.methods().items()
    monkeypatch.setattr(catalogue, "_methods", lambda: {name: method._replace(summary=OTHERS)})
    for line in ("methods", f"methods {name}"):
        result = run(line)
        assert result.exit_code == 0, result.stderr
        assert SHOWN in " ".join(result.stdout.split())

    def warned(*arguments):
        warnings.warn(OTHERS, stacklevel=1)
        return converged(*arguments)

    monkeypatch.setattr("qcgrad.studies.ntk_convergence.converge", warned)
    result = run(LINES["ntk",])
    assert result.exit_code == 0, result.stderr
    assert f"note: {SHOWN}\n" in result.stderr


SHELLS = {
    "bash": lambda words: {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)},
    "zsh": lambda words: {"_TYPER_COMPLETE_ARGS": " ".join(words)},
    "fish": lambda words: {"_TYPER_COMPLETE_ARGS": " ".join(words), "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("methods gentle", "gentle-sweep"),
        ("methods --kind activations split-r", "split-relu"),
        ("methods --kind ru", "rules"),
        ("grad tfim_hva_n3_p1 --method paramet", "parameter-shift"),
        ("grad tfim_hva_n3", "tfim_hva_n3_p1"),
        ("scaling --methods adjoint,gentle", "adjoint,gentle-sweep"),
        ("circuits h2_giv", "h2_givens_n4"),
        ("circuits --family qa", "qaoa"),
        ("ntk --activation modr", "modrelu"),
        ("study run mi", "mine.toml"),
        ("study report ou", "out/"),
        ("study status qcgrad-results/mi", "qcgrad-results/mine-1"),
        ("reproduce complex", "complex-ntk"),
        ("rep", "reproduce"),
    ],
)
def test_shells_complete_names(shell, words, offered, tmp_path, monkeypatch):
    (tmp_path / "mine.toml").touch()
    (tmp_path / "out").mkdir()
    (tmp_path / "qcgrad-results" / "mine-1").mkdir(parents=True)
    (tmp_path / "qcgrad-results" / "mine-1" / "study.sqlite").touch()
    monkeypatch.chdir(tmp_path)
    result = run("", env={"_QCGRAD_COMPLETE": f"complete_{shell}", **SHELLS[shell](["qcgrad", *words.split()])})
    assert result.exit_code == 0, result.stderr
    assert offered in re.split(r'[\s"]+', result.stdout)


def leaves():
    print("goodbye")
    sys.exit("goodbye")


def breaks():
    raise RuntimeError("broken\nin two lines")


@pytest.fixture(params=[leaves, breaks])
def broken_package(request, monkeypatch):
    """A package whose method cannot be imported."""
    entry = SimpleNamespace(name="mine", value="my_package:Mine", load=request.param)
    metadata = SimpleNamespace(entry_points=lambda group: [entry])
    monkeypatch.setattr(entries, "importlib", SimpleNamespace(metadata=metadata))
    catalogue._methods.cache_clear()
    yield
    catalogue._methods.cache_clear()


@pytest.mark.filterwarnings("default")
def test_a_broken_package_costs_one_line_and_no_more(broken_package):
    result = run("methods adjoint")
    assert result.exit_code == 0
    assert result.stderr.startswith("note: method mine of my_package:Mine is left out: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("words", ["methods gentle", "scaling --methods gentle", "reproduce gentle"])
def test_completion_says_nothing_of_what_is_broken(words, broken_package, tmp_path, monkeypatch):
    settings = {"_QCGRAD_COMPLETE": "complete_bash", **SHELLS["bash"](["qcgrad", *words.split()])}
    result = run("", env=settings)
    assert (result.exit_code, result.stderr) == (0, "")
    assert set(result.stdout.split()) >= {"gentle-sweep"}
    assert all(offer.startswith("gentle") for offer in result.stdout.split())
    monkeypatch.setattr("qcgrad.cli._completion._begun", lambda *_: 1 / 0)
    result = run("", env=settings)
    assert (result.exit_code, result.stdout.strip(), result.stderr) == (0, "", "")


def test_a_script_that_is_no_python_is_named(tmp_path, monkeypatch):
    script = tmp_path / "theory" / "topic" / "wrong.py"
    script.parent.mkdir(parents=True)
    (tmp_path / "theory" / "claim.py").touch()
    script.write_text("def compute(:")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    result = run("reproduce")
    assert (result.exit_code, "wrong.py" in result.stderr) == (2, True)
    settings = {"_QCGRAD_COMPLETE": "complete_bash", **SHELLS["bash"](["qcgrad", "reproduce", ""])}
    assert run("", env=settings).stderr == ""
