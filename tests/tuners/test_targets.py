"""The default model's loss says what targets mean."""

import numpy as np
import pytest

from sweep.errors import UsageError
from sweep.tuners.targets import class_weights_of, targets_of, task_of

NUMBERS = np.array([0, 2, 1, 2])
ONE_HOT = np.eye(3)[NUMBERS]
AMOUNTS = np.array([0.5, 1.5, -2.0, 0.0])


def model(keras, loss, outputs=1):
    made = keras.Sequential([keras.Input((2,)), keras.layers.Dense(outputs)])
    made.compile("adam", loss)
    return made


@pytest.mark.parametrize(
    ("loss", "outputs", "y", "kind"),
    [
        ("binary_crossentropy", 1, np.array([0, 1, 1, 0]), "binary"),
        ("binary_crossentropy", 3, ONE_HOT, "labels"),
        ("binary_crossentropy", 2, np.array([[0.5, 0.1]]), "amount"),
        ("sparse_categorical_crossentropy", 3, NUMBERS, "classes"),
        ("sparse_categorical_crossentropy", 3, NUMBERS[:, None], "classes"),
        ("categorical_crossentropy", 3, ONE_HOT, "classes"),
        ("mse", 1, AMOUNTS, "amount"),
        ("mae", 2, np.stack([AMOUNTS, AMOUNTS], axis=1), "amount"),
    ],
)
def test_tasks(keras, loss, outputs, y, kind):
    task = task_of(model(keras, loss, outputs), y)
    assert task.kind == kind
    assert len(targets_of(y, task)) == len(y)
    if kind == "classes":
        assert targets_of(y, task).tolist() == NUMBERS.tolist() and task.n_classes == 3


def test_targets_that_do_not_go_with_the_loss(keras):
    sparse = model(keras, "sparse_categorical_crossentropy", 3)
    with pytest.raises(UsageError, match="0 to 2 for 3 outputs"):
        task_of(sparse, NUMBERS + 1)
    with pytest.raises(UsageError, match="3 columns, the model 2 outputs"):
        task_of(model(keras, "categorical_crossentropy", 2), ONE_HOT)
    with pytest.raises(UsageError, match="not one 1 among zeros"):
        task_of(model(keras, "categorical_crossentropy", 3), ONE_HOT / 2)


def test_class_weights(keras):
    task = task_of(model(keras, "sparse_categorical_crossentropy", 3), NUMBERS)
    assert class_weights_of({2: 5}, task) == (1.0, 1.0, 5.0)
    with pytest.raises(UsageError, match="names class 3"):
        class_weights_of({3: 5}, task)
    with pytest.raises(UsageError, match="rows of one class each"):
        class_weights_of({1: 5}, task_of(model(keras, "mse"), AMOUNTS))
