"""Every public function and method says what it takes and what it returns."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import qcgrad

PACKAGE = Path(qcgrad.__file__).parent


def functions(nodes: list, owner: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The functions of a module and the methods of its classes, by name; those inside of functions are local."""
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            yield from functions(node.body, f"{owner}{node.name}.")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield f"{owner}{node.name}", node
        else:
            for branch in ("body", "orelse", "handlers", "finalbody"):
                yield from functions(getattr(node, branch, []), owner)


def is_public(name: str) -> bool:
    return not name.startswith("_") or (name.startswith("__") and name.endswith("__"))


def unannotated(node: ast.FunctionDef | ast.AsyncFunctionDef, is_method: bool) -> list[str]:
    """The parameters without an annotation, "return" among them."""
    given = node.args
    positional = given.posonlyargs + given.args
    if is_method and not any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list):
        positional = positional[1:]  # self or cls
    parameters = positional + given.kwonlyargs + [p for p in (given.vararg, given.kwarg) if p]
    missing = [p.arg for p in parameters if p.annotation is None]
    # What a constructor returns is known.
    return missing + ["return"] * (node.returns is None and node.name != "__init__")


def faults(source: str, file: str) -> list[str]:
    """One line for each missing annotation: file, line, function, parameter."""
    return [
        f"{file}:{node.lineno}: {name} has no annotation of {parameter}"
        for name, node in functions(ast.parse(source).body)
        if is_public(node.name)
        for parameter in unannotated(node, is_method="." in name)
    ]


def test_public_functions_are_annotated():
    files = sorted(PACKAGE.rglob("*.py"))
    found = [
        fault for file in files for fault in faults(file.read_text("utf-8"), str(file.relative_to(PACKAGE.parent)))
    ]
    assert len(files) > 100
    assert not found, "annotate what is public (CONTRIBUTING, Style):\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("def f(x, y: int) -> int:\n    return x", ["m.py:1: f has no annotation of x"]),
        ("def f(x: int, y: int):\n    return x", ["m.py:1: f has no annotation of return"]),
        ("class C:\n  def m(self, *, a, **b) -> int: ...", [f"m.py:2: C.m has no annotation of {p}" for p in "ab"]),
        ("class C:\n  @staticmethod\n  def m(a) -> int: ...", ["m.py:3: C.m has no annotation of a"]),
        ("class _C:\n  def __eq__(self, other) -> bool: ...", ["m.py:2: _C.__eq__ has no annotation of other"]),
        ("if True:\n  def f(*a) -> int: ...", ["m.py:2: f has no annotation of a"]),
    ],
)
def test_a_missing_annotation_is_found(source, missing):
    assert faults(source, "m.py") == missing


@pytest.mark.parametrize(
    "source",
    [
        "class C:\n  def __init__(self, a: int): ...\n  @classmethod\n  def of(cls, a: int) -> int: ...",
        "def _f(x): ...\nclass C:\n  def _m(self, x): ...",
        "def f() -> int:\n  def local(x): ...\n  return local(1)",
    ],
)
def test_private_and_local_functions_need_none(source):
    assert not faults(source, "m.py")
