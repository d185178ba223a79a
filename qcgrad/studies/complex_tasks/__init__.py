"""Synthetic data whose phases carry the signal: channels, phase recovery, modulation, radar, improper noise.

Each generator is a function (seed, count, ...) to a `Task`: the same arguments give the same arrays. Samples of one
task share what is to be learned (channel, matrix, class covariances), so the first ones train and the rest test.
"""

from ._channels import fir_channel as fir_channel
from ._channels import saleh as saleh
from ._channels import saleh_channel as saleh_channel
from ._improper import improper_noise as improper_noise
from ._phase import phase_recovery as phase_recovery
from .modulation import constellation as constellation
from .modulation import modulation as modulation
from .polsar import polsar as polsar
from .task import Task as Task
from .task import accuracy as accuracy
from .task import decibels as decibels
from .task import phase_invariant_error as phase_invariant_error
from .task import squared_error as squared_error
