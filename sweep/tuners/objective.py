"""What a script's `objective` is called here: a word, an `Objective`, or a list of one."""

from typing import Any

from sweep.errors import UsageError

_VALIDATION = "val_"
_DIRECTIONS = ("min", "max")
_MEASURES = {
    "loss": "min",
    "mae": "min",
    "mse": "min",
    "rmse": "min",
    "accuracy": "max",
    "auc": "max",
    "average_precision": "max",
    "r2": "max",
}
"""Measures that a score can be, with an error, and which way each is better."""
_OTHER_NAMES = {
    "mean_absolute_error": "mae",
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "r2_score": "r2",
    "acc": "accuracy",
}


def objective_words(objective: Any) -> str:
    """Return the setting `objective` for what a tuner was given: "loss", "auc", "max:f1_score".

    Raises UsageError for none, for several, and for a measure of the training rows.
    """
    given = list(objective) if isinstance(objective, list | tuple) else [objective]
    if len(given) != 1 or given[0] is None:
        raise UsageError(
            f"objective has {len(given)} entries, and here trials are ranked by one: give one name"
            if len(given) != 1
            else 'objective is missing: give a name such as "val_loss" or "val_accuracy"'
        )
    (one,) = given
    name, direction = _parts(one)
    if not name.startswith(_VALIDATION):
        raise UsageError(
            f"objective is {name!r}, which is measured on training rows; trials are ranked by "
            f"validation rows: {_VALIDATION}{name}"
        )
    name = name.removeprefix(_VALIDATION)
    measure = _OTHER_NAMES.get(name, name)
    if measure in _MEASURES and direction in (None, _MEASURES[measure]):
        return measure
    return name if direction is None else f"{direction}:{name}"


def _parts(given: Any) -> tuple[str, str | None]:
    """Return the name, and the direction if one is said."""
    if isinstance(given, str):
        return given, None
    name, direction = getattr(given, "name", None), getattr(given, "direction", None)
    if not isinstance(name, str):
        raise UsageError(
            f"objective is {given!r}, expected a name or keras_tuner.Objective(name, direction)"
        )
    if direction is not None and direction not in _DIRECTIONS:
        raise UsageError(f"the direction of objective {name} is {direction!r}, expected min or max")
    return name, direction
