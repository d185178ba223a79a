"""`qcgrad reproduce`: claims are listed, computed, kept, and told when they do not hold."""

import importlib
import json
import platform
import sys
import types

import pytest
from typer.testing import CliRunner

from qcgrad.cli._app import application
from qcgrad.studies import identity
from qcgrad.studies.claims import ClaimsNotFound, _cell, claims_in, repository


def run(*arguments):
    return CliRunner().invoke(application, list(map(str, arguments)))


@pytest.fixture
def script(monkeypatch):
    """What any script would be, with an answer that a test chooses."""
    module = types.SimpleNamespace(__doc__="A claim.\n\nDetails.", answer=42)
    module.compute = lambda small: module.answer
    module.report = lambda result: [f"the answer is {result}"]
    module.headline = lambda result: ("the answer", "42", str(result))
    module.figure = lambda result, path: path.write_bytes(b"png")

    def check(result):
        assert result == 42, f"{result} is not 42"

    module.check = check
    monkeypatch.setattr(_cell, "imported", lambda name: module)
    return module


def test_all_scripts_are_listed_with_what_they_claim(tmp_path):
    scripts = claims_in(repository())
    assert len(scripts) >= 20
    result = run("reproduce", "--json", "--out", tmp_path)
    states = json.loads(result.stdout)
    assert [state["script"].rpartition("/")[2] for state in states] == [script.path.stem for script in scripts]
    assert {state["state"] for state in states} == {"not computed"}
    assert all(state["claim"] for state in states)
    assert "complex_ntk/width" in run("reproduce", "--out", tmp_path).stdout


def test_the_index_of_claims_is_in_step_with_scripts_and_published_results():
    index = (repository() / "theory" / "README.md").read_text("utf-8")
    assert index == importlib.import_module("theory.index").text(), "run python -m theory.index"
    for script in claims_in(repository()):
        path = script.path.relative_to(repository() / "theory")
        claim = script.claim.rstrip(".").replace("|", "\\|")
        assert f"]({path}): {claim} |" in index, path
        for ending in (".md", ".png"):
            assert f"]({path.with_suffix(ending)})" in index, path


def test_a_topic_is_computed_once_and_kept(script, tmp_path):
    first = run("reproduce", "complex-ntk", "--out", tmp_path)
    assert first.exit_code == 0, first.stderr
    assert "the answer is 42" in first.stdout
    script.answer = 43  # not asked again
    assert run("reproduce", "complex-ntk", "--out", tmp_path).exit_code == 0
    assert (tmp_path / "width.png").read_bytes() == b"png"
    states = json.loads(run("reproduce", "--json", "--out", tmp_path).stdout)
    assert {state["state"] for state in states if state["script"].startswith("complex_ntk/")} == {"holds"}
    assert {state["state"] for state in states if state["script"].startswith("quantum_")} == {"not computed"}


def test_a_size_alone_means_all_claims(script, tmp_path):
    states = json.loads(run("reproduce", "--small", "--json", "--out", tmp_path).stdout)
    assert len(states) == len(claims_in(repository()))
    assert {(state["state"], state["size"]) for state in states} == {("holds", "small")}


def test_a_claim_that_does_not_hold_is_told(script, tmp_path):
    script.answer = 43
    result = run("reproduce", "gentle-sweep", "--out", tmp_path)
    assert result.exit_code == 1
    assert "43 is not 42" in result.stdout
    assert "does not hold" in result.stdout


def test_a_claim_that_breaks_is_told(script, tmp_path):
    script.answer = None

    def broken(result):
        raise ValueError("no [/nothing]")

    script.report = broken
    result = run("reproduce", "gentle-sweep", "--out", tmp_path, "--json")
    assert result.exit_code == 1
    (state,) = json.loads(result.stdout)
    assert state["state"] == "could not be computed: no [/nothing]"
    result = run("reproduce", "gentle-sweep", "--out", tmp_path)
    assert (result.exit_code, "no [/nothing]" in result.stdout) == (1, True)


