"""A script's data and build, small enough to search in a second or two."""

from typing import Any

import numpy as np

ROWS = 120
_random = np.random.default_rng(0)
X = _random.normal(size=(ROWS, 4)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] > 0).astype(np.int64)


def build(hp: Any) -> Any:
    import keras

    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(hp.Int("units", 2, 8, step=2), activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    rate = hp.Choice("rate", [0.03, 0.01])
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    model.run_eagerly = True  # a graph takes longer than the rows
    return model
