"""Noise as data: channels, errors of angles and of reading, and models that say where they happen."""

from ._channels import Depolarizing as Depolarizing
from ._channels import Kraus as Kraus
from ._channels import PauliChannel as PauliChannel
from ._errors import OverRotation as OverRotation
from ._errors import ReadoutError as ReadoutError
from ._model import GateNoise as GateNoise
from ._model import IdleNoise as IdleNoise
from ._model import NoiseModel as NoiseModel
from ._model import Readout as Readout
from ._relaxation import AmplitudeDamping as AmplitudeDamping
from ._relaxation import PhaseDamping as PhaseDamping
from ._relaxation import ThermalRelaxation as ThermalRelaxation
from ._words import noise_in_words as noise_in_words
from .channel import Channel as Channel
