"""A width, activation and dropout for every layer: `stock.py --space benchmarks/layered.py`."""

import keras
from keras import layers

from search_spaces import capacity


def build(hp):
    stack = [keras.Input((capacity.N_FEATURES,))]
    for index in range(hp.Int("layers", 1, 4)):
        units = hp.Int(f"units_{index}", 16, 128, step=16)
        activation = hp.Choice(f"activation_{index}", ["elu", "relu", "tanh"])
        stack.append(layers.Dense(units, activation=activation))
        dropout = hp.Float(f"dropout_{index}", 0.0, 0.5, step=0.1)
        if dropout > 0:
            stack.append(layers.Dropout(dropout))
    model = keras.Sequential([*stack, layers.Dense(1)])
    model.compile(
        optimizer=keras.optimizers.Adam(hp.Float("learning_rate", 1e-4, 1e-2, sampling="log")),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[
            keras.metrics.BinaryCrossentropy(from_logits=True, name="binary_crossentropy"),
            "accuracy",
        ],
    )
    return model
