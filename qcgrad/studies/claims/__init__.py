"""The claims of theory/ as cells: what is claimed, what was measured, whether it holds.

The scripts belong to the repository and are not installed with the package.
"""

from ._cell import ClaimCell
from ._found import ClaimsNotFound, Script, claims_in, repository

__all__ = ["ClaimCell", "ClaimsNotFound", "Script", "claims_in", "repository"]
