"""A loss as Keras was given it: which it is, what it takes, and in which form it wants targets."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from sweep.tasks.losses import Loss, LossName


class OutputsError(ValueError):
    """The loss contradicts the outputs, or the outputs cannot be scored. The text is one line."""


class TargetForm(StrEnum):
    """How targets are handed to Keras."""

    AS_THEY_ARE = "as they are"
    """0 and 1, or amounts: a column for each target."""
    NUMBERS = "numbers"
    """Numbers of classes, one column."""
    ONE_HOT = "one-hot"
    """A column for each class, 1 for the row's class."""


@dataclass(frozen=True)
class KerasLoss:
    """What is known of the loss that a model is compiled with."""

    loss: Loss
    text: str
    """As it was given, with what it takes if that was said."""
    logits: bool | None
    """Whether it takes logits; None of losses of amounts, and where nothing says it."""
    form: TargetForm | None
    """None of a loss of the user's own: trying it tells."""
    is_smoothed: bool = False
    """Whether it smooths labels, so that its values are not errors on the rows."""

    of_shares: str | None = None
    """Why one output tells this loss nothing: it compares the numbers of a row with one another."""

    @property
    def name(self) -> str:
        """The loss without what it takes."""
        return self.text.split("(")[0].strip("'")


_CLASSES = {
    "BinaryCrossentropy": "binary_crossentropy",
    "CategoricalCrossentropy": "categorical_crossentropy",
    "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy",
    "MeanSquaredError": "mean_squared_error",
    "MeanAbsoluteError": "mean_absolute_error",
    "Huber": "huber",
    "LogCosh": "log_cosh",
    "Poisson": "poisson",
    "MeanSquaredLogarithmicError": "mean_squared_logarithmic_error",
    "MeanAbsolutePercentageError": "mean_absolute_percentage_error",
}
"""Keras' classes of losses and the functions they call."""

_FORMS = {
    "binary_crossentropy": TargetForm.AS_THEY_ARE,
    "categorical_crossentropy": TargetForm.ONE_HOT,
    "sparse_categorical_crossentropy": TargetForm.NUMBERS,
}
_SPARSE = "sparse_"


def loss_of(model: Any) -> KerasLoss:
    """Return the loss of a compiled model. Raises OutputsError if it has none, or several."""
    return read_loss(_only(model.loss))


def read_loss(given: Any) -> KerasLoss:
    """Return what is known of a loss: Keras' by name, function or object, or the user's own."""
    function = _function_of(given)
    text = loss_text(given)
    if function is None:
        said = getattr(given, "from_logits", None)
        logits = None if said is None else bool(said)
        own = Loss(LossName.OWN, called=_own_name(given))
        return KerasLoss(own, text, logits, None, of_shares=_of_shares(given))
    name = LossName(function.removeprefix(_SPARSE))
    form = _FORMS.get(function, TargetForm.AS_THEY_ARE)
    if function not in _FORMS:
        delta = _delta(given) if name is LossName.HUBER else 1.0
        return KerasLoss(Loss(name, delta), text, None, form)
    smoothed = bool(getattr(given, "label_smoothing", 0))
    return KerasLoss(Loss(name), text, bool(getattr(given, "from_logits", False)), form, smoothed)


def _of_shares(given: Any) -> str | None:
    from keras import losses

    found = losses.get(given)
    if isinstance(found, losses.KLDivergence) or found is losses.kl_divergence:
        return "is lowest where every answer is yes, whatever the inputs"
    if isinstance(found, losses.CosineSimilarity) or found is losses.cosine_similarity:
        return "sees the sign alone"
    return None


def callable_of(given: Any) -> Callable[[Any, Any], Any]:
    """Return the function (targets, outputs) → loss of each row of a loss that Keras is given."""
    import keras

    found = keras.losses.get(_only(given))
    if isinstance(found, keras.losses.Loss):
        return cast("Callable[[Any, Any], Any]", found.call)
    return cast("Callable[[Any, Any], Any]", found)


def loss_text(loss: Any) -> str:
    """Return the loss as it was given, with what it takes if that was said."""
    if isinstance(loss, str):
        return repr(loss)
    if getattr(loss, "__name__", None):
        return str(loss.__name__)
    said = getattr(loss, "from_logits", None)
    return type(loss).__name__ + ("" if said is None else f"(from_logits={bool(said)})")


def _only(loss: Any) -> Any:
    """The loss itself, if Keras was given a list or dictionary of one."""
    if isinstance(loss, dict | list | tuple):
        found = list(loss.values()) if isinstance(loss, dict) else list(loss)
        if len(found) != 1:
            raise OutputsError(f"the model has {len(found)} losses, and one output is scored here")
        return found[0]
    if loss is None:
        raise OutputsError(
            "the model is compiled without a loss: give model.compile one, such as loss='mse'"
        )
    return loss


def _function_of(given: Any) -> str | None:
    """The name of Keras' function that a loss is, if it is one whose definition stands here."""
    from keras import losses

    for kind, function in _CLASSES.items():
        known = getattr(losses, kind)
        if isinstance(given, known):
            return function if type(given).call is known.call else None
    if isinstance(given, str):
        try:
            given = losses.get(given)
        except ValueError as error:
            raise OutputsError(f"Keras knows no loss {given!r}") from error
        if isinstance(given, losses.Loss):
            return _function_of(given)
    same = (function for function in _CLASSES.values() if getattr(losses, function) is given)
    return next(same, None)


def _own_name(given: Any) -> str:
    return given if isinstance(given, str) else loss_text(given).split("(")[0]


def _delta(given: Any) -> float:
    """δ of a Huber loss, from a value far out: δ·e − δ²/2. Keras keeps it under a private name."""
    import numpy as np

    far = 1e6
    value = float(callable_of(given)(np.zeros((1, 1)), np.full((1, 1), far))[0])
    return float(f"{2 * value / (far + math.sqrt(far**2 - 2 * value)):.10g}")
