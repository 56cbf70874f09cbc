"""One trial's Keras model: built from its seed, its whole state read and written, evaluated.

What trainers share. The optimizer's and the generators' states count as state; see
`checkpoint`.
"""

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from sweep import metrics
from sweep.data.split import Rows
from sweep.records import Value
from sweep.seeds import derive
from sweep.space.asked import Asked, unforeseen
from sweep.space.build import Build as Build  # trainers have both from here
from sweep.space.build import Model as Model
from sweep.space.keras_loss import TargetForm
from sweep.space.outputs import n_outputs
from sweep.space.targets import shaped, target_form
from sweep.space.unmade_variables import variables_unmade
from sweep.tasks.losses import Array, LossName, row_losses
from sweep.tasks.objectives import ObjectiveName, row_values
from sweep.tasks.rare import measures_of_a_rare_class
from sweep.tasks.scoring import BINARY_CROSSENTROPY, Scoring
from sweep.tasks.task import HIGGS_TASK, Task, TaskKind
from sweep.training import predictions
from sweep.training.batches import epoch_order as epoch_order
from sweep.training.batches import shuffled_batches as shuffled_batches
from sweep.training.fit_score import NAME as OF_FIT


def build_model(
    build: Build,
    hyperparameters: dict[str, Value],
    seed: int,
    *,
    for_fit: bool = True,
    task: Task = HIGGS_TASK,
    whole: bool = False,
) -> Model:
    """The trial's model with its initial weights, the same for the same seed.

    `whole` says that every value that `build` asks for must be among the hyperparameters: a name
    without one raises UnforeseenError and does not get its default.

    The optimizer's variables are there as well. A model that is not for `fit` can be read only: no
    variable of it can be assigned to, and those that `fit` alone needs are missing, the optimizer's
    too; it takes half of the time. Raises whatever `build` raises.
    """
    keras.utils.set_random_seed(derive(seed, "init"))
    with nullcontext() if for_fit else variables_unmade():
        model = build(Asked(hyperparameters, unforeseen if whole else None))
    if for_fit:
        model.optimizer.build(model.trainable_variables)
        _create_metrics_variables(model, target_form(model, task))
    return model


def _create_metrics_variables(model: Model, form: TargetForm) -> None:
    """Create the metrics' variables now instead of within `fit`, as the optimizer's are.

    A function that creates variables is traced twice by TensorFlow, and the first trace is never
    freed: 5.6 MiB and half a second a trial (`benchmarks/memory.py`).
    """
    outputs = np.zeros((1, *(size or 1 for size in model.outputs[0].shape[1:])), np.float32)
    shape = (1, 1) if form is TargetForm.NUMBERS or outputs.size == 1 else outputs.shape
    given = [keras.ops.convert_to_tensor(one) for one in (np.zeros(shape, np.float32), outputs)]
    model.compute_metrics(None, *given)
    model.reset_metrics()


def get_state(variables: list[Any]) -> tuple[np.ndarray, ...]:
    """Copies of the variables' values, in their order."""
    return tuple(np.array(keras.ops.convert_to_numpy(variable.value)) for variable in variables)


def set_state(variables: list[Any], arrays: tuple[np.ndarray, ...]) -> None:
    """Assign `arrays` to `variables`. Raises ValueError when they do not fit."""
    if len(variables) != len(arrays):
        raise ValueError(f"the model has {len(variables)} variables, the state {len(arrays)}")
    for variable, array in zip(variables, arrays, strict=True):
        if tuple(variable.shape) != array.shape:
            raise ValueError(
                f"variable {variable.path} has shape {tuple(variable.shape)}, "
                f"the state {array.shape}"
            )
        variable.assign(array)


def count_params(model: Model) -> int:
    """Number of trainable parameters: the capacity."""
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def learning_rate(model: Model) -> float:
    """The rate of the optimizer's next step, its schedule evaluated."""
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))


