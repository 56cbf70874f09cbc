"""The seven models of TensorFlow's tutorial "Overfit and underfit", in full, without a search.

`sweep start tutorial --seeds 5` trains each of them under five seeds. `build(hp)` is that of
`capacity.py`, so stock `keras_tuner.Hyperband` can search it.
"""

from search_spaces.capacity import BASELINES, build

SEARCH = False

__all__ = ["BASELINES", "SEARCH", "build"]
