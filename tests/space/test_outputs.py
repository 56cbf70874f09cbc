"""What a model's outputs mean: loss and last activation decide, and Keras' own loss agrees."""

import itertools
import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, losses

from sweep.errors import InvalidSpaceError
from sweep.space.check import check_built, recorded_metric
from sweep.space.inputs import columns
from sweep.space.load import load_space
from sweep.space.outputs import OutputsError, outputs_of
from sweep.tasks.task import Task, TaskKind
from sweep.training.fused.reading.model import carries, read
from sweep.training.fused.trainer import FusedTrainer
from sweep.training.keras_trainer import KerasTrainer
from sweep.training.model import build_model, evaluate, set_state
from tests.support.fused import BATCH, MemoryJournal, assignment, small_split, train_all

pytestmark = pytest.mark.usefixtures("few_builds")

LOSSES: dict[int, dict[str, bool | None]] = {
    1: {
        '"bce"': False,
        '"binary_crossentropy"': False,
        "keras.losses.BinaryCrossentropy()": False,
        "keras.losses.BinaryCrossentropy(from_logits=False)": False,
        "keras.losses.BinaryCrossentropy(from_logits=True)": True,
        '"mse"': None,
        "keras.losses.MeanSquaredError()": None,
    },
    2: {
        '"sparse_categorical_crossentropy"': False,
        "keras.losses.SparseCategoricalCrossentropy()": False,
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True)": True,
    },
}
"""Whether each takes logits; None of no cross-entropy."""

PROBABLE = {1: ("sigmoid", "hard_sigmoid"), 2: ("softmax",)}
ENDS = (None, "linear", "sigmoid", "hard_sigmoid", "softmax", "relu", "tanh", "softplus")
METRICS = {
    "by name": None,
    "logits": True,
    "probabilities": False,
}
SPACE = """import keras
from keras import layers

def build(hp):
    model = keras.Sequential([
        keras.Input((28,)),
        layers.Dense(hp.Choice("width", [4, 8]), activation="relu"),
        {end},
    ])
    model.compile(
        optimizer="adam",
        loss={loss},
        metrics=[{metric}],
    )
    return model
"""


@pytest.fixture(autouse=True)
def _keras(keras: Any) -> None:
    return


def metric_text(outputs: int, logits: bool | None) -> str:
    if logits is None:
        return '"binary_crossentropy"'
    kind = "SparseCategorical" if outputs == 2 else "Binary"
    name = 'name="binary_crossentropy"'
    return f"keras.metrics.{kind}Crossentropy(from_logits={logits}, {name})"


def expected(outputs: int, logits: bool | None, end: str | None) -> str:
    """What is expected: "logits", "probabilities" or "refused", from what Keras' losses say."""
    probable = end in PROBABLE[outputs]
    if logits:
        bounded = end in ("sigmoid", "hard_sigmoid", "softmax")
        return "refused" if bounded else "logits"
    return "probabilities" if probable else "refused"


TABLE = [
    (outputs, loss, logits, end)
    for outputs, every in LOSSES.items()
    for (loss, logits), end in itertools.product(every.items(), ENDS)
]


def ended(outputs: int, end: str | None) -> Any:
    small = keras.initializers.RandomNormal(stddev=0.05)  # 0 and 1 are rounded differently
    last = layers.Dense(outputs, activation=end, kernel_initializer=small)
    return keras.Sequential([keras.Input((28,)), last])


def compiled(outputs: int, loss: str, end: str | None, metric: str, model: Any = None) -> Any:
    """A new model, or the same one compiled anew."""
    model = ended(outputs, end) if model is None else model
    made = {"loss": eval(loss), "metrics": [eval(metric_text(outputs, METRICS[metric]))]}
    model.compile("adam", **made)
    return model


