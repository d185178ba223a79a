r"""Layerwise tangent kernels: Theta is a sum over layers of products of two Gram matrices.

For a dense layer \(z = s\,\omega h + \sigma_b\beta\), derivatives by the weights are outer products of
\(a = \partial f/\partial z\) and \(b = \partial f/\partial\bar z\) with h. So with
\(K = s^2 h h'^H + \sigma_b^2\) the layer gives

.. math:: \Theta = (a a'^H)\circ K + (b b'^H)\circ\bar K,\qquad \tilde\Theta = (a b'^T)\circ K + (b a'^T)\circ\bar K

for circular complex weights, and \((g g'^H)\circ K\), \((g g'^T)\circ K\) with \(g = \partial f/\partial z\) for real
ones. No Jacobian by the weights is ever formed.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp

from ..networks.layers.base import AbstractLayer
from ..networks.layers.dense import Dense
from ..networks.layers.serial import Serial
from ..networks.program import returned, shapes_of
from .blocks import AbstractMethod
from .jacobian import cotangents
from .problem import Metric, Problem

# Rows (inputs times outputs) of a Gram matrix in one block, by default.
_ROWS = 2048


class Factors(NamedTuple):
    """What is kept of a dense layer: scales are inside, so that Gram matrices are all that is left to do.

    Attributes:
        first: a, or g for real weights, (b, O, n).
        second: conj b, or None for real weights and for real outputs, where b is conj a.
        inputs: [s h, sigma_b], (b, m).
    """

    first: jax.Array
    second: jax.Array | None
    inputs: jax.Array


class Structured(AbstractMethod):
    """Dense layers and layers without parameters, one behind the other."""

    metric: Metric

    def features(self, model, params, x):
        steps = layers_of(model.apply, params)
        h, trace = x, []
        for layer, layer_params in steps:
            if isinstance(layer, Dense):
                trace.append((h, None))
                h = layer.apply(layer_params, h)
            else:
                value, pull = jax.vjp(lambda h, layer=layer, p=layer_params: layer.apply(p, h, model.rule), h)
                trace.append((h, pull))
                h = value
        outputs = h.reshape(len(x), -1)
        rows = cotangents(outputs[0])
        # Inputs before rows, (b, C, ...): then blocks of Gram matrices lie as the result wants them.
        back = jnp.broadcast_to(rows[None], (len(x), *rows.shape)).reshape(len(x), len(rows), *h.shape[1:])
        found, is_complex = [], jnp.iscomplexobj(outputs)
        lowest = next(i for i, (layer, _) in enumerate(steps) if isinstance(layer, Dense))
        for i in reversed(range(lowest, len(steps))):
            (layer, layer_params), (h, pull) = steps[i], trace[i]
            if pull is not None:
                (back,) = jax.vmap(pull, in_axes=1, out_axes=1)(back)
                continue
            weight, bias = layer.scaled(layer_params)  # pyright: ignore[reportAttributeAccessIssue]
            found.append(self._factors(layer, h, bias, back, is_complex))
            if i > lowest:
                back = _transposed(back, weight, h)
        return found

    def contract(self, problem, left, right):
        theta, pseudo = 0.0, 0.0
        for ours, theirs in zip(left, right, strict=True):
            kernel = gram(ours.inputs, theirs.inputs)[:, None, :, None]
            if not problem.is_complex:
                theta += _real_of_product(_outer(ours.first, theirs.first), kernel)
                continue
            theta += _outer(ours.first, theirs.first) * kernel
            if ours.second is not None:
                # second is conj b: b b'^H is the conjugate of its Gram matrix.
                theta += (_outer(ours.second, theirs.second) * kernel).conj()
            if problem.needs_pseudo and ours.second is None:
                pseudo += _outer(ours.first, theirs.first.conj()) * kernel
            elif problem.needs_pseudo:
                pseudo += _outer(ours.first, theirs.second) * kernel
                pseudo += (_outer(ours.second, theirs.first) * kernel).conj()
        found = (theta, pseudo if problem.is_complex and problem.needs_pseudo else None)
        return jax.tree.map(lambda a: a.transpose(0, 2, 1, 3), found)

    def default_batch(self, problem):
        return max(1, _ROWS // problem.num_outputs)

    def _factors(self, layer, h, bias, back, is_complex) -> Factors:
        inputs = layer.sigma_w / math.sqrt(h.shape[-1]) * h
        if bias is not None:
            inputs = jnp.concatenate([inputs, jnp.full((len(h), 1), layer.sigma_b, inputs.dtype)], axis=1)
        scale = 1.0 if self.metric == "unit" or layer.dtype == "real" else 2**0.5
        if not is_complex:
            # a = u/2 with u the derivative of f; b = conj a doubles the real part.
            return Factors(back if layer.dtype == "real" else scale * 2**-0.5 * back, None, inputs)
        u, v = jnp.split(back, 2, axis=1)
        if layer.dtype == "real":
            return Factors(jax.lax.complex(u, v), None, inputs)
        return Factors(scale / 2 * (u + 1j * v), scale / 2 * (u - 1j * v), inputs)


def layers_of(apply, params) -> list[tuple[AbstractLayer, object]]:
    """The layers behind `net.apply`, nested networks unfolded, each with its parameters; empty if there are none."""
    net = getattr(apply, "__self__", None)
    return list(_unfolded(net, params)) if isinstance(net, Serial) and apply == net.apply else []


def _unfolded(net, params):
    for layer, layer_params in zip(net.layers, params, strict=True):
        if isinstance(layer, Serial):
            yield from _unfolded(layer, layer_params)
        else:
            yield layer, layer_params


def why_not_structured(problem: Problem) -> str | None:
    """Why there is no layerwise form, or None if there is one."""
    if problem.rule_model.apply is not problem.model.apply:
        return "the rule is a function of its own"
    steps = layers_of(problem.model.apply, problem.params)
    if not steps:
        return "apply is not the method `apply` of a network made by qcgrad.networks.serial"
    h = shapes_of(problem.x1)
    for layer, params in steps:
        behind = returned(_applied, layer, shapes_of(params), h)
        name = type(layer).__name__
        if isinstance(layer, Dense):
            if h.ndim != 2:
                return f"a Dense layer shares its weights between positions (its inputs have shape {h.shape[1:]})"
            if layer.dtype == "complex" and layer.tau != 0:
                return "a Dense layer has improper weights (tau is not 0)"
            if layer.dtype == "real" and jnp.issubdtype(behind.dtype, jnp.complexfloating):
                return "a Dense layer has real weights on complex inputs"
        elif jax.tree.leaves(params):
            return f"the layer {name} has parameters and is not Dense"
        h = behind
    return None


def _applied(layer, params, x):
    return layer.apply(params, x)


def gram(a, b):
    """a b^H. Complex products as three real ones, which take two thirds of the time of the usual four or less."""
    if not jnp.iscomplexobj(a) and not jnp.iscomplexobj(b):
        return a @ b.T
    ar, ai, br, bi = a.real, a.imag, b.real, b.imag
    rr, ii = ar @ br.T, ai @ bi.T
    return jax.lax.complex(rr + ii, (ar + ai) @ (br - bi).T - rr + ii)


def _outer(a, b):
    """sum_j a[n, o, j] conj b[m, q, j] as (n, o, m, q)."""
    return gram(a.reshape(-1, a.shape[-1]), b.reshape(-1, b.shape[-1])).reshape(*a.shape[:2], *b.shape[:2])


def _real_of_product(a, b):
    if jnp.iscomplexobj(a) and jnp.iscomplexobj(b):
        return a.real * b.real - a.imag * b.imag
    return a.real * b.real


def _transposed(back, weight, h):
    """Cotangents in front of z = h W: back W^T, and its real part where h is real."""
    moved = gram(back.reshape(-1, back.shape[-1]), weight.conj()).reshape(*back.shape[:-1], weight.shape[0])
    return moved if jnp.iscomplexobj(h) else moved.real
