"""Runs a space's file, once, so that it defines its search space, and nothing is searched.

Where the user names the search space, only what that needs is run (see `needed`), so that a script
which also reads data and searches can be taken as it is.
"""

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from sweep.errors import InvalidSpaceError
from sweep.space.guard import NotWhileImportedError, only_defining
from sweep.space.home import EndedByItselfError, Home, forget
from sweep.space.needed import Statement, searches_nearby, statements
from sweep.space.place import users_frame
from sweep.space.precision import policy, with_policy
from sweep.space.saved import PREFIX

_FUTURE = "__future__"


def run_file(path: Path, home: Home, wanted: str | None) -> tuple[ModuleType, tuple[str, ...]]:
    """Return the module of a space's file, and in words which statements were not run.

    All are run, unless `wanted` names the search space: then what it needs. Raises
    InvalidSpaceError, with the user's line, if one of them fails, searches or trains.
    """
    name = f"{PREFIX}{hashlib.sha256(str(path).encode()).hexdigest()[:8]}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidSpaceError(f"{path} is not a Python file: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    forget()
    sys.modules.pop(name, None)  # so that it is the last one
    sys.modules[name] = module
    loader = spec.loader
    if wanted is None:
        _run(path, home, lambda: loader.exec_module(module))
        return module, ()
    skipped: list[Statement] = []
    _run(path, home, lambda: skipped.extend(_run_needed(path, module, wanted)), wanted)
    if not skipped:
        return module, ()
    said = (
        f"{wanted} needs only a part of {path.name}; not run:",
        *(one.said() for one in skipped),
    )
    return module, said


def _run(path: Path, home: Home, call: Callable[[], None], wanted: str | None = None) -> None:
    try:
        with with_policy(None), only_defining():
            home.run(call)
            home.policy = policy()
    except Exception as error:
        raise InvalidSpaceError(_failed(path, error, wanted)) from error


def _run_needed(path: Path, module: ModuleType, wanted: str) -> list[Statement]:
    """Run what `wanted` needs, and definitions; return the statements that were not run."""
    tree = ast.parse(path.read_bytes(), str(path))
    flags = _future_flags(tree)
    skipped = []
    for one in statements(tree, wanted):
        code = compile(
            ast.Module([one.node], []), str(path), "exec", flags=flags, dont_inherit=True
        )
        if one.needed:
            exec(code, vars(module))
        elif one.defines:
            try:
                exec(code, vars(module))
            except Exception:  # a package that is missing, a name that was not made
                skipped.append(one)
        else:
            skipped.append(one)
    return skipped


def _future_flags(tree: ast.Module) -> int:
    """The compiler's flags for the file's `from __future__ import …`."""
    import __future__

    names = [
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == _FUTURE
        for alias in node.names
    ]
    flags = 0
    for name in names:
        flags |= getattr(__future__, name).compiler_flag
    return flags


def _failed(path: Path, error: Exception, wanted: str | None) -> str:
    where = users_frame(error, path)
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
