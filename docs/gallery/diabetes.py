"""How far will the illness go in a year? 10 columns, an amount: widths and penalties."""

import keras
from keras import layers, regularizers


def build_model(hp):
    penalty = regularizers.L2(hp.Float("l2", 1e-2, 10.0, sampling="log"))
    model = keras.Sequential()
    for i in range(hp.Int("layers", 1, 2)):
        units = hp.Choice(f"units_{i}", [4, 16, 64])
        model.add(layers.Dense(units, activation="relu", kernel_regularizer=penalty))
    model.add(layers.Dense(1))
    model.compile(
        optimizer=keras.optimizers.Adam(hp.Choice("rate", [3e-2, 1e-2])),
        loss="mean_squared_error",
        metrics=["mae"],
    )
    return model
