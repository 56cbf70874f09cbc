"""Tasks other than one of two classes: losses, ends, inputs, against Keras.

Weights agree within 1e-5 after two epochs of four steps, and losses by row within 5e-6.
"""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops, optimizers

from sweep.data.split import Rows
from sweep.records import OutcomeStatus
from sweep.space.scoring import scoring_of
from sweep.space.targets import target_form
from sweep.tasks.losses import Loss, LossName
from sweep.tasks.scoring import Scoring
from sweep.tasks.task import Task, TaskKind
from sweep.training.fused.measuring import measured
from sweep.training.fused.program import losses
from sweep.training.fused.program.shape import RowCounts, Shape
from sweep.training.fused.reading.model import carries, read
from sweep.training.fused.trainer import FusedTrainer
from sweep.training.keras_trainer import KerasTrainer
from sweep.training.model import own_metrics
from tests.support.fused import (
    BATCH,
    MemoryJournal,
    assignment,
    eagerly,
    measures,
    small_split,
    train_all,
)

CLASSES = Task(TaskKind.CLASSES, classes=("a", "b", "c"))
AMOUNT = Task(TaskKind.AMOUNT)
AMOUNTS = Task(TaskKind.AMOUNT, targets=("mass", "age"))
LABELS = Task(TaskKind.LABELS, targets=("wet", "cold"))

PIXELS = (7, 4)


def pixels(*stack):
    """A model of images that are flattened, rescaled and normalised first."""
    random = np.random.default_rng(3)
    mean, variance = random.normal(size=28), random.uniform(0.5, 2, 28)
    return keras.Sequential(
        [
            keras.Input(PIXELS),
            layers.Rescaling(0.5, 0.1),
            layers.Flatten(),
            layers.Normalization(mean=mean, variance=variance),
            *stack,
        ]
    )


def columns(*stack):
    return keras.Sequential([keras.Input((28,)), layers.Flatten(), *stack])


def of_classes():
    model = pixels(layers.Dense(12, "relu"), layers.Dense(3, "softmax"))
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    model.compile(optimizers.Adam(0.01), loss)
    return model


