"""What Keras Tuner's own `run_trial` does, for a subclass that calls it: build, fit, keep."""

import copy
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sweep.errors import NotFoundError
from sweep.tuners.callbacks import placed
from sweep.tuners.cutting import cuts
from sweep.tuners.given_build import GivenBuild
from sweep.tuners.keras_tuner_private import keeping_best, told

_WEIGHTS = "checkpoint.weights.h5"


def fit_trial(
    tuner: Any,
    trial: Any,
    given: Sequence[Any],
    named: Mapping[str, Any],
    once: Callable[..., Any],
) -> list[Any]:
    """Return what the fits of a trial's model returned, one of each execution.

    `once` builds the model and fits it: `fit_once`, or what a subclass has in its place.

    The weights of the best epoch of all are kept in the trial's folder. In a dry run nothing is
    trained.
    """
    hp = trial.hyperparameters
    named = dict(named)
    if "tuner/epochs" in hp.values:
        named["epochs"] = hp.values["tuner/epochs"]
    callbacks = named.pop("callbacks", None) or []
    objective = tuner.arguments.objective_of(tuner.arguments.objective_name)
    best = None if tuner.is_dry else keeping_best(objective, str(_weights(tuner, trial)))
    results = []
    for number in range(tuner.executions_per_trial):
        made = list(callbacks()) if callable(callbacks) else copy.deepcopy(list(callbacks))
        if not tuner.is_dry:
            made = placed(made, trial.trial_id, number, hp.values)
        own = [] if best is None else [told(tuner, trial), best, cuts(tuner)]
        every = {**named, "callbacks": [*made, *own]}
        results.append(once(trial, *given, **every))
    return results


def fit_once(tuner: Any, trial: Any, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """Return what a fit of a trial's model returned."""
    hp = trial.hyperparameters
    model = _built(tuner, hp)
    result = tuner.hypermodel.fit(hp, model, *given, **named)
    if not tuner.is_dry:
        _keep_shape(model, _shape(tuner, trial))
    return result


def load_trial(tuner: Any, trial: Any) -> Any:
    """Return a trial's model with the weights that were kept. Raises NotFoundError without any."""
    file = _weights(tuner, trial)
    if not file.exists():
        raise NotFoundError(
            f"trial {trial.trial_id} has kept no weights: its run_trial saves none in {file}"
        )
    model = _built(tuner, trial.hyperparameters)
    shape = _shape(tuner, trial)
    if not model.built and shape.exists():
        model.build_from_config(json.loads(shape.read_text(encoding="utf-8")))
        model.built = bool(model.weights)  # of a model with a call of its own Keras says False
    if not model.built:
        raise NotFoundError(
            f"the weights of trial {trial.trial_id} do not fit a model without an input shape: "
            "begin it with keras.Input"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the optimizer is a fresh one
        model.load_weights(str(file))
    return model


def _keep_shape(model: Any, file: Path) -> None:
    """Keep with what shape of input a model was built, for one that does not say so itself."""
    try:
        text = json.dumps(model.get_build_config())
    except TypeError:  # a shape that is no JSON
        return
    file.write_text(text, encoding="utf-8")


def _shape(tuner: Any, trial: Any) -> Path:
    return Path(tuner.get_trial_dir(trial.trial_id)) / "build_config.json"


def _built(tuner: Any, hp: Any) -> Any:
    return GivenBuild(tuner.build, tuner.arguments)(hp)


def _weights(tuner: Any, trial: Any) -> Path:
    return Path(tuner.get_trial_dir(trial.trial_id)) / _WEIGHTS
