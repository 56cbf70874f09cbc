"""The space `capacity` with widths up to 128: `stock.py --space benchmarks/narrow.py`."""

from search_spaces import capacity

WIDTHS = [width for width in capacity.WIDTHS if width <= 128]


def build(hp):
    hp.Choice("width", WIDTHS, default=16)  # the first declaration of a name counts
    return capacity.build(hp)
