"""The one place that touches private names of Keras: an optimizer's state, what it has of pandas.

`tests/training/test_keras_private.py` fails with the missing name when one of them is gone, and
says for which versions of Keras that has been seen to be well.
"""

from types import SimpleNamespace
from typing import Any

_SLOTS = {
    "_momentums": "first",  # Adam's, Nadam's, Lion's, RMSprop's
    "momentums": "first",  # SGD's, public
    "_m": "first",  # Adamax'
    "_accumulated_delta_vars": "first",  # Adadelta's
    "_velocities": "second",
    "_velocity_hats": "highest",
    "_u": "second",  # Adamax'
    "_accumulators": "second",  # Adagrad's
    "_accumulated_grads": "second",  # Adadelta's
    "_average_gradients": "average",  # of RMSprop, if it is centred
}
"""An optimizer's attributes that list one variable for each weight, and what we call that slot."""


def iteration_count(optimizer: Any) -> Any:
    """Return the variable that counts the optimizer's steps."""
    return optimizer._iterations


def rate_or_schedule(optimizer: Any) -> Any:
    """Return the learning rate as the optimizer holds it: a variable, a schedule or a function.

    The public `learning_rate` is the schedule's value at the present step.
    """
    return optimizer._learning_rate


def slots(optimizer: Any) -> dict[str, list[Any]]:
    """Return the built optimizer's slots, such as first or second, with a variable a weight.

    A slot that the optimizer does not have is missing, or has no variables.
    """
    return {
        slot: list(getattr(optimizer, attribute))
        for attribute, slot in _SLOTS.items()
        if hasattr(optimizer, attribute)
    }


def product_of_momenta(optimizer: Any) -> Any | None:
    """Return Nadam's variable for the product of its momenta; None of any other optimizer."""
    return getattr(optimizer, "_u_product", None)


def spares_weights_from_decay(optimizer: Any) -> bool:
    """Whether some weights have been excluded from the optimizer's weight decay."""
    return hasattr(optimizer, "_exclude_from_weight_decay")


class _KnownByName(type):
    """The class of stand-ins for pandas' classes, as which objects of the real ones count.

    The real ones are known by their names: none is there unless pandas is imported.
    """

    def __instancecheck__(cls, thing: object) -> bool:
        return any(
            base.__module__.partition(".")[0] == "pandas" and base.__name__ == cls.__name__
            for base in type(thing).__mro__
        )


class DataFrame(metaclass=_KnownByName):
    """A stand-in for the pandas class of the same name."""


class Series(metaclass=_KnownByName):
    """A stand-in for the pandas class of the same name."""


def let_keras_take_pandas() -> None:
    """Let Keras treat pandas' tables as ever, though it was imported while pandas was hidden.

    Keras looks for pandas once, at its import, and takes it for absent ever after: a Series would
    then be (rows,) instead of (rows, 1). Nothing happens if Keras has found pandas, or does not
    look for it in this place any more.
    """
    try:
        from keras.src.trainers.data_adapters import array_slicing
    except ImportError:
        return
    if getattr(array_slicing, "pandas", array_slicing) is None:
        array_slicing.pandas = SimpleNamespace(DataFrame=DataFrame, Series=Series)
        array_slicing.ARRAY_TYPES += (DataFrame, Series)


def default_seed() -> int:
    """Return the seed that a layer or an initializer draws if it is given none."""
    from keras.src.random.seed_generator import make_default_seed

    return int(make_default_seed())


def seed_type() -> str:
    """Return the type of number of a random generator's state."""
    from keras.src import backend

    return str(backend.random_seed_dtype())


def flat_layers(model: Any) -> list[Any]:
    """Return all layers of a model, those inside others too, outer ones first."""
    return list(model._flatten_layers(include_self=False))


def loss_settings(loss: Any) -> dict[str, Any]:
    """Return what a loss object was made with; {} of a function or a string."""
    return dict(getattr(loss, "_fn_kwargs", None) or {})
