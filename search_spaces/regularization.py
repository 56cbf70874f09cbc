"""Regularising one large model: L2 × dropout × learning-rate decay of the tutorial's 4×512 MLP."""

from search_spaces.capacity import BASELINES as TUTORIAL
from search_spaces.capacity import DECAY_STEPS, DROPOUT, mlp

LARGE = {"width": 512, "depth": 4}
L2 = [0.0, 1e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2]

BASELINES = {
    name: {key: TUTORIAL[name][key] for key in ("l2", "dropout", "decay_steps")}
    for name in ("Large", "L2", "Dropout", "Combined")
}


def build(hp):
    return mlp(
        **LARGE,
        l2=hp.Choice("l2", L2, default=0.0),
        dropout=hp.Choice("dropout", DROPOUT, default=0.0),
        decay_steps=hp.Choice("decay_steps", DECAY_STEPS, default=20_000),
    )
