"""The command line that every script in theory/ shares.

A script states a claim in its docstring and has `compute(small)`, `check(result)`, `report(result)`, `figure(result,
path)` and `headline(result)`:

    python -m theory.quantum_backprop.gentle_sweep          # the whole claim, minutes
    python -m theory.quantum_backprop.gentle_sweep --small  # in seconds, as the tests run it
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import jax


class Headline(NamedTuple):
    """The one number by which a claim is known: what it is, what the claim says of it, what came out."""

    quantity: str
    expected: str
    measured: str


def run(name: str):
    """Compute, draw, then check the claim of the module called `name` (`__name__` of the script)."""
    module = sys.modules[name]
    parser = argparse.ArgumentParser(description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a smaller version, in seconds")
    default = Path(str(module.__file__)).with_suffix(".png")
    parser.add_argument("--out", type=Path, default=default, help="where the figure goes (default: %(default)s)")
    arguments = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    result = module.compute(arguments.small)
    for line in module.report(result):
        print(line)
    print("{}: expected {}, measured {}".format(*module.headline(result)))
    # The figure comes before the check: a claim that fails is what one wants to see.
    module.figure(result, arguments.out)
    print(f"figure: {arguments.out}")
    module.check(result)
    print("the claim holds")


def canvas(rows: int, columns: int, width: float = 5.0, height: float = 4.0):
    """A figure without pyplot and its axes, (rows, columns)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=(width * columns, height * rows), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.ravel():
        axis.grid(alpha=0.3, linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes
