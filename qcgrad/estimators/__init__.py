"""The methods, one file each, sorted by how much access to the state they need."""

from .multi_copy.bell_shadow import BellShadow as BellShadow
from .multi_copy.gentle_sweep import GentleSweep as GentleSweep
from .multi_copy.online_tomography import OnlineTomography as OnlineTomography
from .multi_copy.read_once_tomography import ReadOnceTomography as ReadOnceTomography
from .single_copy.clifford_shadow import CliffordShadow as CliffordShadow
from .single_copy.direct_pauli import DirectPauli as DirectPauli
from .single_copy.local_shadow import LocalShadow as LocalShadow
from .single_copy.mutually_unbiased_bases import MutuallyUnbiasedBases as MutuallyUnbiasedBases
from .single_copy.parameter_shift import ParameterShift as ParameterShift
from .white_box.adjoint import Adjoint as Adjoint
from .white_box.backprop import Backprop as Backprop
from .white_box.reverse_mode import ReverseMode as ReverseMode
