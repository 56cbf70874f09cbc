"""A model saved as a `.keras` file, and loaded where the classes of its space are given.

What Keras does not know, such as a layer of the user's own, is looked for under its name in
`custom_objects`. So a program that loads the file needs the space's file, and nothing of this one.
"""

import contextlib
import inspect
import json
import re
import sys
import tempfile
import types
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sweep.disk import SPACES
from sweep.errors import InvalidSpaceError
from sweep.space.build import Model
from sweep.space.inputs import Inputs
from sweep.space.keras_loss import callable_of

PREFIX = "_sweep_space_"
"""How the names begin under which the modules of search spaces are kept in `sys.modules`."""

_ROWS = 8
_LAMBDA = "__lambda__"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Needed:
    """What a saved model needs beside Keras to be loaded."""

    objects: Mapping[str, Any] = field(default_factory=dict)
    """The user's classes and functions, by the names under which they are saved."""
    unsafe: bool = False
    """Whether a Python lambda is in the file, which is loaded only with safe_mode=False."""


_OF_SCRIPT: dict[str, Any] = {}
"""The functions and classes that a script's `build` refers to, of the script that searches."""


def needed_by(config: object) -> Needed:
    """Return what the model of a saved configuration needs.

    Raises InvalidSpaceError if a class or function cannot be had from its module.
    """
    objects: dict[str, Any] = {}
    unsafe = False
    for part in _parts(config):
        unsafe = unsafe or part.get("class_name") == _LAMBDA
        name, module = part.get("registered_name"), part.get("module")
        if part.get("class_name") == "function":  # its own name is the config, its module unsaid
            name = part.get("config")
            if isinstance(name, str) and not _is_keras_function(name):
                objects[name] = _function(name)
        elif isinstance(name, str) and _is_own(module):
            objects[name] = _found(str(module), name.rpartition(">")[2], objects.get(name))
    return Needed(objects, unsafe)


