"""Finds, loads, checks and fingerprints a search space: a Python file with `build(hp)`.

A space file is code that the user asked us to run; whatever it raises is reported in one line
with the user's own frame.
"""

import ast
import difflib
import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

from sweep.errors import InvalidSpaceError
from sweep.records import Value
from sweep.space.commit import commit_of
from sweep.space.record import ChoiceDefinition, RangeDefinition, SpaceRecord
from sweep.space.source import fingerprint, sources

SHIPPED = "search_spaces"
METRIC = "binary_crossentropy"
CROSS_ENTROPY = (METRIC, "bce")
SQUARED_ERROR = ("mean_squared_error", "mse", "MSE")
CATEGORICAL = ("sparse_categorical_crossentropy",)
"""Keras' names of the losses that a model may have; the last of one with two outputs."""
_MOST_SWITCHES = 64


def shipped_spaces() -> dict[str, Path]:
    """The search spaces that ship with the program, by stem."""
    folder = Path(str(files(SHIPPED)))
    return {path.stem: path for path in sorted(folder.glob("*.py")) if path.stem != "__init__"}


def find_space(name: str) -> Path:
    """The file that `name` means: a path, or else the stem of a shipped space.

    Raises InvalidSpaceError, with the nearest names, when it is neither.
    """
    path = Path(name)
    try:
        if path.is_file():
            return path.resolve()
    except OSError as error:  # a name too long, a folder that may not be entered
        raise InvalidSpaceError(
            f"search space {name[:80]} cannot be read: {error.strerror}"
        ) from error
    shipped = shipped_spaces()
    if path.stem in shipped and path.suffix in ("", ".py"):
        return shipped[path.stem]
    beside = [str(p) for p in sorted(path.parent.glob("*.py"))] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.stem, shipped, cutoff=0.5)
    near += difflib.get_close_matches(name, beside, cutoff=0.7)
    hint = f"did you mean {' or '.join(near)}?" if near else f"shipped: {', '.join(shipped)}"
    kind = "is a folder, not a file" if path.is_dir() else "does not exist"
    raise InvalidSpaceError(f"search space {name} {kind}; {hint}")


def summary(path: Path) -> str:
    """The first line of the file's docstring, without running it."""
    try:
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    except (MemoryError, OSError, RecursionError, SyntaxError, ValueError):
        return ""
    return (text or "").partition("\n")[0]


@dataclass(frozen=True)
class Space:
    """A loaded search space.

    `hyperparameters` is a `keras_tuner.HyperParameters` that knows every hyperparameter, the
    conditional ones too.
    """

    name: str
    path: Path
    sha256: str
    """Over the file and the files beside it that it imports."""
    build: Any
    baselines: Mapping[str, Mapping[str, Value]]
    hyperparameters: Any
    searched: bool = True
    """False where the file says SEARCH = False: its baselines are all there is to train."""

    @property
    def hyperparameter_names(self) -> list[str]:
        return list(dict.fromkeys(hp.name for hp in self.hyperparameters.space))

    def describe(self) -> SpaceRecord:
        """Return what is kept with a sweep of this space. Asks git for the commit."""
        return SpaceRecord(
            name=self.name,
            path=str(self.path),
            sha256=self.sha256,
            sources=sources(self.path),
            hyperparameters=tuple(self.hyperparameter_names),
            definitions=tuple(_definition(hp) for hp in self.hyperparameters.space),
            baselines={name: dict(values) for name, values in self.baselines.items()},
            git=commit_of(self.path),
        )

    def corners(self) -> list[dict[str, Value]]:
        """Configurations among which the smallest and the largest model are looked for.

        All hyperparameters at an end, and each alone at its ends with the others at default;
        the baselines too.
        """
        ends = {hp.name: _ends(hp) for hp in self.hyperparameters.space}
        default = {hp.name: hp.default for hp in self.hyperparameters.space}
        alone = [{**default, name: end} for name, pair in ends.items() for end in pair]
        together = [{name: pair[side] for name, pair in ends.items()} for side in (0, 1)]
        return [default, *together, *alone, *(dict(values) for values in self.baselines.values())]


