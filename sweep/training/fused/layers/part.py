"""The two faces of a layer behind a Dense: as a trial has it, and as a program has it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from sweep.training.fused.layers import random_bits
from sweep.training.fused.layers.penalty import Penalty
from sweep.training.tensors import Tensor

Gradients = dict[str, Tensor]
"""Of a layer's own weights, by kind: each (slots, units)."""


@dataclass(frozen=True)
class At:
    """Where a layer stands in a program: its weights, its numbers and its random bits.

    `numbers` are (slots, count), in the order of `Part.numbers`. In evaluation there is no `share`.
    """

    weights: dict[str, Tensor]  # by kind: (slots, units)
    numbers: Tensor
    share: Tensor = None  # (batch,): each row's weight in the batch's mean, 0 for padding
    keys: Tensor = None  # (slots, 2) uint32
    thresholds: Tensor = None  # (slots,) uint32: below it a unit is dropped
    scales: Tensor = None  # (slots,): the factor of the others
    real: Callable[[], Tensor | None] = lambda: None
    """Returns 1 for a trial's own units and 0 for padding, (slots, 1, units); None if none pads."""
    masked: bool = False
    """Whether some activation of the program gives padded units a value that is not 0, and no
    dropout follows at once that silences them."""
    kind: Tensor = None
    """Which of a mixed program's activations the layer has: a scalar."""

    def silenced(self, h: Tensor) -> Tensor:
        """Return h (slots, rows, units) with 0 for padded units."""
        real = self.real()
        return h if real is None else h * real

    def number(self, which: int) -> Tensor:
        """Return one of the layer's numbers, (slots, 1, 1)."""
        return self.numbers[:, which][:, None, None]

    def bits(self, h: Tensor) -> Tensor:
        """Return the step's random bits for h (slots, batch, units): uint32 of its shape."""
        return random_bits.bits(h.shape[1], h.shape[2], self.keys)


class Form:
    """What a program depends on of a layer, and its arithmetic: values of no trial are in it.

    A frozen dataclass, for its text is part of a program's name. `absent` are the numbers of a
    trial that does not have the layer.
    """

    absent: ClassVar[tuple[float, ...]] = ()
    draws: ClassVar[bool] = False
    """Whether it takes random bits."""

    @property
    def weights(self) -> tuple[str, ...]:
        """Kinds of its trainable variables, each of one number a unit."""
        return ()

    @property
    def averages(self) -> tuple[str, ...]:
        """Kinds of its other variables, each of one number a unit."""
        return ()

    def forward(self, at: At, h: Tensor) -> tuple[Tensor, Any]:
        """Return the output in training, (slots, batch, units) as h, and what `backward` needs."""
        raise NotImplementedError

    def backward(self, at: At, left: Any, dh: Tensor) -> tuple[Tensor, Gradients]:
        """Return the gradient at the input, from that at the output, and those of the weights."""
        raise NotImplementedError

    def evaluated(self, at: At, h: Tensor) -> Tensor:
        """Return the output in evaluation mode, (slots, rows, units) as h."""
        return h

    def moved(self, at: At, left: Any) -> Gradients:
        """Return what the batch makes of the averages, by kind."""
        return {}


class Part:
    """A layer as a trial has it, in plain values: a frozen dataclass."""

    keras: ClassVar[tuple[str, ...]]
    """Names of the classes in `keras.layers` that are read as this part."""

    @property
    def form(self) -> Form:
        """What a program depends on of it."""
        raise NotImplementedError

    @property
    def numbers(self) -> tuple[float, ...]:
        """What a program is given of it, in the order that its form expects."""
        return ()

    @property
    def rate(self) -> float:
        """The share of units that it drops."""
        return 0.0

    @property
    def penalties(self) -> dict[str, Penalty]:
        """The penalty on each of its weights, by kind."""
        return {}

    @classmethod
    def read(cls, layer: Any, width: int) -> "Part | None":
        """Return what a Keras layer on `width` units is; None if it does nothing.

        Raises NotCarriedError.
        """
        raise NotImplementedError

    @classmethod
    def variables(cls, layer: Any) -> dict[str, Any]:
        """Return the variables of a Keras layer by kind: weights, averages, `generator`."""
        return {}
