"""Which digit is it? 8 by 8 pixels: layers of their own widths on flattened pixels."""

import keras
from keras import layers


def build_model(hp):
    model = keras.Sequential([keras.Input((8, 8)), layers.Rescaling(1 / 16), layers.Flatten()])
    for i in range(hp.Int("layers", 1, 2)):
        model.add(layers.Dense(hp.Int(f"units_{i}", 16, 128, step=16), activation="relu"))
    model.add(layers.Dropout(hp.Float("dropout", 0.0, 0.5, step=0.25)))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(
        optimizer=keras.optimizers.Adam(hp.Choice("rate", [1e-2, 1e-3])),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model
