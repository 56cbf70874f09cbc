"""Which of three growers made a wine? 13 columns: a width, a penalty on weights, a dropout."""

import keras
from keras import layers, regularizers


def build_model(hp):
    penalty = regularizers.L2(hp.Choice("l2", [0.0, 1e-3, 1e-2]))
    model = keras.Sequential(
        [
            layers.Dense(hp.Choice("units", [4, 16, 64, 256]), "relu", kernel_regularizer=penalty),
            layers.Dropout(hp.Choice("dropout", [0.0, 0.3])),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(1e-2),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model
