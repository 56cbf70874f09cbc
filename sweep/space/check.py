"""What a search space's model must be, so that it can be trained and scored here."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from sweep.errors import InvalidSpaceError
from sweep.records import Value
from sweep.space.build import Model
from sweep.space.explore import Explorer, suggested
from sweep.space.faults import Faults
from sweep.space.fit import fit_of
from sweep.space.inputs import Inputs, check_inputs
from sweep.space.lines import where, where_build, where_input
from sweep.space.outputs import (
    CATEGORICAL,
    CROSS_ENTROPY,
    PROBABLE,
    SQUARED_ERROR,
    OutputsError,
    check_probabilities,
    end_of,
    losses_in,
    metric_in,
    outputs_of,
)
from sweep.space.place import line_of, users_frame
from sweep.space.saved import check_saved

METRIC = "binary_crossentropy"
"""The name of the metric that the records hold."""

_OWN = (
    "train_step", "test_step", "predict_step", "compute_loss", "compute_metrics", "compile",
    "train_on_batch", "fit", "evaluate", "predict", "make_train_function",
)  # fmt: skip
"""Methods of a model that decide how training goes; here it goes Keras' way."""

_ROWS = 64


def checked_values(explorer: Explorer, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return `values` with the defaults of `build` filled in, and without the inactive ones.

    Raises InvalidSpaceError if their model cannot be built; `explorer.check` looks at it.
    """
    trace, _ = explorer.run(values, suggested(values))
    if trace.error is not None:
        raise explorer.failed(trace)
    return trace.values


def check_built(path: Path, model: Model, inputs: Inputs) -> None:
    """Raise InvalidSpaceError, naming all faults, unless a model can be trained and exported."""
    import keras

    if not isinstance(model, keras.Model):
        raise InvalidSpaceError(
            f"build(hp) of {path}{where_build(path)} returned {type(model).__name__}, expected a "
            "compiled keras.Model: end it with return model"
        )
    faults = Faults(path)
    with faults.kept():
        _check_compiled(path, model)
    with faults.kept():
        _check_class(path, model, inputs)
    has_graph = isinstance(model, keras.Sequential) or hasattr(model, "outputs")
    if has_graph:
        with faults.kept():
            _check_inputs(path, model, inputs)
    fit = fit_of(model)
    if fit is not None and fit.fault is not None:
        faults.found.append(fit.fault)
    fits = not faults.found
    if has_graph and model.built and model.compiled:
        with faults.kept():
            _check_outputs(path, model)
            _check_loss(path, model)
        with faults.kept():
            _check_scored(path, model, inputs)
    if fits:
        with faults.kept():
            check_saved(path, model, inputs)
    faults.refuse()


def _check_compiled(path: Path, model: Model) -> None:
    if not model.compiled or model.optimizer is None:
        raise InvalidSpaceError(
            f"build(hp) of {path}{where_build(path)} returned a model that is not compiled: call "
            "model.compile()"
        )


def _check_scored(path: Path, model: Model, inputs: Inputs) -> None:
    """Raise InvalidSpaceError unless loss, last activation and targets fit each other."""
    try:
        outputs = outputs_of(model)
        if not outputs.logits and not outputs.by_construction:
            check_probabilities(_outputs_of_noise(path, model, inputs))
    except OutputsError as error:
        raise InvalidSpaceError(f"the model of {path}{where(path, model)}: {error}") from error
    _check_metric(path, model, outputs.logits)


def _check_class(path: Path, model: Model, inputs: Inputs) -> None:
    """Raise InvalidSpaceError if the model's class trains in its own way or has no graph."""
    import keras

    kind, faults = type(model), Faults(path)
    for name in _OWN:
        owner = next(one for one in kind.__mro__ if name in vars(one))
        with faults.kept():
            _refuse_own(path, owner, name)
    if not hasattr(model, "outputs") and not isinstance(model, keras.Sequential):
        faults.found.append(
            f"the model of {path}{line_of(kind.call)} is a {kind.__name__}, whose layers only its "
            f"call knows; before model.compile, write: inputs = {inputs.code()}; "
            "model = keras.Model(inputs, model.call(inputs))"
        )
    faults.refuse()


def _refuse_own(path: Path, owner: Any, name: str) -> None:
    if not owner.__module__.startswith("keras."):
        raise InvalidSpaceError(
            f"{owner.__name__}.{name} of {path}{line_of(getattr(owner, name))} is not "
            f"supported: models are trained and scored by Keras' own; delete {name}, and the "
            "loss and optimizer of compile() are what trains"
        )


def _check_inputs(path: Path, model: Model, inputs: Inputs) -> None:
    try:
        check_inputs(model, inputs)
    except InvalidSpaceError as error:
        raise InvalidSpaceError(
            f"the model of {path}{where_input(path)} does not fit the data: {error}"
        ) from error


def _check_outputs(path: Path, model: Model) -> None:
    shape = model.output_shape
    if not isinstance(shape, tuple) or len(shape) != 2 or shape[1] not in (1, 2):
        raise InvalidSpaceError(
            f"the model of {path}{where(path, model)} has outputs of shape {shape}, expected "
            "(None, 1) or (None, 2)"
        )


def _kind(model: Model) -> str:
    two = int(model.output_shape[1]) == 2
    return "SparseCategoricalCrossentropy" if two else "BinaryCrossentropy"


def _check_loss(path: Path, model: Model) -> None:
    """Raise InvalidSpaceError unless the loss fits one output (a logit or probability) or two."""
    from keras import losses

    kind = _kind(model)
    if kind == "BinaryCrossentropy":
        kinds: tuple[Any, ...] = (losses.BinaryCrossentropy, losses.MeanSquaredError)
        names: tuple[str, ...] = (*CROSS_ENTROPY, *SQUARED_ERROR)
        more = ", or loss=keras.losses.MeanSquaredError() of a probability"
    else:
        kinds, names = (losses.SparseCategoricalCrossentropy,), CATEGORICAL
        more = ", as it has two outputs"
    known = isinstance(model.loss, kinds) or (isinstance(model.loss, str) and model.loss in names)
    if not known:
        probable = end_of(model).activation in PROBABLE
        raise InvalidSpaceError(
            f"the model of {path} is compiled with loss {_name(model.loss)}; expected "
            f"{losses_in(kind, not probable)}{more}"
        )


def _name(loss: object) -> str:
    return loss if isinstance(loss, str) else type(loss).__name__


def _outputs_of_noise(path: Path, model: Model, inputs: Inputs) -> np.ndarray:
    """The outputs of random inputs, small and large, shape (rows, outputs)."""
    import keras

    parts = [inputs.example(_ROWS, scale=scale) for scale in (1.0, 10.0)]
    try:
        return np.concatenate(
            [np.asarray(keras.ops.convert_to_numpy(model(x, training=False))) for x in parts]
        )
    except Exception as error:
        raise InvalidSpaceError(f"the model of {path} fails: {users_frame(error, path)}") from error


def _check_metric(path: Path, model: Model, logits: bool) -> None:
    """Raise InvalidSpaceError unless the recorded metric measures what the loss is given."""
    wanted = metric_in(_kind(model), logits)
    metric = recorded_metric(model)
    if metric is None:
        raise InvalidSpaceError(
            f"the model of {path} lacks the metric {METRIC!r} "
            f"(it has: {', '.join(_metrics(model)) or 'none'}); "
            f"add {wanted} to compile(metrics=[])"
        )
    settings, wrong = metric["config"], ""
    if metric["class_name"] != _kind(model):
        wrong = f"is a {metric['class_name']}"
    elif bool(settings.get("from_logits")) != logits:
        wrong = f"takes {'probabilities' if logits else 'logits'}, and the outputs are not"
    elif settings.get("label_smoothing") or settings.get("ignore_class") is not None:
        wrong = "smooths labels or ignores a class, so it is not the error on the rows"
    if wrong:
        raise InvalidSpaceError(
            f"the metric {METRIC!r} of the model of {path}{where(path, model)} {wrong}; "
            f"write {wanted} instead"
        )


def recorded_metric(model: Model) -> dict[str, Any] | None:
    """Return how the recorded metric was given to `compile`: its class_name and config, or None."""
    for metric in _given_metrics(model):
        if metric == METRIC:
            return {"class_name": "BinaryCrossentropy", "config": {}}
        if isinstance(metric, dict) and metric.get("config", {}).get("name") == METRIC:
            return dict(metric)
    return None


def _metrics(model: Model) -> list[str]:
    """Return the names of the metrics that `model` is compiled with."""
    return [
        str(one.get("config", {}).get("name")) if isinstance(one, dict) else str(one)
        for one in _given_metrics(model)
    ]


def _given_metrics(model: Model) -> list[Any]:
    metrics = (model.get_compile_config() or {}).get("metrics") or []
    return list(metrics)


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
