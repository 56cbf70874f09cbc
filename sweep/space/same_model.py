"""Whether two models are built alike: layers, settings, optimizer, loss and parameter counts."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.space.fit import seen_arguments

_OWN_PART = re.compile(r'"class_name": "(function|__lambda__)"')
_ROOM = re.compile(r'"module": "([^"]*)"')
_OF_A_SPACE = re.compile(r"_sweep_space_[0-9a-f]{8}_")
"""How the name of a space's module begins: it depends on where the file lies."""
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class Outline:
    """What of a model does not depend on the names that Keras counts up."""

    shapes: tuple[tuple[int, ...], ...]
    """Of all variables, in the model's order."""
    layers: str
    """The model's configuration as JSON."""
    training: str
    """What the model is compiled with, as JSON."""
    fit: str = ""
    """What the space's own `fit` gives to `model.fit`."""

    def difference(self, other: "Outline") -> str | None:
        """Return in words how the other outline differs; None if it does not."""
        if self.shapes != other.shapes:
            return f"{_n_numbers(self.shapes)} and {_n_numbers(other.shapes)} parameters"
        for what, mine, yours in (
            ("layers", self.layers, other.layers),
            ("compile", self.training, other.training),
            ("fit", self.fit, other.fit),
        ):
            if mine != yours:
                return f"{what} differ: {_around_difference(mine, yours)}"
        return None

    def digests(self) -> dict[str, str]:
        """Return a short text for each part, the same in each process and wherever the space lies.

        Parameters are counted, other parts are hashed.
        """
        parts = {"layers": self.layers, "compile": self.training, "fit": self.fit}
        hashed = {
            name: hashlib.sha256(_OF_A_SPACE.sub("", part).encode("utf-8", "replace")).hexdigest()
            for name, part in parts.items()
        }
        return {"parameters": _n_numbers(self.shapes), **hashed}


def outline(model: Any) -> Outline:
    """Return the outline of a Keras model; of anything else, that of its type."""
    import keras

    if not isinstance(model, keras.Model):
        return Outline((), type(model).__name__, "")
    shapes = tuple(tuple(int(size or 0) for size in variable.shape) for variable in model.variables)
    layers, training = (_text(get, model) for get in (model.get_config, model.get_compile_config))
    return Outline(shapes, layers, training, seen_arguments(model).text())


def _text(get_config: Any, model: Any) -> str:
    """JSON with every name that Keras gave replaced by its place; of no config, the layers."""
    try:
        config = get_config()
    except Exception:  # a layer of the user's own may have none
        return " ".join(type(layer).__name__ for layer in getattr(model, "layers", ()))
    names: dict[str, str] = {}
    _collect(config, names)
    return _ADDRESS.sub("", json.dumps(_renamed(config, names), sort_keys=True, default=_shown))


def _shown(thing: Any) -> Any:
    return sorted(map(repr, thing)) if isinstance(thing, set | frozenset) else repr(thing)


def _collect(config: Any, names: dict[str, str]) -> None:
    if isinstance(config, dict):
        name = config.get("name")
        if isinstance(name, str):
            names.setdefault(name, f"#{len(names)}")
        for value in config.values():
            _collect(value, names)
    elif isinstance(config, list | tuple):
        for value in config:
            _collect(value, names)


def _renamed(config: Any, names: dict[str, str]) -> Any:
    if isinstance(config, dict):
        return {
            str(key): "" if key == "code" else _renamed(value, names)  # bytecode of a lambda
            for key, value in config.items()
        }
    if isinstance(config, list | tuple):
        return [_renamed(value, names) for value in config]
    return names.get(config, config) if isinstance(config, str) else config


def _n_numbers(shapes: tuple[tuple[int, ...], ...]) -> str:
    return f"{sum(math.prod(shape) for shape in shapes):,}"


def _around_difference(mine: str, yours: str) -> str:
    at = next(
        (i for i, (a, b) in enumerate(zip(mine, yours, strict=False)) if a != b),
        min(len(mine), len(yours)),
    )
    start = max(0, at - 20)
    return f"…{mine[start : at + 20]}… and …{yours[start : at + 20]}…"


@dataclass(frozen=True)
class WholeModel:
    """All of a model that can be compared: its outline, its first weights, what it asked for."""

    outline: Outline
    asked: Mapping[str, Any]
    weights: tuple[NDArray[Any], ...]

    def same(self, other: "WholeModel", but: str) -> bool:
        """Return whether nothing differs but the value that was asked for under the name `but`."""
        mine, yours = ({**one.asked, but: None} for one in (self, other))
        if self.outline != other.outline or mine != yours:
            return False
        pairs = zip(self.weights, other.weights, strict=True)
        return all(np.array_equal(one, two, equal_nan=True) for one, two in pairs)


def whole(model: Any, asked: Mapping[str, Any]) -> WholeModel | None:
    """Return all of a model that was built after `asked`; None if a part cannot be compared.

    Such parts are functions and classes of the user's own: their settings may not be in a config.
    """
    import keras

    if not isinstance(model, keras.Model) or seen_arguments(model).callbacks:
        return None
    try:
        configs = json.dumps([model.get_config(), model.get_compile_config()], default=_foreign)
    except Exception:
        return None
    if _OWN_PART.search(configs) or any(
        not room.startswith("keras") and room != "builtins" for room in _ROOM.findall(configs)
    ):
        return None
    weights = tuple(np.array(keras.ops.convert_to_numpy(one.value)) for one in model.variables)
    return WholeModel(outline(model), asked, weights)


def _foreign(thing: Any) -> Any:
    raise TypeError(type(thing).__name__)
