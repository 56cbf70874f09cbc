"""A script's `build` as a search calls it: with what the tuner was given in its place.

Hyperparameters that the tuner was given go before those that `build` declares, as in Keras Tuner;
so do the optimizer, the loss and the metrics.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sweep.errors import UsageError
from sweep.tuners.arguments import TunerArguments

_KINDS = ("Int", "Float", "Boolean", "Choice", "Fixed")


@dataclass(frozen=True)
class GivenBuild:
    """`build(hp)` of a script, a function that returns a compiled model."""

    build: Callable[[Any], Any]
    arguments: TunerArguments
    names: tuple[str, ...] = ()
    """What the model's inputs are called here, where the data are a list of arrays."""

    def __call__(self, hp: Any) -> Any:
        model = self.build(self._asked(hp))
        if self.arguments.compile:
            _compile(model, self.arguments.compile)
        if self.names:
            _name_inputs(model, self.names)
        return model

    def _asked(self, hp: Any) -> Any:
        given = self.arguments.hyperparameters
        is_open = self.arguments.tune_new_entries and self.arguments.allow_new_entries
        if given is None and is_open:
            return hp
        return _Overridden(hp, given, self.arguments)


class _Overridden:
    """Hyperparameters of which some are declared beforehand, and others may not be tuned."""

    def __init__(self, hp: Any, given: Any, arguments: TunerArguments) -> None:
        self._hp = hp
        self._arguments = arguments
        self._given = {} if given is None else {one.name: one for one in given.space}
        for one in self._given.values():
            self._declared(one)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._hp, name)
        if name not in _KINDS:
            return found

        def ask(*arguments: Any, **named: Any) -> Any:
            return self._ask(found, name, arguments, named)

        return ask

    def __contains__(self, name: str) -> bool:
        return name in self._hp

    def __getitem__(self, name: str) -> Any:
        return self._hp[name]

    def _ask(
        self, method: Callable[..., Any], kind: str, arguments: Any, named: Mapping[str, Any]
    ) -> Any:
        name = named.get("name", arguments[0] if arguments else None)
        if name in self._given:
            return self._hp.get(name)
        if not self._arguments.allow_new_entries:
            raise UsageError(
                f"build(hp) asks for {name!r}, which `hyperparameters` does not have, and "
                "allow_new_entries is False"
            )
        if self._arguments.tune_new_entries:
            return method(*arguments, **named)
        return self._hp.Fixed(name, _default(kind, arguments, named))

    def _declared(self, one: Any) -> Any:
        """Declare a hyperparameter as it was given, under its conditions."""
        settings = dict(one.get_config())
        conditions = settings.pop("conditions", None)
        if conditions:
            raise UsageError(
                f"hyperparameters: {one.name!r} was given with a condition, which is not "
                "supported; let build(hp) declare it"
            )
        if type(one).__name__ == "Choice":
            settings = {k: settings[k] for k in ("name", "values", "ordered", "default")}
        return getattr(self._hp, type(one).__name__)(**settings)


def _name_inputs(model: Any, names: tuple[str, ...]) -> None:
    """Name a model's inputs in their order: Keras' own names are numbered, others each time."""
    import keras

    layers = [one for one in model.layers if isinstance(one, keras.layers.InputLayer)]
    for tensor, name in zip(model.inputs, names, strict=False):
        tensor.name = name
        for layer in layers:
            if layer.output is tensor:
                layer.name = name


def _default(kind: str, arguments: Any, named: Mapping[str, Any]) -> Any:
    """The value that a declaration has if nobody chooses one."""
    import keras_tuner

    plain = keras_tuner.HyperParameters()
    return getattr(plain, kind)(*arguments, **named)


def _compile(model: Any, given: Mapping[str, Any]) -> None:
    """Compile a model again with what the tuner was given, as Keras Tuner does."""
    import keras

    optimizer = given.get("optimizer")
    if optimizer is not None and not isinstance(optimizer, str):
        optimizer = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    own = (model.get_compile_config() or {}) if getattr(model, "compiled", False) else {}
    metrics = given.get("metrics")
    if metrics is None and own.get("metrics"):
        metrics = keras.saving.deserialize_keras_object(own["metrics"])
    elif metrics is not None:
        metrics = [
            one
            if isinstance(one, str) or not isinstance(one, keras.metrics.Metric)
            else type(one).from_config(one.get_config())
            for one in metrics
        ]
    model.compile(
        optimizer=model.optimizer if optimizer is None else optimizer,
        loss=given.get("loss", getattr(model, "loss", None)),
        metrics=metrics,
    )
