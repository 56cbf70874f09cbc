"""A user's class that is no HyperModel, and has a method that takes the hyperparameters."""

import inspect

KNOWN = ("build", "build_model", "model_builder")
"""Names of functions and methods that go before all others."""
WORDS = ("hp", "hps", "hparams", "hyperparameters", "hyperparams", "hyper_parameters")
"""What the one argument of such a method is surely called."""


def methods_of(value: object) -> list[str]:
    """Return the methods of a class, or of an object's class, that take hyperparameters alone.

    Known names only, if there is one; those that begin with _ only if there is no other. Nothing
    of classes that are Keras' or Keras Tuner's.
    """
    kind = value if isinstance(value, type) else type(value)
    if _is_kerass(kind):
        return []
    names = [name for one in reversed(kind.__mro__[:-1]) for name in vars(one)]
    found = [name for name in dict.fromkeys(names) if _takes_hyperparameters(kind, name)]
    public = [name for name in found if not name.startswith("_")]
    known = [name for name in KNOWN if name in public]
    return known[:1] or public or found


def needs_an_object(kind: type, name: str) -> bool:
    """Return whether a method can only be called on an object of the class."""
    return inspect.isfunction(inspect.getattr_static(kind, name))


def _takes_hyperparameters(kind: type, name: str) -> bool:
    static = inspect.getattr_static(kind, name, None)
    method = static.__func__ if isinstance(static, staticmethod | classmethod) else static
    if not inspect.isfunction(method):
        return False
    empty = inspect.Parameter.empty
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    given = [
        one.name.lower()
        for one in inspect.signature(method).parameters.values()
        if one.default is empty and one.kind not in kinds
    ]
    return given[0 if isinstance(static, staticmethod) else 1 :] in [[word] for word in WORDS]


def _is_kerass(kind: type) -> bool:
    rooms = {one.__module__.partition(".")[0] for one in kind.__mro__}
    return bool(rooms & {"keras", "keras_tuner", "tensorflow"})
