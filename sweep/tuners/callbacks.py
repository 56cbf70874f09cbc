"""What a script's callbacks are here: a rule of early stopping, or Keras' own for each trial.

`EarlyStopping` on what every epoch's record holds becomes a rule, whose state goes on across
promotions. Every other callback is copied for each trial, as Keras Tuner does, and run by Keras. As
nobody can tell what state it has, its trial is trained again from the first epoch when it goes on.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweep.errors import UsageError
from sweep.settings import StopRule
from sweep.tasks.task import Task, TaskKind

Make = Callable[[int, int, Mapping[str, Any]], list[Any]]
"""From a trial's number, the number of its execution, from 0, and its hyperparameters to callbacks
of its own."""
_LOWER = ("loss", "val_loss")


@dataclass(frozen=True)
class TrialCallbacks:
    """How trials are trained besides the rows."""

    stopping: StopRule | None = None
    make: Make | None = None
    """None if no callback is left to Keras."""
    names: tuple[str, ...] = ()
    """Of the callbacks that are left to Keras."""


def trial_callbacks(
    given: Any, task: Task, metrics: Sequence[str], digits: int = 1
) -> TrialCallbacks:
    """Return what `search` was given as `callbacks`: a list, or a function that makes one.

    `metrics` are those that the models are compiled with, `digits` how many a trial's id has at
    least. Raises UsageError for what is no
    callback, and for one that cannot be copied.
    """
    if given is None:
        return TrialCallbacks()
    listed = list(given() if callable(given) else given)
    _check(listed)
    if not callable(given):
        _check_copies(listed)
    known = _watched(task, metrics)
    rules = [number for number, one in enumerate(listed) if _is_rule(one, known)]
    own = rules[0] if len(rules) == 1 else None
    kept = [n for n, one in enumerate(listed) if n != own and not _is_without_effect(one)]
    make = None
    if kept:

        def make(trial: int, execution: int, values: Mapping[str, Any]) -> list[Any]:
            made = list(given()) if callable(given) else copy.deepcopy(listed)
            return placed([made[n] for n in kept], f"{trial:0{digits}d}", execution, values)

    return TrialCallbacks(
        None if own is None else _rule(listed[own]),
        make,
        tuple(type(listed[number]).__name__ for number in kept),
    )


def _check(listed: Sequence[Any]) -> None:
    import keras

    for one in listed:
        if not isinstance(one, keras.callbacks.Callback):
            raise UsageError(
                f"search: callbacks has {one!r}, expected objects of keras.callbacks.Callback"
            )


def _check_copies(listed: Sequence[Any]) -> None:
    for one in listed:
        try:
            copy.deepcopy(one)
        except Exception as error:
            raise UsageError(
                f"search: the callback {type(one).__name__} cannot be copied for each trial "
                f"({type(error).__name__}: {error}); give a function that makes it: "
                f"callbacks=lambda: [{type(one).__name__}()], with its arguments"
            ) from error


def _watched(task: Task, metrics: Sequence[str]) -> tuple[str, ...]:
    """What a rule may watch: the record of every epoch has it, whoever trains."""
    found = list(_LOWER)
    if task.is_classification and "accuracy" in metrics:
        found.append("val_accuracy")
    if task.kind is TaskKind.BINARY and "auc" in metrics:
        found.append("val_auc")
    return tuple(found)


def _is_rule(one: Any, known: Sequence[str]) -> bool:
    import keras

    if type(one) is not keras.callbacks.EarlyStopping or one.monitor not in known:
        return False
    return one.mode in ("auto", "min" if one.monitor in _LOWER else "max")


def _rule(one: Any) -> StopRule:
    return StopRule(
        monitor=str(one.monitor),
        patience=int(one.patience),
        min_delta=abs(float(one.min_delta)),
        is_higher_better=one.monitor not in _LOWER,
        start_from_epoch=int(one.start_from_epoch),
        baseline=None if one.baseline is None else float(one.baseline),
    )


def _is_without_effect(one: Any) -> bool:
    """Whether a callback changes nothing here: a trial ends anyway if its loss is not finite."""
    import keras

    kinds = (keras.callbacks.TerminateOnNaN, keras.callbacks.History, keras.callbacks.ProgbarLogger)
    return type(one) in kinds


def placed(
    made: Sequence[Any], trial_id: str, execution: int, values: Mapping[str, Any]
) -> list[Any]:
    """Return the callbacks of one run, TensorBoard's logs in a folder of their own.

    As in Keras Tuner, TensorBoard is told its hyperparameters.
    """
    found = []
    for one in made:
        found.append(one)
        if type(one).__name__ == "TensorBoard":
            from tensorboard.plugins.hparams.api import KerasCallback

            one.log_dir = str(Path(one.log_dir) / trial_id / f"execution{execution}")
            found.append(KerasCallback(one.log_dir, dict(values)))
    return found
