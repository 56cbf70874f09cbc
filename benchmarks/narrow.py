"""The space `capacity` with widths up to 128: `stock.py --space benchmarks/narrow.py`."""

from search_spaces import capacity

WIDTHS = [width for width in capacity.WIDTHS if width <= 128]


def build(hp):
    width = hp.Choice("width", WIDTHS, default=16)
    depth = hp.Choice("depth", capacity.DEPTHS, default=1)
    l2 = hp.Choice("l2", capacity.L2, default=0.0)
    dropout = hp.Choice("dropout", capacity.DROPOUT, default=0.0)
    decay_steps = hp.Choice("decay_steps", capacity.DECAY_STEPS, default=20_000)
    return capacity.mlp(width, depth, l2, dropout, decay_steps)
