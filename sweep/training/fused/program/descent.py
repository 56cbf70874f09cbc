"""How a training step moves the weights: their penalties, clipping, and the optimizer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keras import ops

from sweep.training.fused.program.arrays import Trials
from sweep.training.fused.program.optimizers import Weight, clipped, updated
from sweep.training.fused.program.penalties import penalised
from sweep.training.fused.program.shape import Shape
from sweep.training.tensors import Tensor


@dataclass(frozen=True)
class Descent:
    """A step of every trial's optimizer: with what rates it moves which trials' weights."""

    shape: Shape
    trials: Trials
    rates: Tensor  # (2 or more, slots): step size, learning rate, Nadam's two more

    def moved(
        self,
        roles: Sequence[tuple[str, Any]],
        weights: Sequence[Weight],
        gradients: Sequence[Tensor],
    ) -> list[Weight]:
        """Return the weights after the step, from the gradients of the loss without penalty.

        `roles` are kind and layer of each weight; a layer may be a tensor. Under global_clipnorm
        one call must be given all of a trial's weights, as the norm is that of all gradients.
        """
        whole = [
            penalised(self.shape, *role, gradient, weight.value, self.trials)
            for role, weight, gradient in zip(roles, weights, gradients, strict=True)
        ]
        rates, numbers = ops.unstack(self.rates), ops.unstack(self.trials.numbers, axis=1)
        gradients = clipped(self.shape.clip, whole, numbers[4])
        return [
            updated(self.shape.optimizer, weight, gradient, rates, numbers)
            for weight, gradient in zip(weights, gradients, strict=True)
        ]
