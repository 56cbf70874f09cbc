"""A script's `build` kept by value: a pickle, which is code that whoever loads it runs.

So nothing loads one unless this user's own programs have written it on this machine, or the user
says that it is trusted. What was written here is known by its SHA-256, in the user's cache.
"""

import hashlib
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweep.disk import write_bytes
from sweep.errors import InvalidSpaceError
from sweep.space.home import Home

_FOLDER = "scripts"


@dataclass(frozen=True)
class ByValue:
    """What a script builds models with."""

    build: Any
    """A function of the hyperparameters."""
    hypermodel: Any
    """Says how models are fitted, or None."""
    path: str
    """Of the script."""
    sha256: str
    source: str
    policy: str = "float32"
    """Keras' `DTypePolicy` in the script, by name: the precision of its models."""

    def home(self) -> Home:
        """Return where the code of `build` is run, with the precision that the script had."""
        import keras

        return Home(Path(self.path).parent, policy=keras.dtype_policies.get(self.policy))


def write_build(file: Path, given: ByValue, cache: Path) -> str | None:
    """Keep `build` by value; return why it cannot be kept, None if it is."""
    import cloudpickle  # type: ignore[import-untyped]

    try:
        content: bytes = cloudpickle.dumps(given)
    except Exception as error:  # whatever an object of the user's raises
        return " ".join(f"{type(error).__name__}: {error}".split())[:200]
    write_bytes(file, content)
    mark = _mark(content, cache)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    return None


def written_here(file: Path, cache: Path) -> bytes:
    """Return what this user's own programs have kept, as it is: nothing of it is run.

    Raises InvalidSpaceError if it is not kept, or not known to be theirs.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidSpaceError(f"build(hp) of the script is not kept in {file.parent}") from error
    if not _mark(content, cache).exists():
        raise InvalidSpaceError(f"{file} is code that was not written on this machine")
    return content


def read_build(file: Path, cache: Path, versions: Mapping[str, str], *, trusted: bool) -> ByValue:
    """Return what was kept: this runs code of the file.

    `versions` are those that the search began with. Raises InvalidSpaceError if it is not kept, not
    known to be this user's own, or cannot be loaded by the versions here.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidSpaceError(
            f"build(hp) of the script is not kept in {file.parent}; run the script again, which "
            "has it"
        ) from error
    if not trusted and not _mark(content, cache).exists():
        raise InvalidSpaceError(
            f"{file} is code that was not written on this machine; run the script again, or, if "
            "you trust whoever gave it to you, sweep resume with --stored-space"
        )
    try:
        found = pickle.loads(content)
    except Exception as error:  # whatever another version of Python or of a library raises
        then = ", ".join(f"{name} {version}" for name, version in versions.items())
        raise InvalidSpaceError(
            f"{file} cannot be loaded here ({type(error).__name__}: {error}); it was written with "
            f"{then}: go on with these, or run the script again"
        ) from error
    if not isinstance(found, ByValue):
        raise InvalidSpaceError(f"{file} holds {type(found).__name__}, and no script's build(hp)")
    return found


def _mark(content: bytes, cache: Path) -> Path:
    return cache / _FOLDER / hashlib.sha256(content).hexdigest()