@dataclass(frozen=True)
class Evaluation:
    """A model on some rows, in evaluation mode. No penalty is in it."""

    losses: np.ndarray | None
    """A number for each row, shape (rows,), whose mean is the score; None if it has no rows."""
    score: float
    """Lower is better."""
    accuracy: float
    """NaN of amounts."""
    auc: float
    """NaN unless the target is one of two classes."""
    row_losses: np.ndarray
    """The model's loss of each row, shape (rows,); the same unless the score is another measure."""
    metrics: dict[str, float] = field(default_factory=dict)
    """What the metrics that the model is compiled with say of these rows, where asked for; how well
    a rare class is found."""

    @property
    def loss(self) -> float:
        """The mean of the model's loss over the rows."""
        return float(self.row_losses.mean())


def predict_logits(model: Model, x: np.ndarray) -> np.ndarray:
    """Logits of one of two classes in evaluation mode, shape (rows,), double precision.

    Raises OutputsError if the outputs are not what the loss takes.
    """
    return predictions.predict(model, x)


def evaluate(
    model: Model,
    rows: Rows,
    task: Task = HIGGS_TASK,
    scoring: Scoring = BINARY_CROSSENTROPY,
    *,
    form: TargetForm | None = None,
    with_metrics: bool = False,
    with_rare: bool = False,
    before_part: Callable[[], None] | None = None,
) -> Evaluation:
    """Score, accuracy and AUC of `model` on `rows`; its own metrics too if they are asked for.

    `with_rare` says whether to measure how well a rare class is found.

    `form` is what `target_form` says; that it need not be found out again at each epoch.
    `before_part` is called before each part of the rows: what it raises ends the evaluation.
    """
    form = target_form(model, task) if form is None else form
    outputs = predictions.raw_outputs(model, rows.x, before_part)
    predicted = predictions.predictions(model, outputs, task)
    y = rows.y if rows.y.ndim <= 2 else rows.y.reshape(len(rows), -1)
    measured = predictions.measured(model, predicted, task)
    by_metric = scoring.objective is ObjectiveName.METRIC
    said = own_metrics(model, outputs, rows.y, form) if with_metrics or by_metric else {}
    if scoring.loss.name is LossName.OWN:
        losses = predictions.own_row_losses(model, outputs, rows.y, form)
    else:
        is_logit = scoring.loss.name is LossName.BINARY_CROSSENTROPY
        losses = row_losses(scoring.loss, predicted if is_logit else measured, y)
    values: Array | None = losses
    if by_metric:
        values, score = None, said[scoring.metric] * (-1 if scoring.is_higher_better else 1)
    elif scoring.objective is ObjectiveName.LOSS:
        score = float(losses.mean())
    else:
        values = row_values(scoring.objective, measured, y)
        score = float(values.mean())
    rare = measures_of_a_rare_class(predicted, rows.y, task) if with_rare else {}
    return Evaluation(
        losses=values,
        score=score,
        accuracy=_accuracy(predicted, rows.y, task),
        auc=metrics.auc(predicted, rows.y) if task.kind is TaskKind.BINARY else math.nan,
        row_losses=losses,
        metrics=rare | said,
    )


def _accuracy(predicted: Array, y: np.ndarray, task: Task) -> float:
    if task.kind is TaskKind.AMOUNT:
        return math.nan
    if task.kind is TaskKind.BINARY:
        return metrics.accuracy(predicted, y)
    return 1 - float(row_values(ObjectiveName.ACCURACY, predicted, y).mean())


def own_metrics(
    model: Model, outputs: np.ndarray, y: np.ndarray, form: TargetForm
) -> dict[str, float]:
    """Return what the metrics that the model is compiled with say of these outputs, by name."""
    found = predictions.metrics_of(model, outputs, shaped(y, form, n_outputs(model)))
    return {name: value for name, value in found.items() if name not in ("loss", OF_FIT)}


def penalty(model: Model) -> float:
    """The sum of the model's regularisation terms at its present weights."""
    return float(sum(float(keras.ops.convert_to_numpy(loss)) for loss in model.losses))
