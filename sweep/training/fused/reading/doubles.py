"""Doubles of Keras' models and layers, for builds that differ from one read before in numbers only.

Keras takes 20 to 80 ms to make a model. `build(hp)` is called as ever; but what it makes of Keras'
classes are objects that hold their arguments and nothing else. They serve for a chain of layers in
the registry with plain arguments: whatever else is asked of Keras inside raises NotDoubledError,
and the model is made for good. Random seeds are drawn in the order in which Keras draws them.
"""

import functools
import inspect
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
from keras import activations, constraints, initializers, layers, regularizers

from sweep.training import keras_private
from sweep.training.fused.layers.registry import PARTS

_RESOLVED = {
    "activation": activations.get,
    "initializer": initializers.get,
    "regularizer": regularizers.get,
    "constraint": constraints.get,
}
"""How Keras' layers take arguments that end in these words."""

_SHARES = ("rate", "stddev", "momentum")
_NUMBERS = ("epsilon", "negative_slope", "alpha", "max_value", "threshold")
_FLAGS = ("use_bias", "scale", "center")
_PLAIN = (*_SHARES, *_NUMBERS, *_FLAGS, "units", "name", "function")


class NotDoubledError(Exception):
    """A build asks for something of Keras that has no double."""


@dataclass(frozen=True)
class Variable:
    """A variable that is not made: its shape, and how its first value is made."""

    shape: tuple[int, ...]
    first: Callable[[], Any]

    @property
    def path(self) -> str:
        """What a reason would call the variable."""
        return "variable of a double"

    def value(self) -> np.ndarray:
        """Return the variable's first value."""
        found = self.first()
        return found if isinstance(found, np.ndarray) else np.array(found)


class Double:
    """A Sequential model, or a chain of calls from an Input; what it is compiled with."""

    __module__ = "keras.doubles"  # a model of Keras' own, not of a class of its author's

    def __init__(self, chain: Any = ()) -> None:
        self.chain: list[Any] = []
        self.shape: tuple[int, ...] | None = None
        self.optimizer: Any = None
        self.loss: Any = None
        self.metrics: Any = None
        for layer in chain or ():
            self.add(layer)

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer at the end."""
        if isinstance(layer, _Calls):
            if self.chain or self.shape is not None or layer.chain:
                raise NotDoubledError("an input behind the beginning")
            self.shape = layer.shape
            return
        shape = layer.__dict__.get("shape_of_input")
        if shape is not None and not self.chain and self.shape is None:
            self.shape = shape
        if not layer.__dict__.get("is_double") or any(one is layer for one in self.chain):
            raise NotDoubledError("a layer that was there before")
        self.chain.append(layer)

    def compile(self, *args: Any, **given: Any) -> None:
        """Keep what the model is compiled with."""
        bound = _signature(keras.Model.compile).bind(self, *args, **given).arguments
        bound.pop("self")
        if not set(bound) <= {"optimizer", "loss", "metrics"}:
            raise NotDoubledError("compiled with other arguments")
        self.optimizer = keras.optimizers.get(bound.get("optimizer", "rmsprop"))
        self.loss, self.metrics = bound.get("loss"), bound.get("metrics")

    def __getattr__(self, name: str) -> Any:
        raise NotDoubledError(f"a model's {name}")

    def _flatten_layers(self, include_self: bool = True) -> list[Any]:
        return list(self.chain)

    @property
    def variables(self) -> list[Variable]:
        """The variables of all layers, once they have been given."""
        found = []
        for layer in self.chain:
            generator = vars(layer).get("seed_generator")
            found += [one for one in vars(layer).values() if isinstance(one, Variable)]
            found += [generator.state] if generator is not None else []
        return found

    def give_variables(self, features: int) -> None:
        """Give every layer its variables, which are not made."""
        width = features
        for layer in self.chain:
            held, before = layer.__dict__, width
            if type(layer) is layers.Dense:
                width = held["units"]
            for name, initializer in list(held.items()):
                if name.endswith("_initializer"):
                    kind = name.removesuffix("_initializer")
                    there = {"bias": "use_bias", "gamma": "scale", "beta": "center"}
                    shape = (before, width) if kind == "kernel" else (width,)
                    made = held.get(there.get(kind, ""), True)
                    first = functools.partial(_first, initializer, shape)
                    attribute = "_kernel" if kind == "kernel" else kind  # a property is before it
                    held[attribute] = Variable(shape, first) if made else None


def _first(initializer: Any, shape: tuple[int, ...]) -> Any:
    if type(initializer) is initializers.Zeros:
        return np.zeros(shape, np.float32)
    if type(initializer) is initializers.Ones:
        return np.ones(shape, np.float32)
    return initializer(shape, dtype="float32")


@dataclass(frozen=True)
class _Calls:
    """What a double gives when it is called: the input's shape, and the layers since."""

    shape: tuple[int, ...]
    chain: tuple[Any, ...] = ()


