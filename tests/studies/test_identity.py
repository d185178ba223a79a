"""Which results are the same: those of the same sources, wherever they were built."""

import hashlib
import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import qcgrad
from qcgrad.simulators.statevector import native_library
from qcgrad.studies import identity
from qcgrad.studies.executors import _dask
from qcgrad.studies.identity import code_version, version_of
from qcgrad.studies.scaling._network_cells import NetworkCell
from qcgrad.studies.status import status_of
from qcgrad.studies.store import Store

NATIVE = Path(native_library.__file__).parent / "native"


@pytest.fixture
def version_with(monkeypatch):
    """The version of the code with another engine."""

    def version(engine) -> str:
        monkeypatch.setattr(native_library, "load", lambda: engine)
        code_version.cache_clear()
        return code_version()

    yield version
    monkeypatch.undo()
    code_version.cache_clear()


def engine(folder: Path, content: bytes, built_from: bytes | None):
    path = folder / hashlib.sha256(content).hexdigest()
    path.write_bytes(content)
    if built_from is None:
        return SimpleNamespace(_name=str(path))
    return SimpleNamespace(_name=str(path), qcgrad_sources=lambda: built_from)


def test_engines_count_by_their_sources_and_not_by_their_bytes(version_with, tmp_path):
    here = version_with(engine(tmp_path, b"built here", b"abc"))
    assert version_with(engine(tmp_path, b"built there", b"abc")) == here
    # Of other sources, without an engine, and of engines that do not say what they are.
    silent = [version_with(engine(tmp_path, content, None)) for content in (b"built here", b"built there")]
    mute = version_with(engine(tmp_path, b"by hand", b""))
    others = [version_with(engine(tmp_path, b"built here", b"abd")), version_with(None), *silent, mute]
    assert len({here, *others}) == 6
    assert len({version.split("+")[0] for version in others}) == 1


def test_the_engine_is_built_from_the_sources_of_the_checkout():
    library = native_library.load()
    if library is None or not NATIVE.is_dir():
        pytest.skip("there is no engine, or the package is installed without its sources")
    if not hasattr(library, "qcgrad_sources"):
        pytest.skip("the engine was built before engines could say what they were built from")
    digest = hashlib.sha256()
    for path in sorted([*NATIVE.glob("*.cc"), *NATIVE.glob("*.h")], key=lambda path: str(path)):
        digest.update(b"%s:%d:" % (path.name.encode(), path.stat().st_size) + path.read_bytes())
    assert native_library.sources() == digest.hexdigest(), "build it anew: pip install -e ."


ON_A_MACHINE = """
import json, sys, qcgrad
from qcgrad.simulators.statevector.native_library import sources
from qcgrad.studies.executors import InProcess
from qcgrad.studies.run import run_cells
from qcgrad.studies.scaling._network_cells import NetworkCell
from qcgrad.studies.store import Store
cells = [NetworkCell(method="backprop", n=n) for n in range(1, int(sys.argv[2]) + 1)]
with Store(sys.argv[1]) as store:
    outcome = run_cells(cells, store, InProcess(compute=lambda cell, notify: {"M": cell.n}))
print(json.dumps([qcgrad.__file__, sources(), outcome.reused, outcome.computed]))
"""


@pytest.mark.slow
def test_a_study_goes_on_in_another_build_of_the_same_sources_and_starts_anew_in_one_of_others(tmp_path):
    machines = {name: copied(tmp_path / name) for name in ("one", "two", "other")}
    built_from = native_library.sources().encode()
    (library,) = machines["one"].glob("qcgrad/simulators/statevector/_native*.so")
    content = library.read_bytes()
    if built_from not in content:
        pytest.skip("the engine was built before engines could say what they were built from")
    # Bytes behind the end change nothing but the file; another digest is that of an engine of other sources.
    for name, changed in (("two", content + b"\0" * 8), ("other", content.replace(built_from, b"0" * 64))):
        (machines[name] / library.relative_to(machines["one"])).write_bytes(changed)
    found = {name: run_on(machine, tmp_path / "study.sqlite", 2 + index) for index, (name, machine) in
             enumerate(machines.items())}  # fmt: skip
    assert all(Path(path).is_relative_to(machines[name]) for name, (path, *_) in found.items())
    assert found["one"][1:] == [built_from.decode(), 0, 2]
    assert found["two"][1:] == [built_from.decode(), 2, 1]
    assert found["other"][1:] == ["0" * 64, 0, 4]


