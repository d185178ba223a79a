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

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Inexact, PyTree

from ..errors import NotApplicable
from ..networks.compiled import returned, shapes_of
from ..networks.layers.dense import Dense
from ..networks.layers.layer import AbstractLayer
from ..networks.layers.serial import Serial
from ..networks.rules import ActivationRule, LayerRule
from ..networks.rules.rule import Apply
from ._jacobian import cotangents
from .blockwise import AbstractMethod, Contracted
from .problem import Metric, Model, Problem

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


class Collect(LayerRule):
    """A backward pass that keeps `Factors` in place of gradients; signals are (inputs, rows, *shape).

    Attributes:
        metric: of the kernel.
        is_complex: whether outputs are.
        activations: a rule for activations, or None.
    """

    metric: Metric = eqx.field(static=True)
    is_complex: bool = eqx.field(static=True)
    activations: ActivationRule | None

    def send(
        self,
        layer: AbstractLayer,
        params: PyTree,
        residual: Inexact[jax.Array, "N *shape"],
        cotangent: Inexact[jax.Array, "N rows *outputs"],
    ) -> Inexact[jax.Array, "N rows *shape"]:
        if isinstance(layer, Dense):
            return _transposed(cotangent, layer.scaled(params).weight, residual)
        _, pull = jax.vjp(lambda h: layer.apply(params, h, self.activations), residual)
        return jax.vmap(pull, in_axes=1, out_axes=1)(cotangent)[0]

    def keep(
        self,
        layer: AbstractLayer,
        params: PyTree,
        residual: Inexact[jax.Array, "N *shape"],
        cotangent: Inexact[jax.Array, "N rows *outputs"],
    ) -> Factors | None:
        if not isinstance(layer, Dense):
            if jax.tree.leaves(params):
                raise NotApplicable(f"the layer {type(layer).__name__} has parameters and is not Dense")
            return None
        if residual.ndim != 2:
            shape = residual.shape[1:]
            raise NotApplicable(f"a Dense layer shares its weights between positions (its inputs have shape {shape})")
        if layer.dtype == "complex" and layer.tau != 0:
            raise NotApplicable("a Dense layer has improper weights (tau is not 0)")
        if layer.dtype == "real" and jnp.iscomplexobj(residual):
            raise NotApplicable("a Dense layer has real weights on complex inputs")
        bias = layer.scaled(params).bias
        inputs = layer.sigma_w / math.sqrt(residual.shape[-1]) * residual
        if bias is not None:
            inputs = jnp.concatenate([inputs, jnp.full((len(inputs), 1), layer.sigma_b, inputs.dtype)], axis=1)
        scale = 1.0 if self.metric == "unit" or layer.dtype == "real" else 2**0.5
        if not self.is_complex:
            # a = u/2 with u the derivative of f; b = conj a doubles the real part.
            return Factors(cotangent if layer.dtype == "real" else scale * 2**-0.5 * cotangent, None, inputs)
        u, v = jnp.split(cotangent, 2, axis=1)
        if layer.dtype == "real":
            return Factors(jax.lax.complex(u, v), None, inputs)
        return Factors(scale / 2 * (u + 1j * v), scale / 2 * (u - 1j * v), inputs)


class Structured(AbstractMethod):
    """Dense layers and layers without parameters, one behind the other or in branches."""

    metric: Metric

    def features(self, model: Model, params: PyTree, x: Inexact[jax.Array, "b *shape"]) -> PyTree:
        net, rule = network_of(model.apply), model.rule
        if net is None or not (rule is None or isinstance(rule, ActivationRule)):
            raise AssertionError("only networks of layers, and rules for activations, have a layerwise form")
        shape = jax.eval_shape(model.batch, params, x)
        collect = Collect(self.metric, jnp.issubdtype(shape.dtype, jnp.complexfloating), rule)
        outputs, kept = net.trace(params, x, collect, ())
        rows = cotangents(outputs[0].ravel())
        # Inputs before rows, (b, C, ...): then blocks of Gram matrices lie as the result wants them.
        back = jnp.broadcast_to(rows[None], (len(x), *rows.shape)).reshape(len(x), len(rows), *outputs.shape[1:])
        found, _ = net.pull(params, kept, back, collect, ())
        return jax.tree.leaves(found, is_leaf=lambda part: isinstance(part, Factors))

    def contract(self, problem: Problem, left: PyTree, right: PyTree) -> Contracted:
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

    def default_batch(self, problem: Problem) -> int:
        return max(1, _ROWS // problem.num_outputs)


def network_of(apply: Apply) -> Serial | None:
    """The network whose method `apply` this is."""
    net = getattr(apply, "__self__", None)
    return net if isinstance(net, Serial) and apply == net.apply else None


def why_not_structured(problem: Problem) -> str | None:
    """Why there is no layerwise form, or None if there is one."""
    if problem.rule_model.apply is not problem.model.apply:
        return "the rule is a function of its own"
    rule = problem.rule_model.rule
    if not (rule is None or isinstance(rule, ActivationRule)):
        return "the rule changes what layers send or keep"
    if network_of(problem.model.apply) is None:
        return "apply is not the method `apply` of a network made by qcgrad.networks.serial"
    try:
        returned(_features, Structured(problem.metric), problem.model, shapes_of(problem.params), shapes_of(problem.x1))
    except NotApplicable as reason:
        return str(reason)
    return None


def _features(method, model, params, x):
    return method.features(model, params, x)


def gram(a: Inexact[jax.Array, "n j"], b: Inexact[jax.Array, "m j"]) -> Inexact[jax.Array, "n m"]:
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
