"""Activations that work on each unit by itself, as layers and as Dense's own."""

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from sweep.training.fused.layers import activations as known
from sweep.training.fused.layers.part import At, Form, Gradients, Part
from sweep.training.fused.layers.refusal import NotCarriedError, name_of, require
from sweep.training.tensors import Tensor

SOFTMAX = "softmax"
"""The one activation that is read though no program has it: it may stand at the output only."""

_UNLIKE = "ReLU with a threshold, or with both a slope and a maximum"


@dataclass(frozen=True)
class Activating(Form):
    """An activation in a program; one of several `names` where the trial alone says which."""

    names: tuple[str, ...]

    @property
    def zero_at_zero(self) -> bool:
        """Whether padded units stay 0."""
        return all(known.activation(name).zero_at_zero for name in self.names)

    def forward(self, at: At, h: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        value = self._chosen(at).value(h)
        return self._silenced(at, value), (h, value)

    def backward(self, at: At, left: tuple[Tensor, Tensor], dh: Tensor) -> tuple[Tensor, Gradients]:
        return dh * self._chosen(at).slope(*left), {}

    def evaluated(self, at: At, h: Tensor) -> Tensor:
        return self._silenced(at, self._chosen(at).value(h))

    def _chosen(self, at: At) -> known.Elementwise:
        each = [known.activation(name) for name in self.names]
        if len(each) == 1:
            return each[0]
        return known.Elementwise(
            lambda z: ops.switch(at.kind, [_bound(one.value, z) for one in each]),
            lambda z, f: ops.switch(at.kind, [_bound(one.slope, z, f) for one in each]),
        )

    def _silenced(self, at: At, value: Tensor) -> Tensor:
        return at.silenced(value) if at.masked else value


def _bound(function: Any, *args: Any) -> Any:
    return lambda: function(*args)


@dataclass(frozen=True)
class Activation(Part):
    """An activation by its name in `activations`."""

    keras = ("Activation", "ReLU", "LeakyReLU", "ELU", "Softmax")

    name: str

    @property
    def form(self) -> Form:
        return Activating((self.name,))

    @classmethod
    def read(cls, layer: Any, width: int) -> "Activation | None":
        if type(layer) is layers.Activation:
            return cls.of(layer.activation)
        name = layer_activation_name(layer)
        if name is None:
            raise NotCarriedError(_UNLIKE)
        return cls(name)

    @classmethod
    def of(cls, function: Any) -> "Activation | None":
        """Return the activation that a Keras function is; None for the linear one."""
        name = SOFTMAX if function is keras.activations.softmax else activation_name(function)
        if name is None:
            unknown = getattr(function, "__name__", name_of(function))
            raise NotCarriedError(f"activation {unknown}")
        return None if name == "linear" else cls(name)


def activation_name(function: Any) -> str | None:
    """Return the name under which `function` stands in ACTIVATIONS, None if it does not."""
    name = getattr(function, "__name__", None)
    named = isinstance(name, str) and name in known.ACTIVATIONS
    if named and getattr(keras.activations, str(name)) is function:
        return name
    return None


def layer_activation_name(layer: Any) -> str | None:
    """Return the name by which `activation` knows a ReLU, LeakyReLU or ELU, None if it does not."""
    if type(layer) is layers.Softmax:
        require(layer.axis in (-1, 1), f"Softmax over axis {layer.axis}")
        return SOFTMAX
    if type(layer) is layers.LeakyReLU:
        return f"leaky_relu({float(layer.negative_slope)})"
    if type(layer) is layers.ELU:
        return "elu" if layer.alpha == 1 else f"elu({float(layer.alpha)})"
    if type(layer) is layers.ReLU and not layer.threshold:
        if layer.max_value is None:
            return f"leaky_relu({float(layer.negative_slope)})" if layer.negative_slope else "relu"
        return None if layer.negative_slope else f"relu({float(layer.max_value)})"
    return None
