"""What affine operations of JAX do to `Values`. A rule returns None where its operation is not affine."""

import numpy as np
from jax.typing import ArrayLike

from ._symbolic import CONSTANT, Reader, Values

# A sum of more terms than this is left to JAX.
_MAX_TERMS = 200_000


def as_values(given: Values | ArrayLike, dtype: np.dtype | None = None) -> Values:
    """Plain numbers as `Values`."""
    if isinstance(given, Values):
        return given
    numbers = np.asarray(given)
    atoms = np.full(numbers.shape, CONSTANT)
    return Values(atoms, np.zeros(numbers.shape), numbers.astype(np.float64), dtype or numbers.dtype)


def _constant(value) -> np.ndarray | None:
    """The numbers of what depends on no atom, else None."""
    if not isinstance(value, Values):
        return np.asarray(value)
    return value.offset if np.all(value.atom == CONSTANT) else None


def _first(given) -> Values:
    return next(i for i in given if isinstance(i, Values))


def _moving(function):
    """A rule for an operation that moves entries: the same happens to atoms, scales and offsets."""

    def rule(_, equation, given):
        dtype = _first(given).dtype
        values = given if len(given) == 1 else [as_values(i, dtype) for i in given]
        atom, scale, offset = (function(*(v[part] for v in values), **equation.params) for part in range(3))
        if isinstance(atom, list):
            return [Values(a, s, o, dtype) for a, s, o in zip(atom, scale, offset, strict=True)]
        return Values(atom, scale, offset, dtype)

    return rule


def _slice(array, *, start_indices, limit_indices, strides):
    if strides is None:
        return array[tuple(map(slice, start_indices, limit_indices))]
    return array[tuple(map(slice, start_indices, limit_indices, strides))]


def _broadcast(array, *, shape, broadcast_dimensions, **_):
    widened = [1] * len(shape)
    for place, size in zip(broadcast_dimensions, array.shape, strict=True):
        widened[place] = size
    return np.broadcast_to(array.reshape(widened), shape)


def _split(array, *, sizes, axis):
    return np.split(array, np.cumsum(sizes)[:-1], axis=axis)


def _picking(movers):
    """A rule for an operation whose operands `movers` are moved as the others, plain numbers, say.

    JAX moves the entries' positions, so no rule of indexing is written twice.
    """

    def rule(_, equation, given):
        moved = [k for k in movers(given) if k < len(given)]
        if any(isinstance(value, Values) for k, value in enumerate(given) if k not in moved):
            return None
        dtype = _first(given).dtype
        values = {k: as_values(given[k], dtype) for k in moved}
        arguments, start = list(given), 0
        for k, value in values.items():
            arguments[k] = np.arange(start, start + value.atom.size, dtype=np.int32).reshape(value.atom.shape)
            start += value.atom.size
        # Where JAX would fill in a number for an index out of bounds, let it show.
        params = equation.params | ({"fill_value": -1} if "fill_value" in equation.params else {})
        places = np.asarray(equation.primitive.bind(*arguments, **params))
        if np.any(places < 0):
            return None
        atom, scale, offset = (np.concatenate([v[k].ravel() for v in values.values()])[places] for k in range(3))
        return Values(atom, scale, offset, dtype)

    return rule


