"""Every task through the Keras trainer: scores are Keras' own, kept by row; weights and inputs."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sweep.data.split import Rows, Split
from sweep.data.split_record import SplitRecord
from sweep.space.scoring import scoring_of
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.scoring import Scoring
from sweep.tasks.task import Task, TaskKind
from sweep.training.auto_trainer import AutoTrainer, not_fused
from sweep.training.contract import train_all
from sweep.training.keras_trainer import KerasTrainer
from sweep.training.memory_journal import MemoryJournal
from tests.support.fused import assignment

CLASSES = Task(TaskKind.CLASSES, ("kind",), ("a", "b", "c"))
AMOUNT = Task(TaskKind.AMOUNT, ("price",))
AMOUNTS = Task(TaskKind.AMOUNT, ("width", "height"))
LABELS = Task(TaskKind.LABELS, ("red", "round"))

random = np.random.default_rng(2)
X = random.normal(size=(150, 4)).astype(np.float32)
PRICE = (X[:, 0] * 2 + X[:, 1] ** 2).astype(np.float32)
KINDS = np.digitize(PRICE, [0, 2]).astype(np.float32)
SIZES = np.stack([PRICE, X[:, 2]], axis=1)
ANSWERS = (SIZES > 0).astype(np.float32)


@pytest.fixture(autouse=True)
def _keras(keras: Any) -> None:
    return


def own(y: Any, p: Any) -> Any:
    import keras

    return keras.ops.mean(keras.ops.abs(y - p) ** 1.5, axis=-1)


def space(
    units: int, end: str | None, loss: Any, *metrics: Any, l2: float = 0.01, eager: bool = True
) -> Any:
    """Nothing is traced unless one asks for it: six steps take less than their graph."""

    def build(hp: Any) -> Any:
        import keras
        from keras import layers

        penalty = keras.regularizers.L2(l2)
        model = keras.Sequential(
            [
                keras.Input((4,)),
                layers.Dense(6, activation="relu", kernel_regularizer=penalty),
                layers.Dense(units, activation=end),
            ]
        )
        made = loss() if isinstance(loss, type) else loss
        model.compile(keras.optimizers.Adam(0.02), loss=made, metrics=list(metrics))
        model.run_eagerly = eager
        return model

    return build


def split_of(y: np.ndarray, task: Task, x: Any = X) -> Split:
    whole = Rows(x, y)
    parts = whole.take(slice(0, 100)), whole.take(slice(100, 150))
    return Split(*parts, "made", SplitRecord(), task)


def trained(build: Any, split: Split, scoring: Scoring | None = None, epochs: int = 2) -> Any:
    scoring = scoring_of(build(None), split.task) if scoring is None else scoring
    journal = MemoryJournal()
    trainer = KerasTrainer(build, split, 40, None, scoring=scoring)
    train_all(trainer, [assignment(0, epochs)], journal)
    assert journal.outcomes[0].error is None, journal.outcomes[0].traceback
    return journal


def best_model(build: Any, journal: MemoryJournal) -> Any:
    from sweep.training.model import set_state

    model = build(None)
    set_state(model.variables, journal.states[0].best)
    return model


CASES: dict[str, tuple[Task, np.ndarray, Any, Callable[[np.ndarray], np.ndarray]]] = {
    "sparse": (CLASSES, KINDS, space(3, "softmax", "sparse_categorical_crossentropy", "accuracy"),
               lambda y: y[:, None]),
    "one-hot": (CLASSES, KINDS,
                space(3, "softmax", "categorical_crossentropy", "accuracy", "AUC", eager=False),
                lambda y: np.eye(3, dtype=np.float32)[y.astype(int)]),
    "focal": (CLASSES, KINDS, space(3, "softmax", "categorical_focal_crossentropy"),
              lambda y: np.eye(3, dtype=np.float32)[y.astype(int)]),
    "amount": (AMOUNT, PRICE, space(1, None, "mse", "mae", own), lambda y: y[:, None]),
    "own": (AMOUNT, PRICE, space(1, None, own), lambda y: y[:, None]),
    "two amounts": (AMOUNTS, SIZES, space(2, None, "huber"), lambda y: y),
    "labels": (LABELS, ANSWERS, space(2, "sigmoid", "bce"), lambda y: y),
    "hinge": (Task(), ANSWERS[:, 0], space(1, "tanh", "hinge"), lambda y: y[:, None]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_score_of_every_task_is_what_keras_measures_without_penalty(name):
    task, y, build, shape = CASES[name]
    split = split_of(y, task)
    journal = trained(build, split)
    record = min(journal.records[0], key=lambda one: one.val_score)
    model = best_model(build, journal)
    rows = split.validation
    said = model.evaluate(rows.x, shape(rows.y), verbose=0, return_dict=True)
    assert record.val_loss == pytest.approx(said["loss"], rel=1e-5)
    assert record.val_score < record.val_loss
    assert record.metrics == pytest.approx({k: v for k, v in said.items() if k != "loss"}, 1e-5)
    losses = journal.states[0].val_losses
    assert losses is not None and losses.shape == (50,)
    assert losses.mean(dtype=np.float64) == pytest.approx(record.val_score, rel=1e-6)
    assert record.fit_score < record.fit_loss  # without the penalty, too
    assert math.isnan(record.val_accuracy) is (task.kind is TaskKind.AMOUNT)
    assert math.isnan(record.val_auc) is (task.kind is not TaskKind.BINARY)


def test_the_training_score_is_the_loss_where_there_is_no_penalty():
    build = space(1, None, "mae", l2=0.0)
    (record, _) = trained(build, split_of(PRICE, AMOUNT)).records[0]
    assert record.fit_score == pytest.approx(record.fit_loss, rel=1e-6)


def test_weights_of_classes_and_rows_change_the_training_and_not_the_measure():
    build = space(3, "softmax", "sparse_categorical_crossentropy", l2=0.0, eager=False)
    split = split_of(KINDS, CLASSES)
    plain = trained(build, split)
    weighted = trained(build, replace(split, class_weights=(1.0, 5.0, 1.0)))
    own_weights = np.where(split.train.y == 1, 5, 1).astype(np.float32)
    by_row = trained(build, replace(split, train=replace(split.train, weights=own_weights)))
    assert weighted.records[0][-1].fit_loss == pytest.approx(by_row.records[0][-1].fit_loss)
    assert weighted.records[0][-1].fit_loss != pytest.approx(plain.records[0][-1].fit_loss)
    assert weighted.records[0][-1].fit_score < weighted.records[0][-1].fit_loss / 1.5
    model = best_model(build, weighted)
    said = model.evaluate(split.validation.x, split.validation.y[:, None], verbose=0)
    best = min(record.val_score for record in weighted.records[0])
    assert best == pytest.approx(np.ravel(said)[0], rel=1e-5)


@pytest.mark.parametrize("objective", ["rmse", "r2", "mae", "own"])
def test_an_objective_ranks_the_epochs(objective):
    build, split = space(1, None, "mse", own), split_of(PRICE, AMOUNT)
    scoring = scoring_of(build(None), AMOUNT, "min:own" if objective == "own" else objective)
    journal = trained(build, split, scoring)
    record = min(journal.records[0], key=lambda one: one.val_score)
    z = np.ravel(best_model(build, journal)(split.validation.x)).astype(float)
    y = split.validation.y.astype(float)
    expected = {
        "rmse": np.sqrt(((z - y) ** 2).mean()),
        "r2": ((z - y) ** 2).mean() / y.var(),
        "mae": np.abs(z - y).mean(),
        "own": (np.abs(z - y) ** 1.5).mean(),
    }
    assert record.val_score == pytest.approx(expected[objective], rel=1e-5)
    assert (journal.states[0].val_losses is None) is (objective == "own")
    assert math.isnan(record.fit_score) is (objective != "mae")
    assert record.val_loss > ((z - y) ** 2).mean()


def test_a_metric_that_is_to_be_maximised_is_kept_negative():
    build = space(3, "softmax", "categorical_crossentropy", "AUC")
    split = split_of(KINDS, CLASSES)
    scoring = scoring_of(build(None), CLASSES, "val_AUC")
    journal = trained(build, split, scoring)
    for record in journal.records[0]:
        assert record.val_score == -record.metrics["AUC"] and 0 < record.metrics["AUC"] <= 1
    assert scoring.objective is ObjectiveName.METRIC


def test_several_inputs_are_given_by_name_and_images_as_they_are():
    def two(hp: Any) -> Any:
        import keras
        from keras import layers

        numbers, kind = (
            keras.Input((4,), name="numbers"),
            keras.Input((1,), dtype="int32", name="kind"),
        )
        embedded = layers.Flatten()(layers.Embedding(5, 2)(kind))
        joined = layers.Concatenate()([numbers, embedded])
        model = keras.Model([numbers, kind], layers.Dense(1)(joined))
        model.compile("adam", loss="mse", metrics=["mae"])
        model.run_eagerly = True
        return model

    kind = np.arange(150).reshape(-1, 1).astype(np.int32) % 5
    journal = trained(two, split_of(PRICE, AMOUNT, {"numbers": X, "kind": kind}))
    assert journal.records[0][-1].metrics["mae"] > 0

    images = X.reshape(-1, 2, 2, 1)

    def pixels(hp: Any) -> Any:
        import keras
        from keras import layers

        model = keras.Sequential([keras.Input((2, 2, 1)), layers.Conv2D(1, 2, padding="same")])
        model.compile("adam", loss="mse")
        return model

    journal = trained(pixels, split_of(images, AMOUNT, images))  # an autoencoder of images
    model = best_model(pixels, journal)
    rows = split_of(images, AMOUNT, images).validation
    said = model.evaluate(rows.x, rows.y, verbose=0)
    best = min(record.val_score for record in journal.records[0])
    assert best == pytest.approx(np.ravel(said)[0], rel=1e-5)


def test_rows_are_evaluated_in_parts_and_give_the_same(monkeypatch):
    from sweep.training import predictions

    task, y, build, _ = CASES["focal"]
    whole = trained(build, split_of(y, task))
    monkeypatch.setattr(predictions, "_ROWS_AT_ONCE", 7)
    parts = trained(build, split_of(y, task))
    for one, other in zip(whole.records[0], parts.records[0], strict=True):
        assert one.val_score == pytest.approx(other.val_score, rel=1e-6)


def test_what_is_not_fused_is_trained_by_keras():
    build, split = space(1, None, own), split_of(PRICE, AMOUNT)
    scoring = scoring_of(build(None), AMOUNT)
    assert not_fused(split, scoring) == "loss own"
    journal = MemoryJournal()
    train_all(AutoTrainer(build, split, 40, None, scoring=scoring), [assignment(0, 1)], journal)
    assert journal.outcomes[0].trainer == "keras"
    known = replace(scoring, loss=Scoring().loss)
    weighted = replace(split, train=replace(split.train, weights=np.ones(100, np.float32)))
    assert not_fused(weighted, known) == "rows or classes have weights"
