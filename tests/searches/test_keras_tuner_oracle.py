"""What is taken from Keras Tuner's private names is there, in the versions that were tried."""

from importlib.metadata import version
from typing import Any

import pytest

SEEN_TO_WORK = ("1.4.8",)


@pytest.fixture
def oracle(keras: Any) -> Any:
    import keras_tuner

    from sweep.searches.keras_tuner_oracle import KerasTunerOracle

    space = keras_tuner.HyperParameters()
    space.Choice("width", [8, 16, 32])
    return KerasTunerOracle(space, max_epochs=9, factor=3, seed=1)


def test_the_installed_keras_tuner_is_one_that_was_tried():
    assert version("keras-tuner") in SEEN_TO_WORK


def test_rungs_are_hyperbands(oracle):
    assert [(oracle.size(2, rung), oracle.epochs(2, rung)) for rung in range(3)] == [
        (9, 1), (3, 3), (1, 9)
    ]  # fmt: skip


def test_each_configuration_is_drawn_once_and_then_none(oracle):
    assert oracle.is_fresh
    drawn = []
    while (values := oracle.draw()) is not None:
        oracle.mark_as_tried(values)
        drawn.append(values["width"])
    assert sorted(drawn) == [8, 16, 32]
    assert not oracle.is_fresh


def test_what_is_marked_is_not_drawn(oracle):
    oracle.mark_as_tried({"width": 8})
    oracle.mark_as_tried({"width": 32})
    assert oracle.draw() == {"width": 16}
