"""Texts of others, harmless where they are shown: a terminal, a paper, a page carries out what some characters say."""

import re

# Control characters, among them escape sequences of terminals, and formats that turn or hide what stands beside them.
_COMMANDS = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def plain(text: str) -> str:
    r"""A text in which characters that command something are written out, line breaks too.

    Example:
        >>> from qcgrad.studies.plain import plain
        >>> print(plain("red: \x1b[31m"))
        red: \x1b[31m
    """
    return text if text.isprintable() else _COMMANDS.sub(lambda found: ascii(found[0])[1:-1], text)


def commands_in(text: str) -> str:
    """The characters of a text that `plain` writes out."""
    return "" if text.isprintable() else "".join(_COMMANDS.findall(text))
