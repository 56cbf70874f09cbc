"""What a search space's model must be, so that it can be trained and scored here."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from sweep.errors import InvalidSpaceError
from sweep.records import Value
from sweep.space.build import Model
from sweep.space.explore import Explorer, suggested

METRIC = "binary_crossentropy"
CROSS_ENTROPY = (METRIC, "bce")
SQUARED_ERROR = ("mean_squared_error", "mse", "MSE")
CATEGORICAL = ("sparse_categorical_crossentropy",)
"""Keras' names of the losses that a model may have; the last of one with two outputs."""


def check_model(
    explorer: Explorer, values: Mapping[str, Value], n_features: int
) -> dict[str, Value]:
    """Return `values` with the defaults of `build` filled in, and without the inactive ones.

    Raises InvalidSpaceError if the model of these values cannot be trained on inputs of shape
    (rows, n_features) and labels 0 and 1.
    """
    import keras

    trace, model = explorer.run(values, suggested(values))
    path = explorer.path
    if trace.error is not None:
        raise explorer.failed(trace)
    if not isinstance(model, keras.Model):
        raise InvalidSpaceError(
            f"build(hp) of {path} returned {type(model).__name__}, expected a compiled keras.Model"
        )
    if not model.compiled or model.optimizer is None:
        raise InvalidSpaceError(
            f"build(hp) of {path} returned a model that is not compiled: call model.compile(...)"
        )
    _check_shapes(path, model, n_features)
    _check_loss(path, model)
    found = _metrics(model)
    if METRIC not in found or (_outputs(model) == 2 and "Categorical" not in found[METRIC]):
        raise InvalidSpaceError(
            f"the model of {path} lacks the metric {METRIC!r} "
            f"(it has: {', '.join(found) or 'none'}); "
            f"add {_METRICS[_outputs(model)]} to compile(metrics=[...])"
        )
    return trace.values


def _check_shapes(path: Path, model: Model, n_features: int) -> None:
    if not model.built:
        raise InvalidSpaceError(
            f"the model of {path} has no input shape: begin it with keras.Input(({n_features},))"
        )
    for what, shape, *wanted in (
        ("inputs", model.input_shape, n_features),
        ("outputs", model.output_shape, 1, 2),
    ):
        if not isinstance(shape, tuple) or len(shape) != 2 or shape[1] not in wanted:
            expected = " or ".join(f"(None, {size})" for size in wanted)
            raise InvalidSpaceError(
                f"the model of {path} has {what} of shape {shape}, expected {expected}"
            )


_METRICS = {
    1: "keras.metrics.BinaryCrossentropy(from_logits=...)",
    2: f'keras.metrics.SparseCategoricalCrossentropy(from_logits=..., name="{METRIC}")',
}
"""The metric that a model needs, by its number of outputs."""


def _outputs(model: Model) -> int:
    return int(model.output_shape[1])


def _check_loss(path: Path, model: Model) -> None:
    """Raise InvalidSpaceError unless the loss fits one output (a logit or probability) or two."""
    from keras import losses

    if _outputs(model) == 1:
        kinds: tuple[Any, ...] = (losses.BinaryCrossentropy, losses.MeanSquaredError)
        names: tuple[str, ...] = (*CROSS_ENTROPY, *SQUARED_ERROR)
        expected = "BinaryCrossentropy(...), or MeanSquaredError()"
    else:
        kinds, names = (losses.SparseCategoricalCrossentropy,), CATEGORICAL
        expected = "SparseCategoricalCrossentropy(...), as it has two outputs"
    if not isinstance(model.loss, kinds) and model.loss not in names:
        raise InvalidSpaceError(
            f"the model of {path} is compiled with loss {_name(model.loss)}; "
            f"expected keras.losses.{expected}"
        )


def _name(loss: object) -> str:
    return loss if isinstance(loss, str) else type(loss).__name__


def _metrics(model: Model) -> dict[str, str]:
    """Return the class of each metric that `model` is compiled with, by the metric's name."""
    metrics = model.get_compile_config()["metrics"] or []
    named = (m for m in metrics if isinstance(m, str))
    built = (m for m in metrics if isinstance(m, dict))
    return {name: name for name in named} | {
        str(m.get("config", {}).get("name")): str(m.get("class_name")) for m in built
    }


def declared_baselines(path: Path, module: ModuleType) -> dict[str, dict[str, Value]]:
    """Return the BASELINES of a space's module. Raises InvalidSpaceError if they are no dicts."""
    baselines = getattr(module, "BASELINES", {})
    if not isinstance(baselines, dict) or not all(
        isinstance(name, str) and isinstance(values, dict) for name, values in baselines.items()
    ):
        raise InvalidSpaceError(
            f'BASELINES of {path} must be a dict of dicts, such as {{"Tiny": {{"width": 16}}}}'
        )
    return baselines


def check_names(path: Path, label: str, values: Mapping[str, Value], known: set[str]) -> None:
    """Raise InvalidSpaceError if a baseline sets a hyperparameter that is not in `known`."""
    unknown = [name for name in values if name not in known]
    if unknown:
        raise InvalidSpaceError(
            f"baseline {label!r} of {path} sets {', '.join(unknown)}, "
            f"which build(hp) does not ask for; it asks for: {', '.join(sorted(known))}"
        )