@contextmanager
def doubled() -> Iterator[None]:
    """Have this thread make doubles of Keras' models and layers."""
    owner = threading.get_ident()
    names = {"Dense", "Flatten", *(name for part in PARTS for name in part.keras)}
    kinds = {getattr(layers, name): _made for name in names}
    kinds[layers.InputLayer] = _made_input
    model, sequential, layer = keras.Model, keras.Sequential, layers.Layer
    put: list[tuple[Any, str, Any]] = []

    def instead(where: Any, name: str, new: Callable[..., Any]) -> None:
        old = getattr(where, name)
        kept = where.__dict__.get(name)
        put.append((where, name, kept))

        def either(*args: Any, **given: Any) -> Any:
            return (new if threading.get_ident() == owner else old)(*args, **given)

        setattr(where, name, staticmethod(either) if name == "__new__" else either)

    def new_layer(cls: Any, *args: Any, **given: Any) -> Any:
        if cls not in kinds:
            raise NotDoubledError(f"a {cls.__name__}")
        return object.__new__(cls)

    def new_model(cls: Any, *args: Any, **given: Any) -> Any:
        if cls is sequential:
            if len(args) > 1 or not set(given) <= {"layers", "name"}:
                raise NotDoubledError("a Sequential with other arguments")
            return Double(args[0] if args else given.get("layers"))
        if cls is not model:
            raise NotDoubledError(f"a {cls.__name__}")
        return _functional(*args, **given)

    try:
        for kind, made in kinds.items():
            instead(kind, "__init__", made)
        put.append((layers.InputLayer, "output", layers.InputLayer.__dict__.get("output")))
        layers.InputLayer.output = property(lambda one: _Calls(one.__dict__["shape_of_input"]))
        instead(layer, "__new__", new_layer)
        instead(layer, "__call__", _called)
        instead(sequential, "__new__", new_model)
        instead(model, "__new__", new_model)
        yield
    finally:
        for where, name, kept in reversed(put):
            if kept is None:
                delattr(where, name)
            else:
                setattr(where, name, kept)


def _functional(inputs: Any = None, outputs: Any = None, name: Any = None) -> Double:
    if not isinstance(outputs, _Calls) or inputs != _Calls(outputs.shape):
        raise NotDoubledError("a Model of several inputs or outputs")
    return Double([inputs, *outputs.chain])


def _called(self: Any, given: Any) -> _Calls:
    if not isinstance(given, _Calls) or not self.__dict__.get("is_double"):
        raise NotDoubledError("a layer that is called otherwise")
    return _Calls(given.shape, (*given.chain, self))


def _made_input(self: Any, shape: Any = None, **given: Any) -> None:
    given.pop("name", None)
    if shape is None or any(given.values()):
        raise NotDoubledError("an input with other arguments")
    self.__dict__["shape_of_input"] = tuple(shape)


def _made(self: Any, *args: Any, **given: Any) -> None:
    """A layer's `__init__`: its arguments become its attributes, as in Keras."""
    kind = type(self)
    shape = given.pop("input_shape", None)
    if "input_dim" in given:
        shape = (given.pop("input_dim"),)
    signature = _signature(_INITS.get(kind))
    bound = signature.bind(None, *args, **given)
    bound.apply_defaults()
    held = dict(bound.arguments)
    for named in [one.name for one in signature.parameters.values() if one.kind is one.VAR_KEYWORD]:
        if set(held.pop(named)) - {"name"}:
            raise NotDoubledError(f"a {kind.__name__} with other arguments")
    del held["self"]
    for name in held:
        word = name.rpartition("_")[2]
        if word in _RESOLVED:
            held[name] = _RESOLVED[word](held[name])
            if word == "initializer" and not _is_keras(held[name]):
                raise NotDoubledError("an initializer of the author's own")
        elif name not in _PLAIN and held[name] != signature.parameters[name].default:
            raise NotDoubledError(f"a {kind.__name__} with {name}")
        elif not _is_sound(name, held[name]):
            raise NotDoubledError(f"a {kind.__name__} with {name}={held[name]!r}")
    if any(held.get(name) for name in ("rate", "stddev")):
        seed = keras_private.default_seed()
        state = Variable((2,), lambda: np.array([seed, 0], keras_private.seed_type()))
        held["seed_generator"] = SimpleNamespace(state=state)
    held |= {
        "is_double": True,
        "built": True,
        "lora_enabled": False,
        "shape_of_input": shape and tuple(shape),
        "_trainable": True,
        "_dtype_policy": keras.config.dtype_policy(),
    }
    held.setdefault("activity_regularizer", None)
    self.__dict__.update(held)


def _is_keras(thing: Any) -> bool:
    return type(thing).__module__.partition(".")[0] == "keras"


def _is_sound(name: str, value: Any) -> bool:
    """Whether Keras takes an argument as it is; what it may refuse is left to it."""
    if name in _FLAGS:
        return isinstance(value, bool)
    if name == "units":
        return isinstance(value, int) and value > 0
    if name in (*_SHARES, *_NUMBERS):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number:
            return value is None
        return 0 <= value < math.inf and (name not in _SHARES or value < 1)
    return True


_INITS = {
    getattr(layers, name): getattr(layers, name).__init__
    for name in ("Dense", "Flatten", *(name for part in PARTS for name in part.keras))
}


@functools.cache
def _signature(function: Any) -> inspect.Signature:
    return inspect.signature(function)
