"""Closed-form systems: circuits whose values and gradients are formulas, for every method to reproduce."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import qcgrad as qg


@dataclass(frozen=True, eq=False)
class System:
    """An objective, parameters, and the formula of its value; the gradient is JAX's of the formula."""

    objective: Any
    params: Any
    formula: Callable[[Any], Any]

    @property
    def value(self):
        return self.formula(jax.tree.map(jnp.asarray, self.params))

    @property
    def gradient(self):
        """Of a scalar or vector formula, in the structure of the parameters."""
        return jax.jacobian(self.formula)(jax.tree.map(jnp.asarray, self.params))


def _system(circuit, observable, params, formula):
    return System(qg.Expectation(circuit, observable), np.asarray(params, float), formula)


def rotation_x():
    """RX(t)|0>: <Y> = -sin t."""
    return _system(qg.Circuit(1).rx(0, param=0), "Y", [0.7], lambda t: -jnp.sin(t[0]))


def rotation_y():
    """RY(t)|0>: <Z> = cos t, <X> = sin t."""
    return _system(qg.Circuit(1).ry(0, param=0), "Z + 0.5*X", [0.7], lambda t: jnp.cos(t[0]) + 0.5 * jnp.sin(t[0]))


def rotation_z():
    """RZ(t) H|0>: <X> = cos t, <Y> = sin t."""
    return _system(qg.Circuit(1).h(0).rz(0, param=0), "2*X - Y", [0.7], lambda t: 2 * jnp.cos(t[0]) - jnp.sin(t[0]))


def euler_angles():
    """RZ(b) RY(a)|0> on the Bloch sphere: (sin a cos b, sin a sin b, cos a), as a vector of observables."""
    circuit = qg.Circuit(1).ry(0, param=0).rz(0, param=1)
    return _system(
        circuit,
        ["X", "Y", "Z"],
        [0.7, -1.1],
        lambda t: jnp.stack([jnp.sin(t[0]) * jnp.cos(t[1]), jnp.sin(t[0]) * jnp.sin(t[1]), jnp.cos(t[0])]),
    )


def ramsey():
    """H, phase t, H: <Z> = cos t, the fringe of an interferometer."""
    return _system(qg.Circuit(1).h(0).p(0, param=0).h(0), "Z", [1.3], lambda t: jnp.cos(t[0]))


def bell_phase():
    """RZ(a), RZ(b) on a Bell pair turn its phase by a + b: <XX> = cos(a + b), <XY> = sin(a + b), <ZZ> = 1."""
    circuit = qg.Circuit(2).h(0).cnot(0, 1).rz(0, param=0).rz(1, param=1)
    return _system(
        circuit,
        {"XX": 1.0, "XY": 0.3, "ZZ": 2.0},
        [0.4, 0.9],
        lambda t: jnp.cos(t[0] + t[1]) + 0.3 * jnp.sin(t[0] + t[1]) + 2,
    )


def ghz_phase():
    """Four phases t on a GHZ state add up: <XXXX> = cos 4t (one parameter, shared four times)."""
    circuit = qg.Circuit(4).h(0).cnot(0, 1).cnot(1, 2).cnot(2, 3)
    for qubit in range(4):
        circuit = circuit.p(qubit, param=0)
    return _system(circuit, "XXXX", [0.35], lambda t: jnp.cos(4 * t[0]))


def controlled_rx():
    """Control in |+>: <ZI X-basis> half of the time no rotation; <IZ> = (1 + cos t)/2, <XI> = cos(t/2)."""
    circuit = qg.Circuit(2).h(0).crx(0, 1, param=0)
    return _system(circuit, "IZ + XI", [0.8], lambda t: (1 + jnp.cos(t[0])) / 2 + jnp.cos(t[0] / 2))


def controlled_ry():
    """Control RY(a): <IX> = sin^2(a/2) sin t and <IZ> = cos^2(a/2) + sin^2(a/2) cos t."""

    def formula(t):
        weight = jnp.sin(t[0] / 2) ** 2
        return weight * jnp.sin(t[1]) + 3 * (1 - weight + weight * jnp.cos(t[1]))

    return _system(qg.Circuit(2).ry(0, param=0).cry(0, 1, param=1), "IX + 3*IZ", [0.8, -0.6], formula)


