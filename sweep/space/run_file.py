"""Runs a space's file, once, so that it defines its search space, and nothing is searched.

Where the user names the search space, or the file cannot be run as a whole, only what the space
needs is run (see `partly`), so that a script which also reads data and searches can be taken as it
is.
"""

import ast
import hashlib
import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, ModuleType

from sweep.errors import InvalidSpaceError
from sweep.space.entry import named_in
from sweep.space.guard import NotWhileImportedError, only_defining
from sweep.space.home import EndedByItselfError, Home, forget
from sweep.space.inputs import Inputs
from sweep.space.methods import KNOWN
from sweep.space.needed import (
    inner_searches,
    is_a_space,
    made_in_a_call,
    object_of,
    searches_nearby,
)
from sweep.space.partly import Partly
from sweep.space.place import users_frame
from sweep.space.precision import policy, with_policy
from sweep.space.saved import PREFIX
from sweep.space.text import NOTEBOOK, python_of, tree_of

_MOST_SHOWN = 200


def run_file(
    path: Path, home: Home, wanted: str | None, inputs: Inputs | None = None
) -> tuple[ModuleType, tuple[str, ...]]:
    """Return the module of a space's file, and in words which statements were not run.

    All are run, unless `wanted` names the search space: then what it needs; so too if the file
    cannot be run as a whole and has one search space. Data of which only the shape is needed are
    not read: it is that of `inputs`. Raises InvalidSpaceError, with the user's line, if a statement
    fails, searches or trains.
    """
    if wanted is not None:
        return _made_or(named_in(wanted)[0], path, home, inputs)
    module = _module(path)
    try:
        _run(path, home, lambda: exec(_compiled(path), vars(module)))
    except InvalidSpaceError as error:
        return _after(error, path, home, inputs)
    inner = _only_inside(path, module)
    if inner is not None:
        return _needed(path, home, inner, inputs)
    return module, _made_as_in_the_file(path, home, module)


def _made_as_in_the_file(path: Path, home: Home, module: ModuleType) -> tuple[str, ...]:
    """Make the object that a file makes of its one class inside a call; returns words on it.

    None is made if that fails: the names that it is made with may be known there only.
    """
    names = searches_nearby(path)
    if len(names) != 1 or any(name in vars(module) for name in KNOWN):
        return ()
    made = made_in_a_call(tree_of(path), names[0])
    if made is None or object_of(path, names[0]) != made.name:
        return ()
    code = compile(ast.Module([made.statement], []), str(path), "exec", dont_inherit=True)
    try:
        _run(path, home, lambda: exec(code, vars(module)))
    except InvalidSpaceError:
        return ()
    return (made.said(),)


def _only_inside(path: Path, module: ModuleType) -> str | None:
    """The search space of a file that has one only inside a function, which nobody can call."""
    tree = tree_of(path)
    if any(is_a_space(one) for one in tree.body) or any(name in vars(module) for name in KNOWN):
        return None
    names = list(inner_searches(tree))
    return names[0] if len(names) == 1 else None


def _after(
    error: InvalidSpaceError, path: Path, home: Home, inputs: Inputs | None
) -> tuple[ModuleType, tuple[str, ...]]:
    """The same of a file that cannot be run as a whole: what its one search space needs."""
    names = searches_nearby(path)
    known = [name for name in KNOWN if name in names]
    names = known[:1] if known[:1] == ["build"] else known or names
    if isinstance(error.__cause__, SyntaxError) or len(names) != 1:
        raise error
    module, said = _made_or(names[0], path, home, inputs)
    return module, (f"{path.name} is not run as a whole: {_why(error, path)}", *said)


def _made_or(
    name: str, path: Path, home: Home, inputs: Inputs | None
) -> tuple[ModuleType, tuple[str, ...]]:
    """What the object needs that the file makes of a class; else what the class needs."""
    made = object_of(path, name)
    if made is not None:
        try:
            return _needed(path, home, made, inputs)
        except InvalidSpaceError:
            pass
    return _needed(path, home, name, inputs)


def _why(error: InvalidSpaceError, path: Path) -> str:
    """Where the file stopped, in short."""
    cause = error.__cause__
    text = users_frame(cause, path) if isinstance(cause, Exception) else str(error)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"


def _module(path: Path) -> ModuleType:
    """A new module under the name that the file's module always has."""
    name = f"{PREFIX}{hashlib.sha256(str(path).encode()).hexdigest()[:8]}_{path.stem}"
    if path.suffix not in (".py", NOTEBOOK):
        raise InvalidSpaceError(
            f"{path} is neither a Python file nor a notebook: its name must end in .py or "
            f"{NOTEBOOK}"
        )
    module = ModuleType(name)
    module.__file__ = str(path)
    forget()
    sys.modules.pop(name, None)  # so that it is the last one
    sys.modules[name] = module
    return module


def _compiled(path: Path) -> CodeType:
    text = python_of(path)
    if path.suffix == NOTEBOOK:  # so that the lines of errors are shown
        linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))
    return compile(text, str(path), "exec", dont_inherit=True)


def _needed(
    path: Path, home: Home, wanted: str, inputs: Inputs | None
) -> tuple[ModuleType, tuple[str, ...]]:
    """The module with what `wanted` needs, and in words what else is not run."""
    module, partly = _module(path), Partly(wanted)
    try:
        _run(path, home, lambda: partly.run(path, module, inputs), wanted)
    except InvalidSpaceError as error:
        advice = "" if _beside(error.__cause__, path) else partly.advice()
        raise InvalidSpaceError(f"{error}{advice}") from error.__cause__
    return module, partly.said(path)


def _run(path: Path, home: Home, call: Callable[[], object], wanted: str | None = None) -> None:
    try:
        with with_policy(None), only_defining():
            home.run(call)
            home.policy = policy()
    except Exception as error:
        raise InvalidSpaceError(_failed(path, error, wanted)) from error


def _failed(path: Path, error: Exception, wanted: str | None) -> str:
    where = users_frame(error, path) + _beside(error, path)
    if wanted is not None:
        return f"{path} cannot be run as far as {wanted} needs it: {where}"
    does = error.__cause__ if isinstance(error, EndedByItselfError) else error
    if isinstance(does, SyntaxError | ImportError) and not isinstance(does, NotWhileImportedError):
        return f"{path} does not import: {where}"
    names = searches_nearby(path)
    if not names and not isinstance(error, NotWhileImportedError):
        return f"{path} does not import: {where}"
    options = " or ".join(f"--build {name}" for name in names)
    only = f", or have only what is needed run with {options}" if options else ""
    return (
        f"{path} does not import: {where}; a search space's file must only define: put what reads "
        f'data, searches or trains under if __name__ == "__main__":{only}'
    )


def _beside(error: BaseException | None, path: Path) -> str:
    """What to write where a file that lies beside the space is looked for elsewhere, or nothing."""
    name = error.filename if isinstance(error, FileNotFoundError) else None
    if not isinstance(name, str) or Path(name).is_absolute() or not (path.parent / name).exists():
        return ""
    return (
        f"; it lies beside {path.name}, and is looked for where the program is started: write "
        f"pathlib.Path(__file__).parent / {name!r}"
    )
