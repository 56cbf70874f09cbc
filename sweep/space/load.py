"""Loads a search space: a Python file with `build(hp)`, found, run, seen whole and checked.

A space file is code that the user asked us to run; whatever it raises is reported in one line
with the user's own frame.
"""

import contextlib
import io
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from sweep.errors import InvalidSpaceError
from sweep.records import Value
from sweep.space.asked import Answer, Ask, ConditionalScope, Declaration
from sweep.space.build import Build, HomeBuild, name_of
from sweep.space.check import (
    check_built,
    check_names,
    checked_values,
    declared_baselines,
    declared_class_weight,
)
from sweep.space.commit import commit_of
from sweep.space.describe import definitions, ends
from sweep.space.discover import Discovery, discover
from sweep.space.effect import without_effect
from sweep.space.entry import Known, find_entry
from sweep.space.explore import Explorer, Follow, Trace, suggested
from sweep.space.faults import Faults
from sweep.space.find import find_space
from sweep.space.home import Home
from sweep.space.inputs import Inputs
from sweep.space.lines import where_named
from sweep.space.record import SpaceRecord
from sweep.space.run_file import run_file
from sweep.space.scoring import ModelMeasures, measures_of
from sweep.space.source import fingerprint_of, imported, texts, uncopied
from sweep.tasks.task import HIGGS_TASK, Task
from sweep.words import shortened

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Space:
    """A loaded search space."""

    name: str
    path: Path
    sha256: str
    """Over the file and all files of the user's that are imported or read."""
    sources: Mapping[str, str]
    """The text of each of these files, by its place beside the space."""
    build: Build
    baselines: Mapping[str, Mapping[str, Value]]
    discovery: Discovery
    explorer: Explorer
    searched: bool = True
    """False where the file says SEARCH = False: its baselines are all there is to train."""
    said: tuple[str, ...] = ()
    """What a person should know of how the file was read."""
    warnings: tuple[str, ...] = ()
    """What in the file has no effect, or another than it seems to have."""
    measures: tuple[ModelMeasures, ...] = ()
    """What the models that were built can be ranked by, each different one once."""
    class_weight: Mapping[Any, float] | None = None
    """CLASS_WEIGHT of the file: how much each class counts in the training loss, by its label."""
    uncopied: Mapping[str, str] = field(default_factory=dict)
    """The SHA-256 of each file that is too large to be among `sources`."""
    built: Mapping[str, str] = field(default_factory=dict)
    """What tells the model of the default values from others: its parameters, and hashes."""

    @cached_property
    def hyperparameters(self) -> Any:
        """A `keras_tuner.HyperParameters` with every declaration."""
        import keras_tuner

        known = keras_tuner.HyperParameters()
        for one in self.discovery.declarations:
            known.space.append(one.parameter)
            known.values.setdefault(one.name, one.default)
        return known

    @property
    def hyperparameter_names(self) -> list[str]:
        return list(dict.fromkeys(one.name for one in self.discovery.declarations))

    @property
    def follow(self) -> Follow | None:
        """What a search draws with, where which hyperparameters are active depends on values.

        None for a flat space: every configuration has every hyperparameter.
        """
        if self.discovery.is_flat:
            return None
        return lambda answer: self.explorer.follow(answer).values

    @property
    def configured(self) -> Follow:
        """The configuration that comes of answers, of a flat space too: nothing is built for it."""
        return self._values

    def describe(self) -> SpaceRecord:
        """Return what is kept with a sweep of this space. Asks git for the commit."""
        return SpaceRecord(
            name=self.name,
            path=str(self.path),
            sha256=self.sha256,
            sources=dict(self.sources),
            uncopied=dict(self.uncopied) or None,
            hyperparameters=tuple(self.hyperparameter_names),
            definitions=definitions(self.discovery),
            built=dict(self.built) or None,
            baselines={name: dict(values) for name, values in self.baselines.items()},
            git=commit_of(self.path),
        )

    def corners(self) -> list[dict[str, Value]]:
        """Return configurations among which the smallest and the largest model are looked for.

        All hyperparameters at an end, and each alone at its ends with the others at default;
        the baselines too.
        """
        default: Mapping[str, Value] = {}
        wanted: list[Answer] = [suggested(default), _least, _greatest]
        for one in self.discovery.declarations:
            first = next(t for t in self.discovery.traces if _asks(t, one))
            rest = default if self.discovery.is_flat else first.values
            wanted += [suggested({**rest, one.name: end}) for end in ends(one)]
        found = [*(self._values(answer) for answer in wanted), *map(dict, self.baselines.values())]
        return list({repr(sorted(values.items())): values for values in found}.values())

    def _values(self, answer: Answer) -> dict[str, Value]:
        if self.discovery.is_flat:
            return {one.name: answer(one) for one in self.discovery.declarations}
        return self.explorer.follow(answer).values


