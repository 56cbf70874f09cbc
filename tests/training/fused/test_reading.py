"""What the fused trainer refuses, in words; and how the auto trainer shares out the work."""

import keras
import numpy as np
import pytest
from keras import layers, optimizers, regularizers

from search_spaces import capacity, regularization
from sweep.records import OutcomeStatus
from sweep.training.auto_trainer import AutoTrainer
from sweep.training.fused.description import FusedLoss, Unit
from sweep.training.fused.layers.activation import Activation
from sweep.training.fused.layers.batch_normalization import BatchNormalization
from sweep.training.fused.layers.dropout import Dropout
from sweep.training.fused.layers.penalty import Penalty
from sweep.training.fused.reading.kept import Readings
from sweep.training.fused.reading.model import carries, read
from sweep.training.model import build_model, get_state
from sweep.training.queue import Queue
from tests.support.fused import (
    BATCH,
    MemoryJournal,
    assignment,
    never,
    normalised,
    small_split,
    train_all,
)

SMALL = {"width": 16, "depth": 1, "l2": 0.0, "dropout": 0.0, "decay_steps": 500}


def compiled(*stack, optimizer=None, loss=None, metric=None, inputs=28):
    model = keras.Sequential([keras.Input((inputs,)), *stack])
    model.compile(
        optimizer or optimizers.Adam(),
        loss=loss or keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[
            metric or keras.metrics.BinaryCrossentropy(from_logits=True, name="binary_crossentropy")
        ],
    )
    return model


CATEGORICAL = keras.losses.SparseCategoricalCrossentropy
LIKEWISE = keras.metrics.SparseCategoricalCrossentropy(from_logits=True, name="binary_crossentropy")


def rms_scaled():
    with pytest.warns(UserWarning, match="rms_scaling"):
        return compiled(layers.LayerNormalization(rms_scaling=True), layers.Dense(1))


class OwnDense(layers.Dense):
    pass


