"""Colours and markers that belong to words."""

from ..summary import Figure

# Okabe and Ito's palette: distinguishable with any kind of colour vision, and by shape in print.
_PALETTE = ("#0072B2", "#D55E00", "#CC79A7", "#E69F00", "#009E73", "#000000", "#56B4E9", "#F0E442")


def colours(figure: Figure) -> dict[str, str]:
    """A colour for each word, in order of first appearance in any panel."""
    words = dict.fromkeys(curve.colour for panel in figure.panels for curve in panel.curves)
    return {word: _PALETTE[k % len(_PALETTE)] for k, word in enumerate(words)}


def markers(figure: Figure, shapes: tuple[str, ...]) -> dict[str, str]:
    """A shape for each word; the empty word has none."""
    words = dict.fromkeys(curve.marker for panel in figure.panels for curve in panel.curves if curve.marker)
    return {word: shapes[k % len(shapes)] for k, word in enumerate(words)}
