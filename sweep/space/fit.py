"""What a `HyperModel`'s own `fit` gives to `model.fit`: batch size, class weights, callbacks.

The method is called with a stand-in for `model.fit`, which notes what it is given. So what `fit`
forwards is honoured by every trainer, epoch by epoch, and a hyperparameter that is asked for only
there is seen. A `fit` that does something else than to forward is refused by name.
"""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sweep.errors import InvalidSpaceError
from sweep.space.asked import AskedWronglyError
from sweep.space.home import Home
from sweep.space.place import line_of, users_frame
from sweep.space.precision import OtherPrecisionError
from sweep.space.tuner_fit import OwnTrialError

_ATTRIBUTE = "_sweep_fit"
_EPOCHS = 1_000_003
"""What `fit` is told for epochs: a number that nobody would choose."""
_NO_MATTER = (
    "self", "verbose", "validation_batch_size", "validation_steps", "validation_freq",
)  # fmt: skip
"""Arguments of `model.fit` that change neither the training nor the score."""
TRAIN_OR_MEASURE = ("train_on_batch", "test_on_batch", "evaluate", "predict", "predict_on_batch")
"""Methods of a model, beside `fit`, by which code may train or measure in its own way."""
_CALL_FIT = (
    "a training of one's own cannot be cut and continued by Hyperband; return model.fit(*args, "
    "**kwargs), and let compile() say how it trains"
)
_STATELESS = ("LearningRateScheduler", "TerminateOnNaN")
"""Keras' callbacks that do the same in an epoch, whatever process has trained those before."""
_INSTEAD = {
    "EarlyStopping": "--patience stops trials early",
    "ReduceLROnPlateau": "give the optimizer a schedule, such as keras.optimizers.schedules",
    "ModelCheckpoint": "sweep export writes the best model",
    "TensorBoard": "--tensorboard writes logs",
    "CSVLogger": "the sweep keeps every epoch, and sweep report writes files of them",
    "validation_data": "the validation rows are those of the data (--validation-rows)",
    "validation_split": "the validation rows are those of the data (--validation-rows)",
    "sample_weight": "the rows' weights come with the data, those of classes by class_weight",
    "steps_per_epoch": "every epoch trains all rows",
    "initial_epoch": "Hyperband decides from which epoch a trial goes on",
}


class _OwnTrainingError(Exception):
    """A `fit` trains or measures by another method than `model.fit`. What it does, in words."""


@dataclass(frozen=True)
class FitArguments:
    """What `model.fit` is given beside the rows."""

    batch_size: int | None = None
    """None for that of the settings."""
    class_weight: Mapping[int, float] | None = None
    """How much rows count in the loss, by the number of their class."""
    shuffle: bool = True
    epochs: int | None = None
    """After which the trial ends, whatever Hyperband would give it; None for no such end."""
    callbacks: tuple[Any, ...] = ()
    make: Callable[[int, int, Mapping[str, Any]], list[Any]] | None = None
    """Makes callbacks that have a state of their own, for a trial, the number of its run and
    its hyperparameters."""

    @property
    def only_keras(self) -> str | None:
        """Why the trial cannot be trained together with others; None if it can."""
        if self.class_weight is not None:
            return "fit gives class_weight"
        if not self.shuffle:
            return "fit gives shuffle=False"
        if self.epochs is not None:
            return f"fit gives epochs={self.epochs}"
        if self.callbacks:
            return f"fit gives the callback {type(self.callbacks[0]).__name__}"
        if self.make is not None:
            return "search gives callbacks that Keras runs"
        return None

    def text(self) -> str:
        """Return the arguments in words that are the same for the same arguments."""
        kinds = ", ".join(type(one).__name__ for one in self.callbacks)
        return f"{self.batch_size} {self.class_weight} {self.shuffle} {self.epochs} {kinds}"