def controlled_rz():
    """Both in |+>: <IX> = (1 + cos t)/2; <XI> = cos(t/2), as the phases -t/2 and t/2 average."""
    circuit = qg.Circuit(2).h(0).h(1).crz(0, 1, param=0)
    return _system(circuit, ["IX", "XI"], [0.8], lambda t: jnp.stack([(1 + jnp.cos(t[0])) / 2, jnp.cos(t[0] / 2)]))


def controlled_phase():
    """Both in |+>, one frequency only: <IX> = (1 + cos t)/2, <IY> = <YI> = sin(t)/2 (a symmetric gate)."""
    circuit = qg.Circuit(2).h(0).h(1).cp(0, 1, param=0)
    return _system(circuit, "IX + IY + 3*YI", [0.8], lambda t: (1 + jnp.cos(t[0]) + 4 * jnp.sin(t[0])) / 2)


def word_of_weight_three():
    """exp(-i t XYZ/2)|000>: Z on qubit 0 anticommutes with the word, so <ZII> = cos t; <IIZ> = 1 commutes."""
    circuit = qg.Circuit(3).pauli_rot("XYZ", param=0)
    return _system(circuit, {"ZII": 1.0, "IIZ": 0.5}, [0.6], lambda t: jnp.cos(t[0]) + 0.5)


def commuting_evolution():
    """exp(-it(0.5 ZZ + 0.3 ZI + 0.3 IZ)) on |++>: <XI> = cos(0.6 t) cos(t), three gaps, not equidistant."""
    hamiltonian = qg.PauliSum({"ZZ": 0.5, "ZI": 0.3, "IZ": 0.3})
    circuit = qg.Circuit(2).h(0).h(1).evolution(hamiltonian, param=0)
    return _system(circuit, "XI", [0.7], lambda t: jnp.cos(0.6 * t[0]) * jnp.cos(t[0]))


def noncommuting_evolution():
    """Rabi oscillation under H = (w Z + g X)/2: <Z> = 1 - 2 (g/W)^2 sin^2(W t/2), W^2 = w^2 + g^2."""
    detuning, drive = 0.6, 0.8
    circuit = qg.Circuit(1).evolution(qg.PauliSum({"Z": detuning / 2, "X": drive / 2}), param=0)
    rabi = np.hypot(detuning, drive)
    return _system(circuit, "Z", [1.9], lambda t: 1 - 2 * (drive / rabi) ** 2 * jnp.sin(rabi * t[0] / 2) ** 2)


def shared_and_scaled():
    """RY(2t + 0.1) RY(-0.5t)|0> is RY(1.5t + 0.1)|0>: <Z> = cos(1.5 t + 0.1)."""
    circuit = qg.Circuit(1).ry(0, param=0, scale=-0.5).ry(0, param=0, scale=2.0, offset=0.1)
    return _system(circuit, "Z", [0.9], lambda t: jnp.cos(1.5 * t[0] + 0.1))


def equal_values_are_not_shared():
    """Two parameters of the same value stay two: <ZI> + <IZ> = cos a + cos b."""
    circuit = qg.Circuit(2).ry(0, param=0).ry(1, param=1)
    return _system(circuit, "ZI + 2*IZ", [0.5, 0.5], lambda t: jnp.cos(t[0]) + 2 * jnp.cos(t[1]))


def unused_parameter():
    """Parameter 1 drives no gate: its derivative is 0."""
    return _system(
        qg.Circuit(1).ry(0, param=0).rx(0, param=2), "Z", [0.5, 9.0, 0.3], lambda t: jnp.cos(t[0]) * jnp.cos(t[2])
    )


def mapped_parameters():
    """Angles a*b and b^2 of a pytree {a, b}: <ZI> = cos(ab), <IZ> = cos(b^2)."""
    circuit = qg.Circuit(2).ry(0, param=0).ry(1, param=1)
    params = {"a": np.array(0.8), "b": np.array([0.6])}

    def angles(t):
        return jnp.concatenate([t["a"] * t["b"], t["b"] ** 2])

    objective = qg.Expectation(circuit, "ZI + 0.5*IZ", angles, example=params)
    return System(objective, params, lambda t: jnp.cos(t["a"] * t["b"][0]) + 0.5 * jnp.cos(t["b"][0] ** 2))


SYSTEMS = [
    rotation_x, rotation_y, rotation_z, euler_angles, ramsey, bell_phase, ghz_phase, controlled_rx, controlled_ry,
    controlled_rz, controlled_phase, word_of_weight_three, commuting_evolution, noncommuting_evolution,
    shared_and_scaled, equal_values_are_not_shared, unused_parameter, mapped_parameters,
]  # fmt: skip
