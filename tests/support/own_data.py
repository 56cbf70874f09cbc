"""Search spaces and data of each kind that people have, tiny: a file of each, and what it holds.

The last rows of each file validate and test, in their order, so that a test knows them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent

import numpy as np
import polars as pl

ROWS, VALIDATION, TEST = 90, 20, 20
TRAIN = slice(0, ROWS - VALIDATION - TEST)
VALIDATING = slice(TRAIN.stop, TRAIN.stop + VALIDATION)

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Kind:
    """A space, its data, and how its score comes of predictions."""

    space: str
    write: Callable[[Path], tuple[str, Arrays, np.ndarray]]
    """Writes the data into a folder; returns the file's name, the raw inputs as an exported model
    takes them, and the targets, all of every row."""
    score: str = "binary"
    """binary, classes (one-hot targets) or squares."""
    options: tuple[str, ...] = ()


def _random() -> np.random.Generator:
    return np.random.default_rng(11)


def _columns(n: int = 3) -> np.ndarray:
    return _random().normal(5, 2, (ROWS, n)).round(3)


def _sign(x: np.ndarray) -> np.ndarray:
    """One target for each row, whose classes are in each part."""
    flat = x.reshape(len(x), -1)
    return (flat[:, 0] + flat[:, 1] > 2 * flat.mean()).astype(int)


def _csv(folder: Path, columns: dict[str, object]) -> str:
    pl.DataFrame(columns).write_csv(folder / "rows.csv")
    return "rows.csv"


def _npz(folder: Path, **arrays: np.ndarray) -> str:
    np.savez(folder / "rows.npz", **arrays)
    return "rows.npz"


def words_and_gaps(folder: Path) -> tuple[str, Arrays, np.ndarray]:
    x, random = _columns(), _random()
    colour = random.choice(["red", "green", "blue"], ROWS)
    gaps = random.random(ROWS) < 0.2
    y = _sign(x)
    weight = [None if gap else value for gap, value in zip(gaps, x[:, 1].tolist(), strict=True)]
    columns = {"size": x[:, 0], "weight": weight, "colour": colour}
    file = _csv(folder, {**columns, "bought": np.array(["no", "yes"])[y]})
    raw = {"size": x[:, :1], "weight": np.where(gaps, np.nan, x[:, 1])[:, None]}
    return file, {**raw, "colour": colour[:, None]}, y[:, None]


def numbers(folder: Path) -> tuple[str, Arrays, np.ndarray]:
    x = _columns()
    y = _sign(x)
    return (
        _csv(folder, {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "label": y}),
        {"x": x},
        y[:, None],
    )


def amounts(folder: Path) -> tuple[str, Arrays, np.ndarray]:
    x = _columns()
    y = (x[:, 0] * 3 - x[:, 1] + 0.1).round(3)
    file = _csv(folder, {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "price": y})
    return file, {"x": x}, y[:, None]


def several_labels(folder: Path) -> tuple[str, Arrays, np.ndarray]:
    x = _columns()
    y = np.column_stack([x[:, 0] > 5, x[:, 1] > 5]).astype(int)
    columns = {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "big": y[:, 0], "old": y[:, 1]}
    return _csv(folder, columns), {"x": x}, y


def no_label(folder: Path) -> tuple[str, Arrays, np.ndarray]:
    x = _columns()
    train = x[TRAIN]
    file = _csv(folder, {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2]})
    return file, {"x": x}, (x - train.mean(axis=0)) / train.std(axis=0)


def one_hot(folder: Path) -> tuple[str, Arrays, np.ndarray]:
    x = _columns().astype("float32")
    y = np.eye(3, dtype="float32")[_random().permutation(ROWS) % 3]
    return _npz(folder, x=x, y=y), {"x": x}, y


def pictures(folder: Path) -> tuple[str, Arrays, np.ndarray]:
    x = _random().integers(0, 256, (ROWS, 6, 6, 1)).astype("uint8")
    y = _random().permutation(ROWS) % 3
    return _npz(folder, x=x, y=y), {"x": x}, np.eye(3)[y]


def sequences(folder: Path) -> tuple[str, Arrays, np.ndarray]:
    x = _random().normal(0, 1, (ROWS, 5, 2)).astype("float32")
    y = x[:, :, 0].sum(axis=1) + 0.5
    return _npz(folder, x=x, y=y), {"x": x}, y[:, None]


def two_inputs(folder: Path) -> tuple[str, Arrays, np.ndarray]:
    x, kind = _columns().astype("float32"), _random().integers(0, 4, (ROWS, 1))
    y = _sign(x)
    return _npz(folder, numbers=x, kind=kind, y=y), {"numbers": x, "kind": kind}, y[:, None]


def _file(layers: str, loss: str, more: str = "") -> str:
    """A file as people write it for Keras Tuner; `more` compiles."""
    compiled = f'model.compile("adam", loss="{loss}")'
    return (
        "import keras\nfrom keras import layers\n\n\ndef build_model(hp):\n"
        f"    model = keras.Sequential([\n{indent(dedent(layers).strip(), ' ' * 8)}\n    ])\n"
        f"    {more or compiled}\n    model.run_eagerly = True\n    return model\n"
    )


_DENSE = 'layers.Dense(hp.Int("units", 2, 5), activation="relu"),\n'

_CLASS = """
import keras
import keras_tuner


