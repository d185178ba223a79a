"""The reference holds every public name, and the catalogue has a page for each entry."""

import importlib
import re

import pytest

import qcgrad
from docs._build import entries, names, reference
from qcgrad import catalogue

LAZY = ("estimators", "networks", "interop", "optimizers")
EAGER = ("ntk", "library", "simulators", "planner", "queries", "ir", "ir.noise", "studies.scaling", "studies.executors")


def known_in(module):
    return {name.rpartition(".")[2] for path in names.public() for name in path.paths if name.startswith(f"{module}.")}


def test_what_the_package_offers_is_public():
    known = {path for name in names.public() for path in name.paths} | set(names.modules())
    offered = {f"qcgrad.{name}" for name in dir(qcgrad) if not name.startswith("_")}
    # What `__init__` imports for itself.
    assert offered - known == {"qcgrad.Any", "qcgrad.TYPE_CHECKING", "qcgrad.importlib"}


@pytest.mark.parametrize("package", [*LAZY, *EAGER])
def test_what_a_package_exports_is_public(package):
    module = importlib.import_module(f"qcgrad.{package}")
    exported = getattr(module, "__all__", None) or [
        name
        for name, thing in vars(module).items()
        if not name.startswith("_") and getattr(thing, "__module__", "").startswith("qcgrad.")
    ]
    assert exported
    assert set(exported) <= known_in(f"qcgrad.{package}")


def test_a_name_is_documented_once_by_the_path_that_others_import():
    paths = {path: name.path for name in names.public() for path in name.paths}
    assert paths["qcgrad.Circuit"] == "qcgrad.ir.Circuit"
    assert paths["qcgrad.GentleSweep"] == "qcgrad.estimators.GentleSweep"
    # A function with the name of its module.
    assert "qcgrad.estimate.estimate" in paths
    assert len({name.defined for name in names.public()}) == len(names.public())


def test_every_public_name_has_its_place_on_a_page():
    elsewhere = entries.documented()
    text = "\n".join(reference.pages(elsewhere).values())
    here = set(re.findall(r"^::: (\S+)$", text, re.MULTILINE))
    assert here.isdisjoint(elsewhere)
    everything = {name.path for name in names.public()}
    assert everything - elsewhere <= here
    assert elsewhere <= everything


def test_a_name_without_documentation_is_found_out():
    everything = {name.path for name in names.public()}
    assert reference.undocumented(everything) == []
    assert reference.undocumented(everything - {"qcgrad.cost.Cost"}) == ["qcgrad.cost.Cost"]


@pytest.mark.parametrize("kind", entries.KINDS)
def test_every_entry_of_the_catalogue_has_a_page(kind):
    own = {name for name, entry in getattr(catalogue, kind)().items() if entry.make.__module__.startswith("qcgrad.")}
    assert set(entries.entries(kind)) == own
    assert {entries.place(kind, entry) for entry in entries.entries(kind).values()} == {f"{kind}/{n}.md" for n in own}