def load_space(name: str, n_features: int) -> Space:
    """Find, run and check a search space. Needs Keras to be started.

    Raises InvalidSpaceError with one line when it does not exist, does not import, defines no
    `build(hp)`, or its model cannot be trained on (rows, n_features) inputs and 0/1 labels.
    """
    path = find_space(name)
    module = _run(path)
    build = getattr(module, "build", None)
    if not callable(build):
        defined = [key for key, value in vars(module).items() if _is_own(module, value)]
        found = f"; found: {', '.join(defined)}" if defined else ""
        raise InvalidSpaceError(f"{path} defines no build(hp){found}")
    hyperparameters = _discover(path, build)
    known = {hp.name for hp in hyperparameters.space}
    _check_model(path, build, {}, n_features)
    baselines = {}
    for label, values in _baselines(path, module).items():
        _check_names(path, label, values, known)
        baselines[label] = _check_model(path, build, values, n_features)
    searched = bool(getattr(module, "SEARCH", True))
    return Space(path.stem, path, fingerprint(path), build, baselines, hyperparameters, searched)


def _run(path: Path) -> ModuleType:
    name = f"_sweep_space_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidSpaceError(f"{path} is not a Python file: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.parent))  # so that it can import its neighbours
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise InvalidSpaceError(f"{path} does not import: {_users_frame(error, path)}") from error
    finally:
        sys.path.remove(str(path.parent))
    return module


def _is_own(module: ModuleType, value: object) -> bool:
    return callable(value) and getattr(value, "__module__", None) == module.__name__


def _users_frame(error: BaseException, path: Path) -> str:
    """`file:line: Error: message (source line)`, for the deepest frame in the user's folder."""
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"line {error.lineno}: SyntaxError: {error.msg} ({(error.text or '').strip()})"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).parent == path.parent]
    if not own:
        return text
    frame = own[-1]
    where = "" if frame.filename == str(path) else f"{Path(frame.filename).name} "
    return f"{where}line {frame.lineno}: {text} (in: {frame.line})"


def _discover(path: Path, build: Any) -> Any:
    """Every hyperparameter of `build`, those hidden behind a condition too.

    Conditional scopes are entered, and every value of a switch (a boolean, or a choice among
    names) is tried once, each with the others at their defaults.
    """
    import keras_tuner

    known = keras_tuner.HyperParameters()
    tried: list[dict[str, Value]] = []
    todo: list[dict[str, Value]] = [{}]
    while todo:
        values = todo.pop(0)
        tried.append(values)
        hp = keras_tuner.HyperParameters()
        hp.values = {**{p.name: p.default for p in known.space}, **values}
        _build(path, build, hp)
        known.merge(hp.space)
        scopes = [{c.name: c.values[0] for c in scope} for scope in hp.inactive_scopes if scope]
        switches = [{**values, p.name: value} for p in hp.space for value in _switch_values(p)]
        todo += [one for one in scopes + switches if one not in tried and one not in todo]
        if len(tried) > _MOST_SWITCHES:
            break
    return known


def _switch_values(hp: Any) -> list[Value]:
    values = list(getattr(hp, "values", None) or [])
    return values if values and all(isinstance(v, bool | str) for v in values) else []


def _build(path: Path, build: Any, hp: Any) -> Any:
    try:
        return build(hp)
    except Exception as error:
        chosen = f" with {hp.values}" if hp.values else ""
        raise InvalidSpaceError(
            f"build(hp) of {path} fails{chosen}: {_users_frame(error, path)}"
        ) from error


def _check_model(
    path: Path, build: Any, values: Mapping[str, Value], n_features: int
) -> dict[str, Value]:
    """Refuse a model that cannot be trained here; returns `values` with the defaults filled in."""
    import keras
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    model = _build(path, build, hp)
    if not isinstance(model, keras.Model):
        raise InvalidSpaceError(
            f"build(hp) of {path} returned {type(model).__name__}, expected a compiled keras.Model"
        )
    if not model.compiled or model.optimizer is None:
        raise InvalidSpaceError(
            f"build(hp) of {path} returned a model that is not compiled: call model.compile(...)"
        )
    _check_shapes(path, model, n_features)
    _check_loss(path, model)
    found = _metrics(model)
    if METRIC not in found or (_outputs(model) == 2 and "Categorical" not in found[METRIC]):
        raise InvalidSpaceError(
            f"the model of {path} lacks the metric {METRIC!r} "
            f"(it has: {', '.join(found) or 'none'}); "
            f"add {_METRICS[_outputs(model)]} to compile(metrics=[...])"
        )
    return dict(hp.values)