REFUSED = {
    "layer SpectralNormalization": lambda: compiled(
        layers.SpectralNormalization(layers.Dense(4)), layers.Dense(1)
    ),
    "LayerNormalization with rms_scaling": rms_scaled,
    "BatchNormalization behind the output layer": lambda: compiled(
        layers.Dense(1), layers.BatchNormalization()
    ),
    "Dropout behind the output layer": lambda: compiled(layers.Dense(1), layers.Dropout(0.1)),
    "BatchNormalization with renorm": lambda: compiled(
        layers.BatchNormalization(renorm=True), layers.Dense(1)
    ),
    "BatchNormalization with epsilon 0.0": lambda: compiled(
        layers.BatchNormalization(epsilon=0), layers.Dense(1)
    ),
    "layer BatchNormalization that is not trainable": lambda: compiled(
        layers.BatchNormalization(trainable=False), layers.Dense(1)
    ),
    "layer OwnDense": lambda: compiled(OwnDense(1)),
    "activation softmax in a hidden layer": lambda: compiled(
        layers.Dense(4, activation="softmax"), layers.Dense(1)
    ),
    "activation <lambda>": lambda: compiled(
        layers.Dense(4, activation=lambda x: 2 * x), layers.Dense(1)
    ),
    "regularizer OrthogonalRegularizer": lambda: compiled(
        layers.Dense(4, kernel_regularizer=regularizers.OrthogonalRegularizer()), layers.Dense(1)
    ),
    "an activity regularizer": lambda: compiled(layers.Dense(1, activity_regularizer="l2")),
    "a weight constraint": lambda: compiled(layers.Dense(1, kernel_constraint="non_neg")),
    "layer Dense that is not trainable": lambda: compiled(
        layers.Dense(4, trainable=False), layers.Dense(1)
    ),
    "precision mixed_bfloat16": lambda: compiled(layers.Dense(1, dtype="mixed_bfloat16")),
    "2 outputs, expected 1": lambda: compiled(layers.Dense(2)),
    "a loss of logits behind activation tanh": lambda: compiled(layers.Dense(1, activation="tanh")),
    "a loss of probabilities behind activation hard_sigmoid": lambda: compiled(
        layers.Dense(1, activation="hard_sigmoid"), loss="bce", metric="binary_crossentropy"
    ),
    "optimizer Ftrl": lambda: compiled(layers.Dense(1), optimizer=optimizers.Ftrl()),
    "RMSprop with epsilon=0.0": lambda: compiled(
        layers.Dense(1), optimizer=optimizers.RMSprop(epsilon=0.0)
    ),
    "Adam with use_ema=True": lambda: compiled(
        layers.Dense(1), optimizer=optimizers.Adam(use_ema=True)
    ),
    "SGD with gradient_accumulation_steps=2": lambda: compiled(
        layers.Dense(1), optimizer=optimizers.SGD(gradient_accumulation_steps=2)
    ),
    "layer PReLU": lambda: compiled(layers.Dense(4), layers.PReLU(), layers.Dense(1)),
    "Softmax over axis 2": lambda: compiled(layers.Dense(4), layers.Softmax(2), layers.Dense(1)),
    "ReLU with a threshold, or with both a slope and a maximum": lambda: compiled(
        layers.Dense(4), layers.ReLU(threshold=0.5), layers.Dense(1)
    ),
    "loss reduction 'sum'": lambda: compiled(
        layers.Dense(1), loss=keras.losses.MeanSquaredError(reduction="sum")
    ),
    "a loss that ignores a class": lambda: compiled(
        layers.Dense(2),
        loss=CATEGORICAL(from_logits=True, ignore_class=0),
        metric=LIKEWISE,
    ),
    "1 output, expected 2": lambda: compiled(
        layers.Dense(1), loss=CATEGORICAL(from_logits=True), metric=LIKEWISE
    ),
    "loss hinge": lambda: compiled(layers.Dense(1), loss="hinge"),
    "a metric binary_crossentropy that is not the loss": lambda: compiled(
        layers.Dense(1), metric=keras.metrics.BinaryCrossentropy(name="binary_crossentropy")
    ),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_it_does_not_know_is_refused_by_name(reason):
    assert carries(REFUSED[reason]()) == reason


def test_a_branching_model_is_refused():
    given = keras.Input((28,))
    h = layers.Dense(4)(given)
    output = layers.Dense(1)(layers.Add()([h, layers.Dense(4)(h)]))
    model = keras.Model(given, output)
    model.compile(
        "adam",
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryCrossentropy(from_logits=True, name="binary_crossentropy")],
    )
    assert carries(model) == "layers that are no simple chain, at Add"


def test_a_description_says_what_the_model_is():
    model = capacity.mlp(12, 2, 1e-3, 0.25, 700)
    description = read(model)
    parts = Activation("elu"), Dropout(0.25)
    unit = Unit(width=12, parts=parts, kernel=Penalty(l2=1e-3))
    assert description.hidden == (unit, unit)
    assert description.optimizer.schedule.settings["decay_steps"] == 700
    assert description.params == model.count_params()


def test_an_activation_layer_is_known_by_its_function():
    model = compiled(layers.Dense(4), layers.Activation("hard_swish"), layers.Dense(1))
    assert read(model).hidden[0].activation == "hard_silu"


def test_the_input_and_layers_without_bias_are_described():
    model = compiled(
        layers.Dropout(0.1),
        layers.Dense(12, use_bias=False, bias_regularizer="l2"),
        layers.Dense(1, use_bias=False),
    )
    description = read(model)
    assert description.given == Unit(width=28, parts=(Dropout(0.1),))
    assert description.hidden == (Unit(width=12, biased=False),)
    assert description.params == model.count_params() == 28 * 12 + 12


def test_parts_are_described_in_their_order():
    model = compiled(
        layers.BatchNormalization(scale=False),
        layers.Dense(8, activation="elu"),
        layers.BatchNormalization(momentum=0.9, center=False, gamma_regularizer="l2"),
        layers.Dense(4),
        layers.BatchNormalization(epsilon=1e-2),
        layers.Activation("elu"),
        layers.Dense(1),
    )
    description = read(model)
    assert description.given.parts == (BatchNormalization(0.99, 1e-3, gamma=None),)
    after, before = (unit.parts for unit in description.hidden)
    normalised = BatchNormalization(0.9, 1e-3, gamma=Penalty(l2=0.01), beta=None)
    assert after == (Activation("elu"), normalised)
    assert before == (BatchNormalization(0.99, 1e-2), Activation("elu"))
    trainable = sum(weight.shape.num_elements() for weight in model.trainable_variables)
    assert description.params == trainable


