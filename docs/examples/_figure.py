"""What the examples share: a command line and a figure without a window. Nothing of qcgrad is hidden here.

An example has `main(small)`, which computes and prints, and `figure(result, path)`, which draws what `main` returned:

    python docs/examples/vqe_lih.py                       # as in the figure beside it
    python docs/examples/vqe_lih.py --small               # in seconds, as the tests run it
    python docs/examples/vqe_lih.py --figure energy.png
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

BLUE, ORANGE, GREEN, PINK, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "0.5"


def run(file: str, main: Callable[[bool], Any], figure: Callable[[Any, Path], None]):
    """Read the command line, compute and draw; `file` is the example's `__file__`."""
    parser = argparse.ArgumentParser(description=f"See the head of {Path(file).name} for what it shows.")
    parser.add_argument("--small", action="store_true", help="a smaller version, in seconds")
    parser.add_argument("--figure", type=Path, help="where the figure goes (default: the PNG beside the script)")
    arguments = parser.parse_args()
    path = arguments.figure or Path(file).with_suffix(".png")
    if arguments.small and arguments.figure is None:
        path = Path(path.name).with_stem(f"{path.stem}-small")  # the figure beside the script shows the whole example
    figure(main(arguments.small), path)
    print(f"figure: {path}")


def canvas(columns: int):
    """A figure without pyplot, and its axes side by side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(5.5 * columns, 4.0), layout="constrained")
    FigureCanvasAgg(drawing)
    axes = drawing.subplots(1, columns, squeeze=False)[0]
    for axis in axes:
        axis.grid(alpha=0.3, linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
    return drawing, axes
