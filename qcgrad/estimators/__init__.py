"""The methods, one file each, sorted by how much access to the state they need."""

from .multi_copy.bell_shadow import BellShadow as BellShadow
from .single_copy.parameter_shift import ParameterShift as ParameterShift
from .white_box.adjoint import Adjoint as Adjoint
from .white_box.backprop import Backprop as Backprop
from .white_box.reverse_mode import ReverseMode as ReverseMode
