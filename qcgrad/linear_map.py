r"""Linear maps with a transpose of their own, inside programs of JAX.

Where a derivative \(t \mapsto J t\) is cheap one way and \(c \mapsto J^T c\) another, JAX should not derive one from
the other. `jax.custom_derivatives.linear_call` says that, but `jax.vmap` does not know it; this is the same with vmap.
"""

from collections.abc import Callable

import jax
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jaxtyping import PyTree

_linear_map_p = Primitive("linear_map")
_linear_map_p.multiple_results = True


def linear_map(
    forward: Callable[[PyTree, PyTree], PyTree],
    transposed: Callable[[PyTree, PyTree], PyTree],
    residual: PyTree,
    tangent: PyTree,
    shapes: PyTree,
) -> PyTree:
    """`forward(residual, tangent)`, linear in the tangent, whose transpose is `transposed(residual, cotangent)`.

    Args:
        forward: from pytrees of arrays to a pytree of arrays; traced where it is needed.
        transposed: takes a cotangent in the structure of what `forward` returns, gives one in that of `tangent`.
        residual: differentiable too, as far as both functions are.
        tangent: what the map is applied to.
        shapes: of what `forward` returns, a pytree of `jax.ShapeDtypeStruct`.
    """
    leaves, structure = jax.tree.flatten((residual, tangent))
    returned, results = jax.tree.flatten(shapes)
    held = len(jax.tree.leaves(residual))

    def flat_forward(*leaves):
        return jax.tree.leaves(forward(*jax.tree.unflatten(structure, leaves)))

    def flat_transposed(*leaves):
        residual, _ = jax.tree.unflatten(structure, [*leaves[:held], *[None] * (structure.num_leaves - held)])
        return jax.tree.leaves(transposed(residual, jax.tree.unflatten(results, leaves[held:])))

    shapes = tuple((leaf.shape, leaf.dtype) for leaf in returned)
    found = _linear_map_p.bind(*leaves, forward=flat_forward, transposed=flat_transposed, held=held, shapes=shapes)
    return jax.tree.unflatten(results, found)


def _forward(*leaves, forward, transposed, held, shapes):
    return forward(*leaves)


def _shapes(*leaves, forward, transposed, held, shapes):
    return [ShapedArray(*shape) for shape in shapes]


def _moved(primals, tangents, *, forward, transposed, held, shapes):
    moving = [i for i, tangent in enumerate(tangents[:held]) if not isinstance(tangent, ad.Zero)]
    along = [ad.instantiate_zeros(tangent) for tangent in tangents[held:]]
    functions = {"forward": forward, "transposed": transposed, "held": held, "shapes": shapes}
    found = _linear_map_p.bind(*primals, **functions)
    moved = _linear_map_p.bind(*primals[:held], *along, **functions)
    if not moving:
        return found, moved

    def at(*moving_leaves):
        leaves = list(primals)
        for i, leaf in zip(moving, moving_leaves, strict=True):
            leaves[i] = leaf
        return forward(*leaves)

    _, turned = jax.jvp(at, tuple(primals[i] for i in moving), tuple(tangents[i] for i in moving))
    return found, [a + b for a, b in zip(moved, turned, strict=True)]


def _transposed(cotangents, *leaves, forward, transposed, held, shapes):
    cotangents = [ad.instantiate_zeros(cotangent) for cotangent in cotangents]
    return [*[None] * held, *transposed(*leaves[:held], *cotangents)]


def _batched(leaves, axes, *, forward, transposed, held, shapes):
    size = next(leaf.shape[axis] for leaf, axis in zip(leaves, axes, strict=True) if axis is not None)
    leaves = [
        jax.numpy.broadcast_to(leaf[None], (size, *leaf.shape)) if axis is None and i >= held
        else leaf if axis is None
        else jax.numpy.moveaxis(leaf, axis, 0)
        for i, (leaf, axis) in enumerate(zip(leaves, axes, strict=True))
    ]  # fmt: skip
    mapped = [None if axis is None else 0 for axis in axes[:held]]

    def many_transposed(*leaves):
        return jax.vmap(transposed, in_axes=(*mapped, *[0] * (len(leaves) - held)))(*leaves)

    many_forward = jax.vmap(forward, in_axes=(*mapped, *[0] * (len(leaves) - held)))
    many = tuple(((size, *shape), dtype) for shape, dtype in shapes)
    found = _linear_map_p.bind(*leaves, forward=many_forward, transposed=many_transposed, held=held, shapes=many)
    return found, [0] * len(found)


_linear_map_p.def_impl(_forward)
_linear_map_p.def_abstract_eval(_shapes)
ad.primitive_jvps[_linear_map_p] = _moved
ad.primitive_transposes[_linear_map_p] = _transposed
batching.primitive_batchers[_linear_map_p] = _batched
mlir.register_lowering(_linear_map_p, mlir.lower_fun(_forward, multiple_results=True))
