"""Kernels block by block, within a bound on memory: what every method for finite networks shares."""

import abc
from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Inexact, PyTree

from ..arrays import is_concrete
from ..memory import allowed_bytes, require
from ..networks.assembly import assemble, fewer, windows
from ..networks.compiled import Held, bytes_of, held, returned, run, shapes_of
from ._real_block import real_block
from .problem import Model, Problem

Kind = Literal["complex", "augmented", "real_block"]

TangentKernel = Inexact[jax.Array, "N1 N2 *outputs"]
"""(N1, N2) for networks of one output, else (N1, N2, O, O); real blocks have 2 O in place of O."""

Contracted = tuple[Inexact[jax.Array, "b1 b2 O O"], Inexact[jax.Array, "b1 b2 O O"] | None]
"""Theta and, where outputs are complex and it is needed, Theta-tilde between two batches."""

#: Batches hold no more than this where nobody says how large they are.
BLOCK_BYTES = 2**29


class AbstractMethod(eqx.Module):
    """A way to compute blocks: what is kept of a batch of inputs, and how two batches contract."""

    @abc.abstractmethod
    def features(self, model: Model, params: PyTree, x: Inexact[jax.Array, "b *shape"]) -> PyTree:
        """What is kept of a batch of inputs (b, *shape)."""

    @abc.abstractmethod
    def contract(self, problem: Problem, left: PyTree, right: PyTree) -> Contracted:
        """Theta and, where outputs are complex and it is needed, Theta-tilde between two batches: (b1, b2, O, O) each.

        `left` and `right` are features of batches, the right ones of the rule's model. Of `problem` only the models,
        the parameters and the flags may be used.
        """

    @abc.abstractmethod
    def default_batch(self, problem: Problem) -> int:
        """Inputs per batch that keep memory small, as far as shapes tell; it shrinks where programs hold more."""

    def temporaries(self, features: Held, contraction: Held) -> int:
        """Bytes that smaller pieces would spare, of the two programs."""
        return features.temporaries

    def in_smaller_pieces(self, problem: Problem, size: int, share: float) -> "AbstractMethod | None":
        """The same method whose temporaries for a batch take about `share` as much; None if there is no way."""
        return None


class Batching(NamedTuple):
    """How a kernel is computed.

    Attributes:
        method: in pieces as small as need be.
        size: inputs per batch.
        peak: bytes held at the peak, inputs and parameters not counted.
    """

    method: AbstractMethod
    size: int
    peak: int


def compute(
    method: AbstractMethod, problem: Problem, kind: Kind, batch_size: int | None, progress: bool, max_bytes: int | None
) -> TangentKernel | tuple[TangentKernel, TangentKernel]:
    """The kernel of a kind as `as_kind` returns it, one batch of x1 against one of x2 at a time.

    Raises:
        TooLarge: the kernel, or one batch beside it, does not fit.
    """
    chosen = batching(method, problem, kind, batch_size, max_bytes)
    slim = _slim(problem)

    def features(model, x):
        return _features(chosen.method, model, problem.params, x)

    def block(left, row, column):
        shared = problem.is_hermitian and row == column
        right = left if shared else features(problem.rule_model, column.of(problem.x2))
        return _contract(chosen.method, slim, kind, left, right)

    found = assemble(
        windows(len(problem.x1), chosen.size),
        windows(len(problem.x2), chosen.size),
        lambda row: features(problem.model, row.of(problem.x1)),
        block,
        _mirrored if problem.is_hermitian else None,
        "tangent kernel" if progress else None,
    )
    # For real outputs both kernels are the same sums.
    return (found[0], found[-1]) if kind == "augmented" else found[0]


