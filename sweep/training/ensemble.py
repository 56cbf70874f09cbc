"""Several trained models as one Keras model: the mean of their probabilities.

The members' probabilities are averaged, not their logits: that is the usual deep ensemble (an
equal mixture of the members; Lakshminarayanan, Pritzel and Blundell, NeurIPS 2017), it means the
same whether a member ends in a logit, a sigmoid or a softmax, and no member that is far too sure
outweighs the others. The model consists of standard Keras layers around the members.
"""

from collections.abc import Sequence

import keras

from sweep.errors import InvalidSpaceError
from sweep.space.check import METRIC
from sweep.space.outputs import outputs_of
from sweep.training.model import Model


def ensemble(members: Sequence[Model]) -> Model:
    """Return one compiled model that gives the mean probability of `members`, two or more.

    Its output has the members' shape: the probability of a 1, or one for each class. It has
    copies of the members' weights. Raises InvalidSpaceError for a member that cannot be copied.
    """
    rows = keras.Input(members[0].input_shape[1:], name="rows")
    outputs = [_probability(member, number, rows) for number, member in enumerate(members, 1)]
    model = keras.Model(rows, keras.layers.Average(name="mean_probability")(outputs))
    if model.output_shape[-1] == 1:
        loss = keras.losses.BinaryCrossentropy(from_logits=False)
        metric = keras.metrics.BinaryCrossentropy(from_logits=False, name=METRIC)
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=False)
        metric = keras.metrics.SparseCategoricalCrossentropy(from_logits=False, name=METRIC)
    # plain descent has no variables for each weight, so the file is no larger than its members
    model.compile("sgd", loss=loss, metrics=[metric])
    return model


def _probability(member: Model, number: int, rows: keras.KerasTensor) -> keras.KerasTensor:
    """The member's output as a probability; the copy has a name of its own, and no optimizer."""
    try:
        copy = type(member).from_config({**member.get_config(), "name": f"member_{number}"})
        output = copy(rows)
        copy.set_weights(member.get_weights())
    except (TypeError, ValueError, NotImplementedError) as error:
        raise InvalidSpaceError(
            "the model of build(hp) cannot be copied from its configuration, so it cannot be part "
            "of an ensemble; give its class get_config and from_config, or leave out --ensemble "
            f"({' '.join(str(error).split())[:200]})"
        ) from error
    if not outputs_of(member).logits:
        return output
    kind = "sigmoid" if member.output_shape[-1] == 1 else "softmax"
    return keras.layers.Activation(kind, name=f"probability_{number}")(output)
