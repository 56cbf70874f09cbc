"""Classes and amounts from a table to the test rows and the export, by the command line."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.support import warm

SPACE = """import keras

BASELINES = {{"Narrow": {{"width": 4}}, "Wide": {{"width": 8}}}}


def build_model(hp):
    width = hp.Int("width", 4, 8)
    model = keras.Sequential(
        [
            keras.layers.Dense(width, activation="relu", kernel_regularizer="l2"),
            keras.layers.Dense({end}),
        ]
    )
    model.compile(keras.optimizers.Adam(0.05), loss="{loss}", metrics=["{metric}"])
    model.run_eagerly = True
    return model
"""
CASES = {
    "classes": ('3, activation="softmax"', "sparse_categorical_crossentropy", "accuracy", "loss"),
    "amount": ("1", "huber", "mae", "rmse"),
}


def table(name: str) -> pl.DataFrame:
    random = np.random.default_rng(6)
    size, weight = random.normal(50, 10, 240), random.normal(0, 1, 240)
    colour = random.choice(["red", "green"], 240)
    price = size / 10 + 2 * weight + 3 * (colour == "red") + random.normal(0, 0.5, 240)
    target = np.array(["low", "middle", "high"])[np.digitize(price, [5, 7])]
    missing = np.where(random.random(240) < 0.1, np.nan, weight)
    columns = {"size": size, "weight": missing, "colour": colour}
    return pl.DataFrame({**columns, "label": target if name == "classes" else price})


@pytest.fixture(scope="module", params=CASES)
def swept(request, tmp_path_factory):
    """A folder with a sweep `s` of two baselines under two seeds, tested and exported."""
    name, place = request.param, tmp_path_factory.mktemp("tasks")
    end, loss, metric, objective = CASES[name]
    (place / "mine.py").write_text(SPACE.format(end=end, loss=loss, metric=metric))
    table(name).fill_nan(None).write_csv(place / "rows.csv")
    said = warm.run(
        *(place, "start", "mine.py", "--data", "rows.csv", "--missing", "indicator"),
        *("--name", "s", "--iterations", "0", "--seeds", "2", "--max-epochs", "3"),
        *("--batch-size", "32", "--trainer", "keras", "--objective", objective),
    )
    return name, place, said.stderr


def rows_of(place: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(place / "results" / "s" / "sweep.db")) as db:
        return db.execute(query).fetchall()


def test_the_score_its_references_and_no_skill_are_those_of_the_task(swept):
    name, place, said = swept
    assert ("val cross-entropy" if name == "classes" else "val RMSE") in said
    ((scoring, data),) = rows_of(place, "SELECT scoring, data FROM sweep")
    kept = json.loads(scoring)
    assert kept["objective"] == CASES[name][3]
    references = dict(rows_of(place, "SELECT name, val_score FROM reference"))
    regression = "logistic regression" if name == "classes" else "ridge regression"
    assert list(references) == ["no skill", regression, "boosted trees"]
    level = json.loads(data)["no_skill"]["validation"]
    assert level == pytest.approx(references["no skill"], rel=1e-5)
    assert references[regression] < level
    metrics = [json.loads(str(text)) for (text,) in rows_of(place, "SELECT metrics FROM epoch")]
    assert all(list(one) == [CASES[name][2]] for one in metrics)


def test_the_test_rows_are_measured_as_the_task_wants(swept):
    name, place, _ = swept
    warm.run(place, "test", "s")
    query = "SELECT score, score_low, score_high, accuracy, auc, measures FROM opening"
    ((score, low, high, accuracy, auc, text),) = rows_of(place, query)
    assert low < score < high and auc is None
    measures = {} if text is None else json.loads(str(text))
    if name == "classes":
        assert 0 <= accuracy <= 1 and not measures
        return
    assert accuracy is None and set(measures) == {"mae", "rmse", "r2", "loss"}
    assert measures["rmse"] == pytest.approx([score, low, high])
    assert measures["mae"][0] < measures["rmse"][0]


def test_an_ensembles_export_takes_raw_columns_and_is_the_mean(swept):
    """One model's is tested where spaces and data are one's own."""
    import keras
    import tensorflow as tf

    name, place, _ = swept
    assert "as measured before" in warm.run(place, "export", "s", "m.keras", "--ensemble").stdout
    raw = table(name).drop("label").head(20)
    given = {
        column: tf.constant(raw[column].to_numpy()[:, None].tolist()) for column in raw.columns
    }
    found = keras.models.load_model(place / "m.keras")(given).numpy()
    assert found.shape == (20, 3 if name == "classes" else 1) and np.isfinite(found).all()
    if name == "classes":
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def test_an_objective_of_another_task_is_refused_with_those_of_this(swept):
    name, place, _ = swept
    refused = warm.run(
        *(place, "start", "mine.py", "--data", "rows.csv", "--missing", "indicator"),
        *("--name", "other", "--iterations", "0", "--objective", "auc"),
        code=4,
    )
    wanted = "loss, accuracy" if name == "classes" else "loss, mae, mse, rmse, r2"
    assert f"--objective is 'auc', expected one of: {wanted}" in refused.stderr
    assert "Traceback" not in refused.stderr