def _check_shapes(path: Path, model: Any, n_features: int) -> None:
    if not model.built:
        raise InvalidSpaceError(
            f"the model of {path} has no input shape: begin it with keras.Input(({n_features},))"
        )
    for what, shape, *wanted in (
        ("inputs", model.input_shape, n_features),
        ("outputs", model.output_shape, 1, 2),
    ):
        if not isinstance(shape, tuple) or len(shape) != 2 or shape[1] not in wanted:
            expected = " or ".join(f"(None, {size})" for size in wanted)
            raise InvalidSpaceError(
                f"the model of {path} has {what} of shape {shape}, expected {expected}"
            )


_METRICS = {
    1: "keras.metrics.BinaryCrossentropy(from_logits=...)",
    2: f'keras.metrics.SparseCategoricalCrossentropy(from_logits=..., name="{METRIC}")',
}
"""The metric that a model needs, by its number of outputs."""


def _outputs(model: Any) -> int:
    return int(model.output_shape[1])


def _check_loss(path: Path, model: Any) -> None:
    """One output is a logit or probability; two are those of the classes 0 and 1."""
    from keras import losses

    if _outputs(model) == 1:
        kinds: tuple[Any, ...] = (losses.BinaryCrossentropy, losses.MeanSquaredError)
        names: tuple[str, ...] = (*CROSS_ENTROPY, *SQUARED_ERROR)
        expected = "BinaryCrossentropy(...), or MeanSquaredError()"
    else:
        kinds, names = (losses.SparseCategoricalCrossentropy,), CATEGORICAL
        expected = "SparseCategoricalCrossentropy(...), as it has two outputs"
    if not isinstance(model.loss, kinds) and model.loss not in names:
        raise InvalidSpaceError(
            f"the model of {path} is compiled with loss {_name(model.loss)}; "
            f"expected keras.losses.{expected}"
        )


def _name(loss: object) -> str:
    return loss if isinstance(loss, str) else type(loss).__name__


def _metrics(model: Any) -> dict[str, str]:
    """The class, or what stands for it, of each metric by its name."""
    metrics = model.get_compile_config()["metrics"] or []
    named = (m for m in metrics if isinstance(m, str))
    built = (m for m in metrics if isinstance(m, dict))
    return {name: name for name in named} | {
        str(m.get("config", {}).get("name")): str(m.get("class_name")) for m in built
    }


def _baselines(path: Path, module: ModuleType) -> dict[str, dict[str, Value]]:
    baselines = getattr(module, "BASELINES", {})
    if not isinstance(baselines, dict) or not all(
        isinstance(name, str) and isinstance(values, dict) for name, values in baselines.items()
    ):
        raise InvalidSpaceError(
            f'BASELINES of {path} must be a dict of dicts, such as {{"Tiny": {{"width": 16}}}}'
        )
    return baselines


def _check_names(path: Path, label: str, values: Mapping[str, Value], known: set[str]) -> None:
    unknown = [name for name in values if name not in known]
    if unknown:
        raise InvalidSpaceError(
            f"baseline {label!r} of {path} sets {', '.join(unknown)}, "
            f"which build(hp) does not ask for; it asks for: {', '.join(sorted(known))}"
        )


def _definition(hp: Any) -> RangeDefinition | ChoiceDefinition:
    """Return the name, kind and range or values of a hyperparameter."""
    kind = type(hp).__name__
    if hasattr(hp, "min_value"):
        return RangeDefinition(hp.name, kind, hp.min_value, hp.max_value, hp.step, hp.sampling)
    values = getattr(hp, "values", None)
    return ChoiceDefinition(hp.name, kind, (hp.default,) if values is None else tuple(values))


def _ends(hp: Any) -> tuple[Value, Value]:
    values = list(hp.values) if getattr(hp, "values", None) else [hp.default]
    if hasattr(hp, "min_value"):
        return hp.min_value, hp.max_value
    ordered = all(isinstance(v, int | float) for v in values)
    return (min(values), max(values)) if ordered else (values[0], values[-1])
