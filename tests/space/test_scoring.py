"""What a model is scored by: loss, last layer and task decide; contradictions are named."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, losses

from sweep.errors import InvalidSpaceError
from sweep.space.inputs import columns
from sweep.space.keras_loss import OutputsError, TargetForm
from sweep.space.load import load_space
from sweep.space.outputs import outputs_of
from sweep.space.scoring import check_targets, measures_of, scoring_of, scoring_of_all
from sweep.space.targets import target_form
from sweep.tasks.losses import Loss, LossName
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.scoring import BINARY_CROSSENTROPY, Scoring
from sweep.tasks.task import Task, TaskKind

BINARY = Task()
CLASSES = Task(TaskKind.CLASSES, ("kind",), ("a", "b", "c"))
AMOUNT = Task(TaskKind.AMOUNT, ("price",))
AMOUNTS = Task(TaskKind.AMOUNT, ("width", "height"))
LABELS = Task(TaskKind.LABELS, ("red", "round"))


@pytest.fixture(autouse=True)
def _keras(keras: Any) -> None:
    return


def model(units: int, activation: str | None, loss: Any, *metrics: Any) -> Any:
    made = keras.Sequential([keras.Input((4,)), layers.Dense(units, activation=activation)])
    made.compile("sgd", loss=loss, metrics=list(metrics))
    return made


def own_rows(y: Any, p: Any) -> Any:
    return keras.ops.mean(keras.ops.abs(y - p) ** 1.5, axis=-1)


def own_mean(y: Any, p: Any) -> Any:
    return keras.ops.mean(keras.ops.abs(y - p))


def own_shares(y: Any, p: Any) -> Any:
    return -keras.ops.sum(y * keras.ops.log(p + 1e-7), axis=-1)


def own_sparse(y: Any, p: Any) -> Any:
    return 2 * keras.losses.sparse_categorical_crossentropy(y, p)


def own_of_batch(y: Any, p: Any) -> Any:
    return keras.ops.abs(y - p)[:, 0] - keras.ops.mean(y)


CE, SQUARED = LossName.CROSSENTROPY, LossName.SQUARED_ERROR
BCE = LossName.BINARY_CROSSENTROPY
AS, NUMBERS, ONE_HOT = TargetForm.AS_THEY_ARE, TargetForm.NUMBERS, TargetForm.ONE_HOT
FITS = [
    (BINARY, 1, "sigmoid", "bce", BCE, AS),
    (BINARY, 1, "sigmoid", "mse", BCE, AS),
    (BINARY, 1, "sigmoid", losses.binary_crossentropy, BCE, AS),
    (BINARY, 2, "softmax", "categorical_crossentropy", BCE, ONE_HOT),
    (BINARY, 2, "softmax", "sparse_categorical_crossentropy", BCE, NUMBERS),
    (BINARY, 1, "tanh", "hinge", LossName.OWN, AS),
    (BINARY, 1, "sigmoid", "binary_focal_crossentropy", LossName.OWN, AS),
    (CLASSES, 3, "softmax", "sparse_categorical_crossentropy", CE, NUMBERS),
    (CLASSES, 3, "softmax", ["categorical_crossentropy"], CE, ONE_HOT),
    (CLASSES, 3, "softmax", "mse", CE, ONE_HOT),
    (CLASSES, 3, "softmax", "categorical_focal_crossentropy", LossName.OWN, ONE_HOT),
    (CLASSES, 3, "softmax", own_shares, LossName.OWN, ONE_HOT),
    (CLASSES, 3, "softmax", own_sparse, LossName.OWN, NUMBERS),
    (AMOUNT, 1, None, "mse", SQUARED, AS),
    (AMOUNT, 1, "relu", losses.mean_absolute_error, LossName.ABSOLUTE_ERROR, AS),
    (AMOUNT, 1, "softplus", "poisson", LossName.POISSON, AS),
    (AMOUNT, 1, "sigmoid", "bce", BCE, AS),
    (AMOUNT, 1, None, own_rows, LossName.OWN, AS),
    (AMOUNTS, 2, None, {"dense": "mae"}, LossName.ABSOLUTE_ERROR, AS),
    (LABELS, 2, "sigmoid", "binary_crossentropy", BCE, AS),
]  # fmt: skip


@pytest.mark.parametrize(("task", "units", "end", "loss", "scored", "form"), FITS)
def test_loss_end_and_task_decide_the_score(task, units, end, loss, scored, form):
    made = model(units, end, loss)
    found = scoring_of(made, task)
    assert (found.loss.name, found.objective) == (scored, ObjectiveName.LOSS)
    assert target_form(made, task) is form
    is_amount = task.kind is TaskKind.AMOUNT and scored is not LossName.BINARY_CROSSENTROPY
    assert outputs_of(made, task).amounts is is_amount


REFUSED = [
    (BINARY, 1, None, "mse", r"compares amounts, the target is one of two classes.*Dense\(1, act"),
    (BINARY, 1, "sigmoid", "mae", "compiled with loss mean_absolute|compiled with loss mae"),
    (BINARY, 1, "softmax", "bce", "not a probability"),
    (BINARY, 3, "softmax", "sparse_categorical_crossentropy", r"expected \(None, 1\) or"),
    (CLASSES, 3, None, "mse", r'one of 3 classes.*Dense\(3, activation="softmax"\)'),
    (CLASSES, 3, None, "sparse_categorical_crossentropy", "not 3 probabilities that sum to 1"),
    (CLASSES, 4, "softmax", "categorical_crossentropy", r"\(None, 4\), expected \(None, 3\)"),
    (CLASSES, 3, "sigmoid", "binary_crossentropy", "expected loss=keras.losses.SparseCategorical"),
    (AMOUNT, 1, None, "sparse_categorical_crossentropy", "compares classes.*--task classes"),
    (AMOUNT, 1, None, "bce", "takes probabilities, and the last layer, Dense, gives linear"),
    (AMOUNT, 1, None, "poisson", 'end the model with keras.layers.Dense.1, activation="softplus"'),
    (AMOUNT, 2, None, "mse", r"\(None, 2\), expected \(None, 1\), as price is to be predicted"),
    (AMOUNT, 1, "softmax", "mse", "always 1"),
    (AMOUNT, 1, None, own_mean, "own_mean does not give one number for each row"),
    (AMOUNT, 1, None, own_of_batch, "own_of_batch does not give one number for each row"),
    (LABELS, 1, "sigmoid", "bce", "2 answers of yes or no"),
    (AMOUNT, 1, None, "no_such_loss", "Keras knows no loss 'no_such_loss'"),
]  # fmt: skip


@pytest.mark.parametrize(("task", "units", "end", "loss", "message"), REFUSED)
def test_what_does_not_fit_is_refused_with_what_does(task, units, end, loss, message):
    made = model(units, end, "mse")
    made.loss = loss  # as `compile` refuses some of them
    with pytest.raises(OutputsError, match=message) as caught:
        scoring_of(made, task)
        target_form(made, task)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "low", "high", "message"),
    [
        (LossName.BINARY_CROSSENTROPY, 0.0, 1.5, "targets from 0 to 1, and .* 0 and 1.5"),
        (LossName.POISSON, -1.0, 3.0, "not negative"),
        (LossName.SQUARED_LOG_ERROR, -1.0, 3.0, "not negative"),
        (LossName.PERCENTAGE_ERROR, 0.0, 3.0, "divides by the targets"),
    ],
)
def test_amounts_must_lie_where_the_loss_has_a_meaning(name, low, high, message):
    y = np.array([low, high], np.float32)
    with pytest.raises(OutputsError, match=message):
        check_targets(Scoring(Loss(name)), AMOUNT, y)
    check_targets(Scoring(Loss(name)), AMOUNT, np.array([0.2, 0.9], np.float32))
    check_targets(Scoring(Loss(name)), BINARY, y)


def test_smoothed_labels_are_scored_by_the_plain_cross_entropy_and_that_is_said():
    smooth = losses.CategoricalCrossentropy(label_smoothing=0.1)
    found = scoring_of_all([measures_of(model(3, "softmax", smooth), CLASSES)], CLASSES)
    assert found.scoring == Scoring(Loss(CE))
    assert any("plain cross-entropy" in line for line in found.said)


def several(task: Task, *made: Any, objective: str = "loss") -> Any:
    return scoring_of_all([measures_of(one, task) for one in made], task, objective)


def test_losses_that_differ_are_ranked_by_one_measure():
    squared, absolute = model(1, None, "mse", "mape"), model(1, None, "mae", "mape")
    found = several(AMOUNT, squared, absolute)
    assert found.scoring == Scoring(Loss(LossName.ABSOLUTE_ERROR), ObjectiveName.MAE)
    assert any("'mse', 'mae'" in line and "mean absolute error" in line for line in found.said)
    asked = several(AMOUNT, squared, absolute, objective="val_root_mean_squared_error")
    assert asked.scoring.objective is ObjectiveName.RMSE
    plain, focal = model(1, "sigmoid", "bce"), model(1, "sigmoid", "binary_focal_crossentropy")
    assert several(BINARY, plain, focal).scoring == BINARY_CROSSENTROPY
    with pytest.raises(InvalidSpaceError, match="--objective accuracy or auc"):
        several(BINARY, plain, model(1, "tanh", "hinge"))
    asked = several(BINARY, plain, model(1, "tanh", "hinge"), objective="auc")
    assert asked.scoring.objective is ObjectiveName.AUC


def test_an_objective_is_a_measure_of_the_task_or_a_metric_of_the_model():
    made = model(3, "softmax", "sparse_categorical_crossentropy", "accuracy", "cosine_similarity")
    assert several(CLASSES, made, objective="val_accuracy").scoring.objective == "accuracy"
    by_metric = several(CLASSES, made, objective="cosine_similarity")
    assert by_metric.scoring.metric == "cosine_similarity"
    assert by_metric.scoring.is_higher_better
    assert any("errors are unknown" in line for line in by_metric.said)
    asked = several(CLASSES, made, objective="min:cosine_similarity")
    assert not asked.scoring.is_higher_better
    own = model(1, None, "mse", own_rows)
    with pytest.raises(InvalidSpaceError, match="write --objective max:own_rows or min:own_rows"):
        several(AMOUNT, own, objective="own_rows")
    with pytest.raises(InvalidSpaceError, match="one of: loss, accuracy, or a metric of the model"):
        several(CLASSES, made, objective="rmse")


SPACE = """import keras

CLASS_WEIGHT = {weight}

def build(hp):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    hp.Choice("width", [1, 2])
    model.compile("adam", loss=hp.Choice("loss", ["mse", "mae"]))
    return model
"""


def test_a_loss_chosen_by_a_hyperparameter_is_found_before_anything_is_trained(tmp_path):
    path = tmp_path / "chosen.py"
    path.write_text(SPACE.format(weight="{0: 1, 1: 2.5}"))
    space = load_space(str(path), columns(4), task=AMOUNT)
    assert {one.text for one in space.measures} == {"'mse'", "'mae'"}
    assert space.class_weight == {0: 1.0, 1: 2.5}
    path.write_text(SPACE.format(weight="{0: -1}"))
    with pytest.raises(InvalidSpaceError, match=r"CLASS_WEIGHT of .* must be a dict"):
        load_space(str(path), columns(4), task=AMOUNT)
