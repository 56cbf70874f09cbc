"""What a model ends in: its last operation that changes values, and the activation of it."""

from dataclasses import dataclass
from typing import Any

WITHIN = ("sigmoid", "hard_sigmoid", "sparse_sigmoid")
"""Activations with values in [0, 1]."""
SHARES = ("softmax", "sparsemax")
"""Activations whose values are in [0, 1] and sum to 1."""
PROBABLE = (*WITHIN, *SHARES)
"""Activations that give probabilities, of one output or of several."""


@dataclass(frozen=True)
class End:
    """The last operation of a model."""

    name: str
    """Its class."""
    activation: str | None
    """Keras' name of what its values passed last, "linear" if unbounded; None if unknown."""
    units: int | None = None


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


def called(end: End) -> str:
    """Return the end in words: "the last layer, Dense, gives linear values"."""
    gives = "outputs of an unknown range" if end.activation is None else f"{end.activation} values"
    return f"the last layer, {end.name}, gives {gives}"


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
