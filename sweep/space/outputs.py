"""Whether a model's outputs are logits or probabilities: its loss and its last activation say.

What a metric says is not asked. Both trainers, the checks of a space, test and export ask here.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

CROSS_ENTROPY = ("binary_crossentropy", "bce")
SQUARED_ERROR = ("mean_squared_error", "mse", "MSE")
CATEGORICAL = ("sparse_categorical_crossentropy",)
"""Keras' names of the losses that a model may have; the last of one with two outputs."""

_WITHIN = ("sigmoid", "hard_sigmoid", "sparse_sigmoid")
"""Activations with values in [0, 1]."""
_SHARES = ("softmax", "sparsemax")
"""Activations whose values are in [0, 1] and sum to 1."""
PROBABLE = (*_WITHIN, *_SHARES)
"""Activations that give probabilities, of one output or of two."""

_ROUNDING = 1e-6
_TOLERANCE = 1e-3


class OutputsError(ValueError):
    """The loss contradicts the outputs, or the outputs cannot be scored. The text is one line."""


@dataclass(frozen=True)
class Outputs:
    """What the numbers mean that a model returns."""

    logits: bool
    """Else they are probabilities."""
    by_construction: bool
    """Whether the last activation was recognised; else probabilities are checked as they come."""


@dataclass(frozen=True)
class End:
    """The last operation of a model."""

    name: str
    """Its class."""
    activation: str | None
    """Keras' name of what its values passed last, "linear" if unbounded; None if unknown."""
    units: int | None = None


def outputs_of(model: Any) -> Outputs:
    """Return the meaning of a compiled model's outputs, one or two.

    A loss without `from_logits` is one by name, which means probabilities to Keras, or a squared
    error, which is scored only if the outputs lie in [0, 1] by construction. Raises OutputsError if
    the loss is another, or contradicts the last activation.
    """
    logits = takes_logits(model.loss)
    if not getattr(model, "outputs", None):
        raise OutputsError(f"{type(model).__name__} has no outputs that can be read")
    end = end_of(model)
    two = int(model.outputs[0].shape[-1]) == 2
    if logits is None and (end.activation is None or not _gives_probabilities(end, two)):
        raise OutputsError(
            f"{_loss_name(model.loss)} compares amounts, and {_called(end)}: amounts are not "
            f"supported yet; end the model with {_probable_end(two)}"
        )
    if end.activation is None:
        return Outputs(bool(logits), by_construction=False)
    if logits and end.activation in PROBABLE:
        raise OutputsError(
            f"the loss {loss_text(model.loss)} takes logits, and {_called(end)}, which are no "
            f"logits; {_advice(two, end)}"
        )
    if not logits and not _gives_probabilities(end, two):
        raise OutputsError(
            f"the loss {loss_text(model.loss)} takes probabilities, and {_called(end)}, which are "
            f"not {'two probabilities that sum to 1' if two else 'a probability'}; "
            f"{_advice(two, end)}"
        )
    return Outputs(bool(logits), by_construction=True)


def takes_logits(loss: Any) -> bool | None:
    """Return whether a loss takes logits; None for a squared error. Raises OutputsError."""
    from keras import losses

    if isinstance(loss, losses.BinaryCrossentropy | losses.SparseCategoricalCrossentropy):
        return bool(loss.from_logits)
    if isinstance(loss, str) and loss in (*CROSS_ENTROPY, *CATEGORICAL):
        return False
    if isinstance(loss, losses.MeanSquaredError):
        return None
    if isinstance(loss, str) and loss in SQUARED_ERROR:
        return None
    raise OutputsError(f"the loss {_loss_name(loss)} is not supported")


def check_probabilities(outputs: np.ndarray) -> None:
    """Raise OutputsError if `outputs`, shape (rows, 1 or 2), are no probabilities. NaN may be."""
    low, high = float(np.min(outputs, initial=0)), float(np.max(outputs, initial=0))
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise OutputsError(
            "the loss takes probabilities, and the last layer gives values from "
            f"{low:.3g} to {high:.3g}; end the model with {ends_in(outputs.shape[1] == 2)}"
        )
    if outputs.shape[1] == 2 and np.any(np.abs(outputs.sum(axis=1) - 1) > _TOLERANCE):
        raise OutputsError(
            "the loss takes probabilities, and those of the two classes do not sum to 1; "
            f"end the model with {ends_in(True)}"
        )


