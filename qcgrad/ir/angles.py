r"""From parameters to gate angles, and from angles to circuits without parameters.

In float32 the neighbours of 1e8 are 8 radians apart, and in float64 those of 1e15 are an eighth of a radian apart.
But a gate has a period, so its angle is reduced before anything is rounded: scale and parameter are split into parts
whose products are exact, and each product is reduced by

.. math:: t \bmod 4\pi = 2\,\mathrm{atan2}(\sin(t/2), \cos(t/2)),

because sines and cosines of any floating-point number are right to the last digits.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ..array_types import Angles, CircuitParams
from ..arrays import is_concrete
from .gates import Gate, PauliPrimitive

if TYPE_CHECKING:
    from .circuit import Circuit

# A phase that rounding moves by more than this is no longer known.
_MOST_ROUNDING = 1e-3


def units(gates: Sequence[Gate]) -> Float[np.ndarray, "A"]:
    """(A,) u, where the gate's angle has the period 4 pi / u; 0 where it has none.

    Named gates and Pauli rotations have u = 1. The levels of a Hamiltonian need not have a common divisor.
    """
    return np.array([_unit(gate) for gate in gates], float)


def gate_angles(circuit: "Circuit", parameters: CircuitParams) -> Angles:
    """Angles (A,) of the parameterised gates at the circuit's parameters (P,), radians, reduced by whole periods.

    Of parameters (..., P) whose numbers are at hand, angles (..., A). NaN and infinity stay, and so does what
    overflows.

    Raises:
        ValueError: an angle has no period and is too large for its precision. While JAX traces, nobody can know.
    """
    index, scale, offset = circuit.angle_map
    if not is_concrete(parameters):
        wide = jax.dtypes.canonicalize_dtype(float)
        theta = jnp.asarray(parameters)[index].astype(wide)
        return _traced(circuit, theta, scale, offset).astype(parameters.dtype)
    # NumPy where the numbers are at hand: a new circuit then compiles no small JAX kernels.
    theta = np.asarray(parameters, float)[..., index]
    with np.errstate(over="ignore", invalid="ignore"):
        angles = _affine(np, circuit, theta, scale, offset)
        return rounded(circuit, np.arange(len(index)), angles, parameters.dtype, np.abs(scale * theta))


def rounded(
    circuit: "Circuit",
    which: Int[np.ndarray, "B"],
    angles: Float[np.ndarray, "... B"],
    dtype: np.dtype,
    before: float | Float[np.ndarray, "... B"] = 0.0,
) -> Float[np.ndarray, "... B"]:
    """Angles of some gates in the precision `dtype`, reduced by whole periods.

    Args:
        circuit: whose gates.
        which: (B,) parameterised gates.
        angles: (..., B) float64, radians.
        dtype: real.
        before: (..., B) sizes that the angles had before they were reduced, or one for all.

    Raises:
        ValueError: as `gate_angles`.
    """
    if _is_large(np, angles).any():
        angles = _reduced(np, angles, circuit.angle_units[which])
    # Rotations are reduced exactly; the levels of a Hamiltonian are known to float64.
    lost = np.maximum(np.abs(angles) * np.finfo(dtype).eps, before * np.finfo(float).eps) / 2
    for place in map(tuple, np.argwhere(lost > _MOST_ROUNDING / 32)):
        position = int(which[place[-1]])
        _check(circuit.angle_gates[position], position, float(angles[place]), float(lost[place]), np.dtype(dtype))
    return angles.astype(dtype)


def with_angles(circuit: "Circuit", angles: Angles) -> "Circuit":
    """The circuit with the angles of its parameterised gates fixed at (A,), radians."""
    if not is_concrete(angles):
        raise TypeError("angles are being traced by JAX: a circuit of plain numbers exists outside jax.jit only")
    if np.shape(angles) != (circuit.num_angles,):
        raise ValueError(
            f"angles have shape {np.shape(angles)}: give one for each parameterised gate, ({circuit.num_angles},), of "
            "one setting at a time"
        )
    values = iter(np.asarray(angles, float).tolist())
    gates = [
        gate if gate.param is None else Gate(gate.name, gate.wires, None, 1.0, next(values), gate.detail)
        for gate in circuit.gates
    ]
    return type(circuit)(circuit.num_qubits, gates)


def bound(circuit: "Circuit", params: CircuitParams) -> "Circuit":
    """The circuit with its parameters (P,) fixed, radians."""
    return with_angles(circuit, gate_angles(circuit, np.asarray(params, float)))


def _unit(gate: Gate) -> float:
    if gate.name != "evolution":
        return 1.0
    scales = [abs(Fraction(p.scale)) for p in _turns(gate)]
    # The greatest common divisor of fractions; floats are fractions.
    common = reduce(lambda a, b: Fraction(math.gcd(a.numerator * b.denominator, b.numerator * a.denominator),
                                          a.denominator * b.denominator), scales, Fraction(0))  # fmt: skip
    # A divisor far below the levels gives a period that reduces nothing.
    return float(common) if scales and common * 1024 > max(scales) else 0.0


def _turns(gate: Gate) -> list[PauliPrimitive]:
    """The rotations that the gate's angle drives; multiples of the identity change nothing but a global phase."""
    rotations = [p for p in gate.primitives() if isinstance(p, PauliPrimitive)]
    return [p for p in rotations if p.scale and set(p.letters) - {"I"}]


