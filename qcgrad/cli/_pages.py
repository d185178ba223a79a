"""One page on a method, an activation, a layer, a rule or a backend, off its docstring."""

import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from ..catalogue import Entry, Method
from ..entries import told
from ..formulas import in_unicode, readable
from ._choices import flag

_SECTION = re.compile(r"(Args|Access|Statistics|Cost[\w ]*|Raises|Warns|Example|References): *(.*)", re.DOTALL)


def page(entry: Entry, kind: str) -> dict[str, Any]:
    """Everything that is known of an entry, as plain data; texts are Unicode.

    Args:
        entry: of the catalogue.
        kind: "methods", "activations", "layers", "rules" or "backends".

    Returns:
        `name`, `kind`, `summary`, `description` (paragraphs and formulas), `options`, `refusals` (where it does
        not apply: exceptions with their reasons), `access_in_words`, `cost`, `statistics`, `example` (lines of Python),
        `references`; for methods `access`, `differentiates` and `pays_in` too.
    """
    docstring = inspect.getdoc(entry.make) or ""
    blocks = list(_blocks(docstring))
    sections = dict[str, str]()
    for name, text in blocks:
        if name:
            sections[name] = f"{sections[name]} {text}" if name in sections else text
    about: dict[str, Any] = {"name": entry.name, "kind": kind, "summary": entry.summary}
    if isinstance(entry, Method):
        about |= {"access": entry.access.name, "differentiates": entry.differentiates, "pays_in": entry.pays_in}
    costs = [(name, text) for name, text in sections.items() if name.startswith("Cost")]
    return about | {
        "description": [text for name, text in blocks[1:] if not name],
        "access_in_words": sections.get("Access", ""),
        "statistics": sections.get("Statistics", ""),
        "cost": " ".join(text if name == "Cost" else f"{name}: {text}" for name, text in costs),
        "refusals": told(docstring, "Raises"),
        "options": [_option(entry, option) for option in entry.options],
        "example": _code(docstring),
        "references": sections.get("References", ""),
    }


def lines(about: dict[str, Any], width: int) -> Iterator[str]:
    """The page for people.

    Args:
        about: of `page`.
        width: of the terminal.
    """
    where = f" ({about['access'].replace('_', ' ')} access, for {about['differentiates']})" if "access" in about else ""
    yield f"{about['name']}{where}"
    yield from _wrap(about["summary"], width)
    for text in about["description"]:
        yield ""
        yield from _wrapped(text, width)
    cost = about["cost"]
    if "pays_in" in about:
        cost = f"{cost} What grows with the number of derivatives: {about['pays_in'].replace('_', ' ')}.".strip()
    for heading, text in (("Access", about["access_in_words"]), ("Statistics", about["statistics"]), ("Cost", cost)):
        if text:
            yield ""
            yield from _wrap(f"{heading}: {text}", width, subsequent_indent="    ")
    if about["refusals"]:
        yield "\nDoes not apply, or is refused:"
        for name, text in about["refusals"].items():
            yield from _wrap(f"{name}: {text}", width, initial_indent="    ", subsequent_indent="        ")
    if about["options"]:
        yield "\nOptions:" if about["kind"] == "methods" else "\nArguments:"
        for option in about["options"]:
            yield from _of_option(option, width)
    if about["example"]:
        yield "\nExample:"
        yield from (f"    {line}" for line in about["example"])
    if about["references"]:
        yield "\nReferences:"
        yield from _wrap(about["references"], width, initial_indent="    ", subsequent_indent="    ")


def _of_option(option: dict[str, Any], width: int) -> Iterator[str]:
    default = "needed" if option["required"] else f"default {option['default']}"
    kind = f"{option['type']}, " if option["type"] else ""
    yield from _wrap(f"{option['flag']} ({kind}{default})", width, subsequent_indent="    ")
    yield from _wrap(option["help"], width, initial_indent="    ", subsequent_indent="    ")


def _option(entry: Entry, option) -> dict[str, Any]:
    plain = option.default if isinstance(option.default, (str, int, float, bool, type(None))) else str(option.default)
    return {
        "name": option.name,
        "flag": flag(option.name) if isinstance(entry, Method) else option.name,
        "type": option.type,
        "required": option.is_required,
        "default": None if option.is_required else plain,
        "help": option.help,
    }


def _blocks(docstring: str) -> Iterator[tuple[str, str]]:
    """(section or "", text) of each paragraph; formulas on lines of their own, indented."""
    for paragraph in re.split(r"\n\s*\n(?=\S)", docstring):
        if found := _SECTION.fullmatch(paragraph):
            if found[1] not in ("Args", "Raises", "Example", "Warns"):
                yield found[1], " ".join(readable(found[2]).split())
        elif found := re.match(r"\.\. math::\s*((?:.*\S.*(?:\n|$))+)(.*)", paragraph):
            yield "", textwrap.indent(in_unicode(found[1].strip()), "    ")
        elif re.match(r"(\d+\.|-) ", paragraph):
            yield "", readable(paragraph)
        else:
            yield "", " ".join(readable(paragraph).split())


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Formulas and lists keep their lines; a formula that is too wide goes on below where LaTeX has a wide space."""
    if not (text.startswith("    ") or "\n" in text):
        yield from _wrap(text, width)
        return
    for line in text.splitlines():
        parts = re.split(r"(?<=\S) {3}(?=\S)", line) if len(line) > width else [line]
        yield from (parts[0], *(f"    {part}" for part in parts[1:]))


def _wrap(text: str, width: int, initial_indent: str = "", subsequent_indent: str = "") -> list[str]:
    wrapper = textwrap.TextWrapper(width, initial_indent, subsequent_indent)
    wrapper.break_long_words = wrapper.break_on_hyphens = False  # names are copied
    return wrapper.wrap(text)


def _code(docstring: str) -> list[str]:
    """The example without prompts; answers are comments."""
    found = re.search(r"^Example:\n((?:[ ].*\n?|\n)+)", docstring, re.MULTILINE)
    told = textwrap.dedent(found[1]).strip().splitlines() if found else []
    return [line[4:] if line[:3] in (">>>", "...") else f"# {line}" for line in told]