def test_a_loss_may_be_named_and_its_labels_smoothed():
    named = compiled(layers.Dense(1, "sigmoid"), loss="bce", metric="binary_crossentropy")
    assert read(named).loss == FusedLoss(from_logits=False)
    smoothed = compiled(
        layers.Dense(1),
        loss=keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
    )
    assert read(smoothed).loss == FusedLoss(from_logits=True, smoothing=0.1)
    squared = compiled(
        layers.Dense(1, "sigmoid"),
        loss=keras.losses.MeanSquaredError(),
        metric="binary_crossentropy",
    )
    assert read(squared).loss == FusedLoss(from_logits=False, squared=True)
    categorical = compiled(layers.Dense(2), loss=CATEGORICAL(from_logits=True), metric=LIKEWISE)
    assert read(categorical).loss == FusedLoss(from_logits=True, categorical=True)


@pytest.mark.parametrize("space", [capacity, regularization])
def test_the_shipped_spaces_are_fused(space):
    trainer = AutoTrainer(space.build, small_split(), BATCH, None)
    for values in space.BASELINES.values():
        surveyed = trainer.survey(values)
        assert surveyed.refusal is None and surveyed.program is not None
        assert surveyed.params == build_model(space.build, values, 1).count_params()


def initial_arrays(readings, task):
    state = readings.initial_state(task, None)
    return [*state.model, *state.optimizer]


OPTIMIZERS = {
    "Adam": lambda: optimizers.Adam(0.01),
    "AMSGrad": lambda: optimizers.Adam(0.01, amsgrad=True),
    "AdamW": lambda: optimizers.AdamW(optimizers.schedules.ExponentialDecay(0.1, 9, 0.9)),
    "Nadam": lambda: optimizers.Nadam(0.1),
    "Adagrad": lambda: optimizers.Adagrad(0.1, initial_accumulator_value=0.3),
    "RMSprop": lambda: optimizers.RMSprop(0.1, momentum=0.5, centered=True),
    "SGD": lambda: optimizers.SGD(0.1),
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9),
    "Nesterov": lambda: optimizers.SGD(
        optimizers.schedules.CosineDecay(0.1, 9), momentum=0.9, nesterov=True
    ),
}


def under(optimizer):
    def build(hp):
        hidden = [layers.Dense(8) for _ in range(hp.get("depth"))]
        return compiled(*hidden, layers.Dense(1), optimizer=OPTIMIZERS[optimizer]())

    return build


@pytest.mark.parametrize(
    "build",
    [capacity.build, normalised, *map(under, OPTIMIZERS)],
    ids=["plain", "normalised", *OPTIMIZERS],
)
def test_a_model_that_is_only_read_has_the_values_of_one_for_fit(build):
    readings = Readings(build)
    for number in range(6):  # the first is made in full; the later ones by doubles
        task = assignment(number, **{**SMALL, "depth": 1 + number % 2, "dropout": 0.2})
        found = initial_arrays(readings, task)
        model = build_model(build, task.hyperparameters, task.seed)
        expected = get_state(model.variables) + get_state(model.optimizer.variables)
        for one, other in zip(found, expected, strict=True):
            assert one.dtype == other.dtype
            assert np.array_equal(one, other)


@pytest.mark.parametrize("build", [capacity.build, normalised], ids=["plain", "normalised"])
def test_a_model_alike_but_for_numbers_is_read_without_keras(build, monkeypatch):
    readings, plain = Readings(build), Readings(build)
    for number in range(2):
        readings.description(assignment(number, **{**SMALL, "dropout": 0.1 + 0.01 * number}))
    made = []
    monkeypatch.setattr(
        "sweep.training.fused.reading.kept.trial_model.build_model",
        lambda *args, **options: made.append(args) or build_model(*args, **options),
    )
    for number in range(2, 6):
        task = assignment(number, **{**SMALL, "dropout": 0.1 * number, "width": 16 + number})
        mine = readings.description(task)
        assert not made
        assert mine == plain.description(task)
        assert readings.regularisation(task) == plain.regularisation(task)
        made.clear()
    assert isinstance(layers.Dense(1), layers.Dense)  # Keras is as it was
    assert layers.Dense(1)(np.zeros((1, 2))).shape == (1, 1)


