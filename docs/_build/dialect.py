"""Docstrings as this project writes them, in the words of Griffe's parser; and signatures of records."""

import re
from typing import Any

import griffe

_PARAGRAPH = re.compile(r"(?<=\n\n)(?P<title>[A-Z]\w+): (?=\S)")
_SECTION = re.compile(r"^(?P<title>[A-Z]\w+):\n(?P<body>(?:[ ]{4}.*\n|[ ]*\n)+)", re.MULTILINE)
_ITEM = re.compile(r"^ {4}(?P<names>\*{0,2}\w+(?:, \*{0,2}\w+)+): (?P<text>.*\n(?: {8}.*\n|[ ]*\n)*)", re.MULTILINE)
_REFERENCE = re.compile(r"(?<![\[`])`(?P<path>qcgrad(?:\.\w+)+)`(?![`\]])")
_ITEMISED = ("Args", "Attributes", "Raises", "Warns", "Returns", "Yields")
# Bases outside of the package whose annotated fields are arguments.
_RECORDS = ("NamedTuple", "eqx.Module", "equinox.Module", "BaseModel")


def translated(docstring: str) -> str:
    """A docstring for Griffe's Google parser.

    Several names in front of one text are given it each, "Example" is plural, and other titles become words in bold:
    the parser would make boxes of them.
    """
    text = _SECTION.sub(_section, docstring + "\n")
    return _PARAGRAPH.sub(r"**\g<title>.** ", text).rstrip()


def linked(docstring: str, known: dict[str, str]) -> str:
    """With links from names in backticks to where they are documented."""

    def link(found: re.Match) -> str:
        path = known.get(found["path"])
        return f"[`{found['path']}`][{path}]" if path else found[0]

    return _REFERENCE.sub(link, docstring)


def _section(found: re.Match) -> str:
    title, body = found["title"], found["body"]
    if title in ("Example", "Examples"):
        return f"Examples:\n{body}"
    if title in ("Args", "Attributes"):
        return f"{title}:\n{_ITEM.sub(_each, body)}"
    if title in _ITEMISED:
        return found[0]
    return f"**{title}.** " + re.sub(r"^ {4}", "", body, flags=re.MULTILINE).lstrip()


def _each(found: re.Match) -> str:
    return "".join(f"    {name.strip()}: {found['text']}" for name in found["names"].split(","))


class Dialect(griffe.Extension):
    """The extension of Griffe."""

    def __init__(self) -> None:
        from docs._build.names import modules, public

        self.known = {path: name.path for name in public() for path in name.paths}
        self.known = {module: module for module in modules()} | self.known

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Each docstring, as soon as it is read."""
        if obj.docstring:
            obj.docstring.value = translated(linked(obj.docstring.value, self.known))

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **_: Any) -> None:
        """Once all is read, so that bases are known: the arguments of records."""
        loader.resolve_aliases(implicit=True, external=False)
        for record in [found for found in _classes(pkg) if _is_record(found)]:
            _add_constructor(record)


def _classes(obj: Any) -> list[griffe.Class]:
    found = []
    for member in obj.members.values():
        if isinstance(member, griffe.Class):
            found.append(member)
        if isinstance(member, (griffe.Class, griffe.Module)):
            found += _classes(member)
    return found


def _lineage(made: griffe.Class) -> list[griffe.Class]:
    try:
        return [*reversed(made.mro()), made]
    except (ValueError, griffe.AliasResolutionError):
        return [made]


def _is_record(made: griffe.Class) -> bool:
    lineage = _lineage(made)
    if any(name in part.members for part in lineage for name in ("__init__", "__new__")):
        return False
    return any(str(base).endswith(_RECORDS) for part in lineage for base in part.bases)


def _add_constructor(made: griffe.Class) -> None:
    parameters = {}
    for part in _lineage(made):
        for name, field in part.members.items():
            if isinstance(field, griffe.Attribute) and field.annotation is not None and _is_field(name, field):
                kind = griffe.ParameterKind.positional_or_keyword
                default = _default(field.value)
                parameters[name] = griffe.Parameter(name, annotation=field.annotation, kind=kind, default=default)
    own = griffe.Parameter("self", kind=griffe.ParameterKind.positional_only)
    made.set_member("__init__", griffe.Function("__init__", parameters=griffe.Parameters(own, *parameters.values())))


def _is_field(name: str, field: griffe.Attribute) -> bool:
    # Griffe takes ClassVar out of annotations and keeps a label.
    return not name.startswith("_") and "instance-attribute" in field.labels


def _default(value: Any) -> Any:
    """The default of a field; None where it has none."""
    if isinstance(value, griffe.ExprCall) and str(value.function).rpartition(".")[2].lower() == "field":
        given = {
            argument.name: argument.value for argument in value.arguments if isinstance(argument, griffe.ExprKeyword)
        }
        return given.get("default", "..." if "default_factory" in given else None)
    return value
