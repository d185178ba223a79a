"""Numbers in the text of an option or of a file."""

from .errors import UserError


def numbers(text: str, source: str) -> list[float]:
    """The numbers of a list such as "0.1, 0.2", with commas or spaces, brackets or not.

    Raises:
        UserError: a word that is no number; `source` says where it stands.

    Example:
        >>> from qcgrad.cli.numbers import numbers
        >>> numbers("[0.1, 2e-1 3]", "--params")
        [0.1, 0.2, 3.0]
    """
    found = []
    for word in text.strip().removeprefix("[").removesuffix("]").replace(",", " ").split():
        try:
            found.append(float(word))
        except ValueError:
            raise UserError(f"{source}: {word!r} is not a number") from None
    return found
