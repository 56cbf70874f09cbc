"""Which function or `HyperModel` of a file is its search space, under whatever name it stands.

`build`, `build_model` and `model_builder` are known names. Else it is the only public function that
takes the hyperparameters, or the only `HyperModel`: an object of one, or a class that can be made
without arguments, or with what the data say: the input shape, the number of classes. If there is
neither, it is the only method of a class that takes the hyperparameters (see `methods`). What is
imported from elsewhere counts only if the file has nothing of its own.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from sweep.errors import InvalidSpaceError
from sweep.space.home import is_users
from sweep.space.inputs import Inputs
from sweep.space.methods import KNOWN, WORDS, methods_of, needs_an_object
from sweep.space.place import line_of
from sweep.space.stand_in import StandIn, called_as_targets, given_as_inputs, stand_in_of
from sweep.space.tuner_fit import RUN_TRIAL, heard

_FIRST = "build"
HYPERPARAMETERS = (
    "hp", "hps", "hparams", "hparam", "h", "hyperparameters", "hyperparams", "hyper_parameters",
    "hyper_params", "hyperparameter", "params",
)  # fmt: skip
"""What people call the one argument of such a function."""
_OPTUNAS = "trial"
MADE = "the_"
"""What the name of an object begins with that a file makes inside a call, and nobody keeps."""
_SHAPES = ("input_shape", "shape", "in_shape", "inputs_shape", "input_size_shape")
_WIDTHS = (
    "input_dim", "n_features", "number_of_features", "num_features", "input_size", "n_inputs",
    "num_inputs", "n_columns",
    "features", "input_dims", "n_cols",
)  # fmt: skip
_CLASSES = (
    "num_classes", "n_classes", "classes", "nb_classes", "n_outputs", "num_outputs", "output_dim",
    "n_class", "num_class", "number_of_classes", "output_size",
)  # fmt: skip


@dataclass(frozen=True)
class SpaceEntry:
    """The search space of a file."""

    name: str
    """As the file calls it."""
    build: Callable[[Any], Any]
    hypermodel: Any = None
    """The `HyperModel` that `build` belongs to."""
    said: tuple[str, ...] = ()
    """What a person should know of how it was found."""
    method: str | None = None
    """Of a class that is no HyperModel."""

    @property
    def called(self) -> str:
        """What messages call the search space: `build_model(hp)`."""
        word = _first_word(self.build) or "hp"
        if self.method is not None:
            return f"{self.name}.{self.method}({word})"
        if self.hypermodel is None or self.build != self.hypermodel.build:
            return f"{self.name}({word})"
        return f"{type(self.hypermodel).__name__}.build({word})"


@dataclass(frozen=True)
class Known:
    """What the data say, for a `HyperModel` that is made with it."""

    inputs: Inputs
    n_outputs: int = 2
    """Classes of the target; of amounts and labels, their number."""


def find_entry(path: Path, module: ModuleType, wanted: str | None, known: Known) -> SpaceEntry:
    """Return the search space of a file that has been run; `wanted` names it.

    Raises InvalidSpaceError that names the candidates if there is none, or more than one.
    """
    if wanted is not None:
        return _wanted(path, module, *named_in(wanted), known)
    own = {name: value for name, value in vars(module).items() if _is_own(module, value)}
    first = vars(module).get(_FIRST)
    if first is not None and (_FIRST in own or _takes_one(first) or _is_hypermodel(first)):
        return _refuse_unheard_fit(path, _entry(path, _FIRST, first, known), own)
    if first is not None and not callable(first):
        raise InvalidSpaceError(f"build of {path} is {type(first).__name__}, and no function")
    imported = {name: value for name, value in vars(module).items() if _is_users_own(value)}
    names = _candidates(own) or _candidates(imported)
    if len(names) != 1:
        raise InvalidSpaceError(_none(path, own) if not names else _several(path, names))
    value = vars(module)[names[0]]
    return _refuse_unheard_fit(path, _entry(path, names[0], value, known), own)


def named_in(wanted: str) -> tuple[str, str | None]:
    """Return the name in a file, and the method of it if one is named too: `Tune.build_model`."""
    name, _, method = wanted.partition(".")
    return name, method or None


def _wanted(
    path: Path, module: ModuleType, name: str, method: str | None, known: Known
) -> SpaceEntry:
    value = vars(module).get(name)
    if value is None:
        own = {key: one for key, one in vars(module).items() if _is_own(module, one)}
        there = ", ".join(_candidates(own) or own)
        raise InvalidSpaceError(
            f"{path} defines no {name}, which --build asks for"
            + (f"; found: {there}" if there else "")
        )
    is_space = _is_hypermodel(value) or callable(value) or methods_of(value)
    if not is_space or (method is not None and not callable(getattr(value, method, None))):
        raise InvalidSpaceError(
            f"{name} of {path}, which --build asks for, is {type(value).__name__}: expected a "
            "function of the hyperparameters or a keras_tuner.HyperModel"
            if method is None
            else f"{name} of {path} has no method {method}, which --build asks for"
        )
    if isinstance(value, type) and (made := _only_object_of(module, value)) is not None:
        value = made
    entry = _entry(path, name, value, known, method)
    own = {key: one for key, one in vars(module).items() if _is_own(module, one)}
    unheard = [f"the fit of {other} is not used" for other, _ in _unheard_fits(entry, own)]
    tuners = [f"the {method.__name__} of {one} is not used" for one, method in _own_tuners(own)]
    return replace(entry, said=(*entry.said, *unheard, *tuners))


def _candidates(values: dict[str, Any]) -> list[str]:
    """The names that may be the search space: the strongest kind of which there is one."""
    public = {name: value for name, value in values.items() if not name.startswith("_")}
    functions = [name for name, value in public.items() if _takes_one(value)]
    models = _objects_or_classes(public, _is_hypermodel)
    kinds: Iterable[list[str]] = (
        [name for name in functions if name in KNOWN],
        [name for name in functions if _first_word(public[name]) in HYPERPARAMETERS] + models,
        [name for name, value in public.items() if _word_among(value) is not None],
        _objects_or_classes(public, lambda value: bool(methods_of(value))),
        [name for name in functions if _first_word(public[name]) != _OPTUNAS],
    )
    return next((names for names in kinds if names), [])


def _objects_or_classes(public: dict[str, Any], fits: Callable[[Any], bool]) -> list[str]:
    """The objects that fit; if there are none, the classes on which no other is built."""
    fitting = {name: value for name, value in public.items() if fits(value)}
    objects = [name for name, value in fitting.items() if not isinstance(value, type)]
    classes = [one for one in fitting.values() if isinstance(one, type)]
    if objects:
        return objects
    return [
        name
        for name, kind in fitting.items()
        if not any(kind is not other and issubclass(other, kind) for other in classes)
    ]


def _only_object_of(module: ModuleType, kind: type) -> Any:
    """The one object of a class that a file makes and keeps; None if it makes none, or several."""
    made = [value for value in vars(module).values() if type(value) is kind]
    return made[0] if len(made) == 1 else None


def _entry(
    path: Path, name: str, value: Any, known: Known, method: str | None = None
) -> SpaceEntry:
    """The search space that a name stands for; a class is made an object."""
    name = name.removeprefix(MADE)
    methods = [] if _is_hypermodel(value) else methods_of(value)
    if methods or method is not None:
        return _of_method(path, name, value, known, methods if method is None else [method])
    if not _is_hypermodel(value):
        if not _takes_one(value) and (word := _word_among(value)) is not None:
            return _with_the_datas(path, name, value, word, known)
        owner = getattr(getattr(value, "func", value), "__self__", None)
        return SpaceEntry(name, value, owner if _is_hypermodel(owner) else None)
    said: tuple[str, ...] = ()
    if isinstance(value, type):
        value, said = _made(path, name, value, known)
    return SpaceEntry(name, value.build, value, said)


def _of_method(path: Path, name: str, value: Any, known: Known, methods: list[str]) -> SpaceEntry:
    """The search space that is a method of a class; an object of it is made if it needs one."""
    if len(methods) > 1:
        raise InvalidSpaceError(_several(path, [f"{name}.{method}" for method in methods]))
    (method,) = methods
    said: tuple[str, ...] = ()
    if isinstance(value, type) and needs_an_object(value, method):
        value, said = _made(path, name, value, known)
    return SpaceEntry(name, getattr(value, method), None, said, method)


def _with_the_datas(path: Path, name: str, function: Any, word: str, known: Known) -> SpaceEntry:
    """A function that takes more than the hyperparameters: the data give the rest."""
    others = [one for one in _required(function) or () if one != word]
    given = {one: _from_the_data(one, known) for one in others}
    unknown = [one for one, value in given.items() if value is None]
    if unknown:
        raise InvalidSpaceError(
            f"{name} of {path}{line_of(function)} takes {', '.join(others)} beside {word}, and "
            f"what {' and '.join(unknown)} is cannot be told from the data; there, write "
            f"def {name}({', '.join([word, *(f'{one}=8' for one in unknown)])}), with your own "
            "value in place of 8"
        )

    @functools.wraps(function)
    def build(hp: Any) -> Any:
        return function(**{word: hp}, **given)

    return SpaceEntry(name, build, None, (f"{name}({_spelt(given)}): taken from the data",))


def _made(path: Path, name: str, kind: Any, known: Known) -> tuple[Any, tuple[str, ...]]:
    """An object of a HyperModel's class, and what it was made with."""
    given: dict[str, Any] = {}
    required = _required(kind)
    if required is None:
        raise InvalidSpaceError(f"the arguments of class {name} of {path} cannot be read")
    for argument in required:
        found = _from_the_data(argument, known)
        if found is None:
            raise InvalidSpaceError(
                f"class {name} of {path} is made with {', '.join(required)}, and what "
                f"{argument} is cannot be told from the data; at the end of the file, write "
                f"hypermodel = {name}({argument}=8), with your own value in place of 8"
            )
        given[argument] = found
    try:
        made = kind(**given)
    except Exception as error:
        text = " ".join(str(error).split())
        raise InvalidSpaceError(
            f"{name}({_spelt(given)}) of {path} fails: {type(error).__name__}: {text}"
        ) from error
    return made, ((f"{name}({_spelt(given)}): taken from the data",) if given else ())