def _check(gate: Gate, position: int, angle: float, lost: float, dtype: np.dtype):
    where = f"gate {gate.name} on qubits {gate.wires} (parameterised gate {position})"
    fastest = sum(abs(p.scale) for p in _turns(gate)) if gate.name == "evolution" else 0.0
    if lost * fastest > _MOST_ROUNDING:
        raise ValueError(
            f"the angle {angle:.6g} of {where} rounds in {dtype} so that its phases are known to {lost * fastest:.1g} "
            "radians only: give smaller parameters" + (", or float64" if dtype != np.float64 else "")
        )


def _traced(circuit, theta, scale, offset):
    """`_affine`, whose derivative is the scale."""

    @jax.custom_jvp
    def affine(theta):
        return _affine(jnp, circuit, theta, scale, offset)

    affine.defjvp(lambda primals, tangents: (affine(*primals), tangents[0] * scale.astype(theta.dtype)))
    return affine(theta)


def _affine(xp, circuit, theta, scale, offset):
    """scale * theta + offset; where that is large, up to whole periods."""
    plain = theta * scale.astype(theta.dtype)
    large = _is_large(xp, plain) | _is_large(np, offset)
    if xp is np and not large.any():
        return plain + offset
    unit = circuit.angle_units
    whole = sum(_modulo(xp, part) for part in _exact_products(xp, theta, scale * unit))
    reduced = whole / np.where(unit, unit, 1).astype(theta.dtype)
    start = _reduced(np, offset, unit).astype(theta.dtype)
    return xp.where(large & (unit > 0), reduced + start, plain + offset.astype(theta.dtype))


def _reduced(xp, angles, unit):
    """Large angles up to whole periods."""
    return xp.where(_is_large(xp, angles) & (unit > 0), _modulo(xp, angles * unit) / np.where(unit, unit, 1), angles)


def _is_large(xp, angles):
    return xp.abs(angles) > 4 * math.pi


def _modulo(xp, t):
    """t up to multiples of 4 pi, between -2 pi and 2 pi."""
    return 2 * xp.arctan2(xp.sin(t / 2), xp.cos(t / 2))


def _exact_products(xp, theta, scale: np.ndarray):
    """Products without rounding errors whose sum is scale * theta."""
    digits = np.finfo(theta.dtype).nmant // 2 + 1
    rest, parts = scale, []
    while np.any(rest) and len(parts) < 4:
        parts.append(rest if np.all(np.abs(np.frexp(rest)[0]) == 0.5) else _leading(np, rest, digits))
        rest = rest - parts[-1]
    if len(parts) == 1:
        halves = [theta]
    else:
        halves = [_leading(xp, theta, digits)]
        halves.append(theta - halves[0])
    return [part.astype(theta.dtype) * half for part in parts for half in halves]


def _leading(xp, values, digits: int):
    """The first binary digits of every number."""
    fraction, exponent = xp.frexp(values)
    return xp.ldexp(xp.trunc(xp.ldexp(fraction, digits)), exponent - digits)
