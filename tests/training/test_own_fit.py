"""What a HyperModel's own `fit` gives to model.fit is how its trials are trained."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sweep.errors import InvalidSpaceError
from sweep.records import EpochRecord, OutcomeStatus
from sweep.space.inputs import columns
from sweep.space.load import load_space
from sweep.tasks.task import Task, TaskKind
from tests.support.fused import (
    BATCH,
    N_FEATURES,
    MemoryJournal,
    assignment,
    same_bits,
    small_split,
    train_all,
)

SPACE = """
import keras, keras_tuner

class Mine(keras_tuner.HyperModel):
    def build(self, hp):
        model = keras.Sequential([
            keras.layers.Dense(hp.Choice("width", [3, 4]), activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ])
        model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["binary_crossentropy"])
        return model

    def fit(self, hp, model, x, y, **kwargs):
        weight = hp.Choice("weight", [0.0, 3.0])
        return model.fit(
            x,
            y,
            batch_size=hp.Choice("batch", [16, 64]),
            shuffle=hp.Boolean("mix", default=True),
            **({"epochs": hp.Int("epochs", 2, 9)} if hp.Boolean("ends") else {}),
            class_weight={1: weight} if weight else None,
            **kwargs,
        )
"""
SPLIT = small_split()
PLAIN = {"width": 3, "weight": 0.0, "batch": 16, "mix": True, "ends": False}
"""A whole configuration: a trial gets no default."""


def same_records(one: Sequence[EpochRecord], other: Sequence[EpochRecord]) -> bool:
    """Whether two histories are equal in every number but the seconds."""
    left, right = ([replace(record, seconds=0) for record in records] for records in (one, other))
    return left == right


@pytest.fixture(scope="module")
def build(keras: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("own-fit") / "mine.py"
    path.write_text(SPACE)
    return load_space(str(path), columns(N_FEATURES)).build


@pytest.fixture
def train(build: Any) -> Any:
    from sweep.training.keras_trainer import KerasTrainer

    def train(*stages: int, batch_size: int = BATCH, **values: Any) -> Any:
        journal, begun = MemoryJournal(), 0
        for stage in stages:
            trainer = KerasTrainer(build, SPLIT, batch_size, None)
            train_all(trainer, [assignment(1, stage, begun, **{**PLAIN, **values})], journal)
            begun = stage
        return journal

    return train


def test_a_batch_size_that_fit_gives_is_that_of_the_training(train):
    given = train(2, batch=16)
    other = train(2, batch=64)
    assert not same_records(given.records[1], other.records[1])
    assert same_records(given.records[1], train(2, batch=16, batch_size=500).records[1])


@pytest.mark.parametrize("values", [{"batch": 16, "weight": 3.0}, {"mix": False}])
def test_promotion_continues_a_trial_to_the_last_bit(train, values):
    whole, parts = train(4, **values), train(1, 4, **values)
    assert same_records(whole.records[1], parts.records[1])
    assert same_bits(whole.states[1], parts.states[1])
    assert not same_records(whole.records[1], train(4).records[1])


def test_the_epochs_that_fit_gives_end_a_trial_for_good(train):
    journal = train(5, 9, ends=True, epochs=3)
    assert [record.epoch for record in journal.records[1]] == [1, 2, 3]
    assert [one.status for one in journal.outcomes.values()][-1] is OutcomeStatus.STOPPED
    assert same_records(journal.records[1], train(3).records[1])


def test_class_weights_count_rows_of_a_class_and_need_classes(keras):
    from sweep.training.batches import training_weights

    weights = training_weights(SPLIT, {1: 3.0})
    assert weights is not None
    assert np.array_equal(weights, np.where(SPLIT.train.y == 1, 3, 1))
    amounts = small_split()
    object.__setattr__(amounts, "task", Task(TaskKind.AMOUNT))
    with pytest.raises(InvalidSpaceError, match="the target is amount"):
        training_weights(amounts, {1: 3.0})


def test_trials_of_any_batch_size_are_fused_as_keras_trains_them(build):
    from sweep.training.fused.trainer import FusedTrainer
    from sweep.training.keras_trainer import KerasTrainer

    journal = MemoryJournal()
    trainer = FusedTrainer(build, SPLIT, BATCH, None)
    given = [{"batch": 16}, {"batch": 64}]
    work = [assignment(number, 2, **{**PLAIN, **values}) for number, values in enumerate(given)]
    train_all(trainer, work, journal)
    assert trainer.compilations == 2
    for number in range(len(given)):
        stock = MemoryJournal()
        train_all(KerasTrainer(build, SPLIT, BATCH, None), [work[number]], stock)
        for one, other in zip(journal.records[number], stock.records[number], strict=True):
            assert one.val_score == pytest.approx(other.val_score, abs=2e-6)
            assert one.fit_score == pytest.approx(other.fit_score, abs=2e-6)


def test_only_a_fit_that_does_as_all_trials_do_is_fused(build):
    from sweep.training.auto_trainer import AutoTrainer

    trainer = AutoTrainer(build, SPLIT, BATCH, None)
    alike = {"batch": BATCH, "mix": True, "ends": False, "weight": 0.0}
    reasons = [
        trainer.refusal(assignment(number, **(PLAIN | alike | values)))
        for number, values in enumerate(
            [{"batch": 16}, {"weight": 3.0}, {"mix": False}, {"ends": True, "epochs": 9}, {}]
        )
    ]
    assert reasons == [
        None,
        "fit gives class_weight",
        "fit gives shuffle=False",
        "fit gives epochs=9",
        None,
    ]