def copied(folder: Path) -> Path:
    """A copy of the package, as on another machine."""
    package = Path(qcgrad.__file__).parent
    shutil.copytree(package, folder / "qcgrad", ignore=shutil.ignore_patterns("__pycache__", "native"))
    if not (package / "circuits").is_dir():  # in a checkout they lie beside the package
        shutil.copytree(package.parent / "circuits", folder / "circuits")
    return folder


def run_on(machine: Path, store: Path, count: int) -> list:
    found = subprocess.run([sys.executable, "-c", ON_A_MACHINE, str(store), str(count)], check=True, text=True,
                           capture_output=True, cwd=machine, env=os.environ | {"PYTHONPATH": str(machine)})  # fmt: skip
    return json.loads(found.stdout)


@pytest.fixture
def package_of(tmp_path, monkeypatch):
    """Has a package of others that adds a method or a rule, in one of its versions."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(kind: str, version: int) -> None:
        (tmp_path / f"toy_{version}.py").write_text(f"class Toy:\n    size = {version}\n")
        toy = SimpleNamespace(make=importlib.import_module(f"toy_{version}").Toy)
        monkeypatch.setattr(identity, f"{kind}s", lambda: {"toy": toy})
        identity._code_of_others.cache_clear()

    yield install
    monkeypatch.undo()
    identity._code_of_others.cache_clear()


@pytest.mark.parametrize("kind", ["method", "rule"])
def test_another_packages_code_is_part_of_what_it_computed(kind, package_of, tmp_path):
    cell, keys, versions = {kind: "toy"}, set(), []
    with Store(tmp_path / "study.sqlite") as store:
        for version in (1, 2):
            package_of(kind, version)
            keys.add(identity.cell_key(cell))
            store.put(cell, {"M": version}, 0.1)
            kept = store.kept().of(cell)
            assert kept is not None
            assert kept.code_version == version_of(cell) != code_version()
            versions.append(version_of(cell))
        assert [row.code_version for row in store.rows()] == versions
    assert len(keys) == len(set(versions)) == 2
    assert version_of({"method": "adjoint"}) == code_version()


def test_a_method_and_a_rule_of_one_name_are_told_apart(package_of):
    package_of("method", 1)
    assert version_of({"method": "toy"}) != code_version() == version_of({"rule": "toy"})


def test_status_tells_what_an_earlier_version_of_a_package_computed(package_of, tmp_path):
    package_of("method", 1)
    cell = NetworkCell(method="toy", n=1)
    study: Any = SimpleNamespace(title="", cells=lambda: [cell])
    with Store(tmp_path / "study.sqlite") as store:
        store.put(cell.data, {"M": 3}, 0.1)
        assert status_of(study, store).data["outdated"] == 0
        package_of("method", 2)
        assert status_of(study, store).data["outdated"] == 1


def test_a_worker_with_another_version_of_a_package_is_refused(package_of, monkeypatch):
    distributed = pytest.importorskip("distributed")
    worker = SimpleNamespace(address="tcp://there", state=SimpleNamespace(nthreads=1))
    monkeypatch.setattr(distributed, "get_worker", lambda: worker)
    monkeypatch.setattr(_dask, "_settle_down", lambda worker: {"qcgrad": code_version()})
    cell = NetworkCell(method="toy", n=1)
    package_of("method", 1)
    here = version_of(cell.data)
    assert _dask._attempt_there(cell, lambda cell, notify: {"M": 3}, here).end == {"M": 3}
    package_of("method", 2)
    with pytest.raises(_dask.ClusterRefused, match=r"worker tcp://there runs .*: install the same packages there"):
        _dask._attempt_there(cell, lambda cell, notify: {"M": 3}, here)
