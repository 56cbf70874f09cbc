"""Several trained models as one Keras model: the mean of what they predict.

The members' probabilities are averaged, not their logits: that is the usual deep ensemble (an
equal mixture of the members; Lakshminarayanan, Pritzel and Blundell, NeurIPS 2017), it means the
same whether a member ends in a logit, a sigmoid or a softmax, and no member that is far too sure
outweighs the others. Amounts are averaged as they are, and so are the outputs under a loss of the
user's own. The model consists of standard Keras layers around the members.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from sweep.errors import InvalidSpaceError
from sweep.metrics import logits_from_probabilities
from sweep.space.check import METRIC
from sweep.space.keras_loss import TargetForm, loss_of
from sweep.space.outputs import outputs_of
from sweep.space.saved import needed_by
from sweep.space.targets import target_form
from sweep.special_functions import expit
from sweep.tasks.losses import Array, LossName, log_probabilities
from sweep.tasks.task import HIGGS_TASK, Task, TaskKind
from sweep.training.model import Model

_LOSSES = {
    TargetForm.AS_THEY_ARE: "BinaryCrossentropy",
    TargetForm.NUMBERS: "SparseCategoricalCrossentropy",
    TargetForm.ONE_HOT: "CategoricalCrossentropy",
}


def ensemble(members: Sequence[Model], task: Task = HIGGS_TASK) -> Model:
    """Return one compiled model that gives the mean prediction of `members`, two or more.

    Its output has the members' shape: the probability of a 1, or one for each class; amounts. It
    has copies of the members' weights. Raises InvalidSpaceError for a member that cannot be copied.
    """
    first = members[0]
    rows = _inputs(first)
    outputs = [_prediction(member, number, rows, task) for number, member in enumerate(members, 1)]
    name = "mean_probability" if _averages_probabilities(first, task) else "mean"
    model = keras.Model(rows, keras.layers.Average(name=name)(outputs))
    loss, metrics = _measured(first, task)
    # plain descent has no variables for each weight, so the file is no larger than its members
    model.compile("sgd", loss=loss, metrics=metrics)
    return model


def mean_prediction(predicted: Sequence[Array], ensemble: Model, task: Task = HIGGS_TASK) -> Array:
    """Return what `ensemble` is to predict if its members predict `predicted`, without Keras."""
    if not _averages_probabilities(ensemble, task):
        found: Array = np.mean(predicted, axis=0)
        return found
    if task.kind is TaskKind.CLASSES:
        return log_probabilities(np.mean(np.exp(predicted), axis=0))
    return logits_from_probabilities(np.mean(expit(np.asarray(predicted)), axis=0))


def _inputs(member: Model) -> Any:
    """The inputs of the ensemble: those of a member, named alike if it has several."""
    if len(member.inputs) == 1:
        only = member.inputs[0]
        return keras.Input(only.shape[1:], dtype=only.dtype, name="rows")
    return {one.name: keras.Input(one.shape[1:], dtype=one.dtype, name=one.name)
            for one in member.inputs}  # fmt: skip


def _averages_probabilities(member: Model, task: Task) -> bool:
    meaning = outputs_of(member, task)
    if meaning.amounts:
        return False
    return not meaning.logits or loss_of(member).loss.name is not LossName.OWN


def _measured(member: Model, task: Task) -> tuple[Any, list[Any]]:
    """The loss and the metrics that the mean is compiled with: the member's, of probabilities."""
    given = [_metric(one) for one in (member.get_compile_config() or {}).get("metrics") or []]
    if outputs_of(member, task).amounts or loss_of(member).loss.name is LossName.OWN:
        return member.loss, given
    kind = _LOSSES[target_form(member, task)]
    loss = getattr(keras.losses, kind)(from_logits=False)
    if task.kind is not TaskKind.BINARY:
        return loss, given
    return loss, [getattr(keras.metrics, kind)(from_logits=False, name=METRIC)]


def _metric(given: Any) -> Any:
    return keras.metrics.deserialize(given) if isinstance(given, dict) else given


def _prediction(member: Model, number: int, rows: Any, task: Task) -> keras.KerasTensor:
    """What a copy of the member predicts; the copy has a name of its own, and no optimizer."""
    try:
        copy = _copied(member, f"member_{number}")
        output = copy(rows)
        copy.set_weights(member.get_weights())
    except (TypeError, ValueError, NotImplementedError) as error:
        raise InvalidSpaceError(
            "the search space's model cannot be copied from its configuration, so it cannot be "
            "part of an ensemble; give its class get_config and from_config, or leave out "
            f"--ensemble ({' '.join(str(error).split())[:200]})"
        ) from error
    if not outputs_of(member, task).logits or not _averages_probabilities(member, task):
        return output
    is_shares = target_form(member, task) is not TargetForm.AS_THEY_ARE
    kind = "softmax" if is_shares else "sigmoid"
    return keras.layers.Activation(kind, name=f"probability_{number}")(output)


def _copied(member: Model, name: str) -> Model:
    """A copy of `member` by its configuration, with the user's own layers and functions."""
    needed = needed_by(keras.saving.serialize_keras_object(member))
    if needed.unsafe:  # a lambda of the space's file, which was run in this process anyway
        keras.config.enable_unsafe_deserialization()
    with keras.saving.custom_object_scope(dict(needed.objects)):
        return type(member).from_config({**member.get_config(), "name": name})