def _parts(config: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(config, dict):
        yield config
        for value in config.values():
            yield from _parts(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from _parts(value)


def _is_own(module: object) -> bool:
    if not isinstance(module, str):
        return False
    return module.partition(".")[0] not in ("keras", "builtins", "tensorflow", "jax")


def _is_keras_function(name: str) -> bool:
    import keras

    rooms = (keras.activations, keras.constraints, keras.initializers, keras.losses)
    more = (keras.metrics, keras.regularizers)
    return any(hasattr(room, name) for room in (*rooms, *more))


def _function(name: str) -> object:
    """The function of that name at the top of the space that was loaded last and has one."""
    plain = name.rpartition(">")[2]
    spaces = [module for key, module in sys.modules.items() if key.startswith(PREFIX)]
    for module in reversed(spaces):
        if callable(getattr(module, plain, None)):
            return getattr(module, plain)
    found = _OF_SCRIPT.get(plain)
    if found is None:
        raise InvalidSpaceError(_not_at_the_top(plain))
    return found


def script_uses(build: Callable[..., Any]) -> None:
    """Have what a script's `build` refers to found by its name, in whatever module it stands."""
    function = inspect.unwrap(getattr(build, "__func__", build))
    if not isinstance(function, types.FunctionType):
        return
    nonlocals = inspect.getclosurevars(function).nonlocals
    names = {**function.__globals__, **nonlocals}
    _OF_SCRIPT.clear()
    _OF_SCRIPT.update((name, one) for name, one in names.items() if callable(one))


def _found(module: str, name: str, other: object) -> object:
    found = getattr(sys.modules.get(module), name, None) or _OF_SCRIPT.get(name)
    if found is None or (other is not None and found is not other):
        raise InvalidSpaceError(_not_at_the_top(name))
    return found


def _not_at_the_top(name: str) -> str:
    return (
        f"{name} cannot be saved with the model: define it at the top level of the space's "
        "file, outside every function, under a name of its own"
    )


def needed_by_file(path: Path) -> Needed:
    """Return what the model in a `.keras` file needs. Raises InvalidSpaceError."""
    with zipfile.ZipFile(path) as archive:
        return needed_by(json.loads(archive.read("config.json")))


def load_saved(path: Path) -> Model:
    """Return the model of a `.keras` file that was saved in this process."""
    import keras

    needed = needed_by_file(path)
    return keras.models.load_model(
        path, custom_objects=dict(needed.objects), safe_mode=not needed.unsafe
    )


def how_to_load(path: Path) -> str | None:
    """Return the line of Python that loads a `.keras` file; None if Keras alone can load it."""
    needed = needed_by_file(path)
    if not needed.objects and not needed.unsafe:
        return None
    lines, given = ["import sys, keras"], []
    for name, found in needed.objects.items():
        file = Path(str(getattr(sys.modules.get(found.__module__), "__file__", "")))
        is_space = found.__module__.startswith((PREFIX, "__main__"))
        module = file.stem if is_space else found.__module__
        folder = file.parents[0 if is_space else module.count(".")]
        put = f"sys.path.insert(0, {str(folder)!r})"
        if put not in lines:
            lines.append(put)
        given.append(f"{name!r}: __import__({module!r}, fromlist=['']).{found.__name__}")
    more = [f"custom_objects={{{', '.join(given)}}}"] if given else []
    more += ["safe_mode=False"] if needed.unsafe else []
    return "; ".join([*lines, f"keras.models.load_model({str(path)!r}, {', '.join(more)})"])


def check_saved(path: Path, model: Model, inputs: Inputs) -> None:
    """Save `model`, load it and compare the outputs, if it has something of the user's own.

    Raises InvalidSpaceError with what to change if it could not be exported.
    """
    import keras

    try:
        with _unwarned():
            needed = needed_by(keras.saving.serialize_keras_object(model))
        if not needed.objects and not needed.unsafe:
            return
        with tempfile.TemporaryDirectory(prefix=SPACES) as folder, _unwarned():
            file = Path(folder) / "model.keras"
            model.save(file)
            loaded = load_saved(file)
        x = inputs.example(_ROWS)
        ours, again, theirs = (
            keras.ops.convert_to_numpy(one(x, training=False)) for one in (model, model, loaded)
        )
        losses = _losses(model, loaded, ours)
    except InvalidSpaceError as error:
        raise InvalidSpaceError(f"the model of {path} could not be exported: {error}") from error
    except Exception as error:
        raise InvalidSpaceError(_not_exported(path, error)) from error
    if not np.allclose(ours, again, rtol=1e-5, atol=1e-6, equal_nan=True):
        raise InvalidSpaceError(
            f"the model of {path} gives other outputs each time it is asked, also in evaluation "
            "mode, so it has no score: let the call of the layer that draws random numbers take "
            "training=None, and return its input as it is unless training"
        )
    if not np.allclose(ours, theirs, rtol=1e-5, atol=1e-6, equal_nan=True):
        raise InvalidSpaceError(_not_exported(path, "the loaded model gives other outputs"))
    if losses is not None and not np.allclose(*losses, rtol=1e-5, atol=1e-6, equal_nan=True):
        raise InvalidSpaceError(_not_exported(path, "the loaded loss gives other numbers"))


def _losses(model: Model, loaded: Model, outputs: np.ndarray) -> tuple[Any, Any] | None:
    """What the losses of both say of some outputs; None if they do not take targets of that shape.

    Raises whatever the loaded one raises: a lambda is saved without the names that it uses.
    """
    import keras

    targets = np.zeros_like(outputs)
    try:
        ours = keras.ops.convert_to_numpy(callable_of(model.loss)(targets, outputs))
    except Exception:  # a loss of numbers of classes
        return None
    return ours, keras.ops.convert_to_numpy(callable_of(loaded.loss)(targets, outputs))


@contextlib.contextmanager
def _unwarned() -> Iterator[None]:
    """Leave out Keras' warnings of a saved optimizer that has no state yet, and of a lambda."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _not_exported(path: Path, error: object) -> str:
    text = " ".join(_COLOURS.sub("", str(error)).split())
    kind = f"{type(error).__name__}: " if isinstance(error, Exception) else ""
    if "`output_shape`" in text:
        return (
            f"the model of {path} could not be exported: a Lambda of it is loaded only if it says "
            "its output_shape: write output_shape=(units,) of a row into the call of Lambda"
        )
    return (
        f"the model of {path} could not be exported: saved and loaded again, it fails; "
        "write functions of a Lambda, an activation or a loss as def at the top level of the file "
        "instead of as lambda, and let get_config() of a class of your own return what its "
        f"__init__ takes ({kind}{text[:200]})"
    )