def _add(sign):
    def rule(reader, _, given):
        dtype = _first(given).dtype
        a, b = (as_values(i, dtype) for i in given)
        b = b._replace(scale=sign * b.scale, offset=sign * b.offset)
        if np.all((a.atom == b.atom) | (a.atom == CONSTANT) | (b.atom == CONSTANT)):
            return Values(np.maximum(a.atom, b.atom), a.scale + b.scale, a.offset + b.offset, dtype)
        shape = np.broadcast_shapes(a.atom.shape, b.atom.shape)
        atom, scale, offset = (
            np.concatenate([np.broadcast_to(v[part], shape).ravel() for v in (a, b)]) for part in range(3)
        )
        return _sums(reader, np.tile(np.arange(len(atom) // 2), 2), atom, scale, offset, shape, dtype)

    return rule


def _negative(_, equation, given):
    (a,) = given
    return a._replace(scale=-a.scale, offset=-a.offset)


def _times(_, equation, given):
    a, b = given
    factor = _constant(b)
    if factor is None:
        a, factor = b, _constant(a)
    if factor is None or not isinstance(a, Values) or not np.all(np.isfinite(factor)):
        return None
    shape = np.broadcast_shapes(a.atom.shape, factor.shape)
    return Values(np.broadcast_to(a.atom, shape), a.scale * factor, a.offset * factor, a.dtype)


def _over(_, equation, given):
    a, divisor = given[0], _constant(given[1])
    if divisor is None or np.any(divisor == 0):
        return None
    shape = np.broadcast_shapes(a.atom.shape, divisor.shape)
    return Values(np.broadcast_to(a.atom, shape), a.scale / divisor, a.offset / divisor, a.dtype)


def _power(_, equation, given):
    return given[0] if equation.params["y"] == 1 else None


def _converted(_, equation, given):
    target = np.dtype(equation.params["new_dtype"])
    # Rounding to a coarser type is not affine.
    if target.kind == "f" and target.itemsize >= np.dtype(given[0].dtype).itemsize:
        return given[0]._replace(dtype=target)
    return None


def _sum(reader, equation, given):
    (a,) = given
    axes = tuple(equation.params["axes"])
    kept = [k for k in range(a.atom.ndim) if k not in axes]
    shape = tuple(a.atom.shape[k] for k in kept)
    out = np.arange(int(np.prod(shape))).reshape([a.atom.shape[k] if k in kept else 1 for k in range(a.atom.ndim)])
    out = np.broadcast_to(out, a.atom.shape)
    return _sums(reader, out.ravel(), a.atom.ravel(), a.scale.ravel(), a.offset.ravel(), shape, a.dtype)


def _dot(reader, equation, given):
    contracted, batched = equation.params["dimension_numbers"]
    numbers = [_constant(i) for i in given]
    if batched[0] or (numbers[0] is None) == (numbers[1] is None):
        return None
    dtype = _first(given).dtype
    a, b = (as_values(i, dtype) for i in given)
    left_shape, left = _as_matrices(a, contracted[0], 0)
    right_shape, right = _as_matrices(b, contracted[1], 1)
    full = (*left[0].shape, right[0].shape[1])
    if np.prod(full) > _MAX_TERMS:
        return None
    left, right = [p[:, :, None] for p in left], [p[None] for p in right]
    factor, moved = (left[2], right) if numbers[0] is not None else (right[2], left)
    out = np.arange(full[0] * full[2]).reshape(full[0], 1, full[2])
    out, atom, scale, offset = (
        np.broadcast_to(p, full).ravel() for p in (out, moved[0], moved[1] * factor, moved[2] * factor)
    )
    return _sums(reader, out, atom, scale, offset, left_shape + right_shape, dtype)


def _as_matrices(values: Values, contracted, side: int):
    """(shape of the free axes; atom, scale, offset as matrices); contracted axes last on the left (side 0)."""
    shape = values.atom.shape
    free = [a for a in range(len(shape)) if a not in contracted]
    order = [*free, *contracted] if side == 0 else [*contracted, *free]
    inner = int(np.prod([shape[a] for a in contracted]))
    form = (-1, inner) if side == 0 else (inner, -1)
    return tuple(shape[a] for a in free), [part.transpose(order).reshape(form) for part in values[:3]]


def _sums(reader: Reader, out, atom, scale, offset, shape, dtype):
    """Entry i of the result is the sum of those scale * atom + offset with out = i."""
    expanded = {a: reader.expand(a) for a in np.unique(atom).tolist() if a != CONSTANT}
    if sum(len(expanded.get(a, ())) for a in atom.tolist()) > _MAX_TERMS:
        return None
    size = int(np.prod(shape))
    totals: list[dict[int, float]] = [{} for _ in range(size)]
    for place, a, s in zip(out.tolist(), atom.tolist(), scale.tolist(), strict=True):
        total = totals[place]
        for base, weight in expanded.get(a, {}).items():
            total[base] = total.get(base, 0.0) + weight * s
    found = [_one_atom(reader, total) for total in totals]
    atoms = np.array([a for a, _ in found], np.int64).reshape(shape)
    scales = np.array([s for _, s in found], np.float64).reshape(shape)
    return Values(atoms, scales, np.bincount(out, offset, size).reshape(shape), dtype)


def _one_atom(reader, total):
    if len(total) > 1:
        return reader.linear(total), 1.0
    return next(iter(total.items()), (CONSTANT, 0.0))


RULES = {
    "slice": _moving(_slice),
    "squeeze": _moving(lambda array, *, dimensions: array.squeeze(tuple(dimensions))),
    "reshape": _moving(lambda array, *, new_sizes, **_: array.reshape(new_sizes)),
    "broadcast_in_dim": _moving(_broadcast),
    "transpose": _moving(lambda array, *, permutation: array.transpose(permutation)),
    "rev": _moving(lambda array, *, dimensions: np.flip(array, tuple(dimensions))),
    "concatenate": _moving(lambda *arrays, dimension: np.concatenate(arrays, dimension)),
    "stack": _moving(lambda *arrays, axis: np.stack(arrays, axis)),
    "split": _moving(_split),
    "unstack": _moving(lambda array, *, axis: list(np.moveaxis(array, axis, 0))),
    "tile": _moving(lambda array, *, reps: np.tile(array, reps)),
    "copy": _moving(lambda array: array),
    "copy_p": _moving(lambda array: array),
    "gather": _picking(lambda given: (0,)),
    "dynamic_slice": _picking(lambda given: (0,)),
    "dynamic_update_slice": _picking(lambda given: (0, 1)),
    "pad": _picking(lambda given: (0, 1)),
    "scatter": _picking(lambda given: (0, 2)),
    "select_n": _picking(lambda given: range(1, len(given))),
    "add": _add(1.0),
    "add_any": _add(1.0),
    "sub": _add(-1.0),
    "neg": _negative,
    "mul": _times,
    "div": _over,
    "integer_pow": _power,
    "convert_element_type": _converted,
    "reduce_sum": _sum,
    "dot_general": _dot,
}
