"""Tables of summaries as LaTeX, for papers."""

import re

from ..summary import Table

_SPECIAL = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "ε": r"$\varepsilon$",
    "∝": r"$\propto$",
    "±": r"$\pm$",
    "·": r"$\cdot$",
    "²": r"$^2$",
    "–": "--",
    "∞": r"$\infty$",
    "‖": r"$\|$",
    "Θ": r"$\Theta$",
    "×": r"$\times$",
    "√": r"$\surd$",
    "−": "$-$",
}


def latex(table: Table) -> str:
    r"""A `tabular` with the rules of the package booktabs.

    Example:
        >>> from qcgrad.studies.render.latex import latex
        >>> from qcgrad.studies.summary import Column, Table
        >>> print(latex(Table("Cost", (Column("method", ("adjoint",), is_text=True), Column("M", ("16",))))))
        % Cost
        \begin{tabular}{lr}
        \toprule
        method & M \\
        \midrule
        adjoint & 16 \\
        \bottomrule
        \end{tabular}
    """
    kinds = "".join("l" if column.is_text else "r" for column in table.columns)
    heading = " & ".join(_escaped(" ".join(column.heading.split())) for column in table.columns)
    rows = [" & ".join(map(_escaped, row)) for row in zip(*(c.shown for c in table.columns), strict=True)]
    body = "".join(f"{row} \\\\\n" for row in rows)
    return (
        f"% {' '.join(table.title.split())}\n\\begin{{tabular}}{{{kinds}}}\n\\toprule\n{heading} \\\\\n\\midrule\n"
        f"{body}\\bottomrule\n\\end{{tabular}}"
    )


def _escaped(text: str) -> str:
    return re.sub("|".join(map(re.escape, _SPECIAL)), lambda found: _SPECIAL[found[0]], text)
