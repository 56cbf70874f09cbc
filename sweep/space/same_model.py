"""Whether two models are built alike: layers, settings, optimizer, loss and parameter counts."""

import json
import math
import re
from dataclasses import dataclass
from typing import Any

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

    def difference(self, other: "Outline") -> str | None:
        """Return in words how the other outline differs; None if it does not."""
        if self.shapes != other.shapes:
            return f"{_n_numbers(self.shapes)} and {_n_numbers(other.shapes)} parameters"
        for what, mine, yours in (
            ("layers", self.layers, other.layers),
            ("compile", self.training, other.training),
        ):
            if mine != yours:
                return f"{what} differ: {_around_difference(mine, yours)}"
        return None


def outline(model: Any) -> Outline:
    """Return the outline of a Keras model; of anything else, that of its type."""
    import keras

    if not isinstance(model, keras.Model):
        return Outline((), type(model).__name__, "")
    shapes = tuple(tuple(int(size or 0) for size in variable.shape) for variable in model.variables)
    return Outline(shapes, _text(model.get_config, model), _text(model.get_compile_config, model))


def _text(get_config: Any, model: Any) -> str:
    """JSON with every name that Keras gave replaced by its place; of no config, the layers."""
    try:
        config = get_config()
    except Exception:  # a layer of the user's own may have none
        return " ".join(type(layer).__name__ for layer in getattr(model, "layers", ()))
    names: dict[str, str] = {}
    _collect(config, names)
    return _ADDRESS.sub("", json.dumps(_renamed(config, names), sort_keys=True, default=repr))


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