def _least(declaration: Declaration) -> Value:
    return ends(declaration)[0]


def _greatest(declaration: Declaration) -> Value:
    return ends(declaration)[1]


def _asks(trace: Trace, declaration: Declaration) -> bool:
    return any(ask.declaration == declaration for ask in trace.active.values())


Look = Callable[[Any], None]
"""Is given each model that is built while a space is seen, if it can be trained."""


def load_space(
    name: str,
    inputs: Inputs,
    *,
    build: str | None = None,
    n_outputs: int = 2,
    task: Task = HIGGS_TASK,
    look: Look | None = None,
) -> Space:
    """Return the search space `name`, found, run and checked. Needs Keras to be started.

    `build` names the function or HyperModel in the file, `n_outputs` is the number of classes, or
    of amounts; `look` is given each model that can be trained. Raises InvalidSpaceError if the
    space does not exist, does not import, defines no search space or several, or its model cannot
    be trained on `inputs` and the targets of `task`.
    """
    path = find_space(name)
    home, before = Home(path.parent), dict(os.environ)
    module, skipped = run_file(path, home, build, inputs)
    _refuse_late_settings(path, before)
    entry = find_entry(path, module, build, Known(inputs, n_outputs))
    called = HomeBuild(path, entry, home, inputs, task)
    explorer, seen = _begun(path, called, inputs, task, look)
    faults = explorer.faults
    baselines, files = {}, {}
    with faults.kept(), _unheard():
        discovery = discover(explorer)
        with faults.kept():
            baselines = _baselines(path, module, explorer, discovery)
    with faults.kept():
        files = _files(path, home, module)
    faults.refuse()
    return replace(
        _space(called, explorer, discovery, seen),
        sha256=fingerprint_of(files),
        sources=texts(files),
        uncopied=uncopied(files),
        built=explorer.digests(discovery.traces[0]),
        baselines=baselines,
        searched=bool(getattr(module, "SEARCH", True)),
        said=(*entry.said, *skipped),
        class_weight=declared_class_weight(path, module),
    )


def _refuse_late_settings(path: Path, before: Mapping[str, str]) -> None:
    """Raise InvalidSpaceError if the file sets what Keras had read before the file was run."""
    import keras

    used = {"KERAS_BACKEND": keras.backend.backend(), "KERAS_FLOATX": keras.config.floatx()}
    for name, value in used.items():
        now = os.environ.get(name, value)
        if now not in (before.get(name), value):
            raise InvalidSpaceError(
                f"{path} sets {name} to {shortened(now, 40)}, but Keras has started with {value}; "
                f"delete that line, or set {name} in the shell that sweep is started from"
            )


def see(called: HomeBuild, look: Look | None = None) -> Space:
    """Return the search space of a build that is there already, seen whole and checked.

    Its files are left to the caller; `look` is given each model. Raises InvalidSpaceError naming
    all faults.
    """
    explorer, seen = _begun(called.path, called, called.inputs, called.task, look)
    with explorer.faults.kept(), _unheard():
        discovery = discover(explorer)
    explorer.faults.refuse()
    return _space(called, explorer, discovery, seen)


_Seen = dict[ModelMeasures, None]


def _begun(
    path: Path, called: HomeBuild, inputs: Inputs, task: Task, look: Look | None
) -> tuple[Explorer, _Seen]:
    """An explorer whose first model is built and checked, and what its models can be ranked by.

    Raises InvalidSpaceError if the first build fails.
    """
    seen: _Seen = {}

    def check(model: Any) -> None:
        check_built(path, model, inputs, task, called.called)
        seen[measures_of(model, task)] = None
        if look is not None:
            look(model)

    explorer = Explorer(path, replace(called, lightly=True), check=check, whole=called)
    first = explorer.given({})
    if first.error is not None:
        explorer.faults.add(explorer.failed(first))
        explorer.faults.refuse()
    return explorer, seen


