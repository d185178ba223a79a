"""Backward rules: how derivatives pass a network, without changing any value."""

from ._activation_rule import ActivationRule as ActivationRule
from ._direct_feedback import DirectFeedbackAlignment as DirectFeedbackAlignment
from ._feedback import FeedbackAlignment as FeedbackAlignment
from ._full_wirtinger import FullWirtinger as FullWirtinger
from ._holomorphic_branch import HolomorphicBranch as HolomorphicBranch
from ._layer_rule import LayerRule as LayerRule
from ._stochastic import StochasticBackprop as StochasticBackprop
from .rule import AbstractRule as AbstractRule
from .rule import NetworkRule as NetworkRule
