"""A trial whose build asks for a name without a value fails by that name; it gets no default."""

from typing import Any

import pytest

from sweep.records import Assignment, OutcomeStatus
from tests.support.fused import BATCH, MemoryJournal, small_split, train_all


@pytest.fixture(autouse=True)
def _keras(keras: Any) -> None:
    return


def build(hp: Any) -> Any:
    import keras

    units = hp.Int("units", 2, 1000)
    hidden = hp.Float("hidden", 0.1, 0.9) if units == 3 else 0.0
    stack = [keras.layers.Dense(units, "relu"), keras.layers.Dropout(hidden)]
    model = keras.Sequential([keras.Input((28,)), *stack, keras.layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    return model


@pytest.mark.parametrize("trainer", ["keras", "auto"])
def test_a_name_without_a_value_fails_its_trial_alone(trainer):
    from sweep.training.auto_trainer import AutoTrainer
    from sweep.training.keras_trainer import KerasTrainer

    kind = KerasTrainer if trainer == "keras" else AutoTrainer
    given = [{"units": 3}, {"units": 3, "hidden": 0.5}, {"units": 4}]
    tasks = [Assignment(n, n, 0, 0, 1, dict(values), 1) for n, values in enumerate(given)]
    journal = MemoryJournal()
    train_all(kind(build, small_split(), BATCH, None), tasks, journal)
    statuses = [journal.outcomes[number].status for number in range(3)]
    assert statuses == [OutcomeStatus.FAILED, OutcomeStatus.COMPLETED, OutcomeStatus.COMPLETED]
    said = str(journal.outcomes[0].error)
    assert "test_unforeseen.py line" in said and "asks for 'hidden'" in said
