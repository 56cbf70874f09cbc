"""Is a tumour benign? 30 measured columns: one to three layers, each with a width and a dropout."""

import keras
from keras import layers


def build_model(hp):
    model = keras.Sequential()
    for i in range(hp.Int("layers", 1, 3)):
        model.add(layers.Dense(hp.Int(f"units_{i}", 8, 64, step=8), activation="relu"))
        model.add(layers.Dropout(hp.Float(f"dropout_{i}", 0.0, 0.5, step=0.25)))
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile(
        optimizer=keras.optimizers.Adam(hp.Choice("rate", [1e-2, 3e-3, 1e-3])),
        loss="binary_crossentropy",
        metrics=["accuracy"],
    )
    return model
