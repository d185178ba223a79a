"""The methods, one file each, sorted by how much access to the state they need."""

from .multi_copy._bell_shadow import BellShadow as BellShadow
from .multi_copy._gentle_sweep import GentleSweep as GentleSweep
from .multi_copy._online_tomography import OnlineTomography as OnlineTomography
from .multi_copy._read_once_tomography import ReadOnceTomography as ReadOnceTomography
from .single_copy._clifford_shadow import CliffordShadow as CliffordShadow
from .single_copy._direct_pauli import DirectPauli as DirectPauli
from .single_copy._local_shadow import LocalShadow as LocalShadow
from .single_copy._mutually_unbiased_bases import MutuallyUnbiasedBases as MutuallyUnbiasedBases
from .single_copy._parameter_shift import ParameterShift as ParameterShift
from .white_box._adjoint import Adjoint as Adjoint
from .white_box._backprop import Backprop as Backprop
from .white_box._reverse_mode import ReverseMode as ReverseMode