class Rows(keras_tuner.HyperModel):
    def __init__(self, input_shape):
        super().__init__()
        self.input_shape = input_shape

    def build(self, hp):
        model = keras.Sequential([keras.Input(self.input_shape)])
        for i in range(hp.Int("layers", 1, 2)):
            model.add(keras.layers.Dense(hp.Int(f"units_{i}", 2, 5), activation="relu"))
        model.add(keras.layers.Dense(1, activation="sigmoid"))
        model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
        model.run_eagerly = True
        return model
"""
_FIT = """
import keras
import keras_tuner


class Tuned(keras_tuner.HyperModel):
    def build(self, hp):
        model = keras.Sequential(
            [keras.layers.Dense(hp.Int("units", 2, 5), "relu"), keras.layers.Dense(1, "sigmoid")]
        )
        model.compile("sgd", loss="binary_crossentropy")
        model.run_eagerly = True
        return model

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, batch_size=hp.Choice("batch_size", [16, 32]), **kwargs)
"""
_OPTIMIZERS = """
import keras


def build_model(hp):
    name = hp.Choice("optimizer", ["adam", "sgd"])
    with hp.conditional_scope("optimizer", ["adam"]):
        if name == "adam":
            optimizer = keras.optimizers.Adam(hp.Float("adam_rate", 1e-3, 1e-1, sampling="log"))
    with hp.conditional_scope("optimizer", ["sgd"]):
        if name == "sgd":
            optimizer = keras.optimizers.SGD(1e-2, momentum=hp.Float("momentum", 0.0, 0.9))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer, loss="binary_crossentropy")
    model.run_eagerly = True
    return model
"""
_TWO_INPUTS = """
import keras
from keras import layers


def build_model(hp):
    numbers = keras.Input((3,), name="numbers")
    kind = keras.Input((1,), dtype="int32", name="kind")
    embedded = layers.Flatten()(layers.Embedding(4, hp.Int("embedding", 2, 3))(kind))
    both = layers.Concatenate()([numbers, embedded])
    model = keras.Model([numbers, kind], layers.Dense(1, activation="sigmoid")(both))
    model.compile("adam", loss="binary_crossentropy")
    model.run_eagerly = True
    return model
"""
_SCRIPT = f"""
import keras_tuner as kt
import pandas as pd

table = pd.read_csv("not_there.csv")
{_file(_DENSE + 'layers.Dense(1, activation="sigmoid"),', "binary_crossentropy")}

tuner = kt.RandomSearch(build_model, objective="val_loss", max_trials=2)
tuner.search(table.drop(columns="label"), table["label"], epochs=2)
"""

_BINARY = _file(_DENSE + 'layers.Dense(1, activation="sigmoid"),', "binary_crossentropy")

KINDS = {
    "words and missing values": Kind(
        _BINARY, words_and_gaps, options=("--label", "bought", "--missing", "median")
    ),
    "one-hot classes": Kind(
        _file(_DENSE + 'layers.Dense(3, activation="softmax"),', "categorical_crossentropy"),
        one_hot, "classes",
    ),
    "an amount": Kind(
        _file(_DENSE + "layers.Dense(1),", "mse"), amounts, "squares", ("--label", "price")
    ),
    "several labels": Kind(
        _file(_DENSE + 'layers.Dense(2, activation="sigmoid"),', "binary_crossentropy"),
        several_labels, options=("--label", "big,old"),
    ),
    "images": Kind(
        _file(
            """
            keras.Input((6, 6, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(hp.Int("filters", 2, 3), 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
            """,
            "sparse_categorical_crossentropy",
        ),
        pictures, "classes",
    ),
    "sequences": Kind(
        _file('layers.LSTM(hp.Int("units", 2, 3)),\nlayers.Dense(1),', "mean_squared_error"),
        sequences, "squares",
    ),
    "two inputs": Kind(_TWO_INPUTS, two_inputs),
    "an autoencoder": Kind(
        _file('layers.Dense(hp.Int("latent", 1, 2)),\nlayers.Dense(3),', "mse"),
        no_label, "squares", ("--label", "inputs"),
    ),
    "a class with the input's shape": Kind(_CLASS, numbers),
    "a batch size in fit": Kind(_FIT, numbers),
    "an optimizer's own rates": Kind(_OPTIMIZERS, numbers),
    "a script": Kind(_SCRIPT, numbers, options=("--build", "build_model")),
}  # fmt: skip
