"""Capacity against overfitting: width, depth, L2, dropout and learning-rate decay of an MLP.

Holds the seven models of TensorFlow's tutorial "Overfit and underfit" (28 HIGGS features,
Adam under InverseTimeDecay from 0.001, ELU, binary cross-entropy from logits), which always
run as baselines. Ordinary Keras Tuner code: it runs under stock `keras_tuner.Hyperband` too.
"""

import keras
from keras import layers, regularizers

N_FEATURES = 28
WIDTHS = [8, 16, 32, 64, 128, 256, 512]
DEPTHS = [1, 2, 3, 4]
L2 = [0.0, 1e-5, 1e-4, 1e-3, 1e-2]
DROPOUT = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
DECAY_STEPS = [500, 2_000, 5_000, 20_000, 50_000]

_TUTORIAL = {"l2": 0.0, "dropout": 0.0, "decay_steps": 20_000}
BASELINES = {
    "Tiny": {**_TUTORIAL, "width": 16, "depth": 1},
    "Small": {**_TUTORIAL, "width": 16, "depth": 2},
    "Medium": {**_TUTORIAL, "width": 64, "depth": 3},
    "Large": {**_TUTORIAL, "width": 512, "depth": 4},
    "L2": {**_TUTORIAL, "width": 512, "depth": 4, "l2": 0.001},
    "Dropout": {**_TUTORIAL, "width": 512, "depth": 4, "dropout": 0.5},
    "Combined": {**_TUTORIAL, "width": 512, "depth": 4, "l2": 0.0001, "dropout": 0.5},
}


def build(hp):
    width = hp.Choice("width", WIDTHS, default=16)
    depth = hp.Choice("depth", DEPTHS, default=1)
    l2 = hp.Choice("l2", L2, default=0.0)
    dropout = hp.Choice("dropout", DROPOUT, default=0.0)
    decay_steps = hp.Choice("decay_steps", DECAY_STEPS, default=20_000)
    return mlp(width, depth, l2, dropout, decay_steps)


def mlp(width, depth, l2, dropout, decay_steps):
    """The tutorial's network and optimizer: `depth` hidden layers of `width` ELU units."""
    stack = [keras.Input((N_FEATURES,))]
    for _ in range(depth):
        penalty = regularizers.L2(l2) if l2 > 0 else None
        stack.append(layers.Dense(width, activation="elu", kernel_regularizer=penalty))
        if dropout > 0:
            stack.append(layers.Dropout(dropout))
    model = keras.Sequential([*stack, layers.Dense(1)])
    schedule = keras.optimizers.schedules.InverseTimeDecay(
        0.001, decay_steps=decay_steps, decay_rate=1, staircase=False
    )
    model.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[
            keras.metrics.BinaryCrossentropy(from_logits=True, name="binary_crossentropy"),
            "accuracy",
        ],
    )
    return model
