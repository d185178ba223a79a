"""What an estimator may ask, what it needs for that, and what each question costs.

A query is a frozen record. `access` says how much of the state it needs and `cost()` what it spends,
from the structure of the query and its circuit alone, so a cost is known before anything runs. A
backend answers with the record named in the query's docstring.
"""

from .backward_sweeps import PointerOutcomes as PointerOutcomes
from .backward_sweeps import PointerSweep as PointerSweep
from .backward_sweeps import SweepStop as SweepStop
from .backward_sweeps import ThresholdSweep as ThresholdSweep
from .multi_copy import BellOutcomes as BellOutcomes
from .multi_copy import BellSample as BellSample
from .multi_copy import Ensemble as Ensemble
from .multi_copy import MajorityVotes as MajorityVotes
from .multi_copy import Votes as Votes
from .query import EXACT as EXACT
from .query import AbstractQuery as AbstractQuery
from .query import Access as Access
from .query import Fidelity as Fidelity
from .query import Runnable as Runnable
from .query import Sweepable as Sweepable
from .query import fidelity_of as fidelity_of
from .query import state_bytes as state_bytes
from .query import together as together
from .single_copy import BasisCounts as BasisCounts
from .single_copy import Evaluate as Evaluate
from .single_copy import Means as Means
from .single_copy import MeasureBases as MeasureBases
from .single_copy import MeasureComponent as MeasureComponent
from .single_copy import RandomizedMeasure as RandomizedMeasure
from .single_copy import Snapshots as Snapshots
from .single_copy import stabilizer_gates as stabilizer_gates
from .white_box import AdjointSweep as AdjointSweep
from .white_box import Backward as Backward
from .white_box import BackwardPass as BackwardPass
from .white_box import Network as Network
from .white_box import ReverseSweep as ReverseSweep
from .white_box import Sweep as Sweep
