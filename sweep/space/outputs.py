"""Whether a model's outputs are logits, probabilities or amounts: task, loss and last layer say.

What a metric says is not asked. Both trainers, the checks of a space, test and export ask here.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sweep.space.ends import PROBABLE, SHARES, WITHIN, End, called, end_of
from sweep.space.keras_loss import KerasLoss, OutputsError, TargetForm, loss_of
from sweep.tasks.losses import LossName
from sweep.tasks.task import HIGGS_TASK, Task, TaskKind

__all__ = ["CATEGORICAL", "CROSS_ENTROPY", "SQUARED_ERROR", "Outputs", "OutputsError",
           "check_logits", "check_probabilities", "metric_in", "n_outputs",
           "outputs_of"]  # fmt: skip

CROSS_ENTROPY = ("binary_crossentropy", "bce")
SQUARED_ERROR = ("mean_squared_error", "mse", "MSE")
CATEGORICAL = ("sparse_categorical_crossentropy",)
"""Keras' names of the losses of a yes or no; the last of a model with two outputs."""

_ROUNDING = 1e-6
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Outputs:
    """What the numbers mean that a model returns."""

    logits: bool
    """Of classes; else they are probabilities."""
    by_construction: bool
    """Whether the last activation was recognised; else probabilities are checked as they come."""
    amounts: bool = False
    """Whether they are amounts, neither logits nor probabilities."""


def outputs_of(model: Any, task: Task = HIGGS_TASK) -> Outputs:
    """Return the meaning of a compiled model's outputs, given what is to be predicted.

    A cross-entropy without `from_logits` is one by name, which means probabilities to Keras. A
    squared error of classes is scored only if the outputs are probabilities by construction.
    Raises OutputsError if loss, outputs and task do not fit.
    """
    if not getattr(model, "outputs", None):
        raise OutputsError(f"{type(model).__name__} has no outputs that can be read")
    if len(model.outputs) > 1:
        raise OutputsError(
            f"the model has {len(model.outputs)} outputs, and one is scored here; "
            "return keras.Model(inputs, output) of the one that is to be predicted, compiled with "
            "its loss"
        )
    given, end = loss_of(model), end_of(model)
    _refuse_of_shares(given, end, model, task)
    if task.kind is TaskKind.AMOUNT:
        return _of_amounts(given, end, model, task)
    wanted = _Wanted(task, n_outputs(model))
    wanted.check_size(given, end)
    wanted.check_loss(given, end)
    if given.loss.name is LossName.SQUARED_ERROR and not wanted.is_probable(end):
        raise OutputsError(
            f"the loss {given.name} compares amounts, the target is {wanted.what}, and "
            f"{called(end)}; end the model with {wanted.probable_end()}"
        )
    if given.loss.name is LossName.OWN:
        return _of_own(given, end)
    return wanted.meaning(given, end)


def n_outputs(model: Any) -> int:
    """Return how many numbers a model gives for a row. Raises OutputsError if that is not fixed."""
    shape = model.outputs[0].shape[1:]
    if any(size is None for size in shape):
        raise OutputsError(f"the model has outputs of shape {model.output_shape}, not of one size")
    return math.prod(shape)


def check_probabilities(outputs: np.ndarray, task: Task = HIGGS_TASK) -> None:
    """Raise OutputsError if `outputs`, shape (rows, …), are no probabilities. NaN may be."""
    low, high = float(np.min(outputs, initial=0)), float(np.max(outputs, initial=0))
    wanted = _Wanted(task, math.prod(outputs.shape[1:]))
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise OutputsError(
            "the loss takes probabilities, and the last layer gives values from "
            f"{low:.3g} to {high:.3g}; end the model with {wanted.end()}"
        )
    if wanted.shares and np.any(np.abs(outputs.sum(axis=1) - 1) > _TOLERANCE):
        raise OutputsError(
            f"the loss takes probabilities, and those of the {_number(wanted.n)} classes do not "
            f"sum to 1; end the model with {wanted.end()}"
        )


