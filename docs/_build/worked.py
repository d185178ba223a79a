"""Guide pages whose examples are run and whose definitions are quoted from the code.

    python -m docs._build.worked          # from the root of a checkout: renews all pages of docs/guide/

A block of Python runs behind those in front of it, and a block of text right below it holds what it printed. Between
`<!-- quoted: NAME -->` and `<!-- end -->` stands what the function NAME below makes of docstrings. A test asserts that
renewing changes nothing, so no page disagrees with the code.
"""

import contextlib
import inspect
import io
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import get_args

from qcgrad import catalogue, queries
from qcgrad.cost import Cost
from qcgrad.entries import told
from qcgrad.queries import AbstractQuery
from qcgrad.studies.spec import StudySpec, kinds_of_study

GUIDE = Path(__file__).parents[1] / "guide"

_EXAMPLE = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n^```text\n(?P<output>.*?)^```\n)?", re.MULTILINE | re.DOTALL)
_QUOTED = re.compile(r"^<!-- quoted: (?P<name>\w+) -->\n.*?^<!-- end -->$", re.MULTILINE | re.DOTALL)


def renewed(page: str, name: str = "page") -> str:
    """A page with the outputs that its examples have, and the definitions that the code has.

    Args:
        page: its Markdown.
        name: for tracebacks.
    """
    namespace: dict = {"__name__": "__main__"}

    def example(found: re.Match) -> str:
        line = page.count("\n", 0, found.start("code"))
        with contextlib.redirect_stdout(printed := io.StringIO()):
            exec(compile("\n" * line + found["code"], name, "exec"), namespace)
        output = printed.getvalue()
        shown = f"\n```text\n{output}```\n" if output else ""
        return f"```python\n{found['code']}```\n{shown}"

    page = _QUOTED.sub(lambda found: f"<!-- quoted: {found['name']} -->\n{QUOTED[found['name']]()}\n<!-- end -->", page)
    return _EXAMPLE.sub(example, page)


def counters() -> str:
    """A table of the counters of a cost."""
    meanings = told(inspect.getdoc(Cost) or "", "Attributes")
    both = {field.name: getattr(Cost(**{field.name: 1}) + Cost(**{field.name: 1}), field.name) for field in fields(Cost)}
    rows = [f"| `{name}` | {_words(meanings[name])} | {'sum' if both[name] == 2 else 'maximum'} |" for name in both]
    return "\n".join(["| counter | what it counts | one after another |", "|---|---|---|", *rows])


def costs_of_queries() -> str:
    """A table of what each question costs."""
    rows = [f"| `{make.__name__}` | {make.access.name} | {cost} |" for make, cost in _queries()]
    return "\n".join(["| question | access | what is charged |", "|---|---|---|", *rows])


def answers() -> str:
    """What ARCHITECTURE.md says of how each answer is simulated."""
    text = (GUIDE.parents[1] / "ARCHITECTURE.md").read_text(encoding="utf-8")
    return text[text.index("| answer | how it is simulated |") :].split("\n\n", 1)[0].strip()


def backends() -> str:
    """A table of the simulators, by what they say of themselves."""
    rows = [
        f"| `{entry.make.__name__}` | {entry.make.access.name} | {_words(_first(entry.make))} |"
        for entry in catalogue.backends().values()
    ]
    return "\n".join(["| backend | most access | what it is |", "|---|---|---|", *rows])


def predicted() -> str:
    """Which methods' costs are foretold exactly."""
    found: dict[object, list[str]] = {True: [], False: [], None: []}
    for name, method in catalogue.methods().items():
        said = method.make.is_traceable
        found[said if isinstance(said, bool) else None].append(f"`{name}`")
    lines = {True: "Exactly", False: "As an upper bound", None: "As the method inside, or a bound where a pilot decides"}
    return "\n".join(f"- **{line}**: {', '.join(found[key])}." for key, line in lines.items())


def kinds() -> str:
    """A table of the kinds of studies."""
    meanings = told(inspect.getdoc(StudySpec) or "", "Attributes")
    made = {name: get_args(StudySpec.model_fields[name].annotation)[0].model_fields for name in kinds_of_study()}
    rows = [f"| `[{name}]` | {_words(meanings[name])} | {', '.join(f'`{f}`' for f in made[name])} |" for name in made]
    return "\n".join(["| table | asks for | fields |", "|---|---|---|", *rows])


QUOTED = {each.__name__: each for each in (counters, costs_of_queries, answers, backends, predicted, kinds)}


def _queries() -> Iterator[tuple[type[AbstractQuery], str]]:
    found = [thing for thing in vars(queries).values() if inspect.isclass(thing) and issubclass(thing, AbstractQuery)]
    for make in sorted(found, key=lambda make: getattr(make, "access", -1)):
        if said := re.search(r"^Cost: (.*?)(?:\n\n|\Z)", inspect.getdoc(make) or "", re.MULTILINE | re.DOTALL):
            yield make, _words(said[1])


def _first(make: type) -> str:
    """The first paragraph of a docstring, equations included."""
    return (inspect.getdoc(make) or "").split("\n\n", 1)[0]


def _words(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    for path in sorted(GUIDE.glob("*.md")):
        path.write_text(renewed(path.read_text(encoding="utf-8"), str(path)), encoding="utf-8")
