"""The search space of a script: its `build` where it stands, seen whole and checked as a file's."""

import inspect
import linecache
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sweep.data.rows import Inputs as Arrays
from sweep.errors import InvalidSpaceError, UsageError
from sweep.space.build import HomeBuild
from sweep.space.entry import SpaceEntry
from sweep.space.home import Home
from sweep.space.inputs import inputs_of
from sweep.space.load import Space, see
from sweep.space.place import users_frame
from sweep.space.precision import policy
from sweep.space.saved import script_uses
from sweep.tasks.task import Task
from sweep.tuners.fingerprint import fingerprint_of
from sweep.tuners.given_build import GivenBuild

_HOMES: dict[Path, Home] = {}
"""One for each folder: a module that `build` imports is imported once."""


@dataclass(frozen=True)
class ScriptSpace:
    """What a script's tuner builds models with."""

    given: GivenBuild
    hypermodel: Any
    """A `keras_tuner.HyperModel`, or None of a function."""
    path: Path
    """The file, or a name for the notebook's cell."""
    source: str
    """Its text, to be read."""
    sha256: str
    parts: Mapping[str, str]
    """Of what `build` consists, each with its SHA-256, to name what has changed."""

    def fitted(self, hypermodel: Any) -> "ScriptSpace":
        """Return the space with a HyperModel that says how its models are fitted."""
        return replace(self, hypermodel=hypermodel)

    def called(self, x: Arrays, task: Task) -> HomeBuild:
        """Return `build` as it is called for these inputs, targets of this task."""
        home = self._home()
        home.policy = policy()
        script_uses(self.given.build)
        entry = SpaceEntry("build", self.given, self.hypermodel)
        return HomeBuild(self.path, entry, home, inputs_of(x), task)

    def default_model(self) -> Any:
        """Return the model of the default values, not yet built if it has no input shape.

        Raises InvalidSpaceError with the user's own line if `build` fails.
        """
        import keras
        import keras_tuner

        try:
            model = self._home().run(lambda: self.given(keras_tuner.HyperParameters()))
        except UsageError:
            raise
        except Exception as error:
            raise InvalidSpaceError(
                f"build(hp) of {self.path} fails: {users_frame(error, self.path)}"
            ) from error
        if not isinstance(model, keras.Model):
            raise InvalidSpaceError(
                f"build(hp) of {self.path} returned {type(model).__name__}, expected a compiled "
                "keras.Model"
            )
        return model

    def _home(self) -> Home:
        return _HOMES.setdefault(self.path.parent, Home(self.path.parent))

    def seen(self, x: Arrays, task: Task) -> Space:
        """Return the space, every hyperparameter found and every model checked.

        Raises InvalidSpaceError naming all faults.
        """
        space = see(self.called(x, task))
        return replace(
            space, sha256=self.sha256, sources={self.path.name: self.source}, baselines={}
        )


def script_space(given: GivenBuild, hypermodel: Any, called_with: Any = ()) -> ScriptSpace:
    """Return the space that a function or a HyperModel of a script makes.

    `called_with` is what else decides how models are trained: callbacks, whether to shuffle.
    """
    subject = given.build if hypermodel is None else hypermodel
    arguments = given.arguments
    declared = arguments.hyperparameters
    sha256, parts = fingerprint_of(
        {
            "build": subject,
            "compile": arguments.compile or {},
            "hyperparameters": None if declared is None else declared.get_config(),
            "entries": (arguments.tune_new_entries, arguments.allow_new_entries),
            "callbacks": called_with,
            **({} if policy().name == "float32" else {"precision": policy().name}),
        }
    )
    path, source = _place(type(hypermodel) if hypermodel is not None else given.build)
    return ScriptSpace(given, hypermodel, path, source, sha256, parts)


def _place(subject: Any) -> tuple[Path, str]:
    """The file that something stands in, with its text; a notebook's cell by the folder."""
    subject = inspect.unwrap(getattr(subject, "__func__", subject))
    try:
        file = inspect.getsourcefile(subject) or inspect.getfile(subject)
    except (TypeError, OSError):
        return Path.cwd() / "script.py", _text_of(subject)
    path = Path(file)
    if path.suffix == ".py" and path.is_file() and "ipykernel" not in file:
        return path.resolve(), path.read_text(encoding="utf-8", errors="surrogateescape")
    return Path.cwd() / "notebook.py", "".join(linecache.getlines(file)) or _text_of(subject)


def _text_of(subject: Any) -> str:
    try:
        return inspect.getsource(subject)
    except (TypeError, OSError):
        return "# the text of build(hp) could not be found\n"
