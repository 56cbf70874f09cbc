"""Reads a compiled Keras model into a description, or says why it is left to Keras.

What can be described: a Sequential or functional chain of Dense, each followed by parts of those in
`layers/registry.py`, which the input may have as well, behind Flatten, Normalization and Rescaling;
L1 and L2 penalties; most optimizers under a constant rate or a built-in schedule; the
cross-entropies, labels smoothed or not, and the usual losses of amounts.
Everything else, known or unknown, is refused by name: nothing is guessed.
"""

import math
from dataclasses import replace
from typing import Any

import keras
from keras import layers

from sweep.tasks.task import HIGGS_TASK, Task
from sweep.training.fused.description import Description, FusedLoss, Unit
from sweep.training.fused.layers.activation import SOFTMAX, Activation
from sweep.training.fused.layers.refusal import NotCarriedError, name_of, require
from sweep.training.fused.program.losses import AMOUNTS
from sweep.training.fused.reading.layers import read_input, read_layers
from sweep.training.fused.reading.loss import read_loss
from sweep.training.fused.reading.metrics import read_metrics
from sweep.training.fused.reading.optimizer import optimizer_roles, read_optimizer, roles_of
from sweep.training.model import Model
from sweep.words import counted


def carries(model: Model, task: Task = HIGGS_TASK) -> str | None:
    """Return None if the fused trainer can carry `model`, else one line that says why not."""
    try:
        read(model, task)
    except NotCarriedError as error:
        return str(error)
    return None


def read(model: Model, task: Task = HIGGS_TASK) -> Description:
    """Return the description of a compiled model, its optimizer built or not.

    Raises NotCarriedError.
    """
    loss = read_loss(model, task)
    shape, chain = _chain(model)
    chain, scaling, constants = read_input(shape, chain)
    units, roles = read_layers(math.prod(shape), chain)
    roles |= constants
    given, *hidden, output = units
    inner = [part for unit in (given, *hidden) for part in unit.parts]
    require(Activation(SOFTMAX) not in inner, f"activation {SOFTMAX} in a hidden layer")
    end, *behind = output.parts or (Activation("linear"),)
    for part in [*behind, *(() if isinstance(end, Activation) else (end,))]:
        require(False, f"{name_of(part)} behind the output layer")
    loss = _ended(loss, output, task)
    output = replace(output, parts=())
    optimizer = read_optimizer(model.optimizer)
    trainable = roles_of(model.trainable_variables, roles, "model")
    return Description(
        given=given,
        hidden=tuple(hidden),
        output=output,
        loss=loss,
        optimizer=optimizer,
        model_roles=roles_of(model.variables, roles, "model"),
        optimizer_roles=optimizer_roles(optimizer, trainable),
        scaling=scaling,
        metrics=read_metrics(model, task, loss.from_logits),
    )


def _ended(loss: FusedLoss, output: Unit, task: Task) -> FusedLoss:
    """The loss with the activation of the last layer, once they are seen to fit the task."""
    classes = loss.categorical or loss.kind == "classes"
    wanted = 1 + loss.categorical
    if loss.kind:
        wanted = task.n_classes if classes else task.n_targets
    require(output.width == wanted, f"{counted(output.width, 'output')}, expected {wanted}")
    if loss.kind in AMOUNTS:
        require(output.activation != SOFTMAX, f"amounts out of a {SOFTMAX}")
        return replace(loss, end=output.activation)
    if loss.from_logits:
        require(
            output.activation == "linear", f"a loss of logits behind activation {output.activation}"
        )
    else:
        squashing = SOFTMAX if classes else "sigmoid"
        require(
            output.activation == squashing,
            f"a loss of probabilities behind activation {output.activation}",
        )
    return loss


def _chain(model: Model) -> tuple[tuple[int, ...], list[Any]]:
    """The shape of a row, and the model's layers in order, the input left out."""
    kind = type(model)
    require(
        kind is keras.Sequential or kind.__name__ == "Functional",
        f"a model of the class {name_of(model)}, neither Sequential nor functional",
    )
    require(len(model.inputs) == 1 and len(model.outputs) == 1, "several inputs or outputs")
    shape = tuple(model.input_shape[1:])
    require(bool(shape) and None not in shape, f"an input of shape {shape}")
    require(model.inputs[0].dtype == "float32", f"an input of type {model.inputs[0].dtype}")
    if kind is keras.Sequential:
        return shape, list(model.layers)
    tensor = model.inputs[0]
    chain = []
    for layer in model.layers:
        if isinstance(layer, layers.InputLayer):
            continue
        try:
            follows = layer.input is tensor
            tensor = layer.output
        except (AttributeError, ValueError):  # a layer used twice, or never
            follows = False
        require(follows, f"layers that are no simple chain, at {name_of(layer)}")
        chain.append(layer)
    require(tensor is model.outputs[0], "layers that are no simple chain")
    return shape, chain