@dataclass(frozen=True)
class ModelFit:
    """A `HyperModel.fit` for one model."""

    path: Path
    method: Callable[..., Any]
    hp: Any
    home: Home
    seen: FitArguments = FitArguments()
    """What it gave to a few made-up rows, at the model's build."""
    fault: str | None = None
    """Why it cannot be used."""
    make: Callable[[int, int, Mapping[str, Any]], list[Any]] | None = None
    """See `FitArguments`: of a script's search, whatever `fit` gives."""

    def called(self, model: Any, x: Any, y: Any, validation: tuple[Any, Any]) -> FitArguments:
        """Return what `fit` gives to `model.fit` for these rows.

        Raises InvalidSpaceError, with the line and what to do, if it does more than to forward.
        """
        noted: list[dict[str, Any]] = []
        history = history_of_nothing()
        with _noting(model, noted, history):
            result = self._result(model, x, y, validation)
        if len(noted) != 1:
            times = (
                "does not call model.fit" if not noted else f"calls model.fit {len(noted)} times"
            )
            raise self._refused(f"{times}: {_CALL_FIT}")
        if result is not history and result is not None:
            raise self._refused(
                f"returns {type(result).__name__} in place of what model.fit returned: trials are "
                "ranked by their validation loss, or by --objective; return what model.fit returns"
            )
        return replace(self._arguments(noted[0], x, y, validation), make=self.make)

    def _result(self, model: Any, x: Any, y: Any, validation: tuple[Any, Any]) -> Any:
        given: dict[str, Any] = {"validation_data": validation, "callbacks": [], "verbose": 0}
        try:
            if "epochs" in inspect.signature(self.method).parameters:
                given["epochs"] = _EPOCHS
            return self.home.run(lambda: self.method(self.hp, model, x, y, **given))
        except (AskedWronglyError, OtherPrecisionError):
            raise
        except _OwnTrainingError as error:
            raise self._refused(f"{error}: {_CALL_FIT}") from error
        except OwnTrialError as error:
            raise self._refused(
                f"cannot be heard: {error}; what it asks of hp belongs into build, a batch size "
                "into the fit of a HyperModel; if it need not be heard, name the function with "
                "--build"
            ) from error
        except Exception as error:
            raise self._refused(f"fails: {users_frame(error, self.path)}") from error

    def _arguments(
        self, noted: dict[str, Any], x: Any, y: Any, validation: tuple[Any, Any]
    ) -> FitArguments:
        import keras

        defaults = inspect.signature(keras.Model.fit).parameters
        kept = FitArguments()
        for name, value in noted.items():
            if name in _NO_MATTER or value is defaults[name].default:
                continue
            if name in ("x", "y"):
                if value is not (x if name == "x" else y):
                    raise self._refused(
                        f"gives model.fit another {name} than it was given: the rows of every "
                        "trial are the data's; change them before the sweep"
                    )
            elif name == "validation_data":
                if not _same_rows(value, validation):
                    raise self._instead(name)
            elif name == "batch_size":
                kept = replace(kept, batch_size=self._number(name, value))
            elif name == "epochs":
                kept = kept if value == _EPOCHS else replace(kept, epochs=self._number(name, value))
            elif name == "class_weight":
                kept = replace(kept, class_weight=self._class_weight(value))
            elif name == "shuffle":
                kept = replace(kept, shuffle=bool(value))
            elif name == "callbacks":
                kept = replace(kept, callbacks=self._callbacks(value))
            else:
                raise self._instead(name)
        return kept

    def _number(self, name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise self._refused(f"gives {name}={value!r}, expected a whole number from 1")
        return int(value)

    def _class_weight(self, value: Any) -> Mapping[int, float]:
        try:
            weights = {int(number): float(weight) for number, weight in dict(value).items()}
        except (TypeError, ValueError) as error:
            raise self._refused(
                f"gives class_weight={value!r}, expected a dict such as {{0: 1.0, 1: 2.5}}"
            ) from error
        if not all(math.isfinite(weight) and weight >= 0 for weight in weights.values()):
            raise self._refused(f"gives class_weight={value!r}, expected weights from 0")
        return weights

    def _callbacks(self, value: Any) -> tuple[Any, ...]:
        import keras

        given = tuple(value) if isinstance(value, list | tuple) else (value,)
        for one in given:
            name = type(one).__name__
            if name not in _STATELESS or type(one) is not getattr(keras.callbacks, name):
                raise self._instead(name, f"the callback {name}")
        return given

    def _instead(self, name: str, what: str | None = None) -> InvalidSpaceError:
        advice = _INSTEAD.get(name, "it would be cut wherever Hyperband cuts a trial")
        return self._refused(f"gives model.fit {what or name}, which is not supported: {advice}")

    def _refused(self, text: str) -> InvalidSpaceError:
        return InvalidSpaceError(f"{called(self.method)}{self.path}{line_of(self.method)} {text}")


def called(method: Callable[..., Any]) -> str:
    """Return how the message of a `fit` that cannot be used begins: `Model.fit of `."""
    return f"{getattr(method, '__qualname__', 'fit')} of "


def own_fit(hypermodel: Any) -> Callable[..., Any] | None:
    """Return the `fit` of a HyperModel if it is not Keras Tuner's own."""
    import keras_tuner

    if hypermodel is None or type(hypermodel).fit is keras_tuner.HyperModel.fit:
        return None
    method: Callable[..., Any] = hypermodel.fit
    return method


def keep_fit(model: Any, fit: ModelFit) -> None:
    """Keep with a model how it is to be trained."""
    vars(model)[_ATTRIBUTE] = fit


def fit_of(model: Any) -> ModelFit | None:
    """Return how a model is to be trained; None if its space says nothing."""
    found = vars(model).get(_ATTRIBUTE) if hasattr(model, "__dict__") else None
    return found if isinstance(found, ModelFit) else None


def fit_arguments(model: Any, x: Any, y: Any, validation: tuple[Any, Any]) -> FitArguments:
    """Return what a model's own `fit` gives to `model.fit` for these rows.

    Raises InvalidSpaceError if it does more than to forward.
    """
    fit = fit_of(model)
    return FitArguments() if fit is None else fit.called(model, x, y, validation)


def seen_arguments(model: Any) -> FitArguments:
    """Return what a model's own `fit` gave for a few made-up rows."""
    fit = fit_of(model)
    return FitArguments() if fit is None else fit.seen


class _AnyNumbers(dict[str, list[float]]):
    """The history of a training that did not happen: each measure has one value."""

    def __missing__(self, name: str) -> list[float]:
        return [0.0]


def history_of_nothing() -> Any:
    """Return what `model.fit` would return: one epoch, in which every measure is 0."""
    import keras

    history = keras.callbacks.History()
    history.history = _AnyNumbers()
    history.epoch = [0]
    return history


@contextmanager
def _noting(model: Any, noted: list[dict[str, Any]], history: Any) -> Iterator[None]:
    """Inside, `model.fit` does nothing but to note what it is given."""
    import keras

    signature = inspect.signature(keras.Model.fit)

    def fit(*arguments: Any, **named: Any) -> Any:
        noted.append(dict(signature.bind(model, *arguments, **named).arguments))
        return history

    def own(name: str) -> Callable[..., Any]:
        def method(*arguments: Any, **named: Any) -> Any:
            raise _OwnTrainingError(f"trains or measures by model.{name}")

        return method

    def another(*arguments: Any, **named: Any) -> Any:
        raise _OwnTrainingError("trains or measures another model than it is given")

    def steps(*arguments: Any, **named: Any) -> Any:
        raise _OwnTrainingError("trains by the optimizer")

    stand_ins = {name: own(name) for name in TRAIN_OR_MEASURE} | {"fit": fit}
    vars(model).update(stand_ins)
    try:
        with (
            replaced(keras.Model, dict.fromkeys(stand_ins, another)),
            replaced(keras.optimizers.Optimizer, {"apply": steps}),
        ):
            yield
    finally:
        for name in stand_ins:
            vars(model).pop(name, None)


@contextmanager
def replaced(kind: type, methods: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
    """Inside, a class has these methods in place of its own."""
    before = {name: vars(kind)[name] for name in methods if name in vars(kind)}
    for name, method in methods.items():
        setattr(kind, name, method)
    try:
        yield
    finally:
        for name in methods:
            if name in before:
                setattr(kind, name, before[name])
            else:
                delattr(kind, name)


def _same_rows(value: Any, given: tuple[Any, Any]) -> bool:
    if value is given:
        return True
    return (
        isinstance(value, tuple | list)
        and len(value) == 2
        and all(mine is yours for mine, yours in zip(value, given, strict=True))
    )