def end_of(model: Any) -> End:
    """Return the last operation of a Sequential or functional model that changes the values."""
    from keras import activations, layers

    operation = _last_operation(model)
    if operation is None:
        return End(type(model).__name__, None)
    kind, name = type(operation), type(operation).__name__
    if kind in (layers.Dense, layers.EinsumDense, layers.Activation):
        function = operation.activation
        known = getattr(function, "__name__", "")
        same = getattr(activations, known, None) is function
        units = operation.units if kind is layers.Dense else None
        return End(name, known if same else None, units)
    if kind is layers.Softmax:
        return End(name, "softmax" if operation.axis in (-1, 1) else None)
    unbounded = (
        layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU, layers.BatchNormalization,
        layers.LayerNormalization,
    )  # fmt: skip
    if kind in unbounded:
        return End(name, "linear")
    from_ops = kind.__module__.startswith("keras.") and name.lower() in PROBABLE
    return End(name, name.lower() if from_ops else None)


def _last_operation(model: Any) -> Any | None:
    """The operation whose output is the model's, past those that change no value when used."""
    from keras import layers

    passes = (
        layers.Dropout, layers.GaussianNoise, layers.GaussianDropout, layers.AlphaDropout,
        layers.ActivityRegularization, layers.Identity, layers.Flatten, layers.Reshape,
    )  # fmt: skip
    tensor = model.outputs[0]
    by_output = {}
    for operation in _operations(model):
        try:
            by_output[id(operation.output)] = operation
        except (AttributeError, ValueError):  # used twice, or never
            continue
    while (operation := by_output.get(id(tensor))) is not None:
        if type(operation) in passes:
            tensor = operation.input
        elif hasattr(operation, "outputs") and hasattr(operation, "layers"):
            return _last_operation(operation)
        else:
            return operation
    return None


def _operations(model: Any) -> list[Any]:
    """All operations of a model in order, also those that are no layers."""
    return list(getattr(model, "operations", None) or model.layers)


def _gives_probabilities(end: End, two: bool) -> bool:
    return end.activation in (_SHARES if two else _WITHIN)


def ends_in(two: bool) -> str:
    """Return the code of a last layer that gives probabilities."""
    return f'keras.layers.Dense({1 + two}, activation="{"softmax" if two else "sigmoid"}")'


def _advice(two: bool, end: End) -> str:
    probable = _gives_probabilities(end, two)
    within = end.activation in PROBABLE
    kind = f"{'SparseCategorical' if two else 'Binary'}Crossentropy"
    if within and not probable:
        return f"end the model with {ends_in(two)} and compile it with {losses_in(kind, False)}"
    first = f"compile it with {losses_in(kind, not probable)}"
    return first if probable else f"{first}, or end it with {_probable_end(two)}"


def _probable_end(two: bool) -> str:
    kind = "SparseCategoricalCrossentropy" if two else "BinaryCrossentropy"
    return f"{ends_in(two)} and metrics=[{metric_in(kind, False)}]"


def losses_in(kind: str, logits: bool) -> str:
    """Return the code of the loss and the metric that a model needs."""
    return f"loss=keras.losses.{kind}(from_logits={logits}), metrics=[{metric_in(kind, logits)}]"


def metric_in(kind: str, logits: bool) -> str:
    """Return the code of the metric that a model needs."""
    return f'keras.metrics.{kind}(from_logits={logits}, name="{CROSS_ENTROPY[0]}")'


def loss_text(loss: Any) -> str:
    """Return the loss as it was given, with what it takes if that was said."""
    if isinstance(loss, str):
        return repr(loss)
    said = getattr(loss, "from_logits", None)
    return type(loss).__name__ + ("" if said is None else f"(from_logits={bool(said)})")


def _loss_name(loss: Any) -> str:
    return cast(str, getattr(loss, "__name__", None) or loss_text(loss))


def _called(end: End) -> str:
    gives = "outputs of an unknown range" if end.activation is None else end.activation
    return f"the last layer, {end.name}, gives {gives} values".replace("range values", "range")