def _space(called: HomeBuild, explorer: Explorer, discovery: Discovery, seen: _Seen) -> Space:
    """A space whose models are checked, without its files and what else they say."""
    path = called.path
    with _unheard():
        warnings = (
            *without_effect(explorer, discovery),
            *_not_searched(path, discovery),
            *_never_active(discovery),
        )
    explorer.compares, explorer.check = False, None
    kind = "plain" if discovery.is_flat else "with conditions"
    _log.info("search space %s, %s: seen in %d builds", path.stem, kind, explorer.n_builds)
    return Space(
        name=path.stem,
        path=path,
        sha256="",
        sources={},
        build=called,
        baselines={},
        discovery=replace(discovery, n_builds=explorer.n_builds),
        explorer=explorer,
        warnings=warnings,
        measures=tuple(seen),
    )


def _not_searched(path: Path, discovery: Discovery) -> list[str]:
    return [
        f"{path.name} line {place.first} asks for {place.name}, and none of {discovery.n_builds} "
        "builds came there: it is not searched, and a trial that comes there fails; let its "
        "condition be a hyperparameter of its own, such as hp.Boolean"
        for place in discovery.unreached
    ]


def _never_active(discovery: Discovery) -> list[str]:
    """What is asked for only in scopes that never hold, such as one on a word that is no choice."""
    active = {name for trace in discovery.traces for name in trace.active}
    never: dict[str, Ask] = {}
    for trace in discovery.traces:
        for ask in trace.asks:
            if ask.declaration.name not in active:
                never.setdefault(ask.declaration.name, ask)
    return [
        f"{ask.place} asks for {name!r} only if {_and(ask.scopes)}, which is so in none of "
        f"{discovery.n_builds} builds: it is not searched"
        for name, ask in never.items()
    ]


def _and(scopes: tuple[ConditionalScope, ...]) -> str:
    told = (f"{one.parent!r} is {' or '.join(map(repr, one.values))}" for one in scopes)
    return " and ".join(told)


def load_build(
    path: Path, inputs: Inputs, *, build: str | None, n_outputs: int, task: Task
) -> Build:
    """Return the build of a space that has been loaded and checked before, in another process.

    Raises InvalidSpaceError if its file cannot be run here.
    """
    home = Home(path.parent)
    module, _ = run_file(path, home, build, inputs)
    entry = find_entry(path, module, build, Known(inputs, n_outputs))
    return HomeBuild(path, entry, home, inputs, task)


def _baselines(
    path: Path, module: ModuleType, explorer: Explorer, discovery: Discovery
) -> dict[str, dict[str, Value]]:
    """The BASELINES of a space's file, completed. Raises InvalidSpaceError naming all faults."""
    known = {one.name for one in discovery.declarations}
    baselines, faults = {}, Faults(path)
    for label, values in declared_baselines(path, module).items():
        with faults.kept():
            check_names(path, label, values, known, name_of(explorer.build))
            try:
                baselines[label] = checked_values(explorer, values)
            except InvalidSpaceError as error:
                raise InvalidSpaceError(f"baseline {label!r}: {error}") from error
    faults.refuse()
    return baselines


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """What `build` prints was seen once, at the first build; it is not shown for the others."""
    with contextlib.redirect_stderr(io.StringIO()):
        yield


def _files(path: Path, home: Home, module: ModuleType) -> dict[str, Path]:
    """All files of the user's that the space needs, by their places beside the space.

    What its imports lead to, what it did import and read while it ran, and its `FILES`.
    """
    found = imported(path)
    for name, loaded in home.modules.items():
        file = Path(str(loaded.__file__))
        if file != path and file.suffix == ".py" and file.is_file():
            found.setdefault(_place(name, file, path.parent), file)
    for file in (*home.opened, *_declared_files(path, module)):
        if file != path and file.is_file():
            found.setdefault(file.relative_to(path.parent).as_posix(), file)
    own = found.pop(path.name)
    return {path.name: own, **dict(sorted(found.items()))}


def _place(name: str, file: Path, folder: Path) -> str:
    """Where a module is looked for beside the space; one from elsewhere by its dotted name."""
    if file.is_relative_to(folder):
        return file.relative_to(folder).as_posix()
    place = name.replace(".", "/")
    return f"{place}/__init__.py" if file.name == "__init__.py" else f"{place}.py"


def _declared_files(path: Path, module: ModuleType) -> list[Path]:
    names = getattr(module, "FILES", [])
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        line = where_named(path, "FILES")
        raise InvalidSpaceError(
            f'FILES of {path}{line} must be a list of names, such as ["means.npy"]'
        )
    files = [path.parent / name for name in names]
    for name, file in zip(names, files, strict=True):
        inside = ".." not in Path(name).parts and file.is_relative_to(path.parent)
        if not inside or not file.is_file():
            line = where_named(path, "FILES", name)
            raise InvalidSpaceError(
                f"FILES of {path}{line} names {name!r}, which is no file beside it"
            )
    return files
