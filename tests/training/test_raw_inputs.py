"""A model with the preparation before it gives for raw columns what it gave for prepared rows."""

import numpy as np
import polars as pl
import pytest

from sweep.data.own_data import OwnData
from sweep.data.split import load_split
from sweep.data.tables.own_split import own_split
from sweep.data.tables.preparation import prepare
from sweep.data.tables.raw_rows import raw_validation
from sweep.data.tables.reading import Read
from sweep.errors import InvalidSpaceError
from sweep.training.export import export_verified
from sweep.training.model import evaluate
from sweep.training.raw_inputs import input_names, with_raw_inputs
from tests.support.elsewhere import without_package

_RNG = np.random.default_rng(3)
N = 80


def frame(*, words: bool, missing: bool) -> pl.DataFrame:
    age = _RNG.normal(1_600_000_000, 1e5, N)
    size = np.where(_RNG.random(N) < 0.2, np.nan, _RNG.normal(5, 2, N)) if missing else age * 2
    columns = {"age of all": age, "size": size, "label": (_RNG.random(N) > 0.5).astype(int)}
    if words:
        columns["colour/1"] = _RNG.choice(["red", "blue", "", "grün"], N)
    return pl.DataFrame(columns)


def model_of(n: int, outputs: int = 3):
    import keras

    keras.utils.set_random_seed(0)
    inputs = keras.Input((n,))
    return keras.Model(
        inputs, keras.layers.Dense(outputs, "tanh" if outputs > 1 else "sigmoid")(inputs)
    )


CASES = [(False, ""), (False, "mean"), (False, "indicator"), (True, ""), (True, "indicator")]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Of each case: what the plain model gives for prepared rows, and what its export gave."""
    folder = tmp_path_factory.mktemp("raw")
    expected = []
    for number, (words, missing) in enumerate(CASES):
        raw = frame(words=words, missing=bool(missing))
        if words and not missing:
            raw = raw.with_columns(pl.col("colour/1").replace("", "none"))
        split = own_split(Read("t", frame=raw), OwnData(missing=missing))
        model = model_of(len(split.columns))
        with_raw_inputs(model, split.preparation).save(folder / f"{number}.keras")
        given = raw.drop("label").with_columns(pl.col(pl.Float64).fill_nan(None))
        names = input_names(split.preparation)
        columns = dict(zip(names, (given[name].to_numpy() for name in given.columns), strict=True))
        np.savez(folder / f"{number}.npz", **{k: _plain(v) for k, v in columns.items()})
        prepared = prepare(given.with_columns(_no_words(given)), split.preparation)
        expected.append(model.predict(prepared, batch_size=N, verbose=0))
    without_package(folder, LOAD)
    return [(e, np.load(folder / f"found{i}.npy")) for i, e in enumerate(expected)]


@pytest.mark.parametrize("number", range(len(CASES)), ids=str)
def test_raw_columns_give_the_outputs_of_prepared_rows(outputs, number):
    expected, found = outputs[number]
    np.testing.assert_array_equal(found, expected)


def _plain(values):
    return values.astype(str) if values.dtype == object else values


def _no_words(given: pl.DataFrame) -> list[pl.Expr]:
    words = [name for name in given.columns if given[name].dtype == pl.String]
    return [pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in words]


LOAD = """
import glob
import sys
import keras
import numpy as np
import tensorflow as tf

for number in range(len(glob.glob("*.keras"))):
    model = keras.models.load_model(f"{number}.keras")
    columns = np.load(f"{number}.npz")
    if isinstance(model.input, dict):
        given = {
            name: tf.constant(columns[name][:, None].tolist())
            if columns[name].dtype.kind == "U" else columns[name][:, None]
            for name in columns
        }
    else:
        given = np.stack([columns[name] for name in columns], axis=1)
    np.save(f"found{number}.npy", model.predict(given, batch_size=80, verbose=0))
assert not any(name.split(".")[0] == "sweep" for name in sys.modules)
"""


def test_without_a_preparation_it_is_the_model_itself():
    model = model_of(2)
    assert with_raw_inputs(model, None) is model
    raw = frame(words=False, missing=False)
    split = own_split(Read("t", frame=raw), OwnData(standardize=False))
    assert with_raw_inputs(model, split.preparation) is model


def test_an_export_takes_raw_columns_and_is_refused_if_it_gives_another_score(tmp_path):
    """Words and missing values too."""
    path, cache = tmp_path / "t.parquet", tmp_path / "cache"
    frame(words=True, missing=True).write_parquet(path)
    split = load_split(str(path), own=OwnData(missing="indicator"), cache_dir=cache)
    model = model_of(len(split.columns), outputs=1)
    model.compile("sgd", "binary_crossentropy")
    model.optimizer.build(model.trainable_variables)
    raw = raw_validation(split.manifest, cache)
    score = evaluate(model, split.validation).score
    found = export_verified(tmp_path / "best.keras", model, split, score, raw=raw)
    assert found == pytest.approx(score)
    with pytest.raises(InvalidSpaceError, match="the exported model has validation"):
        export_verified(tmp_path / "x.keras", model, split, score, raw=[raw[0] + 1e7, *raw[1:]])
    assert not (tmp_path / "x.keras").exists()
