"""What an estimator may ask, what it needs for that, and what each question costs.

A query is a frozen record. `access` says how much of the state it needs and `cost()` what it spends,
from the structure of the query and its circuit alone, so a cost is known before anything runs. A
backend answers with the record named in the query's docstring.
"""

from ._backward_sweeps import PointerOutcomes as PointerOutcomes
from ._backward_sweeps import PointerSweep as PointerSweep
from ._backward_sweeps import SweepStop as SweepStop
from ._backward_sweeps import ThresholdSweep as ThresholdSweep
from ._classical import Backward as Backward
from ._classical import BackwardPass as BackwardPass
from ._classical import Network as Network
from ._classical import Sampleable as Sampleable
from ._classical import SampledSweep as SampledSweep
from ._classical import SampleIQP as SampleIQP
from ._coherent import EstimatePhases as EstimatePhases
from ._coherent import GradientRegisters as GradientRegisters
from ._coherent import PhaseOutcomes as PhaseOutcomes
from ._coherent import RegisterOutcomes as RegisterOutcomes
from ._measurements import BasisCounts as BasisCounts
from ._measurements import MeasureBases as MeasureBases
from ._measurements import MeasureComponent as MeasureComponent
from ._measurements import RandomizedMeasure as RandomizedMeasure
from ._measurements import Snapshots as Snapshots
from ._measurements import stabilizer_gates as stabilizer_gates
from ._multi_copy import BellOutcomes as BellOutcomes
from ._multi_copy import BellSample as BellSample
from ._multi_copy import Ensemble as Ensemble
from ._multi_copy import MajorityVotes as MajorityVotes
from ._multi_copy import Votes as Votes
from ._overlaps import Overlaps as Overlaps
from ._query import EXACT as EXACT
from ._query import NOISY as NOISY
from ._query import AbstractQuery as AbstractQuery
from ._query import Access as Access
from ._query import Fidelity as Fidelity
from ._query import Runnable as Runnable
from ._query import Sweepable as Sweepable
from ._query import fidelity_of as fidelity_of
from ._query import state_bytes as state_bytes
from ._query import together as together
from ._query import value_in as value_in
from ._schedule import Segments as Segments
from ._schedule import recorded_states as recorded_states
from ._schedule import segments as segments
from ._settings import BYTES_OF_EVALUATION as BYTES_OF_EVALUATION
from ._settings import ShiftedSettings as ShiftedSettings
from ._single_copy import Evaluate as Evaluate
from ._single_copy import Means as Means
from ._single_copy import ShiftSums as ShiftSums
from ._white_box import AdjointSweep as AdjointSweep
from ._white_box import FinalState as FinalState
from ._white_box import ForwardSweeps as ForwardSweeps
from ._white_box import ReadState as ReadState
from ._white_box import ReverseSweep as ReverseSweep
from ._white_box import Sweep as Sweep
from ._white_box import Tangents as Tangents
from ._white_box import TangentSweep as TangentSweep