def check_logits(outputs: np.ndarray, task: Task = HIGGS_TASK) -> None:
    """Raise OutputsError if `outputs` of many rows are all probabilities, and no logits."""
    low, high = float(np.min(outputs, initial=1)), float(np.max(outputs, initial=0))
    if low >= 0 and high <= 1:
        wanted = _Wanted(task, math.prod(outputs.shape[1:]))
        raise OutputsError(
            f"the loss takes logits, and the last layer gives values from {low:.3g} to {high:.3g} "
            f"on whatever it is given, as probabilities are; compile it with {wanted.losses(False)}"
        )


def metric_in(kind: str, logits: bool) -> str:
    """Return the code of the metric of binary cross-entropy that fits a model."""
    return f'keras.metrics.{kind}(from_logits={logits}, name="{CROSS_ENTROPY[0]}")'


@dataclass(frozen=True)
class _Wanted:
    """What a task of classes wants of a model with `n` outputs."""

    task: Task
    n: int

    @property
    def shares(self) -> bool:
        """Whether the outputs are shares of classes that exclude each other."""
        return self.task.kind is TaskKind.CLASSES or (self._is_binary and self.n == 2)

    @property
    def _is_binary(self) -> bool:
        return self.task.kind is TaskKind.BINARY

    @property
    def kind(self) -> str:
        """Keras' class of the loss that fits."""
        return "SparseCategoricalCrossentropy" if self.shares else "BinaryCrossentropy"

    @property
    def what(self) -> str:
        """The target in words."""
        if self.task.kind is TaskKind.LABELS:
            return f"{self.task.n_targets} answers of yes or no"
        return f"one of {_number(self.task.n_classes)} classes"

    def check_size(self, given: KerasLoss, end: End) -> None:
        """Raise OutputsError unless there are as many outputs as the task wants.

        It says what to do about the loss, too, if that fits no model of so many outputs.
        """
        wanted: tuple[int, ...] = (1, 2)
        if not self._is_binary:
            is_class = self.task.kind is TaskKind.CLASSES
            wanted = (self.task.n_classes if is_class else self.task.n_targets,)
        if self.n not in wanted:
            shapes = " or ".join(f"(None, {size})" for size in wanted)
            sizes = [replace(self, n=size) for size in wanted]
            mended = next((one for one in sizes if one.fits(given)), sizes[0])
            code = f"keras.layers.Dense({mended.n})" if given.logits else mended.end()
            loss = "" if mended.fits(given) else f" and compile it with {mended.losses(False)}"
            code = f"{mended.end()}{loss}" if loss else code
            is_amount = given.logits is None and given.loss.name is not LossName.OWN
            more = f"; if {given.name} is of amounts, say --task amount" if is_amount else ""
            raise OutputsError(
                f"it has outputs of shape (None, {self.n}), expected {shapes}, as the target is "
                f"{self.what}; end the model with {code}{more}"
            )

    def check_loss(self, given: KerasLoss, end: End) -> None:
        """Raise OutputsError if the loss cannot be of these classes."""
        if self.fits(given):
            return
        more = ", as it has two outputs" if self._is_pair else ""
        if not self.shares:
            more = ", or loss=keras.losses.MeanSquaredError() of a probability"
        raise OutputsError(
            f"it is compiled with loss {given.name}; expected "
            f"{self.losses(end.activation not in PROBABLE)}{more}"
        )

    def fits(self, given: KerasLoss) -> bool:
        """Whether the loss can be of these classes."""
        name, form = given.loss.name, given.form
        if name is LossName.OWN or (name is LossName.SQUARED_ERROR and not self._is_pair):
            return True
        if self._is_pair and form is TargetForm.ONE_HOT and given.is_smoothed:
            return False
        return name is (LossName.CROSSENTROPY if self.shares else LossName.BINARY_CROSSENTROPY)

    @property
    def _is_pair(self) -> bool:
        return self._is_binary and self.n == 2

    def meaning(self, given: KerasLoss, end: End) -> Outputs:
        """Return whether the outputs are logits. Raises OutputsError if the end contradicts."""
        if end.activation is None:
            return Outputs(bool(given.logits), by_construction=False)
        if given.logits and end.activation in PROBABLE:
            raise OutputsError(
                f"the loss {given.text} takes logits, and {called(end)}, which are no "
                f"logits; {self._advice(end)}"
            )
        if not given.logits and not self.is_probable(end):
            probable = f"{_number(self.n)} probabilities that sum to 1"
            raise OutputsError(
                f"the loss {given.text} takes probabilities, and {called(end)}, which are "
                f"not {probable if self.shares else 'a probability'}; {self._advice(end)}"
            )
        return Outputs(bool(given.logits), by_construction=True)

    def is_probable(self, end: End) -> bool:
        """Whether the values are probabilities of these classes, or would be under this loss."""
        return end.activation in (SHARES if self.shares else WITHIN)

    def end(self) -> str:
        """Return the code of a last layer that gives probabilities."""
        activation = "softmax" if self.shares else "sigmoid"
        return f'keras.layers.Dense({self.n}, activation="{activation}")'

    def losses(self, logits: bool) -> str:
        """Return the code of the loss that fits."""
        loss = f"loss=keras.losses.{self.kind}(from_logits={logits})"
        return f"{loss}, metrics=[{metric_in(self.kind, logits)}]" if self._is_binary else loss

    def probable_end(self) -> str:
        """Return the code of a last layer that gives probabilities, with its metric."""
        metric = f" and metrics=[{metric_in(self.kind, False)}]" if self._is_binary else ""
        return f"{self.end()}{metric}"

    def _advice(self, end: End) -> str:
        probable = self.is_probable(end)
        if end.activation in PROBABLE and not probable:
            return f"end the model with {self.end()} and compile it with {self.losses(False)}"
        first = f"compile it with {self.losses(not probable)}"
        return first if probable else f"{first}, or end it with {self.probable_end()}"


