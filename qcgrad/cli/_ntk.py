"""`qcgrad ntk`: how a complex network's tangent kernel approaches its infinite-width limit."""

import warnings
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import _completion as completion
from . import _consoles as consoles
from .errors import UserError

if TYPE_CHECKING:
    from ..studies.ntk_convergence import Convergence

EXAMPLE = "Example: qcgrad ntk --activation modrelu --depth 3 --widths 64,256,1024 --seeds 32"


def ntk(
    activation: Annotated[
        str,
        typer.Option(
            help="A function of complex numbers that qcgrad methods --kind activations lists.",
            autocompletion=completion.activations,
        ),
    ] = "modrelu",
    depth: Annotated[int, typer.Option(help="Hidden layers.", min=1)] = 2,
    widths: Annotated[str, typer.Option(help="Comma-separated widths of the hidden layers.")] = "64,256,1024",
    seeds: Annotated[int, typer.Option(help="Random networks of each width.", min=1)] = 32,
    inputs: Annotated[int, typer.Option(help="Number of random complex inputs.", min=2)] = 5,
    dimension: Annotated[int, typer.Option(help="Dimension of the inputs.", min=1)] = 6,
    sigma_w: Annotated[float, typer.Option(help="Scale of the weights.", min=0)] = 2**0.5,
    sigma_b: Annotated[float, typer.Option(help="Scale of the biases.", min=0)] = 0.1,
    b: Annotated[float, typer.Option(help="Bias of modrelu, at most 0.")] = -0.5,
    seed: Annotated[int, typer.Option(help="Seed of inputs and networks.", min=0)] = 0,
    out: Annotated[Path, typer.Option(help="Where the figure goes.")] = Path("ntk.png"),
    as_json: consoles.JSON = False,
) -> None:
    """Compare finite complex networks with their infinite-width tangent kernel: table, figure, slope in the width.

    In JSON, null is an interval that one network of each width does not know.
    """
    import numpy as np

    from ..studies.ntk_convergence import converge, draw

    sizes = _widths(widths)
    if sigma_w == 0:
        raise UserError("--sigma-w 0: give a positive number, or there is nothing between inputs and outputs")
    make = _maker(activation, depth, sigma_w, sigma_b, b)
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(inputs, dimension)) + 1j * rng.normal(size=(inputs, dimension))) / 2**0.5
    notes = consoles.notes()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        if notes.is_terminal:
            with notes.status("") as status:
                found = converge(make, x, sizes, seeds, seed, status.update)
        else:
            found = converge(make, x, sizes, seeds, seed)
        kernel = make(sizes[0]).kernel(x)
    messages = list(dict.fromkeys(str(warning.message) for warning in caught))
    for message in () if as_json else messages:
        notes.print(f"note: {message}", highlight=False, soft_wrap=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    draw(found, f"{activation}, {depth} hidden layers, {inputs} inputs", out)
    if as_json:
        asked = {"activation": activation, "depth": depth, "inputs": inputs, "seed": seed}
        consoles.print_json({**asked, **_as_data(found, kernel), "figure": str(out), "notes": messages})
        return
    _print(found, kernel)
    print(f"figure: {out}")


def _as_data(found: "Convergence", kernel) -> dict[str, Any]:
    interval = [end if isfinite(end) else None for end in found.slope_interval()]
    imaginary, branch = _at_infinity(kernel)
    return {
        "widths": list(found.widths),
        "ntk_errors": found.ntk.tolist(),
        "pseudo_kernels": found.pseudo.tolist(),
        "slope": {"exponent": found.slope.exponent, "interval_95": interval},
        "infinite_width": {"imaginary_part": imaginary, "rule_distance": branch},
    }


def _at_infinity(kernel) -> tuple[float, float]:
    """Norms of the kernel's imaginary part and of what the holomorphic-branch rule changes, over its own."""
    import numpy as np

    limit = np.asarray(kernel.ntk)
    parts = np.imag(limit), limit - np.asarray(kernel.ntk_rule)
    imaginary, branch = (float(np.linalg.norm(part) / np.linalg.norm(limit)) for part in parts)
    return imaginary, branch


def _print(found, kernel):
    import numpy as np
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for heading in ("width", "‖Θn − Θ‖/‖Θ‖", "spread", "‖Θ̃n‖/‖Θ‖"):
        table.add_column(heading, justify="right")
    for width, errors, pseudo in zip(found.widths, found.ntk, found.pseudo, strict=True):
        spread = f"{errors.std(ddof=1):.3f}" if len(errors) > 1 else "–"
        table.add_row(str(width), f"{errors.mean():.3f}", spread, f"{pseudo.mean():.3f}")
    console = consoles.output()
    console.print(table)
    low, high = found.slope_interval()
    interval = "one network of each width has no error" if np.isnan(low) else f"95 % interval {low:.2f} to {high:.2f}"
    console.print(
        f"error ~ width^({found.slope.exponent:.2f}), {interval}; theory: -0.5 at large widths", highlight=False
    )
    imaginary, branch = _at_infinity(kernel)
    console.print(
        f"at infinite width: imaginary part {imaginary:.3f} of the kernel's norm, "
        f"holomorphic-branch rule {branch:.3f} away from the true one",
        highlight=False,
    )


def _widths(text: str) -> tuple[int, ...]:
    try:
        found = sorted({int(word) for word in text.split(",")})
    except ValueError:
        found = []
    if len(found) < 2 or found[0] < 1:
        raise UserError(f"--widths {text}: give at least two different positive integers, for example 64,256,1024")
    return tuple(found)


def _maker(activation: str, depth: int, sigma_w: float, sigma_b: float, b: float):
    from .. import networks as nn
    from ..catalogue import nearest_method
    from ..studies.kernels import complex_activations

    known = complex_activations()
    chosen = known[nearest_method(activation, known, "activation")]
    function = chosen.make(**({"b": b} if chosen.option("b") else {}))

    def make(width: int):
        hidden = [layer for _ in range(depth) for layer in (nn.Dense(width, sigma_w, sigma_b), function)]
        return nn.serial(*hidden, nn.Dense(1, sigma_w, sigma_b))

    return make