def test_unknown_names_and_places_are_refused(tmp_path):
    result = run("reproduce", "gentle-swep")
    assert result.exit_code == 2
    assert "did you mean 'gentle-sweep'" in result.stderr
    assert "topics are all, complex-ntk, quantum-backprop" in result.stderr
    assert issubclass(ClaimsNotFound, LookupError)
    for size in ((), ("--small",)):
        assert "give --full as well" in run("reproduce", "all", *size, "--publish", "--out", tmp_path).stderr


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with one claim, which imports another script."""
    root = tmp_path / "checkout"
    (root / "theory" / "topic").mkdir(parents=True)
    (root / "theory" / "claim.py").write_text("")
    (root / "theory" / "topic" / "helper.py").write_text("import theory.claim\n")
    text = '"""A claim."""\nfrom .helper import x\nfrom theory import claim\ndef compute(small): ...\n'
    (root / "theory" / "topic" / "one.py").write_text(text)
    monkeypatch.setattr("sys.path", list(sys.path))  # `repository` puts the checkout in front
    monkeypatch.chdir(root)
    committed(monkeypatch, "1a2b3c")
    return root


def committed(monkeypatch, commit):
    """As if the checkout of qcgrad were at this commit; a plus sign says that files differ from it."""
    monkeypatch.setattr("qcgrad.studies.provenance._commit", lambda: commit)


def test_whole_results_are_published_without_the_name_of_the_machine(script, checkout):
    assert run("reproduce", "one").exit_code == 0  # small results are not published
    (state,) = json.loads(run("reproduce", "--json").stdout)
    assert (state["state"], state["published"]) == ("holds", {"state": "not run"})
    assert "not run" in run("reproduce").stdout
    result = run("reproduce", "--full", "--publish", "--json")
    assert result.exit_code == 0, result.stderr
    (state,) = json.loads(result.stdout)
    kept = json.loads((checkout / "theory" / "results" / "topic" / "one.json").read_text("utf-8"))
    assert (kept["quantity"], kept["expected"], kept["measured"], kept["holds"]) == ("the answer", "42", "42", True)
    assert kept["provenance"]["packages"]["jax"]
    assert "host" not in kept["provenance"]
    assert kept["provenance"]["platform"] == f"{platform.system()} {platform.machine()}"
    assert state["published"] == {**kept, "state": "holds", "is_current": True}
    (checkout / "theory" / "topic" / "helper.py").write_text("y = 1\n")
    (state,) = json.loads(run("reproduce", "--json").stdout)
    assert (state["state"], state["published"]["is_current"]) == ("not computed", False)
    assert "by another script" in run("reproduce").stdout


@pytest.fixture
def another_version(monkeypatch):
    """From now on qcgrad is another version."""

    def change():
        monkeypatch.setattr(identity, "code_version", lambda: "another")

    return change


def test_what_an_earlier_version_found_is_not_taken_for_an_answer_of_this_one(script, checkout, another_version):
    assert run("reproduce", "one", "--full").exit_code == 0
    another_version()
    (state,) = json.loads(run("reproduce", "--full", "--json", "one", "--out", "elsewhere").stdout)
    assert (state["state"], state["is_current"]) == ("holds", True)
    script.report = lambda result: 1 / 0
    result = run("reproduce", "one", "--full", "--publish", "--json")
    assert result.exit_code == 1
    (state,) = json.loads(result.stdout)
    assert state["state"].startswith("could not be computed: ZeroDivisionError")
    assert not (checkout / "theory" / "results").exists()


def test_the_list_says_what_an_earlier_version_found(script, checkout, another_version):
    assert run("reproduce", "one").exit_code == 0
    assert "by another version" not in run("reproduce").stdout
    another_version()
    assert "holds, by another version" in " ".join(run("reproduce").stdout.split())


def test_a_published_claim_that_does_not_hold_says_so(script, checkout):
    script.answer = 43
    assert run("reproduce", "one", "--full", "--publish").exit_code == 1
    (state,) = json.loads(run("reproduce", "--json").stdout)
    assert state["published"]["state"] == "does not hold"
    assert state["published"]["failure"].startswith("43 is not 42")


def test_results_of_sources_that_are_not_committed_are_not_published(script, checkout, monkeypatch):
    committed(monkeypatch, "1a2b3c+")
    refused = run("reproduce", "one", "--full", "--publish")
    assert (refused.exit_code, "commit first" in refused.stderr) == (2, True)
    (state,) = json.loads(run("reproduce", "--json").stdout)
    assert state["state"] == "not computed"  # the refusal comes before the work
    assert run("reproduce", "one", "--full").exit_code == 0
    committed(monkeypatch, "1a2b3c")
    kept = run("reproduce", "one", "--full", "--publish")
    assert "one is not published: sources that were not committed computed it" in kept.stderr
    assert run("reproduce", "one", "--full", "--publish", "--out", "anew").exit_code == 0
    assert [path.name for path in (checkout / "theory" / "results").rglob("*.json")] == ["one.json"]


def test_the_index_says_which_numbers_are_of_an_earlier_script(script, checkout, monkeypatch):
    index = importlib.import_module("theory.index")
    monkeypatch.setattr(index, "THEORY", checkout / "theory")
    assert run("reproduce", "one", "--full", "--publish").exit_code == 0
    (one,) = claims_in(checkout)
    assert index._number(one) == "the answer: **42** (expected 42)"
    (checkout / "theory" / "topic" / "helper.py").write_text("y = 1\n")
    assert index._number(one) == "the answer: **42** (expected 42) (by an earlier script)"
