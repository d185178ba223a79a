"""What was read differently than written, for `Imported.notes`."""

from ._source import Place, Source


class Notes:
    """Remarks, one of each kind: the first, with its line, and how often it applies.

    Attributes:
        place: the statement that is being read.
    """

    def __init__(self, source: Source):
        self.place: Place = (0, 0)
        self._source = source
        self._found: dict[str, tuple[str, Place, int]] = {}

    def add(self, kind: str, text: str, count: int = 1) -> None:
        """Remark on the statement that is being read."""
        first, place, before = self._found.get(kind, (text, self.place, 0))
        self._found[kind] = first, place, before + count

    @property
    def count(self) -> int:
        """How often any remark applies."""
        return sum(count for _, _, count in self._found.values())

    def lines(self) -> tuple[str, ...]:
        """The remarks as text."""
        return tuple(
            f"line {self._source.where(place)[0]}: {text}" + (f" ({count} times)" if count > 1 else "")
            for text, place, count in self._found.values()
        )
