"""What imports what, read off the sources: no circles, and what is private stays on its own floor."""

import ast
import graphlib
from pathlib import Path

import qcgrad

ROOT = Path(qcgrad.__file__).parent


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(path): path for path in ROOT.rglob("*.py")}


class Imports(ast.NodeVisitor):
    """The modules that a file imports, inside functions too; what only type checkers see is left out."""

    def __init__(self, module: str, path: Path):
        self.package = module if path.stem == "__init__" else module.rpartition(".")[0]
        self.found: set[str] = set()
        # What a package exports on first use stands in a stub beside it.
        for source in (path, path.with_suffix(".pyi")):
            if source.is_file():
                self.visit(ast.parse(source.read_text("utf-8")))

    def visit_If(self, node):
        if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for otherwise in node.orelse:
                self.visit(otherwise)
        else:
            self.generic_visit(node)

    def visit_Import(self, node):
        self.found |= {alias.name for alias in node.names}

    def visit_ImportFrom(self, node):
        upwards = self.package.split(".")[: len(self.package.split(".")) - node.level + 1] if node.level else []
        source = ".".join([*upwards, *([node.module] if node.module else [])])
        # A name that is a module is what is meant, not the package that it lies in.
        names = {f"{source}.{alias.name}" for alias in node.names}
        self.found |= names & FILES.keys()
        if names - FILES.keys():
            self.found.add(source)


GRAPH = {module: Imports(module, path).found & FILES.keys() for module, path in FILES.items()}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle; none where there is an order in which all can be read."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def floor(module: str) -> str:
    return ".".join(module.split(".")[:2])


def private(module: str) -> bool:
    return any(part.startswith("_") and part != "__main__" for part in module.split("."))


def trespasses(graph: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Imports of private modules from other floors."""
    pairs = [(module, target) for module, targets in graph.items() for target in targets]
    return [(module, target) for module, target in pairs if private(target) and floor(module) != floor(target)]


def test_no_modules_import_each_other_in_a_circle():
    assert circle(GRAPH) == []


def test_private_modules_are_imported_on_their_own_floor_only():
    assert trespasses(GRAPH) == []


def test_both_checks_can_fail():
    graph = {"q.a.x": {"q.a.y"}, "q.a.y": {"q.a.z", "q.b._p"}, "q.a.z": {"q.a.x"}, "q.b._p": set(), "q.b.r": {"q.b._p"}}
    assert set(circle(graph)) == {"q.a.x", "q.a.y", "q.a.z"}
    assert trespasses(graph) == [("q.a.y", "q.b._p")]
    assert circle({"q.a": {"q.a"}}) == ["q.a", "q.a"]


def test_imports_inside_functions_count_and_those_for_type_checkers_do_not(tmp_path):
    source = tmp_path / "program.py"
    source.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from .gates import Gate\n"
        "from . import pauli\n"
        "def f():\n    from ..cost import Cost\n"
    )
    assert Imports("qcgrad.ir.program", source).found & FILES.keys() == {"qcgrad.ir.pauli", "qcgrad.cost"}
