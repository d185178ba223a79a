"""Backward rules: how derivatives pass a network, without changing any value."""

from .activation_rule import ActivationRule as ActivationRule
from .direct_feedback import DirectFeedbackAlignment as DirectFeedbackAlignment
from .feedback import FeedbackAlignment as FeedbackAlignment
from .full_wirtinger import FullWirtinger as FullWirtinger
from .holomorphic_branch import HolomorphicBranch as HolomorphicBranch
from .layer_rule import LayerRule as LayerRule
from .rule import AbstractRule as AbstractRule
from .rule import NetworkRule as NetworkRule
from .stochastic import StochasticBackprop as StochasticBackprop
