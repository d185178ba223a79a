"""How kernels pass an activation function, in the limit of infinite width."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import jax.numpy as jnp
from jaxtyping import Array, Complex

from ...errors import NotApplicable
from ..kernel_state import KernelState
from ..layers._positions import between, entries, within
from ..layers._weights import as_complex
from ._dual import Dual
from ._gap_behind import gap_behind
from ._improper import GaussianPair, ImproperDual

if TYPE_CHECKING:
    from ._activation import AbstractActivation


def propagate(activation: "AbstractActivation", state: KernelState) -> KernelState:
    r"""The kernels behind an activation: of phi(z), not yet multiplied by weights.

    For proper pre-activations \(\Theta_\varphi = D\Theta + E\bar\Theta\), and \(aD\hat\Theta + bE\bar{\hat\Theta}\)
    for a rule that keeps a and b of both branches; with pseudo-covariances all eight expectations of `ImproperDual`
    enter.

    Raises:
        NotApplicable: the activation has no finite kernel, does not get Gaussian numbers, or gets complex numbers
            where it takes real ones.
    """
    name = type(activation).__name__
    certificate = activation.certificate
    if not certificate.has_kernel:
        raise NotApplicable(f"{name} has no infinite-width kernel: {certificate.reason}")
    if state.law != "gaussian":
        raise NotApplicable(
            f"{name} has no infinite-width kernel here: what goes in is not Gaussian. Put a Dense or Conv layer "
            "directly in front of it."
        )
    if activation.is_real and state.is_complex:
        raise NotApplicable(
            f'{name} is a function of real numbers, but gets complex ones. Use real inputs and dtype="real" in all '
            "layers in front, or its split version."
        )
    if activation.is_real:
        return _real(activation, state)
    if state.pseudo is not None:
        return _improper(activation, state if state.is_complex else as_complex(state))
    return _proper(activation, state)


def _dual(activation, state: KernelState, q1, q2, covariance, gap):
    """The dual maps, or zeros of their shape where only shapes are asked for."""
    if not state.shapes_only:
        return activation.dual_at(q1, q2, covariance, gap)
    return Dual(*[jnp.zeros(jnp.broadcast_shapes(q1.shape, q2.shape, covariance.shape), covariance.dtype)] * 3)


def _gap_behind(activation, state: KernelState, dual, own1, own2):
    return state.gap if state.shapes_only else gap_behind(activation, state, dual, own1, own2)


def _improper_dual(activation, state: KernelState, pair: GaussianPair) -> ImproperDual:
    if not state.shapes_only:
        return activation.improper_dual(pair)
    shape = jnp.broadcast_shapes(*(array.shape for array in pair))
    return ImproperDual(*[jnp.zeros(shape, pair.covariance.dtype)] * 10)


def _kept(shares: tuple[float, ...], *branches: Callable[[], Complex[Array, "..."]]) -> Complex[Array, "..."]:
    """The sum of branches by a rule's shares; those that it drops are not computed."""
    kept = [
        branch() if share == 1 else share * branch() for share, branch in zip(shares, branches, strict=True) if share
    ]
    return sum(kept[1:], kept[0]) if kept else 0 * branches[0]()


def _proper(activation, state: KernelState) -> KernelState:
    q1, q2 = entries(state, state.variance1, state.variance2)
    dual = _dual(activation, state, *between(state, q1, q2), state.nngp, state.gap)
    own1, own2 = (_own(activation, state, v + 0j, q) for v, q in ((state.variance1, q1), (state.variance2, q2)))
    variance1, variance2 = (own.kappa if state.positions == "all" else own.kappa.real for own in (own1, own2))
    return state._replace(
        nngp=dual.kappa,
        ntk=dual.holomorphic * state.ntk + dual.antiholomorphic * state.ntk.conj(),
        ntk_rule=_kept(
            state.branches,
            lambda: dual.holomorphic * state.ntk_rule,
            lambda: dual.antiholomorphic * state.ntk_rule.conj(),
        ),
        variance1=variance1,
        variance2=variance2,
        gap=_gap_behind(activation, state, dual, own1, own2),
        law="features",
        nonlinear=type(activation).__name__,
    )