def _refuse_of_shares(given: KerasLoss, end: End, model: Any, task: Task) -> None:
    """Raise OutputsError if a loss of shares, such as KL divergence, is given none."""
    n = n_outputs(model)
    if given.of_shares is None or (n > 1 and end.activation not in WITHIN):
        return
    is_amount = task.kind is TaskKind.AMOUNT
    fits = "loss=keras.losses.MeanSquaredError()"
    if not is_amount:
        fits = _Wanted(task, n).losses(end.activation not in PROBABLE)
    outputs = "one output" if n == 1 else "outputs that are no shares of each other"
    raise OutputsError(
        f"the loss {given.name} compares shares of several classes, and the model has {outputs}: "
        f"it {given.of_shares}; compile it with {fits}"
    )


def _of_own(given: KerasLoss, end: End) -> Outputs:
    """Outputs under a loss of the user's own: it says what it takes, or the end does."""
    if given.logits is not None:
        return Outputs(given.logits, by_construction=True)
    return Outputs(end.activation not in PROBABLE, by_construction=True)


def _of_amounts(given: KerasLoss, end: End, model: Any, task: Task) -> Outputs:
    """Amounts; or probabilities of amounts within [0, 1], under a binary cross-entropy."""
    n, wanted, name = n_outputs(model), task.n_targets, given.loss.name
    is_wrong = n != wanted and len(model.outputs[0].shape) == 2  # of images and the like: the rows
    code = f"keras.layers.Dense({wanted})"
    if name is LossName.CROSSENTROPY:
        raise OutputsError(
            f"the loss {given.name} compares classes, and the target is an amount; compile it with "
            f"loss=keras.losses.MeanSquaredError(){f' and end it with {code}' if is_wrong else ''}"
            ", or say --task classes"
        )
    if is_wrong:
        raise OutputsError(
            f"it has outputs of shape (None, {n}), expected (None, {wanted}), as "
            f"{', '.join(task.targets[:5])}{' …' if wanted > 5 else ''} "
            f"{'is' if wanted == 1 else 'are'} to be predicted; end the model with {code}"
        )
    if name is LossName.BINARY_CROSSENTROPY:
        return _Wanted(Task(TaskKind.LABELS, task.targets), n).meaning(given, end)
    if name is LossName.POISSON and end.activation in ("linear", "tanh"):
        raise OutputsError(
            f"the loss {given.name} takes amounts above 0, and {called(end)}, which may be below; "
            f'end the model with keras.layers.Dense({n}, activation="softplus")'
        )
    if end.activation in SHARES and n == 1:
        raise OutputsError(
            f"{called(end)}, and of a single output that is always 1; end the model with "
            "keras.layers.Dense(1)"
        )
    return Outputs(logits=False, by_construction=True, amounts=True)


def _number(n: int) -> str:
    return "two" if n == 2 else str(n)
