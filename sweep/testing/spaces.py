"""Search spaces' `build(hp)` for the trainers' suite. A process of its own can import each."""

from importlib import import_module
from typing import Any

import keras
import numpy as np
from keras import layers

from sweep.testing.splits import N_FEATURES

ODD_WIDTH = 64
"""Units at which `raising` raises and `not_finite` begins with NaN."""


def plain(hp: Any) -> Any:
    """The networks of the capacity space."""
    return import_module("search_spaces.capacity").build(hp)


def normalised(hp: Any) -> Any:
    """Normalisations everywhere, beside activations that are not 0 at 0; Adam at 0.01."""
    rate = hp.Choice("dropout", [0.0, 0.3])
    model = keras.Sequential(
        [
            keras.Input((N_FEATURES,)),
            layers.BatchNormalization(momentum=0.5, center=False),
            layers.Dropout(rate),
            layers.Dense(24, use_bias=False),
            layers.BatchNormalization(momentum=0.8),
            layers.Activation("sigmoid"),
            layers.Dropout(rate),
            layers.Dense(20, activation="softplus"),
            layers.BatchNormalization(momentum=0.6, scale=False),
            layers.Dense(1),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryCrossentropy(from_logits=True, name="binary_crossentropy")],
    )
    return model


def raising(hp: Any) -> Any:
    """`plain`, but it raises at `ODD_WIDTH`."""
    model = plain(hp)
    if hp.get("width") == ODD_WIDTH:
        raise RuntimeError(f"no luck\nwith {ODD_WIDTH}")
    return model


def not_finite(hp: Any) -> Any:
    """`plain`, but its first weights are NaN at `ODD_WIDTH`."""
    model = plain(hp)
    if hp.get("width") == ODD_WIDTH:
        model.layers[0].kernel.assign(np.full((N_FEATURES, ODD_WIDTH), np.nan, np.float32))
    return model
