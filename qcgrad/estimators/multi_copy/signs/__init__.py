"""Ways to find the signs of Pauli strings whose magnitudes are known."""

from ._mimicking import Mimicking
from ._sign_method import AbstractSignMethod as AbstractSignMethod
from ._sign_method import AbstractSignSearch as AbstractSignSearch
from ._sign_method import NothingWanted as NothingWanted
from ._sign_method import WantedSigns as WantedSigns
from ._votes import Votes

SIGN_METHODS: dict[str, type[AbstractSignMethod]] = {"votes": Votes, "mimicking": Mimicking}
"""By the name that `BellShadow` knows them under."""
