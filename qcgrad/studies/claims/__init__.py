"""The claims of theory/ as cells: what is claimed, what was measured, whether it holds.

The scripts belong to the repository and are not installed with the package.
"""

from ._cell import ClaimCell
from ._found import ClaimsNotFound, Script, claims_in, content_of, repository
from ._published import is_uncommitted, publish, published
from ._states import newest, states

__all__ = [
    "ClaimCell",
    "ClaimsNotFound",
    "Script",
    "claims_in",
    "content_of",
    "is_uncommitted",
    "newest",
    "publish",
    "published",
    "repository",
    "states",
]
