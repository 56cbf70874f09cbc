"""What a `keras_tuner.HyperModel` may bring along that a search here would pass over."""

from pathlib import Path
from types import ModuleType
from typing import Any

from sweep.errors import InvalidSpaceError

_PASSED_OVER = ("fit", "declare_hyperparameters")


def check_hypermodels(path: Path, module: ModuleType, build: Any) -> None:
    """Raise InvalidSpaceError if a HyperModel of the file overrides more than `build`.

    `build` is the file's, perhaps a method of a HyperModel that was imported.
    """
    import keras_tuner

    base = keras_tuner.HyperModel
    owner = getattr(getattr(build, "func", build), "__self__", None)
    kinds = [type(owner)] if isinstance(owner, base) else []
    for found in vars(module).values():
        kind = found if isinstance(found, type) else type(found)
        if issubclass(kind, base) and kind.__module__ == module.__name__:
            kinds.append(kind)
    for kind in dict.fromkeys(kinds):
        for name in _PASSED_OVER:
            method = getattr(kind, name, None)
            if method is not getattr(base, name, None):
                raise InvalidSpaceError(_refused(path, kind, name, method))


def _refused(path: Path, kind: type, name: str, method: Any) -> str:
    code = getattr(method, "__code__", None)
    line = f" (line {code.co_firstlineno})" if code is not None else ""
    advice = (
        "the batch size is set with --batch-size, epochs with --max-epochs"
        if name == "fit"
        else "ask for every hyperparameter in build"
    )
    return (
        f"{kind.__name__}.{name} of {path}{line} is not supported, and would be ignored; "
        f"delete it: {advice}"
    )