def _from_the_data(argument: str, known: Known) -> Any:
    one = known.inputs.only
    plain = argument.lower()
    if plain in _SHAPES and one is not None:
        return one.shape
    if plain in _WIDTHS and one is not None and len(one.shape) == 1:
        return one.shape[0]
    if plain in _CLASSES:
        return known.n_outputs
    if called_as_targets(argument):
        return StandIn((None, known.n_outputs))
    return stand_in_of(known.inputs) if given_as_inputs(argument) else None


def _refuse_unheard_fit(path: Path, entry: SpaceEntry, own: dict[str, Any]) -> SpaceEntry:
    """Raise InvalidSpaceError if a HyperModel of the file has a `fit` that would be passed over."""
    for name, method in _unheard_fits(entry, own):
        raise InvalidSpaceError(
            f"{path} has {entry.name} and {name}, whose fit{line_of(method)} would be passed over; "
            f"say which of them is the search space: --build {entry.name} or --build {name}"
        )
    tuners = list(_own_tuners(own))
    if len(tuners) == 1 and entry.hypermodel is None and tuners[0][1].__name__ == RUN_TRIAL:
        return _with_run_trial(entry, own[tuners[0][0]])
    for name, method in tuners:
        raise InvalidSpaceError(
            f"{path} has the tuner {name}, whose {method.__name__}{line_of(method)} would be "
            "passed over: what it asks of hp belongs into build, a batch size into the fit of a "
            f"HyperModel; if it need not be heard, say --build {entry.name}"
        )
    return entry