def batching(
    method: AbstractMethod, problem: Problem, kind: Kind, batch_size: int | None, max_bytes: int | None
) -> Batching:
    """Batches that fit, by XLA's analysis of the programs that will run.

    Raises:
        TooLarge: none does, or `batch_size` does not.
    """
    allowed, n1, n2 = allowed_bytes(max_bytes, jax.devices()[0]), len(problem.x1), len(problem.x2)
    result = n1 * n2 * bytes_of(_shapes(method, problem, kind, 1)[2])
    what = f"the kernel of {n1} x {n2} inputs with {problem.num_outputs} outputs takes"
    advice = f"give fewer inputs (as many as {fewer(n1, n2, result, allowed)}) or outputs, or max_bytes=..."
    require(what, result, allowed, advice)
    size = min(batch_size or method.default_batch(problem), max(n1, n2))
    if not is_concrete((problem.params, problem.x1, problem.x2)):
        return Batching(method, size, 0)  # part of a larger program, whose memory XLA decides
    budget = min(allowed - result, BLOCK_BYTES)
    while True:
        peak = _peak(method, problem, kind, size)
        if peak.total <= budget:
            break
        share = budget / peak.total
        pieces = method.in_smaller_pieces(problem, size, share) if peak.is_in_pieces else None
        if pieces is not None:
            method = pieces
        elif batch_size is None and size > 1:
            size = max(1, min(size - 1, int(share * size)))
        else:
            break
    # The only block is the result.
    total = peak.total + (result if size < max(n1, n2) else 0)
    what = f"the kernel of {n1} x {n2} inputs, {size} at a time by {type(method).__name__}, takes"
    advice = "give a smaller batch_size" if size > 1 else "give fewer outputs, or max_bytes=..."
    require(what, total, allowed, advice)
    return Batching(method, size, total)


def as_kind(
    theta: Inexact[jax.Array, "N1 N2 O O"], pseudo: Inexact[jax.Array, "N1 N2 O O"] | None, kind: Kind
) -> tuple[TangentKernel, ...]:
    """The arrays that `empirical` returns, from Theta and Theta-tilde (N1, N2, O, O)."""
    if kind == "real_block":
        # Outputs take the place of inputs: one block for each pair of these.
        return (jax.vmap(jax.vmap(real_block))(theta, theta if pseudo is None else pseudo),)
    found = (theta,) if kind == "complex" or pseudo is None else (theta, pseudo)
    return tuple(kernel[..., 0, 0] for kernel in found) if theta.shape[-1] == 1 else found


class _Peak(NamedTuple):
    total: int
    is_in_pieces: bool


def _peak(method, problem, kind, size) -> _Peak:
    """Bytes of one block: features of two batches, and the temporaries of either program."""
    (_, x), kept, _ = _shapes(method, problem, kind, size)
    features = held(_kept, method, problem.rule_model, shapes_of(problem.params), x)
    contraction = held(_block, method, shapes_of(_slim(problem)), kind, *kept)
    most = max(features.temporaries, contraction.outputs + contraction.temporaries)
    return _Peak(bytes_of(kept) + most, 2 * method.temporaries(features, contraction) > most)


def _shapes(method, problem, kind, size):
    """Shapes of a batch on both sides, of what is kept of them, and of their block."""
    params = shapes_of(problem.params)
    both = [jax.ShapeDtypeStruct((min(size, len(x)), *x.shape[1:]), x.dtype) for x in (problem.x1, problem.x2)]
    models = (problem.model, problem.rule_model)
    kept = [returned(_kept, method, m, params, x) for m, x in zip(models, both, strict=True)]
    return both, kept, returned(_block, method, shapes_of(_slim(problem)), kind, *kept)


def _slim(problem):
    """Without the inputs: arrays that a block's program must not depend on."""
    return problem._replace(x1=None, x2=None)


def _features(method, model, params, x):
    return run(_kept, method, model, params, x)


def _contract(method, problem, kind, left, right):
    return run(_block, method, problem, kind, left, right)


def _kept(method, model, params, x):
    return method.features(model, params, x)


def _block(method, problem, kind, left, right):
    theta, pseudo = method.contract(problem, left, right)
    return as_kind(theta, pseudo, kind)


def _mirrored(block):
    """The block (j, i) from (i, j): Theta is Hermitian, Theta-tilde symmetric, real blocks both."""
    theta, *pseudo = (jnp.swapaxes(a, 0, 1) for a in block)
    theta, *pseudo = (jnp.swapaxes(a, 2, 3) if a.ndim == 4 else a for a in (theta, *pseudo))
    return (theta.conj(), *pseudo)
