"""Loads a search space: a Python file with `build(hp)`, found, run and checked.

A space file is code that the user asked us to run; whatever it raises is reported in one line
with the user's own frame.
"""

import hashlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from sweep.errors import InvalidSpaceError
from sweep.records import Json, Value
from sweep.space.build import Build, users_frame
from sweep.space.check import check_model, check_names, declared_baselines
from sweep.space.describe import definition, ends
from sweep.space.discover import discover
from sweep.space.find import find_space
from sweep.space.source import fingerprint, sources


@dataclass(frozen=True)
class Space:
    """A loaded search space.

    `hyperparameters` is a `keras_tuner.HyperParameters` that knows every hyperparameter, the
    conditional ones too.
    """

    name: str
    path: Path
    sha256: str
    """Over the file and the files beside the file that are imported."""
    build: Build
    baselines: Mapping[str, Mapping[str, Value]]
    hyperparameters: Any
    searched: bool = True
    """False where the file says SEARCH = False: its baselines are all there is to train."""

    @property
    def hyperparameter_names(self) -> list[str]:
        return list(dict.fromkeys(hp.name for hp in self.hyperparameters.space))

    def describe(self) -> Json:
        """Return what a sweep's database keeps of the space, as JSON."""
        return {
            "name": self.name,
            "path": str(self.path),
            "sha256": self.sha256,
            "sources": sources(self.path),
            "hyperparameters": self.hyperparameter_names,
            "definitions": [definition(hp) for hp in self.hyperparameters.space],
            "baselines": {name: dict(values) for name, values in self.baselines.items()},
        }

    def corners(self) -> list[dict[str, Value]]:
        """Return configurations among which the smallest and the largest model are looked for.

        All hyperparameters at an end, and each alone at its ends with the others at default;
        the baselines too.
        """
        pairs = {hp.name: ends(hp) for hp in self.hyperparameters.space}
        default = {hp.name: hp.default for hp in self.hyperparameters.space}
        alone = [{**default, name: end} for name, pair in pairs.items() for end in pair]
        together = [{name: pair[side] for name, pair in pairs.items()} for side in (0, 1)]
        return [default, *together, *alone, *(dict(values) for values in self.baselines.values())]


def load_space(name: str, n_features: int) -> Space:
    """Return the search space `name`, found, run and checked. Needs Keras to be started.

    Raises InvalidSpaceError with one line if the space does not exist, does not import, defines no
    `build(hp)`, or its model cannot be trained on (rows, n_features) inputs and 0/1 labels.
    """
    path = find_space(name)
    module = _run(path)
    build = getattr(module, "build", None)
    if not callable(build):
        defined = [key for key, value in vars(module).items() if _is_own(module, value)]
        found = f"; found: {', '.join(defined)}" if defined else ""
        raise InvalidSpaceError(f"{path} defines no build(hp){found}")
    hyperparameters = discover(path, build)
    known = {hp.name for hp in hyperparameters.space}
    check_model(path, build, {}, n_features)
    baselines = {}
    for label, values in declared_baselines(path, module).items():
        check_names(path, label, values, known)
        baselines[label] = check_model(path, build, values, n_features)
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
        raise InvalidSpaceError(f"{path} does not import: {users_frame(error, path)}") from error
    finally:
        sys.path.remove(str(path.parent))
    return module


def _is_own(module: ModuleType, value: object) -> bool:
    return callable(value) and getattr(value, "__module__", None) == module.__name__
