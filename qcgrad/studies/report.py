"""From a study's records to its summaries."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import QcgradError
from .cells import Cell
from .records import Record
from .store import Store
from .summary import Summary

if TYPE_CHECKING:
    from .spec import StudySpec


class RecordsRefused(QcgradError, ValueError):
    """Records that nothing can be read off."""


def summaries(study: "StudySpec", records: Sequence[tuple[Cell, Record]]) -> list[Summary]:
    """One summary for each kind that has a record."""
    found = []
    for kind in study.kinds():
        # Parts of a spec may overlap, and a record that counts twice would look like two draws that agree.
        different = {tuple(cell.data.items()): (cell, record) for cell, record in records if kind.is_mine(cell)}
        if mine := list(different.values()):
            try:
                found.append(kind.summary(mine))
            except (LookupError, TypeError, AttributeError) as error:
                raise RecordsRefused(
                    f"records of {type(kind).__name__} are not what this version writes ({type(error).__name__}: "
                    f"{error}): compute them again in another folder"
                ) from error
    return found


def records_in(study: "StudySpec", store: Store) -> list[tuple[Cell, Record]]:
    """What a store has of a study's cells, in the study's order: the newest record of each, of whatever code."""
    cells, again = itertools.tee(study.cells())
    newest = store.newest(cell.data for cell in again)
    return [(cell, record) for cell, record in zip(cells, newest, strict=True) if record is not None]
