"""Private names of Keras that are used are there, and mean what they are taken for."""

import keras
import pandas
import pytest
from keras import optimizers
from keras.optimizers import schedules

from sweep.training import keras_private

SEEN_WITH = ("3.15",)
"""Releases of Keras for which these tests have passed; others may pass as well."""


def there(thing: object, name: str) -> None:
    release = ".".join(keras.__version__.split(".")[:2])
    assert hasattr(thing, name), (
        f"Keras {release} has no {type(thing).__name__}.{name}: models would silently be left to "
        f"the slow trainer. Seen with {', '.join(SEEN_WITH)}; mend sweep/training/keras_private.py"
    )


def built(optimizer: keras.Optimizer) -> keras.Optimizer:
    optimizer.build([keras.Variable([1.0, 2.0]), keras.Variable([3.0])])
    return optimizer


@pytest.mark.parametrize(
    ("optimizer", "names"),
    [
        (lambda: optimizers.Adam(0.5), ["_momentums", "_velocities"]),
        (lambda: optimizers.Adam(0.5, amsgrad=True), ["_velocity_hats"]),
        (lambda: optimizers.AdamW(0.5), ["_momentums", "_velocities"]),
        (lambda: optimizers.SGD(0.5, momentum=0.5), ["momentums"]),
        (lambda: optimizers.Nadam(0.5), ["_momentums", "_velocities", "_u_product"]),
        (lambda: optimizers.Adamax(0.5), ["_m", "_u"]),
        (lambda: optimizers.Adagrad(0.5), ["_accumulators"]),
        (lambda: optimizers.Adadelta(0.5), ["_accumulated_grads", "_accumulated_delta_vars"]),
        (lambda: optimizers.RMSprop(0.5, centered=True), ["_velocities", "_average_gradients"]),
        (lambda: optimizers.Lion(0.5), ["_momentums"]),
    ],
    ids=[
        "Adam",
        "AMSGrad",
        "AdamW",
        "SGD",
        "Nadam",
        "Adamax",
        "Adagrad",
        "Adadelta",
        "RMSprop",
        "Lion",
    ],
)
def test_the_names_are_there(optimizer, names):
    for name in ("_iterations", "_learning_rate", *names):
        there(built(optimizer()), name)


def test_every_variable_of_an_optimizer_is_found_once():
    for optimizer, expected in (
        (optimizers.Adam(0.5), {"first": 2, "second": 2}),
        (optimizers.Adam(0.5, amsgrad=True), {"first": 2, "second": 2, "highest": 2}),
        (optimizers.SGD(0.5, momentum=0.5), {"first": 2}),
        (optimizers.SGD(0.5), {"first": 0}),
        (optimizers.Nadam(0.5), {"first": 2, "second": 2}),
        (optimizers.Adamax(0.5), {"first": 2, "second": 2}),
        (optimizers.Adagrad(0.5), {"second": 2}),
        (optimizers.Adadelta(0.5), {"first": 2, "second": 2}),
        (optimizers.RMSprop(0.5), {"first": 0, "second": 2, "average": 0}),
        (
            optimizers.RMSprop(0.5, momentum=0.5, centered=True),
            {"first": 2, "second": 2, "average": 2},
        ),
        (optimizers.Lion(0.5), {"first": 2}),
    ):
        slots = keras_private.slots(built(optimizer))
        assert {slot: len(variables) for slot, variables in slots.items()} == expected
        found = [
            keras_private.iteration_count(optimizer),
            keras_private.rate_or_schedule(optimizer),
            *(variable for variables in slots.values() for variable in variables),
        ]
        product = keras_private.product_of_momenta(optimizer)
        found += [] if product is None else [product]
        assert sorted(map(id, found)) == sorted(map(id, optimizer.variables))


def test_a_schedule_is_found_itself():
    schedule = schedules.InverseTimeDecay(0.01, 20, 1.0)
    assert keras_private.rate_or_schedule(optimizers.Adam(schedule)) is schedule


def test_weights_that_are_spared_from_decay_are_noticed():
    optimizer = optimizers.AdamW(0.01)
    assert not keras_private.spares_weights_from_decay(optimizer)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    there(optimizer, "_exclude_from_weight_decay")
    assert keras_private.spares_weights_from_decay(optimizer)


def test_pandas_classes_are_known_by_name():
    table = pandas.DataFrame({"a": [1.0]})
    assert isinstance(table, keras_private.DataFrame) and not isinstance(
        table, keras_private.Series
    )
    assert isinstance(table["a"], keras_private.Series)
    assert not isinstance([1.0], (keras_private.DataFrame, keras_private.Series))
