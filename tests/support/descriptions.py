"""Descriptions of networks, as if they had been read from models."""

from sweep.training.fused.description import Description, FusedLoss, Unit
from sweep.training.fused.layers.activation import Activation
from sweep.training.fused.program.optimizers import OptimizerRule


def described(*widths, activation="relu", optimizer="adam", behind=()):
    """Return a network of these hidden widths, with parts `behind` each activation."""
    return Description(
        given=Unit(28),
        hidden=tuple(Unit(width, (Activation(activation), *behind)) for width in widths),
        output=Unit(1),
        loss=FusedLoss(from_logits=True),
        optimizer=OptimizerRule(optimizer, None, (0.9, 0.999), 1e-7, 0.0),
        model_roles=(),
        optimizer_roles=(),
    )
