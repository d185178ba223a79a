"""Ways to find the signs of Pauli strings whose magnitudes are known."""

from .mimicking import Mimicking
from .sign_method import AbstractSignMethod as AbstractSignMethod
from .sign_method import AbstractSignSearch as AbstractSignSearch
from .sign_method import NothingWanted as NothingWanted
from .sign_method import WantedSigns as WantedSigns
from .votes import Votes

SIGN_METHODS: dict[str, type[AbstractSignMethod]] = {"votes": Votes, "mimicking": Mimicking}
"""By the name that `BellShadow` knows them under."""