def of_classes_from_logits():
    model = columns(layers.Dense(12, "elu"), layers.Dense(3, use_bias=False))
    model.compile(
        optimizers.RMSprop(0.002, epsilon=1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def of_labels():
    model = columns(layers.Dense(12, "tanh"), layers.Dense(2), layers.Activation("sigmoid"))
    model.compile(optimizers.SGD(0.05), "binary_crossentropy")
    return model


def of_amount():
    normalization = layers.Normalization()
    normalization.adapt(small_split().train.x)
    model = keras.Sequential(
        [
            keras.Input((28,)),
            normalization,
            layers.Dense(12, "relu", kernel_regularizer="l2"),
            layers.Dense(1),
        ]
    )
    model.compile(optimizers.Adam(0.01), keras.losses.Huber(0.5), metrics=["mae"])
    return model


def of_counts():
    model = columns(layers.Dense(12, "elu"), layers.Dense(2, "softplus"))
    model.compile(optimizers.Nadam(0.01), "poisson")
    return model


MODELS = {
    "classes of pixels": (of_classes, CLASSES, LossName.CROSSENTROPY),
    "classes from logits": (of_classes_from_logits, CLASSES, LossName.CROSSENTROPY),
    "labels": (of_labels, LABELS, LossName.BINARY_CROSSENTROPY),
    "an amount": (of_amount, AMOUNT, LossName.HUBER),
    "two counts": (of_counts, AMOUNTS, LossName.POISSON),
}


def split_for(task, shaped):
    split = small_split()

    def rows(part):
        x = part.x
        signal = np.stack([x[:, 0] * x[:, 1] + x[:, 2], x[:, 3]], axis=1)
        y = {
            TaskKind.CLASSES: np.digitize(signal[:, 0], [-0.5, 0.5]),
            TaskKind.LABELS: signal > 0,
            TaskKind.AMOUNT: np.abs(signal) if task.n_targets > 1 else signal[:, 0],
        }[task.kind].astype(np.float32)
        return Rows(x.reshape(-1, *PIXELS) if shaped else x, y)

    parts = {"train": rows(split.train), "validation": rows(split.validation)}
    return replace(split, task=task, **parts)


@pytest.mark.parametrize("name", MODELS)
def test_two_epochs_agree_with_keras(name):
    build, task, loss = MODELS[name]
    split = split_for(task, "pixels" in name)
    scoring = Scoring(Loss(loss, 0.5 if loss is LossName.HUBER else 1.0))
    fused, stock = MemoryJournal(), MemoryJournal()
    for kind, made, journal in (
        (FusedTrainer, lambda hp: build(), fused),
        (KerasTrainer, eagerly(lambda hp: build()), stock),
    ):
        trainer = kind(made, split, BATCH, None, scoring=scoring)
        train_all(trainer, [assignment(0, 2)], journal)
        assert journal.outcomes[0].status is OutcomeStatus.COMPLETED, journal.outcomes[0].error
    assert fused.outcomes[0].params == stock.outcomes[0].params
    for mine, theirs in zip(fused.records[0], stock.records[0], strict=True):
        np.testing.assert_allclose(measures(mine), measures(theirs), rtol=0, atol=5e-6)
    for group in ("model", "optimizer", "best"):
        mine, theirs = (getattr(journal.states[0], group) for journal in (fused, stock))
        for one, other in zip(mine, theirs, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


def shape_of(kind, end, outputs):
    return Shape(
        rows=RowCounts(5, 5, 5),
        features=1,
        widths=(),
        activations=(),
        depth="exact",
        biased=(True,),
        chains=(),
        outputs=outputs,
        loss=kind,
        optimizer="sgd",
        clip="",
        l1=False,
        bias_penalty=False,
        slots=1,
        end=end,
    )


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("end", ["linear", "softplus", "relu", "sigmoid"])
@pytest.mark.parametrize("kind", losses.AMOUNTS)
def test_losses_of_amounts_and_their_gradients_are_those_of_keras(kind, end, outputs):
    random = np.random.default_rng(1)
    shape = shape_of(kind, end, outputs)
    size = (1, 40, outputs) if shape.several else (1, 40)
    z = tf.constant(random.normal(size=size).astype(np.float32) * 2)
    y = np.abs(random.normal(size=size)).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(z)
        p = losses.ended(shape, z)
        p, true = (p, y) if shape.several else (p[..., None], y[..., None])
        function = getattr(keras.losses, kind)
        theirs = function(true, p, 0.7) if kind == "huber" else function(true, p)
    mine = losses.of(shape, z, ops.convert_to_tensor(y), np.full((1, 2), 0.7, np.float32))
    np.testing.assert_allclose(mine.metric, theirs, rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(mine.gradient, tape.gradient(theirs, z), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("kind", ["classes", "classes smoothed", "labels", "labels smoothed"])
def test_losses_of_classes_and_labels_are_those_of_keras(kind):
    random = np.random.default_rng(1)
    z = tf.constant(random.normal(size=(1, 40, 3)).astype(np.float32) * 3)
    of_classes = kind.startswith("classes")
    y = random.integers(0, 3 if of_classes else 2, (1, 40) if of_classes else (1, 40, 3))
    smoothing = 0.2 if "smoothed" in kind else 0.0
    true = np.eye(3)[y] if of_classes else y
    name = "categorical_crossentropy" if of_classes else "binary_crossentropy"
    function = getattr(keras.losses, name)
    with tf.GradientTape() as tape:
        tape.watch(z)
        true = true.astype(np.float32)
        theirs = function(true, z, from_logits=True, label_smoothing=smoothing)
    y = ops.convert_to_tensor(y.astype(np.float32))
    mine = losses.of(shape_of(kind, "linear", 3), z, y, np.full((1, 2), smoothing, np.float32))
    np.testing.assert_allclose(mine.loss if smoothing else mine.metric, theirs, atol=2e-6)
    np.testing.assert_allclose(mine.gradient, tape.gradient(theirs, z), atol=1e-6)
    plain = function(true, z, from_logits=True)
    np.testing.assert_allclose(mine.metric, plain, atol=2e-6)


def compiled(loss, *stack):
    model = columns(*stack)
    model.compile("adam", loss)
    return model


REFUSED = {
    "not a loss of classes": (CLASSES, lambda: compiled("mse", layers.Dense(2)), "loss mse"),
    "too few classes": (
        CLASSES,
        lambda: compiled("sparse_categorical_crossentropy", layers.Dense(2, "softmax")),
        "2 outputs, expected 3",
    ),
    "too many amounts": (
        AMOUNT, lambda: compiled("mse", layers.Dense(2)), "2 outputs, expected 1",
    ),
    "another loss": (AMOUNT, lambda: compiled("log_cosh", layers.Dense(1)), None),
    "not a loss of amounts": (
        AMOUNT, lambda: compiled("hinge", layers.Dense(1)), "loss hinge",
    ),
    "no probabilities": (
        LABELS,
        lambda: compiled("binary_crossentropy", layers.Dense(2)),
        "a loss of probabilities behind activation linear",
    ),
    "a loss of one's own": (
        AMOUNT, lambda: compiled(lambda y, p: (y - p) ** 2, layers.Dense(1)), "loss <lambda>",
    ),
    "shares of amounts": (
        AMOUNTS, lambda: compiled("mse", layers.Dense(2, "softmax")), "amounts out of a softmax",
    ),
    "pixels that are not flattened": (
        AMOUNT,
        lambda: _of_pixels(),
        "rows of shape (7, 4) that no layer flattens first",
    ),
}  # fmt: skip


def _of_pixels():
    model = keras.Sequential([keras.Input(PIXELS), layers.Dense(1), layers.Flatten()])
    model.compile("adam", "mse")
    return model


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_the_task_is_refused_by_name(name):
    task, build, reason = REFUSED[name]
    assert carries(build(), task) == reason


def test_what_is_done_to_the_input_is_one_shift_and_one_division():
    description = read(of_classes(), CLASSES)
    assert description.features == 28
    shift, divisor = map(np.array, description.scaling)
    x = np.random.default_rng(0).normal(size=(5, *PIXELS)).astype(np.float32)
    prepared = keras.Sequential(of_classes().layers[:3])
    keras_x = prepared(x).numpy()
    # a constant of each model's own: that of this model has the same seed
    np.testing.assert_allclose((x.reshape(5, 28) - shift) / divisor, keras_x, atol=1e-6)


@keras.saving.register_keras_serializable("tests")
def distance(y_true, y_pred):
    return ops.mean(ops.abs(y_true - y_pred))


METRICS = {
    "binary": (
        Task(),
        [layers.Dense(1, "sigmoid")],
        "binary_crossentropy",
        ["accuracy", keras.metrics.Precision(name="p"), keras.metrics.Recall()],
    ),
    "labels": (
        LABELS,
        [layers.Dense(2, "sigmoid")],
        "binary_crossentropy",
        ["accuracy", "binary_accuracy"],
    ),
    "amount": (
        AMOUNT,
        [layers.Dense(1)],
        "mae",
        ["accuracy", "mape", keras.metrics.RootMeanSquaredError(name="r")],
    ),
}


@pytest.mark.parametrize("kind", METRICS)
def test_own_metrics_are_those_of_keras(kind):
    task, stack, loss, metrics = METRICS[kind]
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((5,)), *stack])
    model.compile("adam", loss, metrics=metrics)
    random = np.random.default_rng(1)
    x = random.normal(size=(40, 5)).astype(np.float32)
    y = random.random(40 if task.n_targets == 1 else (40, 2)).astype(np.float32)
    y = y if kind == "amount" else np.round(y)
    outputs = model(x).numpy()
    known = read(model, task)
    before = outputs if kind == "amount" else np.log(outputs / (1 - outputs))
    before = before[:, 0] if before.shape[1] == 1 else before
    scoring = scoring_of(model, task)
    found = measured(known.loss, before, Rows(x, y), task, scoring, known.metrics)
    from_keras = own_metrics(model, outputs, y, target_form(model, task))
    assert found.metrics == pytest.approx(from_keras, rel=1e-5)


@pytest.mark.parametrize(
    "metric",
    [distance, keras.metrics.BinaryAccuracy(threshold=0.3), keras.metrics.AUC(curve="PR")],
)
def test_a_metric_that_only_keras_measures_is_left_to_it(metric):
    model = keras.Sequential([keras.Input((5,)), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy", metric])
    assert "metric" in str(carries(model, Task()))