def _own(activation, state, variance, q):
    """The dual map of each input with itself: of one Gaussian, at every position but between those of "all"."""
    gap = None if state.positions == "all" else jnp.zeros_like(q)
    return _dual(activation, state, *within(state, q), variance, gap)


def _real(activation, state: KernelState) -> KernelState:
    q1, q2 = entries(state, state.variance1, state.variance2)
    dual = _dual(activation, state, *between(state, q1, q2), state.nngp, state.gap)
    own1, own2 = (_own(activation, state, v, q) for v, q in ((state.variance1, q1), (state.variance2, q2)))
    variance1, variance2 = own1.kappa, own2.kappa
    ntk = dual.holomorphic * state.ntk
    # Slopes of real functions are phi_z: the other branch is zero.
    ntk_rule = _kept(state.branches[:1], lambda: dual.holomorphic * state.ntk_rule)
    return state._replace(
        nngp=dual.kappa,
        pseudo=dual.kappa,
        ntk=ntk,
        ntk_pseudo=ntk,
        ntk_rule=ntk_rule,
        ntk_rule_pseudo=ntk_rule,
        variance1=variance1,
        variance2=variance2,
        pseudo1=variance1,
        pseudo2=variance2,
        gap=_gap_behind(activation, state, dual, own1, own2),
        law="features",
        nonlinear=type(activation).__name__,
    )


def _improper(activation, state: KernelState) -> KernelState:
    theta, tilde = state.ntk, state.ntk_pseudo
    theta_r, tilde_r = state.ntk_rule, state.ntk_rule_pseudo
    pseudo, own1, own2 = state.pseudo, state.pseudo1, state.pseudo2
    if pseudo is None or own1 is None or own2 is None or tilde is None or tilde_r is None:
        raise AssertionError("pseudo-kernels are tracked all together or not at all")
    q1, q2 = entries(state, state.variance1, state.variance2)
    c1, c2 = entries(state, own1, own2, real=False)
    pair = GaussianPair(*between(state, q1, q2), *between(state, c1, c2), state.nngp, pseudo)
    dual = _improper_dual(activation, state, pair)

    def own(variance, pseudo, q, c):
        own_pair = GaussianPair(*within(state, q), *within(state, c), variance + 0j, pseudo)
        dual = _improper_dual(activation, state, own_pair)
        return dual.kappa if state.positions == "all" else dual.kappa.real, dual.pseudo

    variance1, pseudo1 = own(state.variance1, own1, q1, c1)
    variance2, pseudo2 = own(state.variance2, own2, q2, c2)
    return state._replace(
        nngp=dual.kappa,
        pseudo=dual.pseudo,
        ntk=dual.hh * theta + dual.aa * theta.conj() + dual.ha * tilde + dual.ah * tilde.conj(),
        ntk_pseudo=dual.hh_pseudo * tilde
        + dual.ha_pseudo * theta
        + dual.ah_pseudo * theta.conj()
        + dual.aa_pseudo * tilde.conj(),
        # Here the second factor is the rule's Jacobian.
        ntk_rule=_kept(
            state.branches,
            lambda: dual.hh * theta_r + dual.ah * tilde_r.conj(),
            lambda: dual.aa * theta_r.conj() + dual.ha * tilde_r,
        ),
        ntk_rule_pseudo=_kept(
            state.branches,
            lambda: dual.hh_pseudo * tilde_r + dual.ah_pseudo * theta_r.conj(),
            lambda: dual.ha_pseudo * theta_r + dual.aa_pseudo * tilde_r.conj(),
        ),
        variance1=variance1,
        variance2=variance2,
        pseudo1=pseudo1,
        pseudo2=pseudo2,
        gap=None,
        law="features",
        nonlinear=type(activation).__name__,
    )
