"""Settings that Keras finds by itself, in a file of the home folder or in environment variables.

Nobody sees them on the command line, so one that sweep cannot train under is refused by name,
before Keras is imported: Keras would show a traceback, or train something else without a word.
"""

import importlib.util
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweep.errors import PlatformError

BACKENDS = ("tensorflow", "jax")
_ONLY: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-07,
    "image_data_format": "channels_last",
    "nnx_enabled": False,
}
"""Keras' own defaults, which sweep trains under."""
_CUT_SHORT = ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH")
"""Variables that end each training early, for trying a script."""


def refuse_hidden_settings(environment: Mapping[str, str]) -> str:
    """Return the backend that Keras will have.

    Raises PlatformError, in one line, for the first setting that sweep cannot train under.
    """
    path = keras_file(environment)
    kept = _read(path)
    for name, only in _ONLY.items():
        if kept.get(name, only) != only:
            raise PlatformError(
                f'{path} says "{name}": {json.dumps(kept[name])}, but sweep trains with '
                f"{json.dumps(only)}; change it there, or rename the file"
            )
    named = environment.get("KERAS_BACKEND")
    backend = named or str(kept.get("backend", BACKENDS[0]))
    if named:
        _check_backend(named, "KERAS_BACKEND is", "unset it, or set it to")
    else:
        _check_backend(backend, f'{path} says "backend":', "change it there to")
    _check_variables(environment)
    return backend


def keras_file(environment: Mapping[str, str]) -> Path:
    """Return the file from which Keras reads its settings, there or not."""
    folder = environment.get("KERAS_HOME")
    if folder is None:
        home = os.path.expanduser("~")  # noqa: PTH111  as Keras does: Path.home() may raise
        folder = os.path.join(home if os.access(home, os.W_OK) else "/tmp", ".keras")  # noqa: PTH118
    return Path(os.path.expanduser(folder)) / "keras.json"  # noqa: PTH111


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:  # Keras, too, goes on without
        return {}
    except OSError as error:
        raise PlatformError(
            f"{path} cannot be read ({error.strerror}), and Keras reads it; "
            "mend that, or set KERAS_HOME to another folder"
        ) from error
    if not isinstance(found, dict):
        raise PlatformError(f"{path} holds no JSON object, so Keras does not start; remove it")
    return found


def _check_backend(name: str, where: str, remedy: str) -> None:
    if name not in BACKENDS:
        raise PlatformError(
            f"{where} {name}, a backend with which sweep cannot train; {remedy} tensorflow"
        )
    if importlib.util.find_spec(name) is None:
        raise PlatformError(f"{where} {name}, which is not installed; {remedy} tensorflow")


def _check_variables(environment: Mapping[str, str]) -> None:
    floatx = environment.get("KERAS_FLOATX", "")
    if floatx not in ("", _ONLY["floatx"]):
        raise PlatformError(f"KERAS_FLOATX is {floatx}, but sweep trains with float32; unset it")
    if environment.get("KERAS_NNX_ENABLED", "").lower() in ("1", "true"):
        raise PlatformError("KERAS_NNX_ENABLED is set, and sweep trains without NNX; unset it")
    for flag in environment.get("XLA_FLAGS", "").split():
        if flag.startswith("--") and not flag.startswith("--xla_"):
            raise PlatformError(
                f"XLA_FLAGS holds {flag[:80]!r}, at which TensorFlow ends without a word, as flags "
                "of XLA begin with --xla_; mend it, or unset the variable"
            )
    for name in _CUT_SHORT:
        if environment.get(name):
            raise PlatformError(
                f"{name} is {environment[name]}, which ends each training early; unset it"
            )