def _with_run_trial(entry: SpaceEntry, tuner: Any) -> SpaceEntry:
    """The search space, trained with what a tuner of the file gives to `model.fit`."""
    said = f"what {tuner.__name__}.{RUN_TRIAL} gives to model.fit is honoured"
    return replace(entry, hypermodel=heard(entry.build, tuner), said=(*entry.said, said))


def _own_tuners(own: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The tuners of the user's own that train in their own way, by name, with the method."""
    import keras_tuner

    for name, value in own.items():
        if isinstance(value, type) and issubclass(value, keras_tuner.Tuner):
            for method in (RUN_TRIAL, "_build_and_fit_model"):
                if method in vars(value):
                    yield name, vars(value)[method]


def _unheard_fits(entry: SpaceEntry, own: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The HyperModels that have a `fit` and are not the entry's, by name, with that `fit`."""
    import keras_tuner

    for name, value in own.items():
        kind: Any = value if isinstance(value, type) else type(value)
        if _is_hypermodel(value) and not isinstance(entry.hypermodel, kind):
            method = kind.fit
            if method is not keras_tuner.HyperModel.fit:
                yield name, method


def _none(path: Path, own: dict[str, Any]) -> str:
    found = f"; found: {', '.join(own)}" if own else ""
    optunas = [name for name, value in own.items() if _first_word(value) == _OPTUNAS]
    if optunas:
        return (
            f"{path} has {optunas[0]}({_OPTUNAS}), which is Optuna's, and no function of Keras "
            "Tuner's hyperparameters; docs/coming-from-optuna.md says what to write instead"
        )
    return (
        f"{path} defines no build(hp), nor another function of the hyperparameters alone or "
        f"HyperModel{found}"
    )


def _several(path: Path, names: list[str]) -> str:
    options = " or ".join(f"--build {name}" for name in names)
    return f"{path} has {len(names)} search spaces: {', '.join(names)}; say which with {options}"


def _spelt(given: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in given.items())


def _is_own(module: ModuleType, value: object) -> bool:
    if not isinstance(value, type) and (_is_hypermodel(value) or not callable(value)):
        value = type(value)
    return callable(value) and getattr(value, "__module__", None) == module.__name__


def _is_users_own(value: object) -> bool:
    """Whether a function or class comes from a file that is not installed; a HyperModel is."""
    if _is_hypermodel(value) and not isinstance(value, type):
        return True
    try:
        return is_users(Path(inspect.getfile(value)))  # type: ignore[arg-type]  # any object
    except (TypeError, OSError):
        return False


def _is_hypermodel(value: object) -> bool:
    import keras_tuner

    base = keras_tuner.HyperModel
    return isinstance(value, base) or (isinstance(value, type) and issubclass(value, base))


def _takes_one(value: object) -> bool:
    """Whether a function can be called with the hyperparameters alone."""
    if isinstance(value, type) or not callable(value):
        return False
    required = _required(value)
    return required is not None and (
        len(required) == 1 or (not required and _first_word(value) in HYPERPARAMETERS)
    )


def _required(value: Any) -> list[str] | None:
    """The arguments without a default; None if they cannot be read."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return None
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in kinds]


def _word_among(value: Any) -> str | None:
    """The argument for the hyperparameters of a function that takes more than them, or None."""
    if isinstance(value, type) or not callable(value) or _is_hypermodel(value):
        return None
    words = [one for one in _required(value) or () if one.lower() in WORDS]
    return words[0] if len(words) == 1 else None


def _first_word(value: Any) -> str:
    try:
        return next(iter(inspect.signature(value).parameters), "").lower()
    except (TypeError, ValueError):
        return ""