@pytest.mark.parametrize(("outputs", "loss", "logits", "end"), TABLE)
def test_loss_and_end_decide_and_the_metric_does_not(outputs, loss, logits, end):
    model, wanted = ended(outputs, end), expected(outputs, logits, end)
    rows, scores = small_split().validation, []
    for metric in METRICS:
        compiled(outputs, loss, end, metric, model)
        if wanted == "refused":
            with pytest.raises(OutputsError):
                outputs_of(model)
            assert carries(model) is not None
            continue
        assert outputs_of(model).logits == (wanted == "logits")
        if carries(model) is None:
            assert read(model).loss.from_logits == (wanted == "logits")
        scores.append(evaluate(model, rows).score)
    if wanted == "refused":
        return
    (measured,) = set(scores)
    # a squared error is scored by the cross-entropy of its probabilities
    bare = keras.Model(model.inputs, model.outputs)  # the metrics of a compiled one would stay
    made = losses.BinaryCrossentropy() if logits is None else eval(loss)
    bare.compile("adam", loss=made, run_eagerly=True)  # a graph takes longer than the rows
    said = bare.evaluate(rows.x, rows.y[:, None], verbose=0)
    assert measured == pytest.approx(np.ravel(said)[0], rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("trainer", [KerasTrainer, FusedTrainer])
@pytest.mark.parametrize(
    ("outputs", "loss", "end", "metric"),
    [
        (1, '"bce"', "sigmoid", "by name"),
        (1, "keras.losses.BinaryCrossentropy(from_logits=True)", None, "logits"),
        (2, '"sparse_categorical_crossentropy"', "softmax", "probabilities"),
    ],
)
def test_both_trainers_record_what_keras_measures(trainer, outputs, loss, end, metric):
    def build(hp):
        return compiled(outputs, loss, end, metric)

    split = small_split()
    journal = MemoryJournal()
    train_all(trainer(build, split, BATCH, None), [assignment(0, 2)], journal)
    best = min(record.val_score for record in journal.records[0])
    model = build_model(build, {}, 1)
    set_state(model.variables, journal.states[0].best)
    said = model.evaluate(split.validation.x, split.validation.y[:, None], verbose=0)
    assert best == pytest.approx(said[0], rel=1e-6, abs=1e-6)


def load(folder: Path, end: str, loss: str, metric: str, name: str = "mine.py") -> Any:
    path = folder / name
    path.write_text(SPACE.format(end=end, loss=loss, metric=metric))
    return load_space(str(path), columns(28))


LINEAR, SIGMOID = "layers.Dense(1)", 'layers.Dense(1, activation="sigmoid")'
LOGITS = "keras.losses.BinaryCrossentropy(from_logits=True)"
REFUSED = {
    "sigmoid under logits": (SIGMOID, LOGITS, metric_text(1, True)),
    "linear under probabilities": (LINEAR, '"bce"', metric_text(1, None)),
    "linear under a squared error": (LINEAR, '"mse"', metric_text(1, None)),
    "one softmax": ('layers.Dense(1, activation="softmax")', '"bce"', metric_text(1, None)),
    "two sigmoids": (
        'layers.Dense(2, activation="sigmoid")',
        '"sparse_categorical_crossentropy"',
        metric_text(2, False),
    ),
    "a metric of logits under probabilities": (SIGMOID, '"bce"', metric_text(1, True)),
    "a metric by name under logits": (LINEAR, LOGITS, metric_text(1, None)),
    "another metric of that name": (
        SIGMOID,
        '"bce"',
        'keras.metrics.MeanSquaredError(name="binary_crossentropy")',
    ),
    "smoothed labels in the metric": (
        LINEAR,
        LOGITS,
        "keras.metrics.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)",
    ),
    "another loss": (LINEAR, '"hinge"', metric_text(1, None)),
    "a Lambda with values below 0": (
        'layers.Dense(1), layers.Activation("tanh"), layers.Lambda(lambda x: 2 * x)',
        '"bce"',
        metric_text(1, None),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_advice_of_a_refusal_works(case, tmp_path):
    """What the message says is put into the space as it stands, and the space is taken."""
    end, loss, metric = REFUSED[case]
    with pytest.raises(InvalidSpaceError) as caught:
        load(tmp_path, end, loss, metric)
    text = str(caught.value)
    assert "..." not in text and "\n" not in text
    first = text.split(", or end it with")[0].split("; ", 1)[1]
    found = re.search(r'end the model with (keras.layers.Dense\(\d, activation="\w+"\))', first)
    end = found.group(1) if found else end
    found = re.search(r"loss=(keras.losses.\w+\(from_logits=\w+\))", first)
    loss = found.group(1) if found else loss
    found = re.search(r'(keras.metrics.\w+\(from_logits=\w+, name="binary_crossentropy"\))', first)
    metric = found.group(1) if found else metric
    load(tmp_path, end, loss, metric, "mended.py")


def test_a_contradiction_names_both_lines(tmp_path):
    with pytest.raises(InvalidSpaceError, match=r"loss: line 12, last layer: line 8"):
        load(tmp_path, *REFUSED["sigmoid under logits"])


def test_a_contradiction_in_one_choice_is_found(tmp_path):
    end = 'layers.Dense(1, activation=hp.Choice("end", ["linear", "sigmoid"]))'
    with pytest.raises(InvalidSpaceError, match=r'takes logits.*"end": "sigmoid"'):
        load(tmp_path, end, LOGITS, metric_text(1, True))


def test_an_end_that_cannot_be_told_is_taken_at_the_losss_word(tmp_path):
    load(tmp_path, "layers.Dense(1), layers.Lambda(lambda x: 2 * x)", LOGITS, metric_text(1, True))
    end = f"{SIGMOID}, layers.Lambda(lambda x: x * x)"
    load(tmp_path, end, '"bce"', metric_text(1, None), "squares.py")
    with pytest.raises(InvalidSpaceError, match="compares amounts"):
        load(tmp_path, end, '"mse"', metric_text(1, None), "amounts.py")
    hidden = f"{SIGMOID}, layers.Lambda(lambda x: 1 - x)"
    with pytest.raises(InvalidSpaceError, match=r"takes logits, and .* as probabilities are"):
        load(tmp_path, hidden, LOGITS, metric_text(1, True), "hidden.py")
    load(tmp_path, hidden, LOGITS.replace("True", "False"), metric_text(1, False), "mended.py")


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (
            losses.SparseCategoricalCrossentropy(from_logits=True),
            r"end the model with keras.layers.Dense\(3\)$",
        ),
        ("mse", r'Dense\(3, activation="softmax"\); if mse is of .*--task amount$'),
        (
            "binary_crossentropy",
            r'Dense\(3, activation="softmax"\) and compile it with loss=.*Sparse.*logits=False\)$',
        ),
    ],
)
def test_the_end_that_is_advised_fits_the_loss(loss, said):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(7 if loss != "mse" else 1)])
    model.compile("adam", loss)
    with pytest.raises(OutputsError, match=said):
        outputs_of(model, Task(TaskKind.CLASSES, ("label",), ("a", "b", "c")))


def test_metrics_in_the_place_of_loss_weights_are_refused(tmp_path):
    model = keras.Sequential([keras.Input((28,)), layers.Dense(1, "sigmoid")])
    model.compile("adam", "bce", ["accuracy", keras.metrics.AUC()])
    with pytest.raises(InvalidSpaceError, match=r'is loss_weights .* as in metrics=\["accuracy"\]'):
        check_built(tmp_path / "mine.py", model, columns(28))
    model.compile("adam", "bce", [10.0])
    check_built(tmp_path / "mine.py", model, columns(28))


def test_a_function_as_a_metric_is_no_cross_entropy(tmp_path):
    def recall(y, p):
        return keras.ops.mean(y * p)

    model = keras.Sequential([keras.Input((28,)), layers.Dense(1, "sigmoid")])
    model.compile("adam", "bce", metrics=["accuracy", recall])
    assert recorded_metric(model) is None
