"""Gates of other frameworks with several angles, as products of single-angle gates.

All are exact including the phase that shows when they are controlled. `PRODUCTS[name](*angles)` gives
instructions on local wires 0, 1, ...; `emit` looks names up here and among qcgrad's own gates.
"""

import math
from collections.abc import Callable, Sequence

from ...ir.gates import GATES
from ._angle import Angle
from ._instruction import Instruction, controlled, placed

_PI = math.pi


def euler(
    theta: Angle | float, phi: Angle | float, lam: Angle | float, phase: Angle | float = 0.0
) -> list[Instruction]:
    """e^{i phase} RZ(phi) RY(theta) RZ(lam)."""
    found = [Instruction(name, (0,), a) for name, a in (("rz", lam), ("ry", theta), ("rz", phi)) if a]
    return [*found, Instruction("gphase", (), phase)] if phase else found


def u3(
    theta: Angle | float, phi: Angle | float, lam: Angle | float, wires: tuple[int, ...] = (0,)
) -> list[Instruction]:
    """[[cos, -e^{i lam} sin], [e^{i phi} sin, e^{i(phi + lam)} cos]] of theta/2: phases instead of RZs."""
    found = [Instruction("p", wires, lam), Instruction("ry", wires, theta), Instruction("p", wires, phi)]
    return found if theta and phi and lam else [i for i in found if i.angle]


def _cu(theta, phi, lam, gamma):
    return [Instruction("p", (0,), gamma), *_on_target(u3(theta, phi, lam))]


def _on_target(instructions):
    return controlled(placed(instructions, (1,)), (0,))


def _phased_x(theta, phi):
    return [
        Instruction("rz", (0,), -phi),
        Instruction("rx", (0,), theta),
        Instruction("rz", (0,), phi),
    ]


def _xx_yy(sign):
    """Qiskit's XXPlusYY (sign 1: rotates 01 and 10) and XXMinusYY (sign -1: 00 and 11)."""

    def gates(theta, beta=0.0):
        # Qiskit turns its qubit 0 for plus and its qubit 1 for minus.
        turned, beta = (0, beta) if sign > 0 else (1, -beta)
        half = theta * 0.5
        return [
            Instruction("rz", (turned,), beta),
            Instruction("rxx", (0, 1), half),
            Instruction("ryy", (0, 1), half * sign),
            Instruction("rz", (turned,), -beta),
        ]

    return gates


def _relabel(name):
    return lambda *angles: [Instruction(name, tuple(range(GATES[name].num_wires)), *angles)]


def _multi_controlled_x(num_controls):
    return lambda: controlled([Instruction("x", (num_controls,))], tuple(range(num_controls)))


def _margolus():
    """Toffoli up to relative phases (Qiskit's rccx)."""
    h = u3(_PI / 2, 0, _PI)
    middle = [Instruction("t", (2,)), Instruction("cx", (1, 2)), Instruction("tdg", (2,))]
    h = placed(h, (2,))
    return [*h, *middle, Instruction("cx", (0, 2)), *middle, *h]


def _margolus_3():
    """Three-controlled X up to relative phases (Qiskit's rcccx)."""
    h = placed(u3(_PI / 2, 0, _PI), (3,))
    t, tdg = Instruction("t", (3,)), Instruction("tdg", (3,))
    outer = [*h, t, Instruction("cx", (2, 3)), tdg, *h]
    half = [Instruction("cx", (0, 3)), t, Instruction("cx", (1, 3)), tdg]
    return [*outer, *half, *half, *outer]


PRODUCTS: dict[str, tuple[int, int, Callable[..., list[Instruction]]]] = {
    # name: (wires, angles, builder)
    "u1": (1, 1, _relabel("p")),
    "u2": (1, 2, lambda phi, lam: u3(_PI / 2, phi, lam)),
    "u3": (1, 3, u3),
    "u": (1, 3, u3),
    "r": (1, 2, _phased_x),
    "prx": (1, 2, _phased_x),
    "phase": (1, 1, _relabel("p")),
    "cphase": (2, 1, _relabel("cp")),
    "cu1": (2, 1, _relabel("cp")),
    "cu3": (2, 3, lambda theta, phi, lam: _on_target(u3(theta, phi, lam))),
    "cu": (2, 4, _cu),
    "CX": (2, 0, _relabel("cx")),
    "cs": (2, 0, lambda: [Instruction("cp", (0, 1), Angle(offset=_PI / 2))]),
    "csdg": (2, 0, lambda: [Instruction("cp", (0, 1), Angle(offset=-_PI / 2))]),
    "dcx": (2, 0, lambda: [Instruction("cx", (0, 1)), Instruction("cx", (1, 0))]),
    "ecr": (2, 0, lambda: [Instruction("rzx", (0, 1), Angle(offset=_PI / 2)), Instruction("x", (0,))]),
    "xx_plus_yy": (2, 2, _xx_yy(1)),
    "xx_minus_yy": (2, 2, _xx_yy(-1)),
    "c3x": (4, 0, _multi_controlled_x(3)),
    "c4x": (5, 0, _multi_controlled_x(4)),
    "c3sqrtx": (4, 0, lambda: controlled([Instruction("sx", (3,))], (0, 1, 2))),
    "rccx": (3, 0, _margolus),
    "rcccx": (4, 0, _margolus_3),
    "rc3x": (4, 0, _margolus_3),
}


_U3 = frozenset(name for name, (_, _, build) in PRODUCTS.items() if build is u3)


def signature(name: str) -> tuple[int, int] | None:
    """(wires, angles) of a gate that `emit` knows, else None."""
    if name in PRODUCTS:
        return PRODUCTS[name][:2]
    if name in GATES:
        return GATES[name].num_wires, int(GATES[name].has_angle)
    return None


def emit(name: str, angles: Sequence[Angle | float], wires: Sequence[int]) -> list[Instruction]:
    """A named gate on `wires` as instructions; call only where `signature` gives the same counts."""
    if name in _U3:  # of the products the one that programs are full of: built in its place
        return u3(*angles, wires=tuple(wires))
    if name in PRODUCTS:
        return placed(PRODUCTS[name][2](*angles), wires)
    return [Instruction(name, tuple(wires), *angles)]
