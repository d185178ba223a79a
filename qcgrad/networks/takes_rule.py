"""Whether a network's function does anything with a backward rule: one that is lost would be a wrong gradient."""

import inspect

import jax
from jaxtyping import PyTree

from ..errors import NotApplicable
from .compiled import primitives
from .layers.layer import AbstractLayer
from .rules import LayerRule, NetworkRule
from .rules.rule import Apply

_ADVICE = (
    "write it as apply(weights, x, rule=None) and pass the rule on to the activations, as the networks of "
    "qcgrad.networks do; or leave the rule out"
)


def require_rule_taken(apply: Apply, rule: NetworkRule, weights: PyTree, x: PyTree) -> None:
    """Refuse a function that does not take `rule`, or takes it and computes the same program with and without.

    Raises:
        NotApplicable: it does not, and why; what else goes wrong in `apply` comes through as it is.
    """
    network = getattr(apply, "__self__", None)
    if isinstance(network, AbstractLayer):
        if isinstance(rule, LayerRule) and not network.sublayers:
            raise NotApplicable(f"the network is a single layer, {type(network).__name__}: write it as serial(layer)")
        return  # passes it on, and where no activation asks for it no gradient depends on it
    if not _accepts(apply, weights, x, rule):
        raise NotApplicable(f"the network's apply takes no rule ({_name(apply)} has no such argument): {_ADVICE}")
    plain = jax.make_jaxpr(lambda w, x: apply(w, x))(weights, x)
    try:
        ruled = jax.make_jaxpr(lambda w, x: apply(w, x, rule=rule))(weights, x)
    except TypeError as error:  # **kwargs, handed on to something that does not know the name
        if "rule" not in str(error):
            raise
        raise NotApplicable(f"the network's apply takes no rule ({error}): {_ADVICE}") from error
    if list(primitives(plain.jaxpr)) == list(primitives(ruled.jaxpr)):
        raise NotApplicable(
            f"the network's apply takes the rule and ignores it ({_name(apply)} runs the same program without): "
            f"gradients would not be the rule's; {_ADVICE}"
        )


def _accepts(apply, weights, x, rule) -> bool:
    try:
        inspect.signature(apply).bind(weights, x, rule=rule)
    except ValueError:  # functions of compiled modules have no signature
        return True
    except TypeError:
        return False
    return True


def _name(apply) -> str:
    return getattr(apply, "__qualname__", None) or type(apply).__name__