def test_a_double_that_is_unlike_its_model_is_not_trusted(caplog):
    """A build that looks at the model cannot; one that Keras would treat otherwise is compared."""

    def looks(hp):
        model = capacity.build(hp)
        assert len(model.layers) > 1
        return model

    readings = Readings(looks)
    with caplog.at_level("INFO", "sweep"):
        for number in range(6):
            readings.description(assignment(number, **{**SMALL, "l2": 1e-3 * number}))
    assert caplog.text.count("made by Keras: a model's layers") == 3


def test_a_build_that_sets_weights_is_read_with_those(caplog):
    def build(hp):
        model = capacity.build(hp)
        model.layers[0].kernel.assign(np.full(model.layers[0].kernel.shape, 0.25, np.float32))
        return model

    readings = Readings(build)
    with caplog.at_level("INFO", "sweep"):
        for number in range(2):
            task = assignment(number, **{**SMALL, "depth": 1 + number})
            kernel, *_ = initial_arrays(readings, task)
            assert (kernel == 0.25).all()
    assert caplog.text.count("build is called again, with variables, after") == 1


def test_a_layer_that_the_search_space_keeps_is_made_for_good():
    """Its variables would be missing when a model with it is trained or exported."""
    kept = layers.Dense(16, activation="elu")

    def build(hp):
        return compiled(kept, layers.Dense(hp.Choice("width", [16, 32])), layers.Dense(1))

    readings = Readings(build)
    for number, width in enumerate((16, 32)):
        readings.description(assignment(number, width=width))
    kept.kernel.assign(np.zeros(kept.kernel.shape))
    assert not np.asarray(kept.kernel).any()


def test_auto_fuses_what_it_can_and_leaves_the_rest_to_keras(caplog):
    def build(hp):
        if hp.get("width") == 32:
            return compiled(layers.Dense(32), layers.UnitNormalization(), layers.Dense(1))
        if hp.get("width") == 64:
            raise RuntimeError("no luck")
        return capacity.build(hp)

    trainer, journal = AutoTrainer(build, small_split(), BATCH, None), MemoryJournal()
    work = [assignment(trial, 1, **{**SMALL, "width": 16 << trial}) for trial in range(3)]
    with caplog.at_level("INFO"):
        train_all(trainer, work, journal)
    assert [journal.outcomes[trial].status for trial in range(3)] == [
        OutcomeStatus.COMPLETED,
        OutcomeStatus.COMPLETED,
        OutcomeStatus.FAILED,
    ]
    assert [journal.outcomes[trial].trainer for trial in range(3)] == ["fused", "keras", "keras"]
    assert trainer.compilations == 1
    assert "trial 1 is left to Keras: layer UnitNormalization" in caplog.text


def test_auto_takes_up_what_the_end_of_a_trial_brings_whichever_trainer_ended_it():
    def build(hp):
        if hp.get("width") == 32:
            return compiled(layers.Dense(4), layers.UnitNormalization(), layers.Dense(1))
        return capacity.build(hp)

    queue, journal = Queue([assignment(0, 1, **SMALL)]), MemoryJournal()
    following = {0: assignment(1, 1, **{**SMALL, "width": 32}), 1: assignment(2, 1, **SMALL)}
    trainer = AutoTrainer(build, small_split(), BATCH, None)
    for ended in trainer.train(queue, journal, never):
        journal.finish(ended)
        trial = ended.assignment.trial
        queue.extend([following[trial]] if trial in following else [])
    statuses = {trial: outcome.status for trial, outcome in journal.outcomes.items()}
    assert statuses == dict.fromkeys(range(3), OutcomeStatus.COMPLETED)
