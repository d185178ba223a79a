"""Circuits and their limit trained by gradient flow, for `circuit_kernel`."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

import qcgrad as qg
from qcgrad import ntk
from theory.complex_ntk.circuit_family import DIMENSION, QUBITS, commutators, encoded, family, pulled_back
from theory.statistics import rng

INPUTS = 4
# Mean of tr(G A)^2 / tr(A^2) over directions of a generator G of a rotation, tr G = 0, tr G^2 = d/4.
SHARE = DIMENSION / 4 / (DIMENSION**2 - 1)
# In units of 1/(P g): the kernel of one input is 2 (1 - f^2) there.
TIME, RECORDS = 2.0, 10


def data():
    """Inputs and the direction of the residual."""
    draws = np.random.default_rng(0)
    return jnp.asarray(draws.uniform(-np.pi, np.pi, (INPUTS, QUBITS))), jnp.asarray(draws.uniform(-1, 1, INPUTS))


def draw(layers, seeds):
    """Uniform angles, (seeds, P)."""
    return rng(layers).uniform(-np.pi, np.pi, (seeds, 2 * QUBITS * layers))


def train(layers, seeds, scale, steps):
    """What `_training` returns, of `seeds` circuits: (seeds, ...) each; `steps` of Runge-Kutta between two records."""
    return [np.asarray(each) for each in _training(layers)(draw(layers, seeds), scale, steps)]


@functools.cache  # compiled once for all scales and steps
def _training(layers):
    """(params, scale, steps) -> outputs of circuits and of the flow of M, targets, kernels / (P g), tr(A A')."""
    x, residual = data()
    f, psi, unit = family(layers, qg.Adjoint()), encoded(x), 2 * QUBITS * layers * SHARE

    def outputs(m):
        return jnp.einsum("na,ab,nb->n", psi, m, psi).real

    def one(params, scale, steps):
        targets = f(params, x) + scale * residual

        def angles(params):
            values, pull = jax.vjp(lambda p: f(p, x), params)
            return -pull(values - targets)[0] / unit

        def observable(m):
            a = commutators(m, psi)
            return -1j * jnp.einsum("n,nab->ab", outputs(m) - targets, a @ m - m @ a)

        path, m = _integrated(angles, params, steps), pulled_back(params)
        a = commutators(m, psi)
        isotropic = jnp.einsum("nab,mba->nm", a, a).real
        kernels = [ntk.empirical(f, p, x, method="jacobian") / unit for p in (params, path[-1])]
        flow = jax.vmap(outputs)(_integrated(observable, m, steps))
        return jax.lax.map(lambda p: f(p, x), path), flow, targets, *kernels, isotropic

    return jax.jit(lambda params, scale, steps: jax.lax.map(lambda each: one(each, scale, steps), params))


def _integrated(velocity, state, steps):
    """States at RECORDS + 1 times, by the classical Runge-Kutta method."""
    h = TIME / RECORDS / steps

    def step(_, state):
        k1 = velocity(state)
        k2 = velocity(state + h / 2 * k1)
        k3 = velocity(state + h / 2 * k2)
        return state + h / 6 * (k1 + 2 * k2 + 2 * k3 + velocity(state + h * k3))

    def record(state, _):
        state = jax.lax.fori_loop(0, steps, step, state)
        return state, state

    return jnp.concatenate([state[None], jax.lax.scan(record, state, length=RECORDS)[1]])
