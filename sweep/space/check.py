"""What a search space's model must be, so that it can be trained and scored here."""

import math
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
from sweep.space.keras_loss import TargetForm
from sweep.space.lines import where, where_build, where_input, where_named
from sweep.space.outputs import (
    CROSS_ENTROPY,
    OutputsError,
    check_logits,
    check_probabilities,
    metric_in,
    outputs_of,
)
from sweep.space.place import line_of, users_frame
from sweep.space.saved import check_saved
from sweep.space.scoring import texts_of_metrics
from sweep.space.targets import target_form
from sweep.tasks.task import HIGGS_TASK, Task, TaskKind

METRIC = CROSS_ENTROPY[0]
"""The name of the metric that is the binary cross-entropy, if a model has it."""

_METRICS = {
    TargetForm.AS_THEY_ARE: "BinaryCrossentropy",
    TargetForm.NUMBERS: "SparseCategoricalCrossentropy",
    TargetForm.ONE_HOT: "CategoricalCrossentropy",
}
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


def check_built(
    path: Path, model: Model, inputs: Inputs, task: Task = HIGGS_TASK, name: str = "build(hp)"
) -> None:
    """Raise InvalidSpaceError, naming all faults, unless a model can be trained and exported."""
    import keras

    if not isinstance(model, keras.Model):
        raise InvalidSpaceError(
            f"{name} of {path}{where_build(path)} returned {type(model).__name__}, expected a "
            "compiled keras.Model: end it with return model"
        )
    faults = Faults(path)
    with faults.kept():
        _check_compiled(path, model, name)
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
            _check_scored(path, model, inputs, task)
    if fits:
        with faults.kept():
            check_saved(path, model, inputs)
    faults.refuse()


def _check_compiled(path: Path, model: Model, name: str) -> None:
    if not model.compiled or model.optimizer is None:
        raise InvalidSpaceError(
            f"{name} of {path}{where_build(path)} returned a model that is not compiled: call "
            "model.compile()"
        )
    weights = (model.get_compile_config() or {}).get("loss_weights")
    several = list(weights) if isinstance(weights, list | tuple) else []
    if any(not isinstance(one, int | float) for one in several):
        raise InvalidSpaceError(
            f"the third argument of model.compile of {path}{where_build(path)} is loss_weights in "
            'Keras 3, and is given metrics: name them, as in metrics=["accuracy"]'
        )
    for metric in texts_of_metrics(model):
        if not _is_known(metric):
            raise InvalidSpaceError(
                f"model.compile of {path}{where_build(path)} names a metric {metric!r}, which "
                "Keras does not know; leave it out, or give a metric of keras.metrics"
            )


def _is_known(metric: str) -> bool:
    """Whether Keras finds a metric that was given as a text."""
    import keras

    if metric in ("acc", "accuracy", "ce", "crossentropy"):  # which, the loss says
        return True
    if hasattr(keras.metrics, metric) or hasattr(keras.losses, metric):
        return True  # and no metric is made, whose name Keras would count
    try:
        keras.metrics.get(metric)
    except ValueError:
        return False
    return True


def _check_scored(path: Path, model: Model, inputs: Inputs, task: Task) -> None:
    """Raise InvalidSpaceError unless loss, last activation and targets fit each other."""
    try:
        outputs = outputs_of(model, task)
        form = target_form(model, task)
        if not outputs.by_construction and not outputs.amounts:
            check = check_logits if outputs.logits else check_probabilities
            check(_outputs_of_noise(path, model, inputs), task)
    except OutputsError as error:
        raise InvalidSpaceError(f"the model of {path}{where(path, model)}: {error}") from error
    if task.kind is TaskKind.BINARY:
        _check_metric(path, model, outputs.logits, form)


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
            f"the model of {path}{line_of(kind.call)} is of class {kind.__name__}, "
            "whose layers only its call knows; before model.compile, write: "
            f"inputs = {inputs.code()}; model = keras.Model(inputs, model.call(inputs))"
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


def _check_metric(path: Path, model: Model, logits: bool, form: TargetForm) -> None:
    """Raise InvalidSpaceError if a metric of that name does not measure the cross-entropy."""
    metric = recorded_metric(model)
    if metric is None:
        return
    settings, wrong, kind = metric["config"], "", _METRICS[form]
    if metric["class_name"] != kind:
        wrong = f"is a {metric['class_name']}"
    elif bool(settings.get("from_logits")) != logits:
        wrong = f"takes {'probabilities' if logits else 'logits'}, and the outputs are not"
    elif settings.get("label_smoothing") or settings.get("ignore_class") is not None:
        wrong = "smooths labels or ignores a class, so it is not the error on the rows"
    if wrong:
        raise InvalidSpaceError(
            f"the metric {METRIC!r} of the model of {path}{where(path, model)} {wrong}; "
            f"write {metric_in(kind, logits)} instead"
        )


def recorded_metric(model: Model) -> dict[str, Any] | None:
    """Return how the recorded metric was given to `compile`: its class_name and config, or None."""
    for metric in _given_metrics(model):
        if metric == METRIC:
            return {"class_name": "BinaryCrossentropy", "config": {}}
        config = metric.get("config") if isinstance(metric, dict) else None
        if isinstance(config, dict) and config.get("name") == METRIC:  # a function's is its name
            return dict(metric)
    return None


def _given_metrics(model: Model) -> list[Any]:
    metrics = (model.get_compile_config() or {}).get("metrics") or []
    return list(metrics)


def declared_baselines(path: Path, module: ModuleType) -> dict[str, dict[str, Value]]:
    """Return the BASELINES of a space's module. Raises InvalidSpaceError if they are no dicts."""
    baselines = getattr(module, "BASELINES", {})
    if not isinstance(baselines, dict) or not all(
        isinstance(name, str) and isinstance(values, dict) for name, values in baselines.items()
    ):
        line = where_named(path, "BASELINES")
        raise InvalidSpaceError(
            f"BASELINES of {path}{line} must be a dict of dicts, such as "
            '{"Tiny": {"width": 16}}'
        )
    return baselines


def declared_class_weight(path: Path, module: ModuleType) -> dict[Any, float] | None:
    """Return the CLASS_WEIGHT of a space's module, by label; None if it has none.

    Raises InvalidSpaceError unless it is a dict of weights.
    """
    given = getattr(module, "CLASS_WEIGHT", None)
    if given is None:
        return None
    numbers = isinstance(given, dict) and all(
        isinstance(one, int | float) and 0 <= one < math.inf for one in given.values()
    )
    if not numbers or not any(given.values()):
        line = where_named(path, "CLASS_WEIGHT")
        raise InvalidSpaceError(
            f"CLASS_WEIGHT of {path}{line} must be a dict from labels to numbers that are not "
            "negative, such as {0: 1.0, 1: 5.0}"
        )
    return {label: float(weight) for label, weight in given.items()}


def check_names(
    path: Path, label: str, values: Mapping[str, Value], known: set[str], name: str = "build(hp)"
) -> None:
    """Raise InvalidSpaceError if a baseline sets a hyperparameter that is not in `known`."""
    unknown = [name for name in values if name not in known]
    if unknown:
        line = where_named(path, "BASELINES", label)
        raise InvalidSpaceError(
            f"baseline {label!r} of {path}{line} sets {', '.join(unknown)}, "
            f"which {name} does not ask for; it asks for: {', '.join(sorted(known))}"
        )
