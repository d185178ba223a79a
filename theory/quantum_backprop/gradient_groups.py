"""More derivatives measured together, or more that a circuit can do: X_exp <= 4^n / F_eff - F_eff.

Measured on deep circuits of four families, on 3 and 4 qubits: the dimension of the dynamical Lie algebra, and the
number of derivatives that are measured together on average, found from commutators at a random point. No family lies
above the bound, and stabilizer-logical product circuits reach it with every number of stabilizers.

    python -m theory.quantum_backprop.gradient_groups
"""

from itertools import product
from typing import NamedTuple

import numpy as np

from qcgrad import Circuit, PauliSum
from qcgrad.library import commuting_blocks, expressivity, stabilizer_logical
from theory.claim import Headline, canvas, run

Result = dict[tuple[str, int], "Point"]


class Point(NamedTuple):
    """A circuit's figures; `reach` says whether its family is to reach the bound."""

    dimension: int
    efficiency: float
    bound: float
    parameters: int
    is_exact: bool
    reach: bool


def chain(n, letters):
    """The word with its letters on neighbours, at every place."""
    return ["I" * q + letters + "I" * (n - q - len(letters)) for q in range(n - len(letters) + 1)]


def word(n, **places):
    return "".join(next((letter for letter, where in places.items() if q in where), "I") for q in range(n))


def commute(first, second):
    return sum(a != b and "I" not in (a, b) for a, b in zip(first, second, strict=True)) % 2 == 0


def deep(generators, layers, rng) -> list[str]:
    """Strings in a new order in each layer; one that could be moved to where it stood before is left out."""
    order: list[str] = []
    for _ in range(layers):
        for k in rng.permutation(len(generators)).tolist():
            behind = order[len(order) - order[::-1].index(generators[k]) :] if generators[k] in order else None
            if behind is None or not all(commute(generators[k], other) for other in behind):
                order.append(generators[k])
    return order


def generic(n, stabilizers, rng) -> PauliSum:
    """Every string that commutes with the stabilizers, with a factor of its own."""
    words = ["".join(letters) for letters in product("IXYZ", repeat=n)][1:]
    kept = [w for w in words if all(commute(w, s) for s in stabilizers)]
    return PauliSum([(w, float(c)) for w, c in zip(kept, rng.normal(size=len(kept)), strict=True)])


def logical_circuit(n, s, layers, rng, has_fields=True) -> tuple[Circuit, PauliSum]:
    """Stabilizers Z0 Z1, ..., Z(s-1) Zs make one qubit of s + 1; with fields along Z all logical operators arise."""
    stabilizers = [word(n, Z=(q, q + 1)) for q in range(s)]
    first, rest = tuple(range(s + 1)), range(s + 1, n)
    generators = [word(n, X=first), *(word(n, X=(q,)) for q in rest)]
    generators += [word(n, Z=(a, b)) for a, b in zip((0, *rest), rest, strict=False)]
    generators += [word(n, Z=(q,)) for q in (0, *rest)] if has_fields else []
    return stabilizer_logical(stabilizers, deep(generators, layers, rng)), generic(n, stabilizers, rng)


def others(n, layers, rng):
    """(name, circuit, observable) of circuits with smaller algebras."""
    fields, pairs = chain(n, "X"), chain(n, "ZZ")
    bonds = [w for pair in ("XX", "YY", "ZZ") for w in chain(n, pair)]
    for name, generators in (("free fermions", fields + pairs), ("Heisenberg bonds", bonds)):
        yield name, commuting_blocks([[w] for w in deep(generators, layers, rng)]), generic(n, [], rng)
    for s in range(1, n - 1):
        yield f"free fermions, {s} stabilizers", *logical_circuit(n, s, layers, rng, has_fields=False)


def compute(small: bool) -> Result:
    found: Result = {}
    for n, layers in ((3, 3),) if small else ((3, 6), (4, 4)):
        rng = np.random.default_rng(5)
        cases = [(f"{s} stabilizers", *logical_circuit(n, s, layers, rng)) for s in range(n)]
        for name, circuit, observable in [*cases, *others(n, layers, rng)]:
            e = expressivity(circuit, observable)
            found[name, n] = Point(
                e.dimension, e.efficiency, e.bound, circuit.num_parameters, e.is_exact, name[0].isdigit()
            )
    return found


def check(result: Result) -> None:
    """Dimensions and groups are counted, so nothing is off by chance."""
    for (name, n), point in result.items():
        assert point.dimension <= point.bound * (1 + 1e-12), f"{name} on {n} qubits lies above the bound: {point}"
        if point.reach:
            s = int(name.split()[0])
            assert point.efficiency == 2**s, f"{name} on {n} qubits: {point.efficiency} derivatives a group, not {2**s}"
            assert point.dimension == 4**n // 2**s - 2**s, f"{name} on {n} qubits: dimension {point.dimension}"
        elif name.endswith("stabilizers"):
            assert point.efficiency == 2 ** int(name.split()[-2]), f"{name} on {n} qubits: {point}"
    assert all(point.is_exact for point in result.values())
    assert min(point.dimension / point.bound for point in result.values()) < 0.6, "no family lies below the bound"


def headline(result: Result) -> Headline:
    """How near families come to the bound."""
    shares = [point.dimension / point.bound for point in result.values()]
    reaching = [point.dimension / point.bound for point in result.values() if point.reach]
    measured = f"{max(shares):.3f}; {min(reaching):.3f} to {max(reaching):.3f}"
    return Headline("largest share of the bound; of families that reach it", "at most 1; 1", measured)


def report(result: Result):
    for (name, n), p in result.items():
        yield (
            f"n = {n}, {name:29s}: X_exp {p.dimension:4d}, F_eff {p.efficiency:5.2f} of {p.parameters} parameters, "
            f"bound {p.bound:6.1f}{'' if p.is_exact else ', fewer groups possible'}"
        )


def figure(result: Result, path) -> None:
    sizes = sorted({n for _, n in result})
    drawing, axes = canvas(1, len(sizes))
    for axis, n in zip(axes[0], sizes, strict=True):
        markers = iter("s+D^")
        grid = np.geomspace(1, 2**n * 0.999, 200)
        axis.plot(grid, 4**n / grid - grid, color="0.5", label=r"$4^n/F_\mathrm{eff} - F_\mathrm{eff}$")
        for (name, size), point in result.items():
            if size == n and not point.reach:
                axis.plot(point.efficiency, point.dimension, next(markers), label=name, markersize=9, fillstyle="none")
        reached = [p for (_, size), p in result.items() if size == n and p.reach]
        axis.plot([p.efficiency for p in reached], [p.dimension for p in reached], "o", label="stabilizer-logical")
        axis.set(xscale="log", yscale="log", xlabel="derivatives measured together, F_eff", title=f"{n} qubits")
        axis.set_ylabel("dimension of the Lie algebra, X_exp")
        axis.set_ylim(1, 3 * 4**n)
        axis.set_xticks(2 ** np.arange(n + 1), 2 ** np.arange(n + 1), minor=False)
        axis.set_xticks([], minor=True)
        axis.legend(fontsize=8)
    drawing.savefig(path, dpi=150)


if __name__ == "__main__":
    run(__name__)
